"""The account as the screen sees it: an immutable picture, swapped whole, built on the engine's thread."""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import time as wall_clock

import numpy as np

from services import views
from services.charts import ChartService
from storage.history import History
from trading.agents.quality import signal_quality
from trading.domain import (
    INTERVAL_MS,
    AccountView,
    CockpitView,
    Decision,
    DecisionView,
    EquityPoint,
    FeedView,
    Fill,
    JobView,
    QuoteView,
    SeriesView,
    SessionView,
    SignalQuality,
    SignalView,
    Trade,
)
from trading.domain.venue import VenueStatus
from trading.engine import Engine
from trading.events import BarFinished, CandleClosed, DecisionMade, OrderFilled, PriceMoved, TradeClosed
from trading.ports import Feed

MAX_POINTS = 2_000
N_TRADES, N_DECISIONS, N_FILLS, N_LINES = 1_000, 60, 2_000, 300


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the picture comes from."""

    engine: Engine
    feed: Feed
    charts: ChartService
    history: History
    strategy: str
    interval: str
    venue: Callable[[], VenueStatus] | None = None


class PortfolioService:
    """Follows the bus, keeps what the screen needs, and answers from any thread without waiting."""

    def __init__(self, sources: Sources, notify: Callable[[], None], jobs: Callable[[], tuple[JobView, ...]]) -> None:
        self._engine, self._feed = sources.engine, sources.feed
        self._charts, self._history = sources.charts, sources.history
        self._strategy, self._interval = sources.strategy, sources.interval
        self._notify, self._jobs = notify, jobs
        self._venue_status = sources.venue
        self._models = tuple(agent for agent in self._engine.agents.agents if hasattr(agent, "status"))
        self._lock = threading.Lock()
        self._equity: tuple[array[int], array[float], array[float], array[float]] = _empty_series()
        self._trades: deque[Trade] = deque(self._history.trades(N_TRADES), maxlen=N_TRADES)
        self._fills: deque[Fill] = deque(self._history.fills(N_FILLS), maxlen=N_FILLS)
        self._decisions: deque[Decision] = deque(maxlen=N_DECISIONS)
        self._signals: dict[tuple[str, str], SignalView] = {}
        self._heard_at = wall_clock()
        self._halted = self._feed_error = ""
        self.is_dirty = True
        self._load()
        self._subscribe()
        self._version = 0
        self._view = self._build()

    def _load(self) -> None:
        """Take up where the last run stopped."""
        for point in self._history.equity():
            self._add_point(point)
        notable = [d for d in self._history.decisions(20 * N_DECISIONS) if d.outcome not in views.ORDINARY]
        self._decisions.extend(notable)
        self._engine.journal.recent.extend(self._history.lines(N_LINES))
        self._engine.orders.ended.extend(self._history.ended_orders(N_LINES))

    def _subscribe(self) -> None:
        bus = self._engine.bus
        bus.subscribe(CandleClosed, self._on_market)
        bus.subscribe(PriceMoved, self._on_market)
        bus.subscribe(BarFinished, self._on_bar)
        bus.subscribe(TradeClosed, lambda event: self._trades.append(event.trade))
        bus.subscribe(OrderFilled, lambda event: self._fills.append(event.fill))
        bus.subscribe(DecisionMade, self._on_decision)

    def rename(self, strategy: str) -> None:
        """Hear the name of the strategy that trades from now on."""
        self._strategy, self.is_dirty = strategy, True

    def view(self) -> CockpitView:
        """Return the newest picture."""
        return self._view

    def refresh(self) -> None:
        """Build the next picture and wake the browsers. On the engine's thread."""
        self._version += 1
        self._view = self._build()
        self.is_dirty = False
        self._notify()

    def series(self) -> SeriesView:
        """Return equity, benchmark and drawdown, thinned to about 2,000 points; the deepest drawdown of each stays."""
        with self._lock:
            time, equity, benchmark, drawdown = (np.array(column) for column in self._equity)
        stride = max(1, -(-len(time) // MAX_POINTS))
        if stride == 1:
            return SeriesView(time, equity, benchmark, drawdown)
        last = np.arange(len(time) - 1, -1, -stride)[::-1]
        starts = np.concatenate(([0], last[:-1] + 1))
        return SeriesView(time[last], equity[last], benchmark[last], np.minimum.reduceat(drawdown, starts))

    def decision(self, key: str) -> DecisionView | None:
        """Return one decision record, also an old one: of a bar, of a position's entry, or of an order."""
        found = self._find(key)
        if found is None:
            return None
        fills = self._history.fills_of(found.client_id) if found.client_id else []
        return views.decision_view(self._engine.portfolio.specs[found.symbol], found, fills)

    def _find(self, key: str) -> Decision | None:
        where, _, time = key.partition("@")
        symbol = where.removeprefix(views.ENTRY)
        if symbol not in self._engine.portfolio.specs:
            return self._history.order_decision(where)
        if not time.isdigit():
            return None
        look = self._history.entry_decision if where.startswith(views.ENTRY) else self._history.decision
        return look(symbol, int(time))

    def fills(self, symbol: str) -> tuple[Fill, ...]:
        """Return the newest fills of a symbol, oldest first."""
        return tuple(fill for fill in self._fills.copy() if fill.symbol == symbol)

    def halt(self, reason: str) -> None:
        """Show that the engine stopped for good."""
        self._halted, self.is_dirty = reason, True

    def feed_failed(self, reason: str) -> None:
        """Show that the feed ended with an error."""
        self._feed_error, self.is_dirty = reason, True

    def _on_market(self, event: CandleClosed | PriceMoved) -> None:
        if isinstance(event, PriceMoved) or event.live:
            self._heard_at = wall_clock()
        self.is_dirty = True

    def _on_bar(self, event: BarFinished) -> None:
        self._add_point(self._engine.portfolio.point(event.candle.close_time))

    def _on_decision(self, event: DecisionMade) -> None:
        decision = event.decision
        if decision.outcome not in views.ORDINARY:
            self._decisions.append(decision)
        display = self._engine.portfolio.specs[decision.symbol].display
        if decision.signals:
            self._forget_silent(decision)
        for signal in decision.signals:
            due = signal.time + INTERVAL_MS[self._interval]
            self._signals[signal.symbol, signal.source] = SignalView(
                signal.symbol, display, signal.source, signal.action.value, signal.confidence, signal.reason,
                signal.time, due,
            )

    def _forget_silent(self, decision: Decision) -> None:
        """Drop the last votes of sources that have no say any more."""
        heard = {(signal.symbol, signal.source) for signal in decision.signals}
        for key in [key for key in self._signals if key[0] == decision.symbol and key not in heard]:
            del self._signals[key]

    def _add_point(self, point: EquityPoint) -> None:
        row = (point.time, point.equity / 1e8, point.benchmark / 1e8, -point.drawdown_ppm / 1e6)
        with self._lock:
            last = self._equity[0][-1] if self._equity[0] else -1
            if last > point.time:
                return  # a bar that came late
            if last == point.time:
                for column in self._equity:
                    column.pop()
            for column, value in zip(self._equity, row, strict=True):
                column.append(value)

    def _build(self) -> CockpitView:
        portfolio, specs, venue = self._engine.portfolio, self._engine.portfolio.specs, self._venue()
        ended = sorted(self._engine.orders.ended, key=lambda order: order.number, reverse=True)
        orders = [*self._engine.orders.working.values(), *ended]
        by_order: dict[str, list[Fill]] = {}
        for fill in self._fills:
            by_order.setdefault(fill.client_id, []).append(fill)
        return CockpitView(
            version=self._version, feed=self._feed_view(), session=self._session_view(), account=self._account(),
            quotes=tuple(self._quote(symbol) for symbol in specs if symbol in portfolio.marks),
            positions=tuple(views.position_view(portfolio, symbol, venue.legs(symbol) if venue else None)
                            for symbol in portfolio.open_symbols()),
            orders=tuple(views.order_view(specs[o.symbol], o) for o in orders[:200]),
            trades=tuple(views.trade_view(specs[t.symbol], t) for t in list(self._trades)[-300:]),
            signals=tuple(self._signals.values()),
            decisions=tuple(views.decision_view(specs[d.symbol], d, by_order.get(d.client_id, ()))
                            for d in reversed(self._decisions)),
            log=tuple(self._engine.journal.recent), jobs=self._jobs(), signal_quality=self._quality(),
            models=tuple(status for source in self._models if (status := source.status).version), venue=venue,
        )

    def _feed_view(self) -> FeedView:
        status, feed = self._engine.health.feed, self._feed
        age_ms = int((wall_clock() - self._heard_at) * 1000)
        view = FeedView(feed.name, feed.badge, status.state, status.detail, feed.speed, self._engine.time, age_ms,
                        status.latency_ms)
        return replace(view, state="failed", detail=self._feed_error) if self._feed_error else view

    def _session_view(self) -> SessionView:
        session, engine = self._engine.session, self._engine
        state, reason = ("killed", self._halted) if self._halted else (session.state, session.kill_reason)
        return SessionView(engine.broker.badge, state, session.mode, reason, engine.risk.profile, self._strategy,
                           self._interval, tuple(engine.portfolio.specs), session.control_version,
                           session.armed if session.outside else None)

    def _venue(self) -> VenueStatus | None:
        """Return how the connection to the venue stands; a broker inside this process has none."""
        if self._venue_status is None:
            return None
        return replace(self._venue_status(), armed=self._engine.session.armed)

    def _account(self) -> AccountView:
        portfolio = self._engine.portfolio
        equity = portfolio.equity()
        unrealized = sum(portfolio.unrealized(s) for s in portfolio.holdings)
        holdings = portfolio.holdings.values()
        quote = next(iter(portfolio.specs.values())).quote
        return AccountView(
            quote=quote, start_equity=views.money(portfolio.start_units), equity=views.money(equity),
            cash=views.money(portfolio.cash), day_pnl=views.money(equity - portfolio.day_start),
            day_pnl_rate=views.ratio(equity - portfolio.day_start, portfolio.day_start),
            realized_pnl=views.money(sum(h.realized for h in holdings)), unrealized_pnl=views.money(unrealized),
            fees=views.money(sum(h.fees for h in holdings)),
            drawdown_rate=-portfolio.point(0).drawdown_ppm / 1e6, max_drawdown_rate=-portfolio.worst_drawdown / 1e6,
            exposure_rate=views.ratio(portfolio.exposure() + self._engine.orders.reserved_units(), equity),
            n_trades=portfolio.n_trades, win_rate=portfolio.n_wins / portfolio.n_trades if portfolio.n_trades else None,
            sharpe=self._engine.performance.sharpe(), n_returns=self._engine.performance.n,
            is_rearmed=portfolio.peak < portfolio.high,
        )

    def _quote(self, symbol: str) -> QuoteView:
        portfolio = self._engine.portfolio
        spec = portfolio.specs[symbol]
        return QuoteView(symbol, spec.display, spec.price(portfolio.marks[symbol]), self._charts.change_rate(symbol),
                         self._engine.time, views.decimals(spec))

    def _quality(self) -> SignalQuality:
        known = [agent.quality for agent in self._engine.agents.agents if agent not in self._models]
        return signal_quality(sum(q.hits for q in known), sum(q.n for q in known))


def _empty_series() -> tuple[array[int], array[float], array[float], array[float]]:
    return array("q"), array("d"), array("d"), array("d")
