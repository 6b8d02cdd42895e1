"""Wake the browsers' connections from any thread, and watch how long the web server's event loop keeps them waiting."""

from __future__ import annotations

import asyncio
import threading
import time

LAG_PERIOD_S = 0.5


class PushHub:
    """Tell every subscribed event loop that something changed (implements `HubPort`)."""

    def __init__(self) -> None:
        self._subscribers: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._lock = threading.Lock()

    def subscribe(self) -> asyncio.Event:
        """Return an event of the running loop that is set at every change (the caller clears it)."""
        changed = asyncio.Event()
        with self._lock:
            self._subscribers[changed] = asyncio.get_running_loop()
        return changed

    def unsubscribe(self, changed: asyncio.Event) -> None:
        """Forget a subscriber; one that is not known is ignored."""
        with self._lock:
            self._subscribers.pop(changed, None)

    def notify(self) -> None:
        """Wake all subscribers; callable from any thread, returns at once."""
        with self._lock:
            subscribers = list(self._subscribers.items())
        for changed, loop in subscribers:
            self._wake(changed, loop)

    def _wake(self, changed: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(changed.set)
        except RuntimeError:  # that loop was closed without saying goodbye
            self.unsubscribe(changed)


class LagMeter:
    """Measure how late the running event loop wakes a sleeper: what every browser feels."""

    def __init__(self, period: float = LAG_PERIOD_S) -> None:
        self.period = period
        self.lag_ms = 0.0
        self.worst_ms = 0.0
        self._task: asyncio.Task[None] | None = None

    def ensure(self) -> None:
        """Start measuring on the running loop unless that goes on already."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._measure())

    async def _measure(self) -> None:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(self.period)
            self.lag_ms = max(0.0, (time.perf_counter() - start - self.period) * 1000)
            self.worst_ms = max(self.worst_ms * 0.99, self.lag_ms)  # a maximum that fades within minutes
