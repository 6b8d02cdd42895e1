"""The market that backtests are measured on: seeded minutes on an exchange's grid, and what the account may do."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from trading.backtest import Setup
from trading.domain import Candles, RiskProfile, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.portfolio import costs_of

SPEC = SymbolSpec("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(0), Decimal(5))
CAPITAL = 10_000
STAKE = 0.02
COMMISSION = 0.001
FREE_FLOW = CostSettings(COMMISSION, spread_bps=0.0, slippage_bps=0.0, volume_share=1.0)


def minutes(n_bars: int, seed: int = 1) -> Candles:
    """A random walk of one-minute bars in whole ticks.

    Each opens at the last close, so that a fill at that close (vectorbt) and one at the next open (ours) are the same.
    """
    rng = np.random.default_rng(seed)
    close = 20_000.0 * np.exp(np.cumsum(rng.normal(0.0, 5e-4, n_bars)))
    opens = np.append(20_000.0, close[:-1])
    wick = 1.0 + np.abs(rng.normal(0.0, 3e-4, (2, n_bars)))
    high, low = np.maximum(opens, close) * wick[0], np.minimum(opens, close) / wick[1]
    prices = (np.round(column, 2) for column in (opens, high, low, close))
    times = 1_704_067_200_000 + 60_000 * np.arange(n_bars, dtype=np.int64)
    volume = np.round(rng.uniform(5, 50, n_bars), 5)
    return Candles("BTCUSDT", "1m", times, *prices, volume, volume * close, times, volume)


def setup(stop_atr: float, target_atr: float) -> Setup:
    """An account with every rule on, each wide enough that trading goes on to the end.

    Entries stake 2 % of the equity, so that thousands of trades with commission do not empty the account.
    """
    profile = RiskProfile("Bench", 0.5, stop_atr, target_atr, 0.0, STAKE, 0.95, 4, 0.5, 0.95)
    return Setup({"BTCUSDT": SPEC}, CAPITAL * 10**8, costs_of(FREE_FLOW), profile)
