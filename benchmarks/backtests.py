"""Backtests beside their peers: one run with every rule on, a sweep, the first run of a process, and memory.

Run with `python -m benchmarks backtests`. CPU time, medians, the candidates taking turns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from benchmarks import limits
from benchmarks.children import ask, save
from benchmarks.market import COMMISSION, SPEC, STAKE, minutes, setup
from benchmarks.peers import vectorbt as peer
from benchmarks.rows import Row
from benchmarks.timing import in_turns
from trading import book
from trading.backtest import Simulation, Tape, simulate
from trading.domain import Candles
from trading.indicators import INDICATORS
from trading.sweeping import Sweep, crossing_pairs, sweep

FAST, SLOW, RSI_LOW, RSI_HIGH = 10, 30, 30.0, 70.0
SMA_LEVELS, RSI_LEVELS = (50.0, 0.0), (2.0, 3.0)
FASTS, SLOWS = range(5, 25), range(30, 180, 3)
PAIRS = [(fast, slow) for fast in FASTS for slow in SLOWS]
PEER_PAIRS = PAIRS[::5]  # vectorbt gets every fifth pair, 100 columns at a time: all at once would not fit the memory
PEER_COLUMNS = 100
AIMS = {("sma", 1_000_000): 5, ("rsi", 1_000_000): 4, ("sma", 100_000): 12, ("rsi", 100_000): 8}


class Contest(NamedTuple):
    """The same strategy by ours, by the peer, and by loops that do nothing else."""

    what: str
    ours: Callable[[Candles], Simulation]
    peer: Callable[[Candles], object]
    generic: Callable[[Candles], object]
    fused: Callable[[Candles], object]


def crossings(fast: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """1 where `fast` rises above `slow`, -1 where it falls below."""
    above = fast > slow
    known = ~np.isnan(slow)
    direction = np.zeros(len(fast), np.int8)
    direction[1:] = (above[1:].view(np.int8) - above[:-1].view(np.int8)) * (known[1:] & known[:-1])
    return direction


def passing(column: np.ndarray, low: float, high: float) -> np.ndarray:
    """1 where a column falls below `low`, -1 where it rises above `high`."""
    below, above = column < low, column > high
    direction = np.zeros(len(column), np.int8)
    known = ~np.isnan(column[:-1])
    direction[1:] = (below[1:] & ~below[:-1] & known).view(np.int8) - (above[1:] & ~above[:-1] & known).view(np.int8)
    return direction


def our_sma(candles: Candles) -> Simulation:
    """From candles to equity and trades, the full rule book on."""
    fast, slow = (INDICATORS["sma"].compute(candles, period=period)["sma"] for period in (FAST, SLOW))
    return _ours(candles, crossings(fast, slow), SMA_LEVELS)


def our_rsi(candles: Candles) -> Simulation:
    """From candles to equity and trades, with stop and target."""
    return _ours(candles, passing(INDICATORS["rsi"].compute(candles)["rsi"], RSI_LOW, RSI_HIGH), RSI_LEVELS)


def _ours(candles: Candles, direction: np.ndarray, levels: tuple[float, float]) -> Simulation:
    run = simulate(setup(*levels), Tape.of([candles], {SPEC.symbol: SPEC}), [direction])
    _ = run.trade_columns, run.equity[-1]
    return run


def _prices(candles: Candles) -> tuple[np.ndarray, ...]:
    return candles.open, candles.high, candles.low, candles.close


def generic_sma(candles: Candles) -> object:
    """Columns, directions, then a loop over them."""
    direction = limits.crosses(limits.sma(candles.close, FAST), limits.sma(candles.close, SLOW))
    nothing = np.empty(0)
    return limits.generic(_prices(candles), direction, (nothing, nothing), STAKE, COMMISSION, np.empty(len(candles)))


def generic_rsi(candles: Candles) -> object:
    """Columns, directions and distances, then a loop over them."""
    atr = limits.atr(candles.high, candles.low, candles.close, 14)
    direction = limits.passes(limits.rsi(candles.close, 14), RSI_LOW, RSI_HIGH)
    distances, equity = (2.0 * atr, 3.0 * atr), np.empty(len(candles))
    return limits.generic(_prices(candles), direction, distances, STAKE, COMMISSION, equity)


def fused_sma(candles: Candles) -> object:
    """All in one loop."""
    return limits.fused_sma(candles.open, candles.close, FAST, SLOW, STAKE, COMMISSION, np.empty(len(candles)))


def fused_rsi(candles: Candles) -> object:
    """All in one loop."""
    return limits.fused_rsi(_prices(candles), RSI_LOW, RSI_HIGH, STAKE, COMMISSION, np.empty(len(candles)))


CONTESTS = {
    "sma": Contest(f"SMA {FAST}/{SLOW}", our_sma, lambda c: peer.sma_cross(c, FAST, SLOW), generic_sma, fused_sma),
    "rsi": Contest("RSI 14 with 2/3 ATR stop and target", our_rsi,
                   lambda c: peer.rsi_with_stops(c, RSI_LOW, RSI_HIGH, *RSI_LEVELS), generic_rsi, fused_rsi),
}


def without_ignored(candles: Candles, direction: np.ndarray, levels: tuple[float, float]) -> np.ndarray:
    """Return directions without the entries on bars on which a stop or target ends a trade: vectorbt ignores those."""
    while True:
        trades = _ours(candles, direction, levels).trade_columns
        protected = trades[trades[:, book.T_REASON] <= book.BY_TARGET]
        rows = _rows(candles, protected[:, book.T_EXIT_TIME])
        rows = rows[direction[rows] > 0]
        if len(rows) == 0:
            return direction
        direction = direction.copy()
        direction[rows] = 0


def _rows(candles: Candles, times: np.ndarray) -> np.ndarray:
    return np.searchsorted(candles.open_time, times, "right") - 1


def asked_of(run: Simulation, direction: np.ndarray, levels: tuple[float, float]) -> peer.Asked:
    """Return what the peer must be told to trade as ours did."""
    candles, trades = run.tape.candles[0], run.trade_columns
    units = np.full(len(candles), STAKE * 10.0)  # whatever ours did not enter shows as another trade
    opened = run.desk.book[:, (book.ENTRY_TIME, book.ENTRY_LOTS)]
    filled = np.vstack((trades[:, (book.T_ENTRY_TIME, book.T_ENTRY_LOTS)], opened[opened[:, 1] > 0]))
    units[_rows(candles, filled[:, 0]) - 1] = filled[:, 1] * float(SPEC.lot_size)
    ticks = np.rint(run.tape.bars.atr / float(SPEC.tick_size))
    if levels[1] == 0.0:
        return peer.Asked(direction, units)
    stop, target = (np.floor(ticks * multiple) * float(SPEC.tick_size) for multiple in levels)
    return peer.Asked(direction, units, stop, target)


def agreement(candles: Candles, asked_direction: np.ndarray, levels: tuple[float, float]) -> str:
    """Compare trade for trade: bars and prices of entry and exit, sizes, and equity."""
    direction = without_ignored(candles, asked_direction, levels)
    run = _ours(candles, direction, levels)
    trades, theirs = run.trade_columns, peer.same_question(candles, asked_of(run, direction, levels))
    entry, leave = (_rows(candles, trades[:, column]) for column in (book.T_ENTRY_TIME, book.T_EXIT_TIME))
    lot = float(SPEC.lot_size)
    paid = trades[:, book.T_ENTRY_UNITS] / trades[:, book.T_ENTRY_LOTS] * 1e-8 / lot
    got = trades[:, book.T_EXIT_UNITS] / trades[:, book.T_EXIT_LOTS] * 1e-8 / lot
    known = {pair: row for row, pair in enumerate(zip(theirs.entry_row, theirs.exit_row, strict=True))}
    pairs = np.array([known.get(pair, -1) for pair in zip(entry, leave, strict=True)])
    same = pairs >= 0
    for ours, peers in ((paid, theirs.entry_price), (got, theirs.exit_price)):
        same &= np.abs(ours - peers[pairs]) <= 1e-9 * ours
    same &= np.abs(trades[:, book.T_ENTRY_LOTS] * lot - theirs.units[pairs]) < 1e-9
    apart = np.max(np.abs(run.equity * 1e-8 / theirs.equity - 1.0)[~theirs.has_order])
    left_out = np.count_nonzero(direction != asked_direction)
    spared = f"; without {left_out:,} entries on a stop's or target's bar, which it ignores" if left_out else ""
    return (f"{int(same.sum()):,} of {len(trades):,} trades the same (it has {len(theirs.entry_row):,}), "
            f"equity {apart:.0e} apart{spared}")


def single(name: str, n_bars: int, n_rounds: int) -> Row:
    """Time one strategy on so many bars."""
    contest, candles, absent = CONTESTS[name], minutes(n_bars), peer.missing()
    works = {"ours": contest.ours, "generic": contest.generic, "fused": contest.fused}
    if not absent:
        works["peer"] = contest.peer
    taken = in_turns({who: (lambda work=work: work(candles)) for who, work in works.items()}, n_rounds)
    ours, rate = taken["ours"], {who: f"{n_bars / seconds / 1e6:.1f}M/s" for who, seconds in taken.items()}
    run = contest.ours(candles)
    note = f"{ours / n_bars * 1e9:.1f} ns a candle, {run.n_trades:,} trades, every rule on"
    limit = (f"generic {rate['generic']}: ours takes {ours / taken['generic']:.1f}x (aim 2); "
             f"fused {rate['fused']}: {ours / taken['fused']:.1f}x")
    what = f"{contest.what}, {n_bars:,} candles"
    if absent:
        return Row(what, rate["ours"], note, absent, "", limit)
    levels = SMA_LEVELS if name == "sma" else RSI_LEVELS
    return Row(what, rate["ours"], note, f"{peer.label()} {rate['peer']}",
               f"{taken['peer'] / ours:.1f}x (aim {AIMS[name, n_bars]})", limit,
               agreement(candles, _direction(name, candles), levels))


def _direction(name: str, candles: Candles) -> np.ndarray:
    if name == "rsi":
        return passing(INDICATORS["rsi"].compute(candles)["rsi"], RSI_LOW, RSI_HIGH)
    return crossings(*(INDICATORS["sma"].compute(candles, period=period)["sma"] for period in (FAST, SLOW)))


def our_sweep(candles: Candles) -> Sweep:
    """Every pair, from candles to figures; an average is computed once for all the pairs that it is in."""
    columns = {period: INDICATORS["sma"].compute(candles, period=period)["sma"] for period in (*FASTS, *SLOWS)}
    found = sweep(setup(*SMA_LEVELS), Tape.of([candles], {SPEC.symbol: SPEC}), crossing_pairs(columns, PAIRS))
    _ = found.total_return, found.max_drawdown, found.win_rate, found.sharpe
    return found


def peer_sweep(candles: Candles) -> object:
    """Total return, drawdown and number of trades of its pairs."""
    blocks = [PEER_PAIRS[first: first + PEER_COLUMNS] for first in range(0, len(PEER_PAIRS), PEER_COLUMNS)]
    return [peer.sma_sweep(candles, [fast for fast, _ in block], [slow for _, slow in block]) for block in blocks]


def sweep_row(n_bars: int) -> Row:
    """Time a sweep and its peak of memory, each in a process of its own."""
    with TemporaryDirectory() as name:
        folder, candles, absent = Path(name), minutes(n_bars), peer.missing()
        save(candles, folder)
        ours = [ask("ours_sweep", folder) for _ in range(3)]
        theirs = {} if absent else ask("peer_sweep", folder)
    taken = float(np.median([one["seconds"] for one in ours])) / n_bars / len(PAIRS) * 1e9
    loop = limit_sweep(candles)
    what = f"sweep, {len(PAIRS):,} SMA pairs x {n_bars:,} candles"
    figure = f"{taken:.1f} ns a candle and pair, {ours[0]['above']:.0f} MB above before (aim 250)"
    note = "one core; total return, drawdown, trades, wins, fees, thinned-out curve and Sharpe ratio of each pair"
    limit = f"fused {loop:.1f} ns: ours takes {taken / loop:.1f}x"
    if absent:
        return Row(what, figure, note, absent, "", limit)
    peers = theirs["seconds"] / n_bars / theirs["n_pairs"] * 1e9
    return Row(what, figure, f"{note}; {peer.label()} on {len(PEER_PAIRS)} of the pairs, {PEER_COLUMNS} at a time",
               f"{peers:.0f} ns, {theirs['above']:,.0f} MB", f"{peers / taken:.0f}x (aim 60)", limit,
               sweep_agreement(candles))


def limit_sweep(candles: Candles) -> float:
    """Nanoseconds a candle and pair of the fused loop."""
    equity, some = np.empty(len(candles)), PAIRS[::50]

    def work() -> None:
        for fast, slow in some:
            limits.fused_sma(candles.open, candles.close, fast, slow, STAKE, COMMISSION, equity)

    return in_turns({"fused": work}, 7)["fused"] / len(candles) / len(some) * 1e9


def sweep_agreement(candles: Candles) -> str:
    """Compare the number of trades of each pair, which both count alike."""
    columns = {period: INDICATORS["sma"].compute(candles, period=period)["sma"] for period in (*FASTS, *SLOWS)}
    pairs = PEER_PAIRS[:PEER_COLUMNS]
    ours = sweep(setup(*SMA_LEVELS), Tape.of([candles], {SPEC.symbol: SPEC}), crossing_pairs(columns, pairs))
    returns, _, counts = peer.sma_sweep(candles, [fast for fast, _ in pairs], [slow for _, slow in pairs])
    open_now = np.abs(ours.n_trades - counts)
    apart = float(np.max(np.abs(ours.total_return - returns)))
    return (f"trades of {int((open_now <= 1).sum())} of {len(pairs)} pairs (the last one may be open), "
            f"returns within {apart:.3f}")


def memory_row(n_bars: int, aim: str) -> Row:
    """Peak of one backtest above what was there with the candles loaded."""
    with TemporaryDirectory() as name:
        folder, absent = Path(name), peer.missing()
        save(minutes(n_bars), folder)
        ours = ask("ours_memory", folder)
        theirs = {} if absent or n_bars > 1_000_000 else ask("peer_memory", folder)
    note = f"the process with imports and candles {ours['before']:.0f} MB, at its peak {ours['peak']:.0f} MB"
    row = Row(f"memory of a backtest, {n_bars:,} candles", f"{ours['above']:.0f} MB above ({aim})", note, absent)
    if not theirs:
        return row
    return row._replace(peer=f"{theirs['above']:.0f} MB above", ratio=f"{theirs['above'] / ours['above']:.1f}x less")


def first_row() -> Row:
    """The first backtest of a process."""
    with TemporaryDirectory() as name:
        folder, absent = Path(name), peer.missing()
        save(minutes(100_000), folder)
        ask("ours_first", folder)  # builds the cache
        ours = float(np.median([ask("ours_first", folder)["seconds"] for _ in range(5)]))
        row = Row("first backtest of a process, 100,000 candles", f"{ours:.2f} s (aim 0.5)",
                  "CPU time after imports, compiled cache built", absent)
        if absent:
            return row
        theirs = ask("peer_first", folder)["seconds"]
        return row._replace(peer=f"{theirs:.1f} s", ratio=f"{theirs / ours:.1f}x")


def run() -> list[Row]:
    """Measure all."""
    single_rows = [single(name, n_bars, n_rounds) for name in CONTESTS
                   for n_bars, n_rounds in ((1_000_000, 7), (100_000, 25))]
    return [*single_rows, sweep_row(100_000), first_row(), memory_row(1_000_000, "aim 150"),
            memory_row(5_000_000, "the whole process below 1,500")]
