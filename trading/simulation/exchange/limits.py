"""Rate limits of an address as Binance counts them, in windows aligned to the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trading.simulation.exchange.refusals import VenueError

MINUTE_MS = 60_000
DAY_MS = 86_400_000
FIRST_BAN_S = 120
LONGEST_BAN_S = 3 * 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of exchangeInfo.rateLimits; `letter` is the one in header names."""

    kind: str
    interval: str
    number: int
    limit: int

    @property
    def window_ms(self) -> int:
        """Length of the window."""
        return self.number * {"SECOND": 1000, "MINUTE": MINUTE_MS, "DAY": DAY_MS}[self.interval]

    @property
    def suffix(self) -> str:
        """End of a header's name, for example 1M."""
        return f"{self.number}{self.interval[0]}"

    def document(self, count: int | None = None) -> dict[str, Any]:
        """Return the row as exchangeInfo writes it; with `count` as rateLimit/order and the WebSocket API do."""
        row = {"rateLimitType": self.kind, "interval": self.interval, "intervalNum": self.number, "limit": self.limit}
        return row if count is None else row | {"count": count}


WEIGHT = Limit("REQUEST_WEIGHT", "MINUTE", 1, 6_000)
RAW = Limit("RAW_REQUESTS", "MINUTE", 5, 300_000)
DEFAULT_LIMITS = (WEIGHT, RAW)


class Count:
    """How much of a limit is used in the window that holds `now`."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self._window = 0
        self._used = 0

    def used(self, now: int) -> int:
        """Return what is used; a new window starts at 0."""
        window = now // self.limit.window_ms
        if window != self._window:
            self._window, self._used = window, 0
        return self._used

    def add(self, amount: int, now: int) -> None:
        """Use some, or give some back; never below 0."""
        self._used = max(0, self.used(now) + amount)

    def rest_s(self, now: int) -> int:
        """Return the whole seconds until the window ends, at least 1."""
        return max(1, -(-(self.limit.window_ms - now % self.limit.window_ms) // 1000))


class RateLimits:
    """Everything counted. A client that goes on asking while it is limited is banned, each time for longer.

    Parameters
    ----------
    limits : rows of exchangeInfo; a test may tighten them
    patience : how many requests are answered 429 in one minute before the address is banned
    """

    def __init__(self, limits: tuple[Limit, ...] = DEFAULT_LIMITS, patience: int = 10) -> None:
        self.limits = limits
        self._patience = patience
        self._addresses: dict[str, list[Count]] = {}
        self._ignored: dict[str, tuple[int, int]] = {}
        self._held: dict[str, Limited] = {}
        self._n_bans: dict[str, int] = {}

    def arrive(self, address: str, now: int) -> None:
        """Count a raw request, or refuse it: 418 while banned, 429 while a window is used up or was said to be."""
        held = self._held.get(address)
        if held and held.holds(now):
            raise banned(held.retry_at, now) if held.status == 418 else self._ignored_by(address, held.later(now), now)
        self._held.pop(address, None)
        for count in self._of_address(address):
            if count.used(now) >= count.limit.limit:
                raise self._ignored_by(address, too_much(count.limit, count.rest_s(now), now), now)
            if count.limit.kind == "RAW_REQUESTS":
                count.add(1, now)

    def charge(self, address: str, weight: int, now: int) -> None:
        """Add a request's weight."""
        for count in self._of_address(address):
            if count.limit.kind == "REQUEST_WEIGHT":
                count.add(weight, now)

    def headers(self, address: str, now: int) -> dict[str, str]:
        """Return the weight headers of an answer."""
        found = {}
        for count in self._of_address(address):
            if count.limit.kind == "REQUEST_WEIGHT":
                found["X-MBX-USED-WEIGHT"] = str(count.used(now))
                found[f"X-MBX-USED-WEIGHT-{count.limit.suffix}"] = str(count.used(now))
        return found

    def documents(self) -> list[dict[str, Any]]:
        """Return the rows of exchangeInfo.rateLimits that are counted here."""
        return [limit.document() for limit in self.limits]

    def weight_counts(self, address: str, now: int) -> list[dict[str, Any]]:
        """Return `rateLimits` of a WebSocket API answer."""
        return [c.limit.document(c.used(now)) for c in self._of_address(address) if c.limit.kind == "REQUEST_WEIGHT"]

    def hold(self, address: str, refusal: Limited) -> Limited:
        """Refuse an address until the time that a refusal names, or an earlier one that lasts longer; return it."""
        known = self._held.get(address)
        if known is None or known.retry_at < refusal.retry_at:
            self._held[address] = refusal
        return refusal

    def forgive(self) -> None:
        """Let every address ask again."""
        self._held.clear()
        self._ignored.clear()

    def _of_address(self, address: str) -> list[Count]:
        kinds = ("REQUEST_WEIGHT", "RAW_REQUESTS")
        return self._addresses.setdefault(address, [Count(limit) for limit in self.limits if limit.kind in kinds])

    def _ignored_by(self, address: str, refusal: Limited, now: int) -> Limited:
        """Return the refusal of who is limited and asks on; beyond patience it is a ban, each time for longer."""
        minute = now // MINUTE_MS
        since, n_ignored = self._ignored.get(address, (minute, 0))
        n_ignored = n_ignored + 1 if since == minute else 1
        self._ignored[address] = (minute, n_ignored)
        if n_ignored <= self._patience:
            return refusal
        n_bans = self._n_bans[address] = self._n_bans.get(address, 0) + 1
        return self.hold(address, banned(now + 1000 * min(LONGEST_BAN_S, FIRST_BAN_S * 2 ** (n_bans - 1)), now))


def order_retry_s(spans_ms: list[int], now: int) -> int:
    """Return the seconds until the shortest order window ends: when -1015 may be over."""
    return max(1, -(-min(span - now % span for span in spans_ms) // 1000))


class Limited(VenueError):
    """A refusal that says when to come back."""

    def __init__(self, status: int, code: int, message: str, retry_s: int, now: int) -> None:
        super().__init__(status, code, message)
        self.retry_s = retry_s
        self.retry_at = now + retry_s * 1000

    def holds(self, now: int) -> bool:
        """Return whether it is not over yet; it is when the clock was set back."""
        return self.retry_at - self.retry_s * 1000 <= now < self.retry_at

    def later(self, now: int) -> Limited:
        """Return what is said of it to who asks again before its end."""
        return Limited(self.status, self.code, self.message, -(-(self.retry_at - now) // 1000), now)


def too_much(limit: Limit, retry_s: int, now: int) -> Limited:
    """Return the refusal of a request that a used-up window has no room for."""
    words = f"{limit.limit} request weight per {limit.number} {limit.interval}"
    said = f"Too much request weight used; current limit is {words}. Please use WebSocket Streams for live updates."
    return Limited(429, -1003, said, retry_s, now)


def banned(until: int, now: int) -> Limited:
    """Return the refusal of a banned address."""
    said = f"Way too much request weight used; IP banned until {until}. Please use WebSocket Streams for live updates."
    return Limited(418, -1003, said, max(1, -(-(until - now) // 1000)), now)
