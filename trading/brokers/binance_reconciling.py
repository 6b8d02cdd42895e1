"""What goes on all the time at Binance: the account's events, and the checks that find what events did not tell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.brokers import binance_settling, binance_trades
from trading.brokers.binance_balances import Balances
from trading.brokers.binance_desk import SymbolDesk
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_options import IGNORE
from trading.brokers.binance_recovery import Recovery
from trading.domain.venue import VenueState
from trading.errors import NotSent, OutcomeUnknown, Refused

log = logging.getLogger(__name__)

STREAM = "user stream"
TICK_S = 0.5


class Reconciler:
    """Listens to the account and compares again and again."""

    def __init__(self, hands: Hands, recovery: Recovery, balances: Balances, desks: Mapping[str, SymbolDesk]) -> None:
        self._hands, self._office, self._recovery = hands, hands.office, recovery
        self._balances, self._desks = balances, desks
        self._sweeping = asyncio.Lock()
        self._sweep_wanted = asyncio.Event()
        self.orders_checked = 0
        self.user_stream = "connecting"

    async def listen(self) -> None:
        """Take in the account's events for ever; one that cannot be read is said and left out."""
        async for event in self._office.venue.user_events():
            try:
                self._hear(event)
            except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as wrong:
                log.warning("unreadable event of the account: %s %s", type(wrong).__name__, event)
                self._sweep_wanted.set()
            except Exception as error:
                log.exception("an event of the account failed")
                symbol = str(event.get("s", ""))
                self._office.quarantine(symbol, f"internal error: {type(error).__name__}: {error}")

    async def watch_orders(self) -> None:
        """Compare open orders again and again."""
        await self._for_ever(self.check_orders, self._office.settings.orders_s)

    async def watch_pauses(self) -> None:
        """See when paused symbols trade again."""
        await self._for_ever(self._recovery.look_at_paused, self._office.settings.orders_s)

    async def watch_account(self) -> None:
        """Sweep after every new subscription and every so often."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sweep_wanted.wait(), self._office.settings.balances_s)
            self._sweep_wanted.clear()
            if not await self._tried(self.sweep):
                await asyncio.sleep(TICK_S)
                self._sweep_wanted.set()

    async def watch_stops(self) -> None:
        """Warn of positions without a stop."""
        while True:
            for desk in self._desks.values():
                desk.guard.warn_if_bare()
            await asyncio.sleep(TICK_S)

    async def sweep(self) -> None:
        """Fetch what events may not have told: orders, executions, balances, and those that were proven absent."""
        async with self._sweeping:
            await self.check_orders()
            for symbol in self._office.instruments:
                self._balances.see_foreign(await self._hands.fills.catch_up(symbol))
            await self._balances.check()
            for order in [o for o in self._office.blotter.orders.values() if o.state is VenueState.VOID]:
                await self._hands.sender.query(order)
            self.user_stream = "live" if self.user_stream == "catching up" else self.user_stream
            if self.user_stream == "live":
                self._office.gate.open(STREAM)

    async def check_orders(self) -> None:
        """Compare open orders; ask for each of ours that the venue does not list."""
        for symbol, desk in self._desks.items():
            mine = [o for o in self._office.blotter.orders.values()
                    if o.symbol == symbol and o.state is VenueState.WORKING]
            listed = set(await self._recovery.look_for_strays(symbol))
            for order in mine:
                if order.client_id not in listed and not self._office.blotter.orders[order.client_id].state.is_over:
                    await self._hands.sender.query(order)
                    desk.look(order)
        self.orders_checked = self._office.venue.now()

    def _hear(self, event: Mapping[str, Any]) -> None:
        kind = event.get("e")
        if kind == "subscribed":
            self.user_stream = "catching up"
            self._sweep_wanted.set()
        elif kind == "executionReport":
            self._hear_report(event)
        elif kind == "balanceUpdate":
            self._balances.transfer(str(event["a"]), Decimal(event["d"]))

    def _hear_report(self, event: Mapping[str, Any]) -> None:
        if event["s"] not in self._desks:
            return
        report = binance_settling.of_event(event)
        blotter = self._office.blotter
        order = blotter.find(report.client_id)
        if order is None:
            self._hear_stranger(event, report.client_id)
            return
        wrong = blotter.hear(report)
        if wrong:
            self._office.quarantine(order.symbol, wrong)
        order = blotter.orders[report.client_id]
        if event["x"] == "TRADE":
            self._hands.fills.take(binance_trades.of_event(event), order)
        if order.state.is_over or wrong:
            self._desks[order.symbol].look(order)

    def _hear_stranger(self, event: Mapping[str, Any], client_id: str) -> None:
        """Hear of an order that is not in the store: the next check says what it is."""
        if client_id.startswith(f"{self._office.store.tag()}-") or self._office.settings.foreign_orders == IGNORE:
            self._sweep_wanted.set()
        else:
            self._office.quarantine(event["s"], f"order {client_id} was placed on the account by another hand")

    async def _for_ever(self, job: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            await self._tried(job)

    async def _tried(self, job: Callable[[], Awaitable[None]]) -> bool:
        try:
            await job()
        except (Refused, OutcomeUnknown, NotSent) as trouble:
            log.warning("a check of the account has to wait: %s", trouble)
            return False
        return True
