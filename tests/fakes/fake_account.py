"""Invented accounts for looking at the screen: one that has traded for weeks, one that has not begun."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from tests.fakes import fake_models
from trading.domain import (
    AccountView,
    CockpitView,
    DecisionView,
    FeedView,
    Fill,
    JobView,
    JournalLine,
    OrderView,
    PositionView,
    QuoteView,
    RiskProfile,
    SessionView,
    Side,
    SignalQuality,
    SignalView,
    TradeView,
)

PROFILES = (
    RiskProfile("Conservative", 0.005, 2.5, 3.0, 0.0, 0.15, 0.30, 2, 0.02, 0.06),
    RiskProfile("Balanced", 0.01, 2.0, 3.0, 1.5, 0.25, 0.60, 3, 0.03, 0.10),
    RiskProfile("Aggressive", 0.02, 1.5, 4.0, 2.0, 0.40, 0.90, 5, 0.05, 0.20),
)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
SESSION = SessionView("PAPER", "stopped", "paper", "", PROFILES[1], "Demo: EMA trend with RSI", "1h", SYMBOLS, 1)
HELD = {"BTCUSDT": ("0.0450", "0.9930"), "SOLUSDT": ("12.80", "1.0078"), "BNBUSDT": ("1.240", "0.9946")}
HOUR_MS = 3_600_000


def effect(kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Say what a command changes in the session."""
    return {
        "start": {"state": "running"},
        "pause": {"state": "paused"},
        "stop": {"state": "stopped"},
        "flatten": {"state": "stopped"},
        "set_mode": {"mode": arguments.get("mode")},
        "set_risk": {"profile": arguments.get("profile")},
        "kill": {"state": "killed", "kill_reason": arguments.get("reason")},
        "arm": {"armed": True},
        "disarm": {"armed": False},
        "rearm": {"state": "stopped", "kill_reason": ""},
    }.get(kind, {})


def answer(kind: str, arguments: dict[str, Any]) -> str:
    """Say what a command did."""
    return " ".join([kind, *(f"{k}={v}" for k, v in arguments.items() if k != "profile")])


def past(end: int) -> list[tuple[int, float, float, float]]:
    """Return a month of equity, benchmark and drawdown."""
    draw = np.random.default_rng(3)
    equity = 10_000 * np.exp(np.cumsum(draw.normal(0.00025, 0.0035, 600)))
    equity *= np.linspace(1, 11_474 / equity[-1], 600)
    hold = 10_000 * np.exp(np.cumsum(draw.normal(0.00012, 0.005, 600)))
    drawdown = equity / np.maximum.accumulate(equity) - 1
    times = end - HOUR_MS * np.arange(600, 0, -1)
    return list(zip(times.tolist(), equity.tolist(), hold.tolist(), drawdown.tolist(), strict=True))


def fills(symbol: str, bars: np.ndarray, keys: list[str]) -> tuple[Fill, ...]:
    """Return entries and exits over the bars."""
    rows = bars[np.linspace(len(bars) * 0.2, len(bars) - 600, 14).astype(int)]
    sides = (Side.BUY, Side.SELL)
    client = f"order-{keys[0]}" if keys else ""
    return tuple(
        Fill(i, client, symbol, sides[i % 2], 450, round(r[4] * 10), 0, 0, 0, int(r[0]), "signal")
        for i, r in enumerate(rows)
    )


def picture(version: int, now: int, quotes: tuple[QuoteView, ...], session: SessionView, *, empty: bool) -> CockpitView:
    """Take a picture of the whole account."""
    feed = FeedView("Simulated", "SIMULATED", "live", "random walk, seed 9", 60.0, now, 180, None)
    positions = () if empty else tuple(_position(q, now) for q in quotes if q.symbol in HELD)
    jobs = (
        JobView("Save state", "done", now - 4_000, now + 56_000, "12 ms"),
        JobView("Backup", "waiting", None, now + HOUR_MS, ""),
    )
    quality = SignalQuality(0, 0, None, None, None) if empty else SignalQuality(212, 119, 0.5613, 0.494, 0.6264)
    return CockpitView(
        version,
        feed,
        session,
        _account(positions, empty=empty),
        quotes,
        positions,
        () if empty else _orders(now),
        () if empty else _trades(now),
        _signals(quotes, now, empty=empty),
        () if empty else _decisions(now),
        _log(now),
        jobs,
        quality,
        () if empty else (fake_models.status(), fake_models.status("ETHUSDT", "warming")),
    )


def _account(positions: tuple[PositionView, ...], *, empty: bool) -> AccountView:
    start = Decimal(10_000)
    if empty:
        zero = Decimal(0)
        return AccountView("USDT", start, start, start, zero, 0.0, zero, zero, zero, 0.0, 0.0, 0.0, 0, None, None, 0)
    unrealized = sum((p.pnl for p in positions), Decimal(0))
    value = sum((p.value for p in positions), Decimal(0))
    equity = Decimal("11473.89") + unrealized
    day = Decimal("75.65") + unrealized
    drawdown = float(equity / Decimal("11700") - 1)
    return AccountView(
        "USDT",
        start,
        equity,
        equity - value,
        day,
        float(day / equity),
        Decimal("1473.89"),
        unrealized,
        Decimal("61.12"),
        drawdown,
        -0.046,
        float(value / equity),
        54,
        0.574,
        1.62,
        600,
    )


