"""Invented markets, strategies and finished runs for looking at the page "Backtest"."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import numpy as np

from tests.fakes import fake_account
from tests.fakes.fake_market import FIRST_MS, LAST_MS, PRICES
from trading.domain import INTERVAL_MS, Candles
from trading.domain.backtests import (
    BacktestCurve,
    BacktestRequest,
    BacktestTrade,
    BacktestView,
    CostSettings,
    MarketChoice,
    Plateau,
    RunSummary,
    StrategyChoice,
    WalkWindow,
)

DAY_MS = 86_400_000
N_POINTS = 1_800
MARKETS = tuple(MarketChoice(s, f"{s[:-4]}/USDT", tuple(INTERVAL_MS), FIRST_MS, LAST_MS) for s in PRICES)


def _document(name: str, parameters: dict[str, tuple[float, float, float, float]]) -> dict[str, Any]:
    grids = {k: dict(zip(("value", "low", "high", "step"), v, strict=True)) for k, v in parameters.items()}
    return {"version": 2, "name": name, "parameters": grids, "entry": {"all": ["rsi < buy_below"]}}


RSI = {"rsi.period": (14.0, 5.0, 30.0, 1.0), "rsi.buy_below": (30.0, 20.0, 40.0, 2.0)}
SMA = {"fast": (10.0, 5.0, 40.0, 5.0), "slow": (50.0, 20.0, 200.0, 20.0)}


def _choice(
    key: str, name: str, notes: str, parameters: dict[str, tuple[float, float, float, float]]
) -> StrategyChoice:
    return StrategyChoice(
        key, name, notes, _document(name, parameters), ("BTCUSDT", "ETHUSDT"), "1h", tuple(parameters)
    )


STRATEGIES = (
    _choice("rsi_reversion", "RSI reversion", "Buys falls and fails in a lasting fall: each lower low is bought.", RSI),
    _choice("sma_cross", "SMA cross", "Fails sideways: every crossing costs the spread and the commission.", SMA),
    _choice("never", "Never trades", "A rule that nothing ever meets.", {}),
    _choice("breaks", "Breaks at half", "Its candles cannot be read.", {}),
    _choice("long", "Takes a minute", "Long enough to be cancelled.", {}),
)


def walk(symbol: str, interval: str, start: int, end: int) -> Candles:
    """Return bars whose prices depend on their time alone."""
    step = INTERVAL_MS[interval]
    time = np.arange(-(-start // step) * step, end, step, dtype=np.int64)

    def price(at: np.ndarray) -> np.ndarray:
        days = at / DAY_MS
        waves = sum(
            a * np.sin(days / p + a * 99) for a, p in ((0.2, 90), (0.07, 17), (0.03, 3.1), (0.012, 0.4), (0.005, 0.09))
        )
        return PRICES[symbol] * np.exp(waves)

    opened, close = price(time), price(time + step)
    wick = 0.0015 * (1 + np.sin(time / step * 2.7) ** 2)
    high, low = np.maximum(opened, close) * (1 + wick), np.minimum(opened, close) * (1 - wick)
    volume = 20 * (1.2 + np.sin(time / step * 1.3))
    return Candles(
        symbol, interval, time, opened, high, low, close, volume, volume, np.zeros(len(time), np.int64), volume
    )


def request_of(run: RunSummary) -> BacktestRequest:
    """Ask again what a stored run was asked."""
    strategy = next((s for s in STRATEGIES if s.name == run.strategy), STRATEGIES[0])
    rsi = "rsi.period=5:30:1,rsi.buy_below=20:40:2" if strategy.id == "rsi_reversion" else ""
    profile = fake_account.PROFILES[1]
    return BacktestRequest(
        run.strategy,
        strategy.document,
        run.symbols,
        run.interval,
        FIRST_MS,
        LAST_MS,
        Decimal(10_000),
        CostSettings(),
        profile,
        sweep=rsi,
    )


def summary_of(view: BacktestView) -> RunSummary:
    """Shorten a view to its line in the list."""
    asked, figures = view.request, view.figures
    return RunSummary(
        view.key,
        LAST_MS,
        asked.strategy,
        asked.symbols,
        asked.interval,
        figures["total_return"],
        figures["sharpe"],
        len(view.trades),
        "walk-forward" if asked.train_days else "sweep" if asked.sweep else "whole",
        asked.start,
        asked.end,
        f"{asked.capital}",
    )


def view_of(key: str, request: BacktestRequest, seconds: float) -> BacktestView:
    """Invent the answer to a question; the same question has the same answer."""
    seed = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
    draw = np.random.default_rng(seed)
    start, end = max(request.start or FIRST_MS, FIRST_MS), min(request.end or LAST_MS, LAST_MS)
    never = request.strategy == "Never trades"
    curve = _curve(draw, start, end, float(request.capital), never=never)
    trades = () if never else _trades(draw, request, start, end)
    returns = np.array([t.pnl_rate for t in trades])
    counts, edges = np.histogram(returns, 24) if len(returns) else (np.zeros(0, int), np.zeros(0))
    notes = (
        ("No trade: the entry rule was never met in 21,767 bars (rsi_14 was never below 1).",)
        if never
        else ("BTC/USDT: 3 gaps, 11 bars are missing; indicators start again after a gap of more than a day.",)
    )
    return BacktestView(
        key,
        request,
        "USDT",
        seconds,
        _figures(curve, trades, request, (end - start) / DAY_MS / 365.25),
        curve,
        _months(curve),
        trades,
        () if never else _costs(trades),
        (edges, counts.astype(np.int64)),
        _plateau(draw, request.sweep),
        _windows(draw, request, start, end),
        (),
        {
            name: hashlib.sha256(f"{name}{seed}".encode()).hexdigest()
            for name in ("candles", "strategy", "settings", "code")
        },
        notes,
    )


def _curve(draw: np.random.Generator, start: int, end: int, capital: float, *, never: bool) -> BacktestCurve:
    time = np.linspace(start, end, N_POINTS).astype(np.int64)
    equity = capital * np.exp(np.cumsum(draw.normal(0.00028, 0.0035, N_POINTS)))
    hold = capital * np.exp(np.cumsum(draw.normal(0.00016, 0.009, N_POINTS)))
    if never:
        equity = np.full(N_POINTS, capital)
    exposure = np.zeros(N_POINTS) if never else np.clip(np.sin(np.arange(N_POINTS) / 9) * 0.6, 0, 0.6)
    spread = 0.0 if never else 0.006 * np.sqrt(np.arange(N_POINTS))
    drift = capital * np.exp(np.arange(N_POINTS) * (0.0 if never else 0.00026))
    return BacktestCurve(
        time,
        equity,
        hold,
        equity / np.maximum.accumulate(equity) - 1,
        exposure,
        drift * np.exp(-spread),
        drift * np.exp(spread),
    )


def _trades(draw: np.random.Generator, request: BacktestRequest, start: int, end: int) -> tuple[BacktestTrade, ...]:
    why = ("target", "stop", "signal", "trailing stop", "time")
    step = INTERVAL_MS[request.interval]
    times = np.sort(draw.integers(start // step + 60, end // step - 120, 164)) * step
    rows = []
    for n, opened in enumerate(times.tolist()):
        symbol = request.symbols[n % len(request.symbols)]
        closed = opened + step * int(draw.integers(2, 60))
        bars = walk(symbol, request.interval, opened, closed + step)
        entry, left = float(bars.open[0]), float(bars.close[-1])
        quantity = Decimal(f"{2_500 / entry:.4f}")
        fees = 0.001 * float(quantity) * (entry + left)
        pnl = float(quantity) * (left - entry) * 0.5 + draw.normal(8, 30) - fees
        rows.append(
            BacktestTrade(
                n + 1,
                symbol,
                f"{symbol[:-4]}/USDT",
                "LONG",
                quantity,
                opened,
                Decimal(f"{entry:.1f}"),
                closed,
                Decimal(f"{left:.1f}"),
                Decimal(f"{fees:.2f}"),
                Decimal(f"{pnl:.2f}"),
                pnl / 2_500,
                f"RSI {draw.uniform(18, 30):.1f} < 30",
                "take profit 3 ATR" if why[n % 5] == "target" and n == 0 else why[n % 5],
                float(draw.uniform(0.5, 0.9)),
                1,
            )
        )
    return tuple(rows)


def _figures(
    curve: BacktestCurve, trades: tuple[BacktestTrade, ...], request: BacktestRequest, years: float
) -> dict[str, float | None]:
    total, hold = float(curve.equity[-1] / curve.equity[0] - 1), float(curve.benchmark[-1] / curve.benchmark[0] - 1)
    common = {
        "total_return": total,
        "buy_and_hold": hold,
        "n_trades": float(len(trades)),
        "max_drawdown": -float(curve.drawdown.min()),
        "n_trials": 37.0,
        "exposure": float(curve.exposure.mean()),
    }
    if not trades:
        return common | dict.fromkeys(
            (
                "cagr",
                "sharpe",
                "sharpe_low",
                "sharpe_high",
                "deflated_sharpe",
                "drawdown_days",
                "win_rate",
                "profit_factor",
                "expectancy_rate",
                "pbo",
                "oos_ratio",
            )
        )
    gains = np.array([float(t.pnl) for t in trades])
    swept = bool(request.sweep)
    return common | {
        "cagr": (1 + total) ** (1 / years) - 1,
        "sharpe": 1.38,
        "sharpe_low": 0.92,
        "sharpe_high": 1.81,
        "deflated_sharpe": 0.94,
        "drawdown_days": 83.0,
        "win_rate": float((gains > 0).mean()),
        "profit_factor": float(gains[gains > 0].sum() / -gains[gains < 0].sum()),
        "expectancy": float(gains.mean()),
        "expectancy_rate": float(np.mean([t.pnl_rate for t in trades])),
        "sortino": 2.02,
        "calmar": 1.9,
        "volatility": 0.155,
        "sqn": 2.3,
        "turnover": 42.0,
        "fees": 812.4,
        "psr": 0.991,
        "pbo": 0.18 if swept else None,
        "oos_ratio": 0.71 if swept else None,
    }


def _months(curve: BacktestCurve) -> tuple[tuple[int, tuple[float | None, ...], float], ...]:
    months = curve.time.astype("datetime64[ms]").astype("datetime64[M]").astype(int)
    closes = {int(m): float(curve.equity[np.flatnonzero(months == m)[-1]]) for m in np.unique(months)}
    rows: dict[int, list[float | None]] = {}
    before, year_open, years = float(curve.equity[0]), {}, {}
    for month, close in closes.items():
        year = 1970 + month // 12
        year_open.setdefault(year, before)
        rows.setdefault(year, [None] * 12)[month % 12] = close / before - 1
        years[year] = close / year_open[year] - 1
        before = close
    return tuple((year, tuple(row), years[year]) for year, row in rows.items())


def _costs(trades: tuple[BacktestTrade, ...]) -> tuple[tuple[str, float], ...]:
    fees = float(sum(t.fees for t in trades))
    return (("Commission", fees), ("Spread", fees * 0.11), ("Slippage", fees * 0.21))


def _plateau(draw: np.random.Generator, sweep: str) -> Plateau | None:
    axes = [axis.partition("=") for axis in sweep.split(",") if axis]
    if len(axes) < 2:
        return None
    grids = []
    for _, _, grid in axes[:2]:
        low, high, step = (float(x) for x in grid.split(":"))
        grids.append(tuple(np.arange(low, high + step / 2, step).round(6).tolist()))
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, len(grids[0])), np.linspace(-1.3, 1.3, len(grids[1])))
    values = 1.5 * np.exp(-((x - 0.1) ** 2 + (y + 0.1) ** 2) * 1.2) + draw.normal(0, 0.08, x.shape)
    best = np.unravel_index(int(np.argmax(values)), values.shape)
    return Plateau(axes[0][0], axes[1][0], *grids, values, "Sharpe", (grids[0][best[1]], grids[1][best[0]]))


def _windows(draw: np.random.Generator, request: BacktestRequest, start: int, end: int) -> tuple[WalkWindow, ...]:
    if not request.train_days or not request.test_days:
        return ()
    rows, at = [], start
    while at + (request.train_days + request.test_days) * DAY_MS <= end:
        tested = at + request.train_days * DAY_MS
        rows.append(
            WalkWindow(
                at,
                tested,
                tested + request.test_days * DAY_MS,
                {"rsi.period": float(draw.integers(10, 20))},
                float(draw.normal(1.6, 0.3)),
                float(draw.normal(0.9, 0.7)),
                float(draw.normal(0.02, 0.03)),
                int(draw.integers(4, 20)),
            )
        )
        at += request.test_days * DAY_MS
    return tuple(rows)
