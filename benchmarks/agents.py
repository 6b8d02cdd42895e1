"""From the close of a minute to the last decision on it: twenty agents on twenty symbols, ranked by Mother AI.

The whole cockpit on paper with its threads, its database, a thread for each agent and its page, which is served on a
socket and asked by three tabs in turn, far more often than a browser asks. All twenty candles of a minute are posted at
once and the next minute follows at once, which is the worst case. A decision counts when its record is made; one from
which an agent abstained is none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import main as root
from benchmarks.rows import Row
from benchmarks.screen import served
from layouts import ids
from services.agents.roster import RosterStore
from services.settings import load_settings
from storage.database import Database
from tests.browser.conftest import free_port
from tests.soak.page import Page
from trading.agents.desk import ABSTAINS
from trading.agents.lanes import Lanes
from trading.domain import Candles, SymbolSpec
from trading.domain.agents import MotherConfig
from trading.events import CandleClosed, DecisionMade, FeedStatus
from trading.ports import Post

N_SYMBOLS, N_WARM, N_MINUTES = 20, 1_000, 150
LIMIT_MS, PAGE_LIMIT_MS, PATIENCE_S = 500.0, 250.0, 30.0
ASK_EVERY_S, N_CALLBACKS = 0.5, 50
MINUTE, START = 60_000, 1_704_067_200_000
RULES = ("demo", "rsi-reversion", "macd-cross", "bollinger-reversion", "ema-cross")


def bars_of(symbol: str, seed: int) -> Candles:
    """Return a seeded random walk of one-minute bars."""
    rng = np.random.default_rng(seed)
    n = N_WARM + N_MINUTES
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0, 0.002, n))), 2)
    open_ = np.concatenate((close[:1], close[:-1]))
    wick = np.round(rng.uniform(0, 0.1, (2, n)), 2)
    times = START + MINUTE * np.arange(n, dtype=np.int64)
    volume = np.round(rng.uniform(1_000, 5_000, n), 2)
    return Candles(symbol, "1m", times, open_, np.maximum(open_, close) + wick[0], np.minimum(open_, close) - wick[1],
                   close, volume, volume * close, np.zeros(n, np.int64), volume / 2)


class Minutes:
    """A feed that closes a minute on all symbols at once, and the next when everything was decided."""

    name, badge, interval, speed = "twenty random walks", "SIMULATED", "1m", 1.0

    def __init__(self) -> None:
        self.symbols = tuple(f"S{n:02d}USDT" for n in range(N_SYMBOLS))
        self._bars = {symbol: bars_of(symbol, seed) for seed, symbol in enumerate(self.symbols)}
        self.closed_at = 0.0
        self.took_ms: list[float] = []
        self.n_late = 0
        self._decided, self._n = threading.Event(), 0
        self.done = threading.Event()

    def specs(self) -> dict[str, SymbolSpec]:
        """A fine grid for each."""
        cent = Decimal("0.01")
        return {symbol: SymbolSpec(symbol, cent, cent, cent, Decimal(0), Decimal(5)) for symbol in self.symbols}

    def history(self, symbol: str, until: int | None) -> Candles:
        """The bars before the measurement."""
        return self._bars[symbol][:N_WARM]

    def heard(self, event: DecisionMade) -> None:
        """Take the time of a decision; an abstention is none."""
        if any(signal.reason.startswith(ABSTAINS) for signal in event.decision.signals):
            self.n_late += 1
        else:
            self.took_ms.append((time.perf_counter() - self.closed_at) * 1000)
        self._n += 1
        if self._n == N_SYMBOLS:
            self._decided.set()

    def run(self, post: Post, after: Mapping[str, int], stop: threading.Event) -> None:
        """Close minute after minute."""
        post(FeedStatus("live"))
        for row in range(N_WARM, N_WARM + N_MINUTES):
            self._n = 0
            self._decided.clear()
            self.closed_at = time.perf_counter()
            for symbol in self.symbols:
                post(CandleClosed(self._bars[symbol].candle(row)))
            if not self._decided.wait(PATIENCE_S) or stop.is_set():
                break
        self.done.set()


class Tabs:
    """Three pages that ask what is new over the socket, one after the other, until it is over."""

    TICKS = ((ids.AG_TICK, ids.AG_SEEN), (ids.JR_TICK, ids.JR_SEEN, ids.JR_MINUTE), (ids.LV_TICK, ids.LV_SEEN))

    def __init__(self, url: str) -> None:
        self._page = Page(url)
        self.took_ms: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self) -> None:
        while not self._over.is_set():
            for tick in self.TICKS:
                began = time.perf_counter()
                self._page.tick(*tick)
                self.took_ms.append((time.perf_counter() - began) * 1000)
            self._over.wait(ASK_EVERY_S)

    def __enter__(self) -> Tabs:
        for path in ("/agents", "/journal", "/live"):
            self._page.open(path)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)


def measured() -> tuple[Minutes, list[float]]:
    """Return the feed, which knows when each decision came, and the milliseconds of every callback of the page."""
    feed = Minutes()
    with TemporaryDirectory() as folder, Lanes() as lanes:
        settings = load_settings(data_dir=Path(folder), feed="sim", assets=",".join(feed.symbols), port=free_port())
        store = RosterStore(settings.data_dir / "agents.json", feed.symbols, "1m", "")
        for number, symbol in enumerate(feed.symbols):
            rule = RULES[number % len(RULES)]
            if rule != "demo":
                store.add(symbol, "1m", rule)
                store.drop(f"{symbol}|demo")
        store.set_mother(MotherConfig(ranks=True, min_score=0.3, top_n=3))
        database = Database(settings.database_path)
        database.open()
        try:
            whole = root.compose(settings, feed, database, lanes)
            whole.engine.bus.subscribe(DecisionMade, feed.heard)
            with served(settings, database, whole, feed) as (_, _, runtime), Tabs(
                    f"http://127.0.0.1:{settings.port}") as tabs:
                runtime.start()
                feed.done.wait(PATIENCE_S * N_MINUTES)
                runtime.stop()
            return feed, tabs.took_ms
        finally:
            database.close()


def run() -> list[Row]:
    """Measure once."""
    feed, page = measured()
    wanted = N_MINUTES * N_SYMBOLS
    middle, high, worst = np.percentile(feed.took_ms, (50, 95, 100))
    note = (f"{len(feed.took_ms)} decisions of {wanted} over {N_MINUTES} minutes, median {middle:.0f} ms, worst "
            f"{worst:.0f} ms, {feed.n_late} abstained; at most {LIMIT_MS:.0f} ms at p95 and no abstention is asked")
    is_met = high <= LIMIT_MS and len(feed.took_ms) == wanted and not feed.n_late
    seen, slow, slowest = np.percentile(page, (50, 95, 100))
    said = (f"{len(page)} callbacks of Agents, Journal and Live over a socket in the same run, median {seen:.0f} ms, "
            f"worst {slowest:.0f} ms; at most {PAGE_LIMIT_MS:.0f} ms at p95 is asked")
    return [
        Row("20 agents on 20 symbols, close to decision, p95", f"{high:.0f} ms", note,
            limit="met" if is_met else "MISSED"),
        Row("a callback of the page meanwhile, p95", f"{slow:.0f} ms", said,
            limit="met" if slow <= PAGE_LIMIT_MS and len(page) >= N_CALLBACKS else "MISSED"),
    ]
