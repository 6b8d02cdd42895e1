"""Events of one act, kept until it is over: listeners never see the exchange in the middle of a change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.market_events import MarketEvent
from trading.simulation.exchange.user_events import account_position

AccountListener = Callable[[Account, dict[str, Any]], None]
MarketListener = Callable[[MarketEvent], None]


class Outbox:
    """What is to be told when the act is over; `time` is the act's, UTC ms."""

    def __init__(self) -> None:
        self.time = 0
        self.on_account: list[AccountListener] = []
        self.on_market: list[MarketListener] = []
        self._account: list[tuple[Account, dict[str, Any]]] = []
        self._market: list[MarketEvent] = []
        self._touched: dict[int, tuple[Account, dict[str, None]]] = {}

    def tell(self, account: Account, event: dict[str, Any]) -> None:
        """Tell an account something."""
        self._account.append((account, event))

    def show(self, event: MarketEvent) -> None:
        """Show everybody something."""
        self._market.append(event)

    def touch(self, account: Account, *assets: str) -> None:
        """Note that balances may have changed: the account hears the new ones once, at the end."""
        account.updated = self.time
        known = self._touched.setdefault(account.uid, (account, {}))[1]
        known.update(dict.fromkeys(assets))

    def flush(self) -> None:
        """Tell everything in order: the market first, then orders, then balances."""
        for account, assets in self._touched.values():
            self._account.append((account, account_position(account, sorted(assets), self.time)))
        account_events, market_events = self._account, self._market
        self._account, self._market, self._touched = [], [], {}
        for event in market_events:
            for show in self.on_market:
                show(event)
        for account, told in account_events:
            for tell in self.on_account:
                tell(account, told)
