"""A sale at the market at Binance: never more than is ours, tried again as long as that is safe."""

from __future__ import annotations

import asyncio

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_requests import EXIT, exit_request
from trading.errors import NotSent, Refused

FIRST_S, LONGEST_S = 0.05, 5.0
HALTED_S = 5.0


async def leave(hands: Hands, ticket: Ticket) -> None:
    """Sell what an exit wants, as far as it is ours."""
    delay = FIRST_S
    for _ in range(hands.office.settings.tries):
        await settled(hands, ticket)
        if ticket.is_ended:
            return
        lots = min(ticket.remaining, hands.spare(ticket))
        if lots <= 0:
            hands.fills.end(ticket, "CANCELED", "nothing is left to sell")
            return
        if hands.instrument(ticket).too_small(lots, hands.office.last_price(ticket.order.symbol)):
            end_as_dust(hands, ticket, lots)
            return
        failure = await hands.sender.place(exit_request(hands.instrument(ticket), ticket.order, lots,
                                                        hands.attempt(ticket)), ticket)
        if isinstance(failure, Refused) and failure.remedy == Remedy.PAUSE_SYMBOL:
            hands.office.heed(failure, ticket.order.symbol)
            await asyncio.sleep(HALTED_S)
        elif isinstance(failure, Refused):
            refuse(hands, ticket, failure, lots)
            return
        if isinstance(failure, NotSent):
            await asyncio.sleep(min(LONGEST_S, max(delay, failure.retry_s)))
            delay *= 2
    await settled(hands, ticket)
    hands.fills.end(ticket, "REJECTED", f"not sold after {hands.office.settings.tries} tries")


async def settled(hands: Hands, ticket: Ticket) -> None:
    """Wait for the end and the executions of every sale of a ticket at the market."""
    for order in hands.office.blotter.attempts(ticket):
        if order.client_id.endswith(EXIT):
            await hands.sender.until_over(order.client_id)


def refuse(hands: Hands, ticket: Ticket, refused: Refused, lots: int) -> None:
    """End a sale that the venue refused; without the balance for it the books are wrong."""
    if refused.remedy == Remedy.DUST:
        end_as_dust(hands, ticket, lots)
        return
    hands.office.heed(refused, ticket.order.symbol)
    hands.office.say(f"exit refused: {refused}", "bad", ticket.order.symbol)
    hands.fills.end(ticket, "REJECTED", str(refused))


def end_as_dust(hands: Hands, ticket: Ticket, lots: int) -> None:
    """End an order for less than the venue takes; the rest is dust if that is all there is."""
    dust = lots >= hands.fills.sellable(ticket.order.symbol)
    hands.fills.end(ticket, "REJECTED", "too small for the venue", dust)
