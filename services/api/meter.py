"""How the API fares: requests, errors and response times by route, since the start."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram (the client libraries of Prometheus use the same)."""
KEPT = 2_000
UNROUTED = "(none)"


@dataclass(slots=True)
class Counted:
    """What is known of a route: requests by status, seconds spent, requests by time (the last is above all bounds)."""

    statuses: dict[int, int]
    seconds: float
    buckets: list[int]

    @property
    def n(self) -> int:
        """Requests."""
        return sum(self.statuses.values())

    @property
    def n_failed(self) -> int:
        """Requests that were answered with 5xx: the cockpit's own faults."""
        return sum(n for status, n in self.statuses.items() if status >= 500)


class Meter:
    """Counts; for one event loop."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self.routes: dict[tuple[str, str], Counted] = {}
        self._newest: deque[float] = deque(maxlen=KEPT)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        found = self.routes.setdefault((method, route), Counted({}, 0.0, [0] * (len(BOUNDS_S) + 1)))
        found.statuses[status] = found.statuses.get(status, 0) + 1
        found.seconds += seconds
        found.buckets[sum(seconds > bound for bound in BOUNDS_S)] += 1
        self._newest.append(seconds)

    @property
    def uptime_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def quantile_ms(self, rate: float) -> float | None:
        """Return the time within which that part of the newest requests was answered, None before the first."""
        times = sorted(self._newest)
        return round(1_000 * times[min(len(times) - 1, int(rate * len(times)))], 3) if times else None


class Metered:
    """Counts every request of an application. Plain ASGI, outermost."""

    def __init__(self, app: ASGIApp, meter: Meter, clock: Callable[[], float] = monotonic) -> None:
        self.app, self._meter, self._clock = app, meter, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let pass, and count the answer; a request that raises is a 500."""
        status, began = 500, self._clock()

        async def send_counted(message: Message) -> None:
            nonlocal status
            status = message["status"] if message["type"] == "http.response.start" else status
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            route = getattr(scope.get("route"), "path", UNROUTED)
            method = scope["method"] if route != UNROUTED else "*"
            self._meter.count(method, route, status, self._clock() - began)
