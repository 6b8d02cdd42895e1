"""What the trades made: sums in whole units by day, symbol, hour ..., streaks, and the times below an earlier peak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from services.journal.book import Booked
from services.views import money
from trading.domain import EquityPoint, SeriesView
from trading.domain.journal import JournalFigures, JournalTrade, ProfitSlice, Streaks, Underwater

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
MOST_POINTS, N_UNDERWATER = 1_500, 12
Naming = Callable[[JournalTrade], tuple[str, int]]  # the group's name, and where it begins (0: no span of time)


@dataclass(frozen=True, slots=True)
class Asked:
    """What figures are made of: trades, and points of equity; the first of them is the worth before the first trade."""

    quote: str
    trades: Sequence[Booked]
    points: Sequence[EquityPoint]
    start: int
    end: int


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _day(trade: JournalTrade) -> tuple[str, int]:
    return _moment(trade.exit_time).strftime("%Y-%m-%d"), trade.exit_time // DAY_MS * DAY_MS


def _week(trade: JournalTrade) -> tuple[str, int]:
    moment = _moment(trade.exit_time // DAY_MS * DAY_MS)
    year, week, weekday = moment.isocalendar()
    return f"{year}-W{week:02d}", _ms(moment - timedelta(days=weekday - 1))


def _month(trade: JournalTrade) -> tuple[str, int]:
    moment = _moment(trade.exit_time)
    return moment.strftime("%Y-%m"), _ms(datetime(moment.year, moment.month, 1, tzinfo=UTC))


def _hour(trade: JournalTrade) -> tuple[str, int]:
    return f"{trade.exit_time % DAY_MS // HOUR_MS:02d}", 0


NAMINGS: dict[str, Naming] = {
    "day": _day, "week": _week, "month": _month, "hour": _hour,
    "symbol": lambda trade: (trade.symbol, 0),
    "agent": lambda trade: (trade.agent, 0),
    "strategy": lambda trade: (trade.strategy, 0),
    "closed_because": lambda trade: (trade.closed_because, 0),
}
IN_TIME = ("day", "week", "month", "hour")


def figures_of(asked: Asked) -> JournalFigures:
    """Return the figures of trades and of the account's equity over the same time."""
    trades = sorted(asked.trades, key=lambda booked: (booked.trade.exit_time, booked.trade.number))
    pnls = [booked.pnl for booked in trades]
    wins, losses = [p for p in pnls if p > 0], [p for p in pnls if p < 0]
    curve = _curve(asked)
    return JournalFigures(
        quote=asked.quote, start=asked.start, end=asked.end, n_trades=len(pnls), n_wins=len(wins),
        n_losses=len(losses), pnl=money(sum(pnls)), fees=money(sum(booked.fees for booked in trades)),
        gross_profit=money(sum(wins)), gross_loss=money(sum(losses)), expectancy=_mean(pnls),
        expectancy_rate=float(np.mean([booked.trade.roi_rate for booked in trades])) if trades else None,
        average_win=_mean(wins), average_loss=_mean(losses),
        profit_factor=sum(wins) / -sum(losses) if losses else None,
        win_rate=len(wins) / len(pnls) if pnls else None, streaks=streaks_of(pnls),
        average_hold_ms=sum(b.trade.duration_ms for b in trades) // len(trades) if trades else None,
        best=max(trades, key=lambda b: b.pnl).trade if trades else None,
        worst=min(trades, key=lambda b: b.pnl).trade if trades else None,
        groups={name: grouped(trades, naming, name in IN_TIME) for name, naming in NAMINGS.items()},
        underwater=underwater_of(asked.points), series=_thinned(asked.points), **curve)


def grouped(trades: Iterable[Booked], naming: Naming, in_time: bool) -> tuple[ProfitSlice, ...]:
    """Return the sums of each group: in the order of time, else the most profitable one first."""
    found: dict[tuple[str, int], list[Booked]] = {}
    for booked in trades:
        found.setdefault(naming(booked.trade), []).append(booked)
    slices = [_slice(name, start, inside) for (name, start), inside in found.items()]
    return tuple(sorted(slices, key=lambda each: (0 if in_time else -each.pnl, each.name)))


def _slice(name: str, start: int, inside: Sequence[Booked]) -> ProfitSlice:
    n_wins = sum(booked.pnl > 0 for booked in inside)
    return ProfitSlice(name, start, len(inside), n_wins, money(sum(booked.pnl for booked in inside)),
                       money(sum(booked.fees for booked in inside)))


def _mean(units: Sequence[int]) -> Decimal | None:
    """Return the mean, rounded to a unit, halves to even."""
    return money(round(Decimal(sum(units)) / len(units))) if units else None


def streaks_of(pnls: Iterable[int]) -> Streaks:
    """Return the longest runs of wins and of losses, and the one that goes on."""
    now = best = worst = 0
    for pnl in pnls:
        now = (max(now, 0) + 1) if pnl > 0 else (min(now, 0) - 1) if pnl < 0 else 0
        best, worst = max(best, now), min(worst, now)
    return Streaks(best, -worst, now)


def underwater_of(points: Sequence[EquityPoint], most: int = N_UNDERWATER) -> tuple[Underwater, ...]:
    """Return the deepest times below an earlier peak, the deepest first; one that goes on has no end."""
    found: list[Underwater] = []
    peak = trough = None
    for point in points:
        if peak is None or point.equity >= peak.equity:
            if peak is not None and trough is not None:
                found.append(_period(peak, trough, point.time, point.time))
            peak, trough = point, None
        elif trough is None or point.equity < trough.equity:
            trough = point
    if peak is not None and trough is not None:
        found.append(_period(peak, trough, None, points[-1].time))
    found.sort(key=lambda each: (-each.depth_rate, each.start))
    return tuple(found[:most])


def _period(peak: EquityPoint, trough: EquityPoint, end: int | None, until: int) -> Underwater:
    lost = peak.equity - trough.equity
    return Underwater(peak.time, trough.time, end, lost / peak.equity if peak.equity else 0.0, money(lost),
                      until - peak.time)


def _curve(asked: Asked) -> dict[str, Any]:
    """Return what equity and benchmark made from the first point to the last."""
    points = asked.points
    first, last = points[0], points[-1]
    told = len(points) > 1
    return {
        "start_equity": money(first.equity), "end_equity": money(last.equity),
        "total_return": last.equity / first.equity - 1.0 if told and first.equity else None,
        "benchmark_return": last.benchmark / first.benchmark - 1.0 if told and first.benchmark else None,
        "max_drawdown_rate": max((each.depth_rate for each in underwater_of(points)), default=0.0),
    }


def _thinned(points: Sequence[EquityPoint]) -> SeriesView:
    """Return the curve with at most about 1,500 points, the last one among them."""
    stride = max(1, -(-len(points) // MOST_POINTS))
    kept = list(points[::-1][::stride][::-1])
    time, equity, benchmark = (np.array([getattr(p, name) for p in kept], dtype="int64")
                               for name in ("time", "equity", "benchmark"))
    peaks = np.maximum.accumulate(np.array([p.equity for p in points], dtype="int64"))[::-1][::stride][::-1]
    drawdown = equity / np.maximum(peaks, 1) - 1.0 if len(points) else np.zeros(0)
    return SeriesView(time, equity / 1e8, benchmark / 1e8, drawdown)
