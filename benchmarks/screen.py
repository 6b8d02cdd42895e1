"""The screen: navigation to a drawn chart, and what a tick costs on the wire and on the server."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import main as root
from app import create_app, web_server
from benchmarks.rows import Row
from layouts import price
from services.container import Services
from services.portfolio import PortfolioService, Sources
from services.push import PushHub
from services.running import open_account
from services.runtime import Runtime
from services.scheduler import JobBoard
from services.session import SessionService
from services.settings import load_settings
from storage.database import Database
from tests.browser.conftest import FLAGS, free_port
from tests.browser.install import find_browser
from trading.feeds.simulated import SimulatedFeed
from trading.risk import PROFILES

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
LOADS = 5
WATCH_S = 20.0
PATIENCE_S = 60.0
DRAWN = r"""
const wait = () => {
  const canvas = document.querySelector('#price-chart canvas');
  const legend = document.querySelector('#price-legend');
  if (canvas && legend && /C\s*[0-9]/.test(legend.innerText)) {
    requestAnimationFrame(() => requestAnimationFrame(() => { window.drawnAt = performance.now(); }));
  } else { requestAnimationFrame(wait); }
};
wait();
"""


class Wire:
    """Counts what a server sends over WebSocket."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.n_bytes = self.n_messages = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def counted(message: Any) -> None:
            if message["type"] == "websocket.send":
                self.n_bytes += len(message.get("text") or message.get("bytes") or "")
                self.n_messages += 1
            await send(message)

        await self._inner(scope, receive, counted)


def run() -> list[Row]:
    """Serve the cockpit on a simulated market and look at it with headless Chromium."""
    if find_browser() is None:
        return [Row("screen", "not measured", "no Chromium found")]
    with cockpit() as (url, wire, hub), chromium() as browser:
        rows = [_load(browser, url, n_bars) for n_bars in (1_000, 5_000)]
        return [*rows, *_ticks(wire, hub)]


def _load(browser: Any, url: str, n_bars: int) -> Row:
    price.N_BARS = n_bars
    taken = []
    for _ in range(LOADS):
        browser.get(url)
        deadline = time.monotonic() + PATIENCE_S
        while not (drawn := browser.execute_script("return window.drawnAt")):
            if time.monotonic() > deadline:
                return Row(f"navigation to a drawn chart, {n_bars:,} candles", "never drawn", f"within {PATIENCE_S} s")
            time.sleep(0.02)
        taken.append(drawn)
    return Row(f"navigation to a drawn chart, {n_bars:,} candles", f"{statistics.median(taken):.0f} ms",
               f"median of {LOADS} loads with 6 lines and volume, headless Chromium on this machine")


def _ticks(wire: Wire, hub: CountingHub) -> list[Row]:
    n_bytes, cpu, n_pictures = wire.n_bytes, time.process_time(), hub.n_pictures
    time.sleep(WATCH_S)
    n_bytes, cpu, n_pictures = wire.n_bytes - n_bytes, time.process_time() - cpu, hub.n_pictures - n_pictures
    return [
        Row("a push on the wire", f"{n_bytes / WATCH_S / 4 / 1000:.1f} kB", "all that one tab gets, 4 times a second"),
        Row("a tick on the server", f"{cpu / max(1, n_pictures) * 1000:.1f} ms CPU",
            f"4 symbols: feed, engine, picture and push; {100 * cpu / WATCH_S:.0f} % of one core"),
    ]


class CountingHub(PushHub):
    """Counts how often the picture changed."""

    def __init__(self) -> None:
        super().__init__()
        self.n_pictures = 0

    def notify(self) -> None:
        """Count, and wake the subscribers."""
        self.n_pictures += 1
        super().notify()


@contextmanager
def served(settings: Any, database: Database, whole: Any, feed: Any) -> Iterator[tuple[Wire, CountingHub, Runtime]]:
    """Serve the page of a composed cockpit from this process; its threads are still to be started."""
    for candles in open_account(whole).values():
        whole.charts.load(candles)
    hub = CountingHub()
    sources = Sources(whole.engine, feed, whole.charts, whole.history, "demo", "1m")
    portfolio = PortfolioService(sources, hub.notify, tuple)
    past = root.simulated_past(settings, database, feed)
    backtests, studies = root.make_backtests(settings, database, past), root.make_studies(settings, database, past)
    services = Services(portfolio, whole.charts, SessionService(whole.engine.bus), hub, PROFILES, backtests,
                        root.make_learning(settings, whole, past), studies,
                        root.make_live(settings, database, whole, None, portfolio, JobBoard()),
                        root.make_rehearsal(settings, root.parse_arguments([]), database),
                        root.make_workshop(settings, (whole, database, None), past, portfolio, backtests),
                        root.make_journal(database, whole.recorder.account), root.make_agents(settings, whole))
    server = web_server(create_app(services), port=settings.port)
    wire = Wire(server.config.app)
    server.config.app = wire
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield wire, hub, Runtime(whole.engine, feed, portfolio)
    server.should_exit = True
    thread.join(10)


@contextmanager
def cockpit() -> Iterator[tuple[str, Wire, CountingHub]]:
    """Serve a trading cockpit from this process."""
    with TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), feed="sim", assets=",".join(SYMBOLS), port=free_port())
        database = Database(settings.database_path)
        database.open()
        feed = SimulatedFeed(SYMBOLS, 7, 40.0, int(time.time() * 1000) // root.DAY_MS * root.DAY_MS - 10 * root.DAY_MS)
        with served(settings, database, root.compose(settings, feed, database, None), feed) as (wire, hub, runtime):
            runtime.start()
            yield f"http://127.0.0.1:{settings.port}/", wire, hub
            runtime.stop()
        database.close()


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a window that notes when the chart was drawn."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options

    options = Options()
    for flag in (*FLAGS, "--window-size=1600,1100"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DRAWN})
    try:
        yield browser
    finally:
        browser.quit()
