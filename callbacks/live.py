"""What a card sends by itself: only what changed since it sent it last."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from plotly.io.json import to_json_plotly

from trading.domain import CockpitView

BOOT = uuid.uuid4().hex  # names this run of the server: a page that an earlier run drew loads itself afresh
Changes = dict[tuple[str, str], Any]  # (component id, property) -> value


@dataclass(frozen=True, slots=True)
class Tab:
    """What one browser tab shows."""

    page: str | None
    shown: dict[str, Any] | None
    equity_range: str | None


class Live(Protocol):
    """One card's part of one browser connection."""

    def changes(self, view: CockpitView, tab: Tab) -> Changes:
        """Return the properties to set; called a few times a second, off the event loop."""
        ...


class Watched:
    """Send those of a card's parts that differ from what was sent; compute them only if what they read has changed."""

    def __init__(self, reads: Callable[[CockpitView], Hashable], parts: Callable[[CockpitView], Changes]) -> None:
        self._reads, self._parts = reads, parts
        self._read: Hashable = None
        self._sent: dict[tuple[str, str], str] = {}

    def changes(self, view: CockpitView, tab: Tab) -> Changes:
        """Return what differs."""
        read = self._reads(view)
        if read == self._read:
            return {}
        self._read = read
        return self._fresh(self._parts(view))

    def _fresh(self, parts: Changes) -> Changes:
        prints = {key: to_json_plotly(value) for key, value in parts.items()}
        fresh = {key: value for key, value in parts.items() if self._sent.get(key) != prints[key]}
        self._sent |= prints
        return fresh