def _position(quote: QuoteView, now: int) -> PositionView:
    quantity, ratio = (Decimal(x) for x in HELD[quote.symbol])
    base = {"BTCUSDT": "67388.0", "SOLUSDT": "169.90", "BNBUSDT": "591.3"}[quote.symbol]
    unit = Decimal(1).scaleb(-quote.decimals)
    entry = (Decimal(base) * ratio).quantize(unit)
    pnl = (quote.price - entry) * quantity
    stop, target = (entry * Decimal("0.985")).quantize(unit), (entry * Decimal("1.02")).quantize(unit)
    return PositionView(
        quote.symbol,
        quote.display,
        "LONG",
        quantity,
        entry,
        quote.price,
        quote.price * quantity,
        pnl,
        float(quote.price / entry - 1),
        stop,
        target,
        f"{quote.symbol[:3]} agent · 0.74",
        now - 5 * HOUR_MS,
        quote.decimals,
    )


def _orders(now: int) -> tuple[OrderView, ...]:
    stop = OrderView(
        "ck-7f3a",
        "BTCUSDT",
        "BTC/USDT",
        "SELL",
        "OCO",
        Decimal("0.0450"),
        Decimal(0),
        Decimal("68255.1"),
        Decimal("65912.4"),
        "WORKING",
        "protects the position",
        now - 5 * HOUR_MS,
    )
    ended = OrderView(
        "ck-6e1b",
        "ETHUSDT",
        "ETH/USDT",
        "BUY",
        "MARKET",
        Decimal("0.410"),
        Decimal(0),
        None,
        None,
        "REJECTED",
        "insufficient balance",
        now - 9 * HOUR_MS,
    )
    return stop, ended


def _trades(now: int) -> tuple[TradeView, ...]:
    draw = np.random.default_rng(5)
    why = ("target reached", "stop loss", "trailing stop", "strategy says sell")
    rows = []
    for n in range(54, 0, -1):
        rate = float(draw.normal(0.002, 0.012))
        exit_time = now - (54 - n) * 9 * HOUR_MS - 5 * 60_000
        price = Decimal(f"{66_000 * (1 + draw.normal(0, 0.02)):.1f}")
        rows.append(
            TradeView(
                n,
                "BTCUSDT",
                "BTC/USDT",
                "LONG",
                Decimal("0.0450"),
                exit_time - 4 * HOUR_MS,
                price,
                exit_time,
                (price * Decimal(1 + rate)).quantize(Decimal("0.1")),
                Decimal("3.01"),
                Decimal(f"{3_000 * rate:.2f}"),
                rate,
                "BTC agent · 0.71",
                why[n % 4],
                1,
            )
        )
    return tuple(rows)


def _signals(quotes: tuple[QuoteView, ...], now: int, *, empty: bool) -> tuple[SignalView, ...]:
    due = now - now % HOUR_MS + HOUR_MS
    rows = (
        ("BUY", 0.74, "RSI 28 < 30 · EMA 12 above EMA 34"),
        ("HOLD", 0.54, "no rule fired"),
        ("BUY", 0.68, "breakout · volume 2.3 × average"),
        ("SELL", 0.56, "EMA 12 fell below EMA 34"),
    )
    if empty:
        return ()
    return tuple(
        SignalView(q.symbol, q.display, "EMA trend", a, c, r, due - HOUR_MS, due)
        for q, (a, c, r) in zip(quotes, rows, strict=True)
    )


def _decisions(now: int) -> tuple[DecisionView, ...]:
    bar = now - now % HOUR_MS
    bought = (
        ("SIGNAL", "BUY 0.74 · RSI 28 < 30 · EMA 12 above EMA 34", "plain"),
        ("RISK", "approved · risk 1.0 % of equity · 7 of 7 checks", "plain"),
        ("ORDER", "BUY 0.0450 MARKET · ck-7f3a", "plain"),
        ("FILL", "0.0450 @ 66,912.4 · fee 3.01", "good"),
    )
    denied = (
        ("SIGNAL", "BUY 0.66 · breakout", "plain"),
        ("DENIED", "exposure 62.4 % above the limit of 60 %", "bad"),
    )
    quiet = (("SIGNAL", "HOLD 0.54 · no rule fired", "plain"),)
    return (
        DecisionView(f"BTCUSDT:{bar}", "BTCUSDT", "BTC/USDT", bar, "filled", bought),
        DecisionView(f"BNBUSDT:{bar}", "BNBUSDT", "BNB/USDT", bar, "denied", denied),
        DecisionView(f"ETHUSDT:{bar}", "ETHUSDT", "ETH/USDT", bar, "hold", quiet),
        DecisionView(f"BTCUSDT:{bar - HOUR_MS}", "BTCUSDT", "BTC/USDT", bar - HOUR_MS, "hold", quiet),
    )


def _log(now: int) -> tuple[JournalLine, ...]:
    start = now - now % HOUR_MS
    return (
        JournalLine(3, start, "MARKET_DATA", "BTC/USDT 1h closed", "plain"),
        JournalLine(2, start - 1000, "FEED", "simulated market runs at 60 ×", "good"),
        JournalLine(1, start - 2000, "STATE_SAVED", "account restored", "plain"),
    )
