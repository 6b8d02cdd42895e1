"""Long and short trading on floats under the rules of other packages: FOR RESEARCH ONLY.

Nothing here can be traded on Binance spot: it has no short positions, no fractions of a lot and no fill without spread.
Use it to answer "what if", to read a strategy document whose side is `short`, and to reproduce what other packages
report. Whatever is to be traded is tested by `trading.backtest`, which plays by the account's own rule book.

Where packages differ there is one named switch each in `Semantics`; the defaults are the pessimistic choices.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trading import research_kernel as kernel
from trading.domain import Candles, FloatArray, IntArray, RiskProfile
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.indicators import INDICATORS

Side = Literal["long", "short", "both"]
Signals = NDArray[np.int8] | tuple[NDArray[np.bool_], NDArray[np.bool_]]
_KINDS = {"prices": kernel.AS_PRICES, "distances": kernel.AS_DISTANCES, "rates": kernel.AS_RATES}


@dataclass(frozen=True, slots=True)
class Semantics:
    """How research trades. Every default is the choice that earns less.

    Attributes
    ----------
    side : what a buy signal opens: `long`, `short`, or `both` (a sell signal then opens the opposite at once).
    start : money at the beginning, in the quote asset.
    fraction : part of the equity that an entry stakes, at its fill price.
    whole_units : no fractions of a unit.
    fee_inside : the stake pays for its own commission (else that comes on top, and cash may fall below 0).
    commission_rate, slippage_rate : of the price; commission on both sides, slippage on all but targets.
    fills : at the `next_open` or, seeing what it trades on, at `this_close`.
    levels : whether stops and targets are `prices`, `distances` from the entry or `rates` of its price.
    stop_on_entry_bar : a position opened at the open can be stopped within its first bar (else from the next).
    stop_first : the stop counts when a bar touches both stop and target.
    target_touch : a target fills when it is touched (else it must be passed, or the bar opens there).
    gap_at_open : a gap through the stop fills at the open (else at the stop, where nobody traded).
    re_entry : a close may open a position on the bar on which stop or target ended the last.
    close_at_end : what is open at the end is sold at the last close (else it stays open, without a trade).
    """

    side: Side = "long"
    start: float = 10_000.0
    fraction: float = 1.0
    whole_units: bool = False
    fee_inside: bool = True
    commission_rate: float = 0.001
    slippage_rate: float = 0.00025
    fills: Literal["next_open", "this_close"] = "next_open"
    levels: Literal["prices", "distances", "rates"] = "distances"
    stop_on_entry_bar: bool = True
    stop_first: bool = True
    target_touch: bool = False
    gap_at_open: bool = True
    re_entry: bool = False
    close_at_end: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0 or not 0.0 < self.start < np.inf:
            raise BadInput(f"research: stake {self.fraction} of {self.start}; use above 0 to 1 of an amount above 0")
        if not (0.0 <= self.commission_rate < 1.0 and 0.0 <= self.slippage_rate < 1.0):
            raise BadInput(f"research: commission {self.commission_rate} and slippage {self.slippage_rate} are parts "
                           "of the price; use 0 to below 1")


BACKTESTING_PY = Semantics(
    side="both", fraction=1.0 - sys.float_info.epsilon, whole_units=True, commission_rate=0.0, slippage_rate=0.0,
    levels="prices", target_touch=True, close_at_end=False,
)
"""backtesting 0.6: `buy()` and `sell()` with all equity, orders filled at the next open."""

VECTORBT = Semantics(
    start=100.0, commission_rate=0.0, slippage_rate=0.0, fills="this_close", levels="rates", target_touch=True,
    close_at_end=False,
)
"""vectorbt 1.2: `Portfolio.from_signals` long only, all cash at the close of the signal's bar."""


@dataclass(frozen=True, eq=False)
class Research:
    """What research came to; trades are columns `(n_trades,)` in the order of their ends, `size` below 0 is short.

    Rows are places in the candles. `open_size` units are still held at the end, `open_pnl` is what they made so far
    after the commission of their entry.
    """

    semantics: Semantics
    equity: FloatArray
    sheet: kernel.Sheet

    def _column(self, place: int) -> FloatArray:
        column: FloatArray = self.sheet.trades[: self.n_trades, place]
        return column

    @property
    def n_trades(self) -> int:
        """Finished round trips."""
        return int(self.sheet.state[kernel.N_TRADES])

    @property
    def entry_row(self) -> IntArray:
        """Bars of the entries."""
        return self._column(kernel.T_ENTRY_ROW).astype(np.int64)

    @property
    def exit_row(self) -> IntArray:
        """Bars of the exits."""
        return self._column(kernel.T_EXIT_ROW).astype(np.int64)

    @property
    def size(self) -> FloatArray:
        """Units, below 0 for a short position."""
        return self._column(kernel.T_SIZE)

    @property
    def entry_price(self) -> FloatArray:
        """Prices paid, slippage included."""
        return self._column(kernel.T_ENTRY)

    @property
    def exit_price(self) -> FloatArray:
        """Prices got, slippage included."""
        return self._column(kernel.T_EXIT)

    @property
    def fees(self) -> FloatArray:
        """Commission of both sides, in the quote asset."""
        return self._column(kernel.T_FEES)

    @property
    def pnl(self) -> FloatArray:
        """Gains after fees, in the quote asset."""
        return self._column(kernel.T_PNL)

    @property
    def closed_because(self) -> tuple[str, ...]:
        """What ended each trade: signal, stop, target, end, or ruin (equity was gone)."""
        return tuple(kernel.REASONS[int(reason)] for reason in self._column(kernel.T_REASON))

    @property
    def open_size(self) -> float:
        """Units still held at the end."""
        return float(self.sheet.state[kernel.SIZE])

    @property
    def open_pnl(self) -> float:
        """What the open position made up to the last close."""
        if self.open_size == 0.0:
            return 0.0
        return float(self.equity[-1] - self.sheet.state[kernel.CASH] - self.sheet.state[kernel.FEES])


