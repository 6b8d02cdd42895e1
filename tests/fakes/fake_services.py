"""A bundle of services without an engine, for developing the screen: `python -m tests.fakes.fake_services`."""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from services.container import Services
from services.push import PushHub
from tests.fakes import fake_account as account
from tests.fakes.fake_agents import FakeAgents
from tests.fakes.fake_backtests import FakeBacktests
from tests.fakes.fake_journal import FakeJournal
from tests.fakes.fake_learning import FakeLearning
from tests.fakes.fake_live import FakeLive
from tests.fakes.fake_market import DECIMALS, LINES, PRICES, START_MS, history, line, resample
from tests.fakes.fake_rehearsal import FakeRehearsal
from tests.fakes.fake_studies import FakeStudies
from trading.domain import INTERVAL_MS, MINUTE_MS, Candle, ChartView, CockpitView, QuoteView, SeriesView
from trading.domain.venue import VenueStatus
from trading.events import CommandAnswered

SPEED = 60


class FakeMarket:
    """Minute bars of four symbols; `step` moves time on."""

    def __init__(self, n_bars: int = 12_000) -> None:
        self.bars = {s: history(s, n_bars, seed) for seed, s in enumerate(PRICES)}
        self.draw = np.random.default_rng(9)
        self.time = START_MS
        self.lock = threading.Lock()

    def step(self, milliseconds: int) -> None:
        """Trade on."""
        self.time += milliseconds
        with self.lock:
            for symbol, bars in self.bars.items():
                self.bars[symbol] = self._moved(bars)

    def _moved(self, bars: np.ndarray) -> np.ndarray:
        price = bars[-1, 4] * np.exp(self.draw.normal(0, 0.00035))
        opened = self.time - self.time % MINUTE_MS
        if opened > bars[-1, 0]:
            return np.vstack([bars[1:], [opened, bars[-1, 4], price, price, price, 0.1]])
        last = bars[-1].copy()
        last[2:6] = max(last[2], price), min(last[3], price), price, last[5] + self.draw.gamma(2.0, 0.4)
        return np.vstack([bars[:-1], last])

    def price(self, symbol: str) -> Decimal:
        """Last price, rounded to the tick."""
        return Decimal(f"{self.bars[symbol][-1, 4]:.{DECIMALS[symbol]}f}")


class FakeCharts:
    """Candles and indicators of the fake market."""

    def __init__(self, market: FakeMarket) -> None:
        self.market = market

    def chart(self, symbol: str, timeframe: str, n_bars: int, lines: tuple[str, ...]) -> ChartView:
        """Resample and compute all."""
        with self.market.lock:
            candles = resample(self.market.bars[symbol], symbol, timeframe)
        columns = {key: line(candles, key)[-n_bars:] for key in lines}
        return ChartView(candles[-n_bars:], columns, DECIMALS[symbol])

    def last_bar(self, symbol: str, timeframe: str, lines: tuple[str, ...]) -> tuple[Candle, dict[str, float]] | None:
        """Return the forming bar."""
        chart = self.chart(symbol, timeframe, 1, lines)
        return chart.candles.candle(0), {key: float(values[-1]) for key, values in chart.lines.items()}

    def timeframes(self) -> tuple[str, ...]:
        """All six."""
        return tuple(INTERVAL_MS)

    def indicator_names(self) -> dict[str, str]:
        """Every line of the fake market."""
        return LINES


class FakePortfolio:
    """A moving account; `empty` shows one that has not traded."""

    def __init__(self, market: FakeMarket, *, empty: bool) -> None:
        self.market, self.empty = market, empty
        self.session = account.SESSION
        self.version = 0
        self.venue: VenueStatus | None = None
        self.steps: list[tuple[int, float, float, float]] = [] if empty else account.past(START_MS)
        self._view = self._picture()

    def view(self) -> CockpitView:
        """Return the newest picture."""
        return self._view

    def series(self) -> SeriesView:
        """Return the curves."""
        columns = np.array(self.steps).reshape(-1, 4).T
        return SeriesView(columns[0].astype(np.int64), *columns[1:])

    def decision(self, key: str) -> Any:
        """Find a decision by its key or its order."""
        found = [d for d in self._view.decisions if key in (d.key, f"order-{d.key}")]
        return found[0] if found else None

    def fills(self, symbol: str) -> Any:
        """Return a few fills."""
        return () if self.empty else account.fills(symbol, self.market.bars[symbol], self.decision_keys(symbol))

    def decision_keys(self, symbol: str) -> list[str]:
        """Keys of a symbol's decisions."""
        return [d.key for d in self._view.decisions if d.symbol == symbol]

    def refresh(self) -> None:
        """Take a new picture."""
        self._view = self._picture()
        if not self.empty:
            equity = float(self._view.account.equity)
            point = (self.market.time, equity, self.steps[-1][2] * 1.00001, self._view.account.drawdown_rate)
            self.steps.append(point)
            del self.steps[:-2000]

    def _picture(self) -> CockpitView:
        self.version += 1
        quotes = tuple(self._quote(s) for s in PRICES)
        picture = account.picture(self.version, self.market.time, quotes, self.session, empty=self.empty)
        venue = self.venue and replace(self.venue, armed=bool(self.session.armed))
        return replace(picture, venue=venue)

    def trade_at(self, venue: VenueStatus) -> None:
        """Trade at a venue, disarmed."""
        self.venue, self.session = venue, replace(self.session, broker=venue.badge, armed=False)
        self.refresh()

    def _quote(self, symbol: str) -> QuoteView:
        bars, price = self.market.bars[symbol], self.market.price(symbol)
        change = bars[-1, 4] / bars[-1440, 4] - 1
        return QuoteView(symbol, f"{symbol[:-4]}/USDT", price, float(change), self.market.time, DECIMALS[symbol])


