"""Runs the engine and its feed on their threads, and keeps the screen's picture fresh."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Protocol

from trading.engine import Engine
from trading.events import Event
from trading.ports import Feed

log = logging.getLogger(__name__)

BURST_S = 0.02
REFRESH_S = 0.2
IDLE_S = 1.0
MAX_BACKLOG = 2_000
JOIN_S = 10.0


class Screen(Protocol):
    """Whoever watches: shows the newest state and bad news."""

    is_dirty: bool

    def refresh(self) -> None:
        """Show the engine's state; on the engine's thread."""

    def halt(self, reason: str) -> None:
        """Show that the engine stopped for good."""

    def feed_failed(self, reason: str) -> None:
        """Show that the feed ended with an error."""


class Runtime:
    """Starts and stops the two threads. An error in a handler halts trading until the next start."""

    def __init__(self, engine: Engine, feed: Feed, screen: Screen) -> None:
        self._engine, self._feed, self._screen = engine, feed, screen
        self._stop = threading.Event()
        self._halted = False
        self._threads = [
            threading.Thread(target=self._run_engine, name="engine", daemon=True),
            threading.Thread(target=self._run_feed, name="feed", daemon=True),
        ]

    def start(self) -> None:
        """Start feeding and handling."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop within seconds; what was handled is durable already."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_S)

    def _run_feed(self) -> None:
        try:
            self._feed.run(self._post, dict(self._engine.cursor), self._stop)
        except Exception as error:
            log.exception("the feed failed")
            self._screen.feed_failed(f"{type(error).__name__}: {error}")

    def _post(self, event: Event) -> None:
        while self._engine.bus.backlog() > MAX_BACKLOG and not self._stop.wait(0.01):
            pass
        self._engine.bus.post(event)

    def _run_engine(self) -> None:
        """Handle events; refresh the picture when a burst is over, so that it agrees with the newest prices.

        Nothing is drawn or saved between a candle and the order that it leads to: advice comes within the burst.
        """
        self._engine.saving.defers = self._engine.broker.is_external
        refreshed = changed = 0.0
        while not self._stop.is_set():
            event = self._engine.bus.next(BURST_S if changed else REFRESH_S)
            if event is not None and not self._halted:
                self._handle(event)
                changed = changed or monotonic()
            elif event is None and not self._halted:
                self._within_net("saving", self._engine.catch_up_saving)
            if self._is_time_to_draw(event is None, changed, refreshed):
                self._refresh()
                refreshed, changed = monotonic(), 0.0
        if not self._halted:
            self._within_net("saving at the end", self._engine.save)

    def _is_time_to_draw(self, is_quiet: bool, changed: float, refreshed: float) -> bool:
        """Draw when a burst is over, in a long one from time to time, and now and then when nothing happens."""
        if changed and not is_quiet:
            return monotonic() - changed >= REFRESH_S
        pause = BURST_S if changed or self._screen.is_dirty else IDLE_S
        return monotonic() - refreshed >= pause

    def _refresh(self) -> None:
        """Redraw; a picture that cannot be drawn must not stop the engine from minding its stops."""
        try:
            self._screen.refresh()
        except Exception:
            log.exception("the picture could not be refreshed; trading goes on")

    def _handle(self, event: Event) -> None:
        self._within_net(f"handling {type(event).__name__}", lambda: self._engine.handle(event))

    def _within_net(self, what: str, work: Callable[[], None]) -> None:
        """Do something on the engine's thread; an error halts trading loudly, it never ends the thread in silence."""
        try:
            work()
        except Exception as error:
            log.exception("%s failed: trading is halted", what)
            self._halted = True
            self._engine.gate.close("halted", "an internal error halted the engine")
            self._screen.halt(f"internal error, nothing is traded until a restart: {type(error).__name__}: {error}")