def research(candles: Candles, signals: Signals, semantics: Semantics = Semantics(), *,
             stop: FloatArray | None = None, target: FloatArray | None = None) -> Research:
    """Trade candles by signals on floats; FOR RESEARCH ONLY.

    Parameters
    ----------
    signals : directions, int8 `(n_bars,)` (1 enter, -1 leave, 0 neither), or a pair of bool columns (entries, exits);
        a bar with both is none. With side `both`, -1 enters a short position.
    stop, target : `(n_bars,)`, read on the bar of the signal, NaN for none; see `Semantics.levels`.

    Raises
    ------
    BadInput
        Columns that do not fit the candles.
    """
    n_bars = len(candles)
    goal = _goals(signals, semantics.side)
    none = np.full(n_bars, np.nan)
    wishes = kernel.Wishes(goal, *(none if levels is None else _floats(levels) for levels in (stop, target)))
    if {len(column) for column in wishes} != {n_bars}:
        raise BadInput(f"research: columns of {[len(column) for column in wishes]} rows do not fit {n_bars} candles")
    n_most = int(np.count_nonzero((goal == kernel.GO_LONG) | (goal == kernel.GO_SHORT))) + 1
    sheet = kernel.Sheet(np.zeros(kernel.N_STATE), np.empty((n_most, kernel.N_TRADE)), np.empty(n_bars))
    sheet.state[kernel.CASH] = semantics.start
    prices = kernel.Prices(*(_floats(getattr(candles, name)) for name in kernel.Prices._fields))
    kernel.run(prices, wishes, _switches(semantics), sheet)
    return Research(semantics, sheet.equity, sheet)


def simulate_short(candles: Candles, directions: NDArray[np.int8], profile: RiskProfile, costs: CostSettings,
                   start: float = 10_000.0) -> Research:
    """Answer a strategy document whose side is `short`; FOR RESEARCH ONLY.

    Entries stake `profile.max_position_rate` of the equity with the profile's stop and target in ATRs of the signal's
    bar; trailing stops and the account's limits do not apply. Half the spread and the fixed slippage are paid.
    """
    atr = INDICATORS["atr"].compute(candles)["atr"]
    semantics = Semantics(side="short", start=start, fraction=min(1.0, profile.max_position_rate),
                          commission_rate=costs.commission_rate,
                          slippage_rate=(costs.spread_bps / 2 + costs.slippage_bps) * 1e-4)
    goal = np.where((directions > 0) & ~(atr > 0), 0, directions).astype(np.int8)  # as the rule book: no ATR, no entry
    target = profile.target_atr * atr if profile.target_atr > 0 else None
    return research(candles, goal, semantics, stop=profile.stop_atr * atr, target=target)


def _floats(column: FloatArray) -> FloatArray:
    return np.ascontiguousarray(column, np.float64)


def _goals(signals: Signals, side: Side) -> NDArray[np.int8]:
    if isinstance(signals, tuple):
        entries, exits = (np.asarray(column, np.bool_).astype(np.int8) for column in signals)
        if len(entries) != len(exits):
            raise BadInput(f"research: {len(entries)} entries and {len(exits)} exits are not of one length")
        signals = entries - exits
    enter, leave = {
        "long": (kernel.GO_LONG, kernel.GO_FLAT),
        "short": (kernel.GO_SHORT, kernel.GO_FLAT),
        "both": (kernel.GO_LONG, kernel.GO_SHORT),
    }[side]
    return np.select([signals > 0, signals < 0], [np.int8(enter), np.int8(leave)], np.int8(kernel.STAY))


def _switches(semantics: Semantics) -> kernel.Switches:
    return kernel.Switches(
        semantics.fraction, semantics.whole_units, semantics.fee_inside, semantics.commission_rate,
        semantics.slippage_rate, semantics.fills == "next_open", _KINDS[semantics.levels],
        semantics.stop_on_entry_bar, semantics.stop_first, semantics.target_touch, semantics.gap_at_open,
        semantics.re_entry, semantics.close_at_end,
    )
