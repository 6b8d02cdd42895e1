"""One queue in, one thread handling: `post` from outside, `publish` from inside a handler.

A posted event runs to completion (with everything that its handlers publish) before the next one starts, so a
live run cannot drift behind a backtest.
"""

from __future__ import annotations

import queue
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from trading.errors import BrokenInvariant
from trading.events import Event

Handler = Callable[[Any], None]


class Bus:
    """Event bus with a single consumer."""

    def __init__(self) -> None:
        self._handlers: dict[type, list[Handler]] = defaultdict(list)
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._now: deque[Event] = deque()
        self._busy = False
        self.ahead: Handler | None = None
        """Hears each event as it is posted, on the thread that posts it: for what cannot wait for its turn."""

    def subscribe(self, kind: type, handler: Handler) -> None:
        """Call `handler` with each event of `kind`, in the order of subscription."""
        self._handlers[kind].append(handler)

    def post(self, event: Event) -> None:
        """Hand an event over from any thread; it is handled by whoever drains the bus."""
        if self.ahead is not None:
            self.ahead(event)
        self._inbox.put(event)

    def hears(self, kind: type) -> bool:
        """Return whether anybody listens to events of a kind; one that nobody hears need not be made."""
        return bool(self._handlers.get(kind))

    def publish(self, event: Event) -> None:
        """Hand an event over from inside a handler; it is handled before the next posted one."""
        if not self._busy:
            raise BrokenInvariant(f"{type(event).__name__} published outside a handler: use post()")
        self._now.append(event)

    def handle(self, event: Event) -> None:
        """Handle one event and all that follows from it, on the calling thread."""
        if self._busy:
            raise BrokenInvariant(f"{type(event).__name__} handled inside a handler: use publish()")
        self._busy = True
        handlers, now = self._handlers, self._now
        try:
            now.append(event)
            while now:
                following = now.popleft()
                for handler in handlers[type(following)]:
                    handler(following)
        finally:
            self._busy = False
            self._now.clear()

    def drain(self) -> int:
        """Handle everything posted so far; return how many events that were."""
        n_handled = 0
        while not self._inbox.empty():
            self.handle(self._inbox.get())
            n_handled += 1
        return n_handled

    def next(self, timeout: float) -> Event | None:
        """Wait for the next posted event; None when none came in time (seconds)."""
        try:
            return self._inbox.get(timeout=timeout)
        except queue.Empty:
            return None

    def backlog(self) -> int:
        """Return how many posted events wait."""
        return self._inbox.qsize()
