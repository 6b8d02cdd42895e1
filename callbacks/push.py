"""Push: one persistent callback for each browser tab sets what changed, at most four times a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from dash import Dash, ctx, set_props
from dash.exceptions import WebsocketDisconnected

from callbacks.live import BOOT, Changes, Live, Tab, Watched
from layouts import cockpit, header, ids
from services.container import Services
from services.push import LagMeter
from trading.domain import CockpitView

PERIOD_S = 0.25  # what a person can still follow
BEAT_S = 1.0  # the browser calls a connection stale after three of these
GONE_S = 20.0  # a tab that does not answer for so long was closed: tabs share one socket

log = logging.getLogger(__name__)
Maker = Callable[[Services], Live]


class Connection:
    """All that one tab gets: the strip on every page, the cards while their page is on screen."""

    def __init__(self, services: Services, strip: Live, makers: tuple[Maker, ...], meter: LagMeter) -> None:
        self.services, self.strip, self.makers, self.meter = services, strip, makers, meter
        self.page: str | None = None
        self.cards: list[Live] = []
        self.jobs = Watched(lambda view: (view.jobs, round(meter.lag_ms, 1)), self._jobs)
        self.complained: set[str] = set()

    def changes(self, tab: Tab) -> Changes:
        """Return all that changed since the last call."""
        view = self.services.portfolio.view()
        if tab.page != self.page:  # a page that comes back is drawn afresh, so its cards begin anew as well
            self.page = tab.page
            self.cards = [make(self.services) for make in self.makers] if tab.page == cockpit.NAME else []
        found: Changes = {}
        for part in (self.strip, self.jobs, *self.cards):
            found |= self._of(part, view, tab)
        return found

    def _of(self, part: Live, view: CockpitView, tab: Tab) -> Changes:
        """Keep a card that cannot be drawn from silencing the others; complain once."""
        try:
            return part.changes(view, tab)
        except Exception:
            name = type(part).__name__
            if name not in self.complained:
                self.complained.add(name)
                log.exception("a card could not be refreshed: %s", name)
            return {}

    def _jobs(self, view: CockpitView) -> Changes:
        word, body = header.jobs(view.jobs, self.meter.lag_ms, self.meter.worst_ms)
        return {(ids.JOBS_WORD, "children"): word, (ids.JOBS, "children"): body}


async def look(websocket: Any) -> Tab:
    """Ask a tab what it shows; what stands on the first page only is not asked for elsewhere."""
    page = await websocket.get_prop(ids.PAGE, "data", timeout=GONE_S)
    if page != cockpit.NAME:
        return Tab(page, None, None)
    asked = ((ids.PRICE_SHOWN, "data"), (ids.EQUITY_RANGE, "value"))
    return Tab(page, *await asyncio.gather(*(websocket.get_prop(*part, timeout=GONE_S) for part in asked)))


def send(changes: Changes) -> None:
    """Set the changed properties, one message for each component."""
    grouped: dict[str, dict[str, Any]] = {}
    for (component, name), value in changes.items():
        grouped.setdefault(component, {})[name] = value
    for component, properties in grouped.items():
        set_props(component, properties)


async def wait(changed: asyncio.Event, started: float) -> None:
    """Wait for a change, for a heartbeat's time at most, and never for less than the period."""
    try:
        await asyncio.wait_for(changed.wait(), BEAT_S)
    except TimeoutError:
        return
    await asyncio.sleep(max(0.0, PERIOD_S - (time.monotonic() - started)))


async def on_connection(services: Services, connection: Connection, websocket: Any) -> None:
    """Serve one tab until it is closed."""
    changed, beat = services.hub.subscribe(), 0
    try:
        while not websocket.is_shutdown:
            started, beat = time.monotonic(), beat + 1
            changed.clear()
            tab = await look(websocket)
            send(await asyncio.to_thread(connection.changes, tab))
            set_props(ids.BEAT, {"data": {"beat": beat, "boot": BOOT}})
            await wait(changed, started)
    except (TimeoutError, WebsocketDisconnected):
        return
    finally:
        services.hub.unsubscribe(changed)


def register(app: Dash, services: Services, strip: Maker, makers: tuple[Maker, ...]) -> None:
    """Register the one persistent callback (it survives navigation and starts again after a reconnect)."""
    meter = LagMeter()

    @app.callback(websocket=True, persistent=True)
    async def push() -> None:
        meter.ensure()
        await on_connection(services, Connection(services, strip(services), makers, meter), ctx.websocket)
