"""What all talk of this process with one venue shares: its rate limits and its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from trading.binance.clock import VenueClock
from trading.binance.governor import Governor


@dataclass(frozen=True)
class Wire:
    """The clock and the governor of one venue."""

    clock: VenueClock = field(default_factory=VenueClock)
    governor: Governor = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "governor", Governor(self.clock.now))


_WIRES: dict[str, Wire] = {}
_LOCK = Lock()


def wire_of(rest_url: str) -> Wire:
    """Return the one wire to an address. It outlives feeds and brokers, since the venue's memory does."""
    with _LOCK:
        return _WIRES.setdefault(urlsplit(rest_url).netloc, Wire())


def forget_wire(rest_url: str) -> None:
    """Begin afresh with an address: another exchange listens there now."""
    with _LOCK:
        _WIRES.pop(urlsplit(rest_url).netloc, None)
