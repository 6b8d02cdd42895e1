"""A venue's book kept at home from a snapshot and its changes, by Binance's procedure of November 2025."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Level = Sequence[str]


class LocalBook:
    """One symbol's book: give it every `depthUpdate` and, when `needs_snapshot`, an answer of GET depth.

    Until the snapshot fits, changes are kept. A gap throws the book away: `needs_snapshot` is true again, and the book
    must not be traded on until it is false.

    Attributes
    ----------
    update_id : int
        The last change that is in, 0 while there is no book.
    bids, asks : dict
        Quantity by price, exact; levels beyond the snapshot's depth are unknown until they change.
    """

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.update_id = 0
        self._kept: list[Mapping[str, Any]] = []

    @property
    def needs_snapshot(self) -> bool:
        """Whether the book is not to be trusted before a snapshot has come."""
        return not self.update_id

    def take_event(self, event: Mapping[str, Any]) -> None:
        """Apply a depthUpdate, or keep it until there is a snapshot."""
        if self.needs_snapshot:
            self._kept.append(event)
        elif event["U"] > self.update_id + 1:
            self.start_again()
            self._kept.append(event)
        elif event["u"] >= self.update_id:
            _apply(self.bids, event["b"])
            _apply(self.asks, event["a"])
            self.update_id = event["u"]

    def take_snapshot(self, snapshot: Mapping[str, Any]) -> bool:
        """Start from an answer of GET depth and the kept changes.

        Returns
        -------
        bool
            False: it is older than the first change kept, fetch another one.
        """
        update_id = int(snapshot["lastUpdateId"])
        if self._kept and update_id < self._kept[0]["U"]:
            return False
        self.bids, self.asks = {}, {}
        _apply(self.bids, snapshot["bids"])
        _apply(self.asks, snapshot["asks"])
        self.update_id = update_id
        kept, self._kept = self._kept, []
        for event in kept:
            self.take_event(event)
        return not self.needs_snapshot

    def start_again(self) -> None:
        """Forget everything, as after every reconnect."""
        self.bids, self.asks, self.update_id, self._kept = {}, {}, 0, []

    def best_bid(self) -> tuple[Decimal, Decimal]:
        """Return the highest bid and its quantity."""
        price = max(self.bids)
        return price, self.bids[price]

    def best_ask(self) -> tuple[Decimal, Decimal]:
        """Return the lowest ask and its quantity."""
        price = min(self.asks)
        return price, self.asks[price]

    def top(self, n_levels: int) -> tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]]:
        """Return the best bids and asks, best first."""
        return sorted(self.bids.items(), reverse=True)[:n_levels], sorted(self.asks.items())[:n_levels]


def _apply(side: dict[Decimal, Decimal], levels: Iterable[Level]) -> None:
    """Set absolute quantities; 0 removes a level, one that is not there as well."""
    for price, quantity in levels:
        lots = Decimal(quantity)
        if lots:
            side[Decimal(price)] = lots
        else:
            side.pop(Decimal(price), None)
