"""Backtests on the array kernel, with types: candles and directions in, equity, trades and outcomes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading import book, kernel, rules, walk
from trading.arithmetic import MAX_UNITS
from trading.compiled import njit
from trading.domain import INTERVAL_MS, Candles, FloatArray, IntArray, RiskProfile, SymbolSpec, Trade
from trading.errors import BadInput, BrokenInvariant
from trading.indicators import INDICATORS
from trading.portfolio import MAX_WORTH, check_capital, market_of, mean_price
from trading.ranking import BY_DEFAULT, UNRANKED, Ranking
from trading.risk import limits_of
from trading.rules import Costs, Market

Directions = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Setup:
    """The account that a run starts with and the rules that it trades under.

    `ends_flat` sells what is held after the last bar at its close, with costs, reason "end"; else it is only counted.
    """

    specs: Mapping[str, SymbolSpec]
    capital_units: int
    costs: Costs
    profile: RiskProfile
    ranking: Ranking = UNRANKED
    ends_flat: bool = False


@dataclass(frozen=True, eq=False)
class Tape:
    """Bars of several symbols on one clock, prepared once and used for many runs.

    `order` is None for a single symbol, else `(n_rows, 3)`: moment, symbol and row of the columns in `bars`.
    """

    candles: tuple[Candles, ...]
    bars: walk.Bars
    n_moments: int
    order: NDArray[np.int32] | None

    @classmethod
    def of(cls, candles: Sequence[Candles], specs: Mapping[str, SymbolSpec]) -> Tape:
        """Prepare bars; symbols keep their order.

        Raises
        ------
        BadInput
            No bars, two intervals, a symbol twice, or prices that the rule book cannot count.
        """
        _check(candles, specs)
        step = INTERVAL_MS[candles[0].interval]
        bars = _bars(candles, specs, step)
        if len(candles) == 1:
            return cls(tuple(candles), bars, len(bars.time), None)
        order = _order(candles, bars)
        return cls(tuple(candles), bars, int(order[-1, 0]) + 1, order)

    @cached_property
    def time(self) -> IntArray:
        """Close times of all moments, `(n_moments,)` ms."""
        opened = self.bars.time if self.order is None else np.unique(self.bars.time)
        return opened + (self.bars.step - 1)


def simulate(setup: Setup, tape: Tape, directions: Sequence[Directions], scores: Sequence[FloatArray] | None = None,
             source: str = "") -> Simulation:
    """Trade a tape by directions (1 buy, -1 sell, 0), one int8 array `(n_bars,)` a symbol; `scores` rank wishes.

    Where Mother AI ranks, they are the confidences.

    Raises
    ------
    BadInput
        Directions or scores do not fit the bars.
    BrokenInvariant
        The account came to figures that cannot be.
    """
    direction = _joined(directions, tape, np.int8)
    score = _joined(scores, tape, np.float64) if scores is not None else np.zeros(1)
    ranking = setup.ranking if scores is not None else UNRANKED
    desk = new_desk(setup, tape, int(np.count_nonzero(direction == walk.BUYS)))
    curve = new_curve(tape.n_moments, len(direction))
    alone = tape.order is None and ranking.top_n == 0
    if alone:
        trade_alone(setup, tape, desk, direction, curve)
    else:
        advice = _advice(direction, score, ranking, tape)
        order = tape.order if tape.order is not None else _order(tape.candles, tape.bars)
        kernel.run_many(desk, tape.bars, advice, order, curve)
        _end(setup, tape, desk, curve)
    if int(curve.equity.min()) < 0:
        raise BrokenInvariant(f"equity fell to {int(curve.equity.min())} units: more than can be counted")
    ranked = advice.ranked if not alone and ranking.mother is not None else None
    return Simulation(setup, tape, desk, curve, source, alone, ranked)


def _advice(direction: Directions, score: FloatArray, ranking: Ranking, tape: Tape) -> kernel.Advice:
    """Return what the kernel must know of the wishes; Mother AI's scores get columns of their own."""
    mother = ranking.mother or BY_DEFAULT
    is_mother = ranking.mother is not None and ranking.top_n > 0
    ends = np.cumsum([len(c) for c in tape.candles])
    begins = np.concatenate(([0], ends[:-1]))
    return kernel.Advice(
        direction, score, ranking.top_n, ranking.min_score, np.zeros((len(tape.candles), 2), np.int64), is_mother,
        mother.weights, mother.max_correlation, mother.window,
        np.full(len(direction), np.nan) if is_mother else score, np.column_stack((begins, begins - 1)).astype(np.int64),
    )


