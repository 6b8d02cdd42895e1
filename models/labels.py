"""What a model learns to say: did a bar's future go up, and was that worth a round trip's costs?

A closed bar decides, so an entry is made at the next bar's open and costs are taken from both sides. `next_bar` is the
plain question whether the next close is higher than this one; its gain is still that of an entry at the next open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.compiled import njit
from trading.domain import Candles, FloatArray, IntArray
from trading.domain.backtests import CostSettings
from trading.domain.learning import LABELS, ModelSettings
from trading.errors import BadInput
from trading.indicators import INDICATORS

LabelArray = NDArray[np.int8]
Prices = tuple[FloatArray, FloatArray, FloatArray, FloatArray]

BPS = 1e-4
ATR_PERIOD = 14
DOWN, UP, UNKNOWN = 0, 1, -1


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Answers for every bar, each `(n_bars,)`.

    Attributes
    ----------
    y : 1 up (or a gain after costs, or the target), 0 not, -1 not known.
    end : the row whose close makes the answer known; it depends on rows up to this one only. Where the answer is not
        known yet it is `n_bars`, where nothing was asked (no ATR yet) the row itself.
    gain : return after costs of an entry at the next open, out at the close of `end` or at the barrier; NaN where the
        answer is not known.
    """

    y: LabelArray
    end: IntArray
    gain: FloatArray

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether there is an answer, `(n_bars,)`."""
        return np.asarray(self.y != UNKNOWN)


def make_labels(candles: Candles, settings: ModelSettings, costs: CostSettings) -> Labels:
    """Return the answers that `settings.label` asks for.

    Costs are commission, half the spread and slippage on both sides (`slippage_atr` of the deciding bar's ATR
    included; market impact is not, since it depends on the size). They are taken from targets as from market orders.

    Raises
    ------
    BadInput
        An unknown label, a horizon below 1, or a barrier that is not above 0.
    """
    _check(settings)
    atr = INDICATORS["atr"].compute(candles, period=ATR_PERIOD)["atr"]
    kept = kept_share(costs, atr / candles.close)
    prices = _prices(candles)
    if settings.label == "triple_barrier":
        barriers = settings.stop_atr, settings.target_atr
        return Labels(*_first_barrier(prices, atr, kept, settings.horizon, barriers))
    next_bar = settings.label == "next_bar"
    y, end, gain = _after(prices[0], prices[3], kept, 1 if next_bar else settings.horizon)
    if next_bar:
        y[:-1] = prices[3][1:] > prices[3][:-1]
    return Labels(y, end, gain)


def kept_share(costs: CostSettings, atr_share: FloatArray) -> FloatArray:
    """Return what a round trip leaves of exit price over entry price, `(n_bars,)`; `atr_share` is ATR over price."""
    moved = np.full(len(atr_share), (0.5 * costs.spread_bps + costs.slippage_bps) * BPS)
    if costs.slippage_atr:
        moved += costs.slippage_atr * atr_share
    kept: FloatArray = (1.0 - costs.commission_rate) ** 2 * (1.0 - moved) / (1.0 + moved)
    return kept


def uniqueness(end: IntArray, usable: NDArray[np.bool_]) -> FloatArray:
    """Return the average uniqueness of each usable label, `(n_bars,)`, 0 for the others.

    A label lives on the bars that decide it, row + 1 to `end`. On each of them its uniqueness is 1 over the number of
    usable labels that live there (Lopez de Prado, Advances in Financial Machine Learning, 2018, 4.3 and 4.4).
    """
    rows = np.flatnonzero(usable)
    last = end[rows]
    if len(rows) and not ((rows < last) & (last < len(end))).all():
        raise BadInput("uniqueness: a usable label ends before it begins or after the last bar; use known labels only")
    steps = np.zeros(len(end) + 2)
    np.add.at(steps, rows + 1, 1.0)
    np.add.at(steps, last + 1, -1.0)
    alive = np.cumsum(steps)
    share = np.divide(1.0, alive, out=np.zeros_like(alive), where=alive > 0.0)
    summed = np.concatenate(([0.0], np.cumsum(share)))
    weights = np.zeros(len(end))
    weights[rows] = (summed[last + 1] - summed[rows + 1]) / (last - rows)
    return weights


def _prices(candles: Candles) -> Prices:
    """Return open, high, low and close as the compiled loops take them."""
    open_, high, low, close = (np.ascontiguousarray(getattr(candles, column), np.float64)
                               for column in ("open", "high", "low", "close"))
    return open_, high, low, close


def _check(settings: ModelSettings) -> None:
    if settings.label not in LABELS:
        raise BadInput(f"label {settings.label!r} is not known: use one of {', '.join(LABELS)}")
    if settings.horizon < 1:
        raise BadInput(f"horizon: {settings.horizon} is not allowed; use at least 1 bar")
    if not min(settings.stop_atr, settings.target_atr) > 0.0:
        raise BadInput(f"stop_atr {settings.stop_atr} and target_atr {settings.target_atr} must both be above 0")


@njit
def _after(open_: FloatArray, close: FloatArray, kept: FloatArray,
           horizon: int) -> tuple[LabelArray, IntArray, FloatArray]:
    """Return y, end and gain of holding from the next open to the close `horizon` bars later."""
    n = len(close)
    y, end, gain = np.full(n, UNKNOWN, np.int8), np.full(n, n, np.int64), np.full(n, np.nan)
    for row in range(n - horizon):
        end[row] = row + horizon
        gain[row] = close[row + horizon] / open_[row + 1] * kept[row] - 1.0
        if np.isfinite(gain[row]):
            y[row] = UP if gain[row] > 0.0 else DOWN
    return y, end, gain


@njit
def _first_barrier(prices: Prices, atr: FloatArray, kept: FloatArray, horizon: int,
                   barriers: tuple[float, float]) -> tuple[LabelArray, IntArray, FloatArray]:
    """Return y, end and gain by the barrier that is met first, or by the gain when the horizon ends.

    Exits are those of `trading.rules.protective_exit`: the stop counts when a bar reaches both, a gap trades at the
    open, a target must be passed.
    """
    open_, high, low, close = prices
    n = len(close)
    y, end, gain = np.full(n, UNKNOWN, np.int8), np.full(n, n, np.int64), np.full(n, np.nan)
    for row in range(n):
        if not np.isfinite(atr[row]):
            end[row] = row
            continue
        if row + 1 == n:
            continue
        entry = open_[row + 1]
        stop, target = entry - barriers[0] * atr[row], entry + barriers[1] * atr[row]
        for bar in range(row + 1, min(row + horizon, n - 1) + 1):
            price = 0.0
            if low[bar] <= stop:
                price, answer = min(open_[bar], stop), DOWN
            elif open_[bar] >= target or high[bar] > target:
                price, answer = max(open_[bar], target), UP
            elif bar == row + horizon:
                price = close[bar]
                answer = UP if price / entry * kept[row] > 1.0 else DOWN
            if price > 0.0:
                y[row], end[row], gain[row] = answer, bar, price / entry * kept[row] - 1.0
                break
    return y, end, gain
