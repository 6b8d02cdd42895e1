"""A journal in memory: made trades and decisions, the real filters, figures and log files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from services.journal import logs
from services.journal.book import Booked, result_of
from services.journal.figures import Asked, figures_of
from services.journal.service import lets_through
from services.views import money
from trading.domain import DecisionView, EquityPoint
from trading.domain.journal import (
    FOREVER,
    DecisionPage,
    DecisionQuery,
    ImportReport,
    JournalChoices,
    JournalFigures,
    JournalTrade,
    LogSummary,
    TradeFilter,
    TradePage,
)
from trading.errors import BadInput, StateFailed

START_MS = 1_704_067_200_000
HOUR_MS = 3_600_000
UNITS = 10**8
CAPITAL = 10_000 * UNITS


def booked(n: int, pnl: int, hours: float, symbol: str = "BTCUSDT") -> Booked:
    """Trade number n, closed so many hours after the start."""
    exit_time = START_MS + int(hours * HOUR_MS)
    entry_time = exit_time - 2 * HOUR_MS
    entry = Decimal(42_000) if symbol == "BTCUSDT" else Decimal(2_300)
    trade = JournalTrade(
        key=f"{symbol}@{entry_time}-{n}", number=n, symbol=symbol, display=f"{symbol[:-4]}/USDT", side="LONG",
        quantity=Decimal("0.05"), entry_time=entry_time, entry_price=entry, exit_time=exit_time,
        exit_price=entry + money(pnl) * 20, fees=money(4 * UNITS), pnl=money(pnl),
        roi_rate=float(money(pnl) / (entry / 20)), result=result_of(pnl), strategy="demo", agent=f"demo · {symbol}",
        confidence=0.58, indicators={"rsi_14": 31.2, "ema_20": float(entry)}, drawdown_rate=0.004, opened_by="demo",
        closed_because="target" if pnl > 0 else "stop", decision=f"entry:{symbol}@{entry_time}")
    return Booked(trade, pnl, 4 * UNITS)


def made_trades(n: int = 140) -> list[Booked]:
    """Trades of about three months."""
    draw = np.random.default_rng(5)
    return [booked(i + 1, int(draw.normal(3, 30) * UNITS), 15.0 * i + float(draw.integers(0, 12)),
                   ("BTCUSDT", "ETHUSDT")[i % 3 == 0]) for i in range(n)]


class FakeJournal:
    """Answers like the service; `trouble` makes every question fail."""

    def __init__(self, *, stored: bool = True, n_decisions: int = 130) -> None:
        self.booked = made_trades() if stored else []
        self.imported: dict[str, tuple[str, logs.Record]] = {}
        self.notes: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.records = [made_decision(i) for i in range(n_decisions if stored else 0)]
        self.trouble = ""

    def _all(self) -> list[JournalTrade]:
        if self.trouble:
            raise StateFailed(self.trouble)
        known = [each.trade for each in self.booked]
        known += [logs.trade_of(record, key, source) for key, (source, record) in self.imported.items()]
        return [replace(t, note=self.notes[t.key][0], tags=self.notes[t.key][1]) if t.key in self.notes else t
                for t in known]

    def trades(self, wanted: TradeFilter, offset: int = 0, limit: int = 50) -> TradePage:
        """Filter, sort, cut."""
        found = sorted((t for t in self._all() if lets_through(wanted, t)), key=lambda t: t.exit_time, reverse=True)
        return TradePage(tuple(found[offset: offset + limit]), offset, len(found))

    def trade(self, key: str) -> JournalTrade | None:
        """Find a trade."""
        return next((t for t in self._all() if t.key == key), None)

    def choices(self) -> JournalChoices:
        """What there is."""
        known = self._all()
        sources = [source for source, _ in self.imported.values()]
        return JournalChoices(*(tuple(sorted(found)) for found in (
            {t.symbol for t in known}, {t.strategy for t in known}, {t.agent for t in known if t.agent},
            {tag for t in known for tag in t.tags})), tuple((s, sources.count(s)) for s in sorted(set(sources))))

    def note(self, key: str, text: str, tags: Sequence[str]) -> JournalTrade:
        """Keep a note."""
        if self.trade(key) is None:
            raise BadInput(f"there is no trade {key!r}; reload the page")
        self.notes[key] = text, tuple(tag.strip() for tag in tags if tag.strip())
        found = self.trade(key)
        assert found is not None
        return found

    def decisions(self, query: DecisionQuery, limit: int = 50) -> DecisionPage:
        """Newest first, below the place of the query."""
        if self.trouble:
            raise StateFailed(self.trouble)
        below = query.below[0] if query.below else FOREVER
        found = [d for d in reversed(self.records) if d.time < below and query.symbol in ("", d.symbol)
                 and d.outcome.startswith(query.outcome) and query.text in d.lines[-1][1]
                 and query.start <= d.time < query.end]
        last = (found[limit - 1].time, "", "", "") if len(found) > limit else None
        return DecisionPage(tuple(found[:limit]), last)

    def decision(self, key: str) -> DecisionView | None:
        """Find a record; every entry has the first one."""
        if key.startswith("entry:"):
            return self.records[0] if self.records else None
        return next((d for d in self.records if d.key == key), None)

    def figures(self, start: int = 0, end: int = FOREVER) -> JournalFigures:
        """Add up."""
        if self.trouble:
            raise StateFailed(self.trouble)
        inside = [each for each in self.booked if start <= each.trade.exit_time < end]
        equity, points = CAPITAL, [EquityPoint(START_MS, CAPITAL, CAPITAL, 0)]
        for each in inside:
            equity += each.pnl
            points.append(EquityPoint(each.trade.exit_time, equity, CAPITAL + each.trade.number * UNITS, 0))
        made = figures_of(Asked("USDT", inside, sorted(points, key=lambda p: p.time), start, end))
        return replace(made, realized=made.pnl, open_realized=Decimal(0), agrees=True)

    def export(self, wanted: TradeFilter) -> tuple[str, str]:
        """Write a log."""
        records = [logs.record_of(t) for t in self.trades(wanted, 0, FOREVER).trades]
        return f"{wanted.symbol or 'all'}_trades.json", logs.written(records)

    def import_log(self, name: str, content: bytes) -> ImportReport:
        """Take a log in."""
        records = logs.parsed(name, content)
        before = len(self.imported)
        for record in records:
            self.imported.setdefault(logs.key_of(record), (name, record))
        n_new = len(self.imported) - before
        return ImportReport(name, n_new, len(records) - n_new)

    def remove_import(self, name: str) -> int:
        """Forget a file."""
        doomed = [key for key, (source, _) in self.imported.items() if source == name]
        for key in doomed:
            del self.imported[key]
        return len(doomed)

    def log_trade(self, record: dict[str, object]) -> JournalTrade:
        """Add one."""
        taken = logs.parsed("the trade", logs.written([record]).encode("utf-8", "replace"))[0]
        self.imported[logs.key_of(taken)] = ("logged by hand", taken)
        return logs.trade_of(taken, logs.key_of(taken), "logged by hand")

    def get_agent_log(self, limit: int = 100, agent: str = "") -> tuple[JournalTrade, ...]:
        """Return the newest."""
        return self.trades(TradeFilter(agent=agent), 0, limit).trades

    def clear_log(self) -> int:
        """Forget all that was imported."""
        n = len(self.imported)
        self.imported.clear()
        return n

    def log_summary(self, agent: str = "") -> LogSummary:
        """Count."""
        known = [t for t in self._all() if not t.imported and agent in ("", t.agent)]
        n = len(known)
        rates = [round(sum(t.result == r for t in known) / n, 3) if n else 0.0 for r in ("win", "loss")]
        return LogSummary(*rates, n)


def made_decision(n: int) -> DecisionView:
    """Record number n, one a minute."""
    time = START_MS + n * 60_000
    outcome = ("entry", "denied: exposure")[n % 2] if n % 10 == 0 else "hold"
    lines = (("BAR", "BTC/USDT closed at 42,000.00", "plain"), ("SIGNAL", f"demo: HOLD 0.00 · RSI {n}", "plain"),
             ("OUTCOME", f"{outcome} · RSI {n} between 30 and 70", "plain"))
    return DecisionView(f"BTCUSDT@{time}", "BTCUSDT", "BTC/USDT", time, outcome, lines)