class FakeSession:
    """Answers commands the way the engine does."""

    def __init__(self, portfolio: FakePortfolio, hub: PushHub) -> None:
        self.portfolio, self.hub = portfolio, hub
        self.sent: list[tuple[str, str, int | None, dict[str, Any]]] = []

    async def send(self, kind: str, nonce: str, version: int | None = None, **arguments: Any) -> CommandAnswered:
        """Change the session."""
        seen = any(nonce == n for _, n, _, _ in self.sent)
        self.sent.append((kind, nonce, version, arguments))
        session = self.portfolio.session
        if seen:
            detail = "already answered: the same click arrived twice"
            return CommandAnswered(nonce, kind, False, detail, session.control_version)
        if version not in (None, session.control_version):
            detail = f"this page showed version {version}, the controls are at version {session.control_version}"
            return CommandAnswered(nonce, kind, False, detail, session.control_version)
        changes = account.effect(kind, arguments)
        if changes:
            self.portfolio.session = replace(session, control_version=session.control_version + 1, **changes)
        self.portfolio.refresh()
        self.hub.notify()
        return CommandAnswered(nonce, kind, True, account.answer(kind, arguments))


class FakeWorld:
    """Market, account and clock in one; `run` moves them in a thread of its own."""

    def __init__(
        self, *, empty: bool = False, backtests: FakeBacktests | None = None, learning: FakeLearning | None = None,
        studies: FakeStudies | None = None, rehearsal: FakeRehearsal | None = None,
        agents: FakeAgents | None = None,
    ) -> None:
        self.backtests = backtests or FakeBacktests(stored=not empty)
        self.learning = learning or FakeLearning(stored=not empty)
        self.studies = studies or FakeStudies(stored=not empty)
        self.rehearsal = rehearsal or FakeRehearsal(stored=not empty)
        self.agents = agents or FakeAgents(stored=not empty)
        self.hub = PushHub()
        self.market = FakeMarket()
        self.portfolio = FakePortfolio(self.market, empty=empty)
        self.session = FakeSession(self.portfolio, self.hub)
        self.live = FakeLive(self.portfolio)
        self.journal = FakeJournal(stored=not empty)
        charts = FakeCharts(self.market)
        self.services = Services(
            self.portfolio, charts, self.session, self.hub, account.PROFILES, self.backtests, self.learning,
            self.studies, self.live, self.rehearsal, journal=self.journal, agents=self.agents,
        )
        self._stopped = threading.Event()

    def run(self, period: float = 0.2) -> FakeWorld:
        """Start moving."""
        threading.Thread(target=self._move, args=(period,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stand still."""
        self._stopped.set()

    def _move(self, period: float) -> None:
        while not self._stopped.wait(period):
            self.market.step(int(period * SPEED * 1000))
            self.portfolio.refresh()
            self.hub.notify()


def main() -> None:
    """Serve the fake cockpit."""
    import app

    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8051)
    parser.add_argument("--empty", action="store_true")
    chosen = parser.parse_args()
    world = FakeWorld(empty=chosen.empty, studies=FakeStudies(seconds=20.0, stored=not chosen.empty)).run()
    started = time.perf_counter()
    cockpit = app.create_app(world.services)
    print(f"http://127.0.0.1:{chosen.port} ({time.perf_counter() - started:.1f} s)", flush=True)
    app.web_server(cockpit, port=chosen.port).run()


if __name__ == "__main__":
    main()