def trade_alone(setup: Setup, tape: Tape, desk: book.Desk, direction: Directions, curve: kernel.Curve) -> None:
    """Trade one symbol from a fresh account to the end that the setup asks for."""
    kernel.run_one(desk, tape.bars, direction, curve)
    _end(setup, tape, desk, curve)


def _end(setup: Setup, tape: Tape, desk: book.Desk, curve: kernel.Curve) -> None:
    if setup.ends_flat:
        kernel.finish_flat(desk, curve, int(tape.time[-1]))


@dataclass(frozen=True, eq=False)
class Simulation:
    """What a run came to. Money in 1e-8 of the quote asset; columns `(n_moments,)` belong to `time`.

    `ranked` `(n_rows,)` are Mother AI's scores of the rows that wanted to buy, NaN elsewhere; None without her.
    """

    setup: Setup
    tape: Tape
    desk: book.Desk
    curve: kernel.Curve
    source: str
    alone: bool
    ranked: FloatArray | None = None

    @property
    def time(self) -> IntArray:
        """Close times, UTC ms."""
        return self.tape.time

    @property
    def equity(self) -> IntArray:
        """Cash and holdings."""
        return self.curve.equity

    @cached_property
    def in_market(self) -> NDArray[np.bool_]:
        """Whether a trade is open at a moment, `(n_moments,)`; what a commission left of a lot is none."""
        open_since = self.desk.book[self.desk.book[:, book.ENTRY_LOTS] > 0, book.ENTRY_TIME]
        steps = np.zeros(len(self.time) + 1, np.int64)
        begun = np.concatenate((self.trade_columns[:, book.T_ENTRY_TIME], open_since))
        np.add.at(steps, np.searchsorted(self.time, begun), 1)
        np.add.at(steps, np.searchsorted(self.time, self.trade_columns[:, book.T_EXIT_TIME]), -1)
        held: NDArray[np.bool_] = np.cumsum(steps[:-1]) > 0
        return held

    @cached_property
    def exposure(self) -> IntArray:
        """Value of all holdings while a trade is open, else 0."""
        changed = self.curve.changed[: self.curve.n_changes[0]]
        cash = np.concatenate(([self.setup.capital_units], self.curve.cash[: len(changed)]))
        spans = np.diff(np.concatenate(([0], changed, [len(self.time)])))
        exposure: IntArray = (self.curve.equity - np.repeat(cash, spans)) * self.in_market
        return exposure

    @cached_property
    def peak(self) -> IntArray:
        """Highest equity so far."""
        if not self.alone:
            return self.curve.peak
        peak: IntArray = np.maximum(np.maximum.accumulate(self.curve.equity), self.setup.capital_units)
        return peak

    @cached_property
    def benchmark(self) -> IntArray:
        """Buy and hold of every symbol in equal parts, bought at its first close with the same costs."""
        worth = np.full(len(self.time), self.setup.capital_units, np.int64)
        share = self.setup.capital_units // len(self.tape.candles)
        for candles in self.tape.candles:
            _add_held(worth, self.time, candles, self.setup, share)
        return worth

    @cached_property
    def drawdown_ppm(self) -> IntArray:
        """Loss from the peak so far, ppm, rounded up."""
        out = np.empty(len(self.time), np.int64)
        _losses(self.peak, self.curve.equity, out)
        return out

    @property
    def worst_drawdown_ppm(self) -> int:
        """Largest loss from a peak, ppm, also between two symbols' bars of one moment."""
        within = int(self.drawdown_ppm.max()) if len(self.time) else 0
        return max(within, int(self.desk.account[book.WORST]))

    @cached_property
    def trade_columns(self) -> IntArray:
        """Finished trades as whole numbers, `(n_trades, book.N_TRADE)`, columns `book.T_...`."""
        return self.desk.trades[: self.n_trades].copy()

    @cached_property
    def trades(self) -> tuple[Trade, ...]:
        """Finished round trips in the order of their ends."""
        return tuple(self._trade(n, row) for n, row in enumerate(self.trade_columns.tolist(), 1))

    @property
    def n_trades(self) -> int:
        """Finished round trips."""
        return int(self.desk.account[book.N_TRADES])

    @property
    def n_wins(self) -> int:
        """Round trips that made money after fees."""
        return int(self.desk.account[book.N_WINS])

    @property
    def end_cash(self) -> int:
        """Cash at the end."""
        return int(self.desk.account[book.CASH])

    @property
    def fees(self) -> int:
        """All commissions at their value."""
        return int(self.desk.account[book.ALL_FEES])

    @property
    def spread_cost(self) -> int:
        """What market orders paid for half the spread."""
        return int(self.desk.account[book.SPREAD_COST])

    @property
    def slippage_cost(self) -> int:
        """What market orders paid for slippage."""
        return int(self.desk.account[book.SLIPPAGE_COST])

    @property
    def turnover(self) -> int:
        """Value of all fills, bought and sold."""
        return int(self.desk.account[book.TURNOVER]) * book.UNITS + int(self.desk.account[book.TURNOVER_REST])

    @property
    def killed_at(self) -> int:
        """Close time of the bar that tripped the kill switch; 0: it did not."""
        return int(self.desk.account[book.KILLED])

    @property
    def open_symbols(self) -> tuple[str, ...]:
        """Symbols whose trade is still open."""
        held = self.desk.book[:, book.ENTRY_LOTS] > 0
        return tuple(c.symbol for c, is_open in zip(self.tape.candles, held, strict=True) if is_open)

    @property
    def unrealized(self) -> int:
        """Value less cost of all that is held."""
        return int(self.desk.account[book.EXPOSURE] - self.desk.book[:, book.COST].sum())

    @cached_property
    def outcomes(self) -> tuple[NDArray[np.int8], ...]:
        """What became of each bar, `(n_bars,)` a symbol: places in `walk.OUTCOMES`."""
        ends = np.cumsum([len(c) for c in self.tape.candles])
        return tuple(np.split(self.curve.outcome, ends[:-1]))

    @cached_property
    def decisions(self) -> dict[str, int]:
        """How often each outcome came, in the engine's words."""
        counts = np.bincount(self.curve.outcome, minlength=len(walk.OUTCOMES))
        return dict(Counter({name: int(n) for name, n in zip(walk.OUTCOMES, counts, strict=True) if n}))

    def _trade(self, number: int, row: list[int]) -> Trade:
        candles = self.tape.candles[row[book.T_SYMBOL]]
        spec = self.setup.specs[candles.symbol]
        return Trade(
            number=number, symbol=candles.symbol, side="LONG", lots=row[book.T_EXIT_LOTS],
            entry_time=row[book.T_ENTRY_TIME],
            entry_price=mean_price(spec, row[book.T_ENTRY_UNITS], row[book.T_ENTRY_LOTS]),
            exit_time=row[book.T_EXIT_TIME],
            exit_price=mean_price(spec, row[book.T_EXIT_UNITS], row[book.T_EXIT_LOTS]),
            fees=row[book.T_FEES], pnl=row[book.T_PNL], opened_by=self.source,
            closed_because=book.REASONS[row[book.T_REASON]],
        )


