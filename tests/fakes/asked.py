"""Questions about made candles, and what a backtest needs to answer them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from scipy.signal import lfilter

from services.backtests.grid import parse_grid
from services.backtests.markets import Loaded
from services.backtests.rows import Work, period_count
from services.backtests.trial import Bench, bench_of
from services.strategies import shipped_strategies
from services.symbols import specs_for
from tests.fakes.made_candles import START_MS
from trading.domain import INTERVAL_MS, Candles
from trading.domain.backtests import BacktestRequest, CostSettings
from trading.risk import PROFILES

AGGRESSIVE = replace(PROFILES[2], max_drawdown_rate=0.95, daily_loss_rate=0.95)


def waves(n_bars: int, interval: str = "1h", symbol: str = "BTCUSDT", seed: int = 1) -> Candles:
    """Return bars that come back to a mean, so that buying falls pays."""
    draw = np.random.default_rng(seed)
    steps = np.arange(n_bars)
    away = lfilter([1.0], [1.0, -0.9], draw.normal(0, 0.01, n_bars))
    close = np.round(20_000 * np.exp(away), 2)
    opens = np.append(20_000.0, close[:-1])[:n_bars]
    volume = np.round(draw.gamma(2.0, 500.0, n_bars), 5)
    return Candles(
        symbol, interval, START_MS + INTERVAL_MS[interval] * steps, opens,
        np.round(np.maximum(opens, close) * 1.001, 2), np.round(np.minimum(opens, close) * 0.999, 2), close, volume,
        np.round(volume * close, 8), draw.integers(1, 1000, n_bars), np.round(volume / 2, 5),
    )


def asked(symbols: tuple[str, ...] = ("BTCUSDT",), interval: str = "1h", **changed: Any) -> BacktestRequest:
    """Return a question: does buying a low RSI pay?"""
    document = dict(shipped_strategies())["rsi-reversion"]
    request = BacktestRequest("RSI reversion", document, symbols, interval, None, None, Decimal(10_000),
                              CostSettings(), AGGRESSIVE)
    return replace(request, **changed)


def loaded(*candles: Candles) -> Loaded:
    """Return candles with their limits."""
    by_symbol = {c.symbol: c for c in candles}
    return Loaded(candles, specs_for(list(by_symbol), by_symbol))


def bench(*candles: Candles, **changed: Any) -> Bench:
    """Return the strategy on candles."""
    return bench_of(asked(tuple(c.symbol for c in candles), candles[0].interval, **changed), loaded(*candles))


def work(sweep: str, *candles: Candles) -> Work:
    """Return a sweep of the strategy."""
    grid = parse_grid(sweep)
    return Work(bench(*candles), grid, period_count(len(candles[0]), len(grid)))


def still(_share: float, _stage: str) -> None:
    """Hear of progress and say nothing."""
