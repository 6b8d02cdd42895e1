"""The venue's rate limits, kept for the whole process: who may ask, who waits, and who is told to come back."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from threading import Lock
from typing import Any

from trading.domain.venue import Purpose
from trading.errors import NotSent

DEFAULT_BLOCK_S = {403: 300.0, 418: 120.0, 429: 60.0}
"""Silence after a refusal without Retry-After; a ban lasts two minutes at least (binance-spot-api-docs, limits)."""
SILENCES = {403: "a firewall of the venue refuses us (403)", 418: "this address is banned (418)",
            429: "too many requests, the venue wants silence (429)"}
TOO_MANY_ORDERS = -1015
EDGE_S = 0.05
"""Wait so much beyond the end of a window: our idea of the venue's clock is not exact."""
SPAN_MS = {"S": 1_000, "M": 60_000, "H": 3_600_000, "D": 86_400_000}
_INTERVALS = {"SECOND": "S", "MINUTE": "M", "HOUR": "H", "DAY": "D"}
WEIGHT, SHORT, DAILY = "weight", "orders 10S", "orders 1D"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a purpose may do: up to which share of a limit it may go, and how long (s) it rather waits than fails."""

    share: float
    patience_s: float


ALLOWANCES = {
    Purpose.CANCEL: Allowance(0.98, 10.0),
    Purpose.EXIT: Allowance(0.98, 10.0),
    Purpose.PROTECT: Allowance(0.98, 10.0),
    Purpose.QUERY: Allowance(0.95, 10.0),
    Purpose.ENTRY: Allowance(0.80, 1.0),
    Purpose.RECONCILE: Allowance(0.70, 30.0),
    Purpose.DATA: Allowance(0.50, 90.0),
}
"""Market data leave half of every limit to the account; what reduces risk has the last fifth to itself."""


@dataclass(slots=True)
class _Window:
    """One limit of the venue: a fixed window, aligned to its clock. `pending` was admitted and is not answered yet."""

    limit: int
    span_ms: int
    header: str
    used: int = 0
    pending: int = 0
    index: int = field(default=-1)

    def roll(self, now: int) -> None:
        if now // self.span_ms != self.index:
            self.index, self.used = now // self.span_ms, 0

    def wait_s(self, amount: int, share: float, now: int) -> float:
        self.roll(now)
        if not amount or self.used + self.pending + amount <= max(share * self.limit, amount):
            return 0.0
        return (self.span_ms - now % self.span_ms) / 1000 + EDGE_S


@dataclass(slots=True)
class Ticket:
    """Permission for one request. Give it back by `answered`, or `lost` when no answer came."""

    _governor: Governor
    amounts: dict[str, int]
    windows: dict[str, int]
    _is_open: bool = True

    def answered(self, status: int, headers: Mapping[str, str], code: int = 0, text: str = "") -> None:
        """Learn from an answer: what is used by now, or how long to be silent."""
        if self._is_open:
            self._is_open = False
            self._governor.note(self, headers)
        self._governor.heed(status, headers, code, text)

    def lost(self) -> None:
        """Count a request without an answer as used."""
        if self._is_open:
            self._is_open = False
            self._governor.note(self, {})

    def unused(self) -> None:
        """Give back what was not sent."""
        if self._is_open:
            self._is_open = False
            self._governor.note(self, {}, used=False)


class Governor:
    """Admits requests. One for each venue and process, since the venue counts by address and by account.

    Thread-safe: feed and broker ask from loops of their own.

    Parameters
    ----------
    now : the venue's time, UTC ms
    monotonic : clock in seconds, for Retry-After
    """

    def __init__(self, now: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now, self._monotonic = now, monotonic
        self._lock = Lock()
        self._blocked_until = self._orders_blocked_until = -inf
        self._refusal = ""
        self._windows = {
            WEIGHT: _Window(6_000, SPAN_MS["M"], "X-MBX-USED-WEIGHT-1M"),
            SHORT: _Window(50, 10 * SPAN_MS["S"], "X-MBX-ORDER-COUNT-10S"),
            DAILY: _Window(160_000, SPAN_MS["D"], "X-MBX-ORDER-COUNT-1D"),
        }

    async def admit(self, weight: int, purpose: Purpose, n_orders: int = 0) -> Ticket:
        """Wait until a request may go.

        Raises
        ------
        NotSent
            If the wait would be longer than this purpose has patience for.
        """
        amounts = {WEIGHT: weight, SHORT: n_orders, DAILY: n_orders}
        deadline = self._monotonic() + ALLOWANCES[purpose].patience_s
        while True:
            with self._lock:
                wait_s = self._wait_s(amounts, purpose)
                if wait_s <= 0:
                    for name, amount in amounts.items():
                        self._windows[name].pending += amount
                    return Ticket(self, amounts, {name: self._windows[name].index for name in amounts})
            if self._monotonic() + wait_s > deadline:
                raise NotSent(f"{self._why()}: {purpose} would have to wait {wait_s:.1f} s", wait_s)
            await asyncio.sleep(wait_s)

    def book(self, weight: int) -> Ticket:
        """Admit a request of market data at once: for a caller without a loop, who has waited for `wait_s` to be 0."""
        with self._lock:
            window = self._windows[WEIGHT]
            window.roll(self._now())
            window.pending += weight
            return Ticket(self, {WEIGHT: weight}, {WEIGHT: window.index})

    def wait_s(self, purpose: Purpose, weight: int = 1, n_orders: int = 0) -> float:
        """Return the seconds until such a request would be admitted."""
        with self._lock:
            return self._wait_s({WEIGHT: weight, SHORT: n_orders, DAILY: n_orders}, purpose)

    @property
    def weight_used(self) -> int:
        """Weight used in the venue's current minute, requests on their way included."""
        with self._lock:
            window = self._windows[WEIGHT]
            window.roll(self._now())
            return window.used + window.pending

    @property
    def weight_limit(self) -> int:
        """Weight allowed a minute."""
        return self._windows[WEIGHT].limit

    def learn_limits(self, rate_limits: Any) -> None:
        """Take the limits from exchangeInfo's `rateLimits`; what cannot be read keeps its value.

        RAW_REQUESTS is left out: at a weight of one at least, the weight runs out first.
        """
        for entry in rate_limits if isinstance(rate_limits, list) else ():
            try:
                key = entry["rateLimitType"], f"{entry['intervalNum']}{_INTERVALS[entry['interval']]}"
                name = {("REQUEST_WEIGHT", "1M"): WEIGHT, ("ORDERS", "10S"): SHORT, ("ORDERS", "1D"): DAILY}[key]
                limit = int(entry["limit"])
            except (KeyError, TypeError, ValueError):
                continue
            if limit > 0:
                self._windows[name].limit = limit

    def note(self, ticket: Ticket, headers: Mapping[str, str], used: bool = True) -> None:
        """Close a request: its header says what the window holds by now, without one it is counted as documented.

        A header of a request that began in an earlier window may speak of that one, and is not believed.
        """
        with self._lock:
            now = self._now()
            for name, amount in ticket.amounts.items():
                window = self._windows[name]
                window.roll(now)
                window.pending -= amount
                told = headers.get(window.header, "")
                if re.fullmatch(r"\d{1,9}", told) and ticket.windows[name] == window.index:
                    window.used = int(told)
                elif used:
                    window.used += amount

    def heed(self, status: int, headers: Mapping[str, str], code: int = 0, text: str = "") -> None:
        """Fall silent when the venue says so; after too many orders only orders wait."""
        if status not in DEFAULT_BLOCK_S:
            return
        until = self._monotonic() + self._silence_s(status, headers, text)
        with self._lock:
            if code == TOO_MANY_ORDERS:
                self._orders_blocked_until = max(self._orders_blocked_until, until)
            else:
                self._refusal = SILENCES[status] if until > self._blocked_until else self._refusal
                self._blocked_until = max(self._blocked_until, until)

    def _why(self) -> str:
        """Say what makes requests wait."""
        return self._refusal if self._blocked_until > self._monotonic() else "rate limit of the venue"

    def _silence_s(self, status: int, headers: Mapping[str, str], text: str) -> float:
        """Return the seconds to be silent: Retry-After, else the end of the ban in the text, else the documented."""
        told = headers.get("Retry-After", "")
        if re.fullmatch(r"\d{1,7}(\.\d+)?", told):
            return float(told)
        banned = re.search(r"banned until (\d{13})", text)
        return max(0.0, (int(banned[1]) - self._now()) / 1000) if banned else DEFAULT_BLOCK_S[status]

    def _wait_s(self, amounts: Mapping[str, int], purpose: Purpose) -> float:
        here, now = self._monotonic(), self._now()
        blocked = max(0.0, self._blocked_until - here)
        if amounts[SHORT]:
            blocked = max(blocked, self._orders_blocked_until - here)
        share = ALLOWANCES[purpose].share
        return max(blocked, *(self._windows[name].wait_s(amount, share, now) for name, amount in amounts.items()))