def _check(candles: Sequence[Candles], specs: Mapping[str, SymbolSpec]) -> None:
    symbols = [c.symbol for c in candles]
    if not candles or len(set(symbols)) < len(symbols) or len({c.interval for c in candles}) > 1:
        raise BadInput(f"a backtest needs different symbols of one timeframe, not {symbols}")
    for one in candles:
        if len(one) == 0:
            raise BadInput(f"{one.symbol}: no candles")
        _check_prices(one, specs[one.symbol])


def _check_prices(candles: Candles, spec: SymbolSpec) -> None:
    """Refuse bars that the engine would not trade on (see `trading.health`)."""
    row, low_price, high_price, volume = _first_unsound(candles.open, candles.high, candles.low, candles.close,
                                                        candles.volume)
    if row >= 0:
        raise BadInput(f"{candles.symbol}: impossible prices at row {row}: {candles.candle(row)}; import it again")
    market, tick = market_of(spec), float(spec.tick_size)
    high, low = round(high_price / tick), round(low_price / tick)
    counted = low > 0 and high <= rules.MAX_TICKS and high * market.value_num // market.value_den <= MAX_WORTH
    if not counted or volume / float(spec.lot_size) >= MAX_UNITS:
        raise BadInput(f"{candles.symbol}: prices {low_price} to {high_price} cannot be counted in ticks of {tick}")


