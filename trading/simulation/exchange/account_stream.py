"""Account events: who subscribed to whose, and in what order, how late and how often they arrive."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.faults import Faults
from trading.simulation.exchange.order_counts import OrderCounts

Event = dict[str, Any]
Deliver = Callable[[Event], None]


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One listener of one account; `deliver` gets the bare event."""

    account: Account
    deliver: Deliver


class AccountStream:
    """Hands events of accounts to whoever subscribed, `settled` after the act that caused them."""

    def __init__(self, exchange: Exchange, faults: Faults, orders: OrderCounts) -> None:
        self._exchange = exchange
        self._faults = faults
        self._orders = orders
        self._pending: list[tuple[Account, Event]] = []
        self._delayed: list[tuple[int, int, Account, Event]] = []
        self._order = count()
        self._subscriptions: dict[Subscription, None] = {}
        exchange.on_account.append(self._heard)

    def subscribe(self, account: Account, deliver: Deliver) -> Subscription:
        """Begin to listen; nothing that was before is told."""
        subscription = Subscription(account, deliver)
        self._subscriptions[subscription] = None
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop listening."""
        self._subscriptions.pop(subscription, None)

    def settled(self) -> None:
        """Send what happened since the last call, or as much of it as the faults leave."""
        events, self._pending = self._pending, []
        now = self._exchange.now()
        for account, event in events:
            for delay_ms in self._delays(event):
                if delay_ms:
                    heapq.heappush(self._delayed, (now + delay_ms, next(self._order), account, event))
                else:
                    self._deliver(account, event)

    def tick(self, now: int) -> None:
        """Send what is due."""
        self.settled()
        while self._delayed and self._delayed[0][0] <= now:
            _, _, account, event = heapq.heappop(self._delayed)
            self._deliver(account, event)

    def _heard(self, account: Account, event: Event) -> None:
        self._pending.append((account, event))
        if event.get("x") == "TRADE" and event.get("l") == event.get("z"):
            self._orders.add(account.uid, -2 if event.get("m") else -1, self._faults.now())

    def _delays(self, event: Event) -> list[int]:
        """Return when copies of an event arrive, in ms from now; none when it is lost."""
        symbol = str(event.get("s", ""))
        if self._faults.strikes("user_mute") or self._faults.strikes("lost_event", symbol):
            return []
        shuffle, twice = self._faults.strikes("shuffle", symbol), self._faults.strikes("dup_event", symbol)
        first = 0
        if shuffle:
            most = int(shuffle.number("delay_ms"))
            first = int(self._faults.pick(tuple(str(most * part // 8) for part in range(9))))
        return [first, first + int(twice.number("delay_ms"))] if twice else [first]

    def _deliver(self, account: Account, event: Event) -> None:
        for subscription in list(self._subscriptions):
            if subscription.account is account:
                subscription.deliver(event)