def _bars(candles: Sequence[Candles], specs: Mapping[str, SymbolSpec], step: int) -> walk.Bars:
    def column(name: str) -> NDArray[Any]:
        columns = [getattr(c, name) for c in candles]
        return np.ascontiguousarray(columns[0] if len(columns) == 1 else np.concatenate(columns))

    atr = [INDICATORS["atr"].compute(c)["atr"] for c in candles]
    own = [specs[c.symbol] for c in candles]
    return walk.Bars(
        column("open_time"), column("open"), column("high"),
        column("low"), column("close"), column("volume"), atr[0] if len(atr) == 1 else np.concatenate(atr),
        np.array([float(spec.tick_size) for spec in own]), np.array([float(spec.lot_size) for spec in own]), step,
    )


def _order(candles: Sequence[Candles], bars: walk.Bars) -> NDArray[np.int32]:
    """Return (moment, symbol, row) of every row in the order of the feed, `(n_rows, 3)`."""
    _, moment_of = np.unique(bars.time, return_inverse=True)
    symbol_of = np.repeat(np.arange(len(candles)), [len(c) for c in candles])
    rows = np.lexsort((symbol_of, moment_of))
    return np.column_stack((moment_of[rows], symbol_of[rows], rows)).astype(np.int32)


def new_curve(n_moments: int, n_rows: int) -> kernel.Curve:
    """Return room for a run's columns; pages that nobody writes to cost nothing."""
    equity, peak, changed, cash = (np.empty(n_moments, np.int64) for _ in range(4))
    return kernel.Curve(equity, peak, changed, cash, np.zeros(1, np.int64), np.zeros(n_rows, np.int8))


def new_desk(setup: Setup, tape: Tape, n_most: int) -> book.Desk:
    """Return an account that holds cash only, with room for `n_most` trades."""
    check_capital(setup.capital_units)
    limits = limits_of(setup.profile)
    grid = np.array([market_of(setup.specs[c.symbol]) for c in tape.candles], np.int64)
    return book.Desk(book.new_book(len(tape.candles)), book.new_account(setup.capital_units, limits),
                     np.empty((n_most + 1, book.N_TRADE), np.int64), grid, setup.costs, limits)


def _joined(columns: Sequence[NDArray[Any]], tape: Tape, kind: type) -> NDArray[Any]:
    lengths = [len(c) for c in tape.candles]
    if [len(c) for c in columns] != lengths:
        raise BadInput(f"directions of {[len(c) for c in columns]} rows do not fit bars of {lengths} rows")
    return np.ascontiguousarray(columns[0] if len(columns) == 1 else np.concatenate(columns), kind)


def _add_held(worth: IntArray, time: IntArray, candles: Candles, setup: Setup, share: int) -> None:
    """Add what one symbol's part of buy and hold makes of the worth at each moment."""
    spec = setup.specs[candles.symbol]
    market = market_of(spec)
    ticks = np.rint(candles.close / float(spec.tick_size)).astype(np.int64)
    price = rules.buy_price(setup.costs, int(ticks[0]), 0, 0)
    lots = min(rules.affordable_lots(market, share, price), MAX_UNITS // market.lot_atoms)
    atoms = lots * market.lot_atoms - rules.commission_atoms(market, setup.costs, lots)
    values = np.empty(len(ticks), np.int64)
    _values(market, ticks, atoms, values)
    closes = candles.open_time + INTERVAL_MS[candles.interval] - 1
    seen = np.searchsorted(closes, time, "right") - 1
    worth += np.where(seen >= 0, values[seen] - rules.notional_ceil(market, price, lots), 0)


@njit
def _first_unsound(open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray,
                   volume: FloatArray) -> tuple[int, float, float, float]:
    """Return (first impossible row or -1, lowest low, highest high, largest volume)."""
    least, most, largest = inf, 0.0, 0.0
    for row in range(len(open_)):
        bottom, top = min(open_[row], close[row]), max(open_[row], close[row])
        if not (0.0 < low[row] <= bottom and top <= high[row] < inf and 0.0 <= volume[row] < inf):
            return row, 0.0, 0.0, 0.0
        least, most, largest = min(least, low[row]), max(most, high[row]), max(largest, volume[row])
    return -1, least, most, largest


@njit
def _values(market: Market, ticks: IntArray, atoms: int, out: IntArray) -> None:
    for row in range(len(ticks)):
        out[row] = rules.holding_value(market, ticks[row], atoms)


@njit
def _losses(peak: IntArray, equity: IntArray, out: IntArray) -> None:
    for row in range(len(equity)):
        out[row] = rules.loss_ppm(peak[row], equity[row])
