"""A sale at the market at Binance: never more than is ours, in as many pieces as it takes, and never given up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from math import inf

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_requests import EXIT, exit_request
from trading.brokers.binance_sending import Failure
from trading.errors import NotSent, Refused

FIRST_S, LONGEST_S = 0.05, 5.0
HALTED_S = 1.0
NOBODY_S = 0.5
PATIENCE_S, AGAIN_S = 5.0, 60.0


@dataclass(slots=True)
class Trouble:
    """How long a sale has been in the way of something, and when that was said last."""

    since: float = inf
    told: float = -inf
    pause_s: float = FIRST_S

    def say(self, hands: Hands, symbol: str, words: str, patience_s: float = PATIENCE_S) -> None:
        """Tell people after a while, and every minute from then on."""
        now = asyncio.get_running_loop().time()
        self.since = min(self.since, now)
        if now - self.since >= patience_s and now - self.told >= AGAIN_S:
            self.told = now
            hands.office.say(f"{words}; it goes on by itself ({now - self.since:.0f} s so far)", "bad", symbol)

    def next_pause(self, most_s: float) -> float:
        """Return how long to wait before the next try: each time twice as long."""
        pause_s, self.pause_s = self.pause_s, self.pause_s * 2
        return min(most_s, pause_s)


async def leave(hands: Hands, ticket: Ticket) -> None:
    """Sell what an exit wants, as far as it is ours."""
    trouble, most = Trouble(), 0
    symbol = ticket.order.symbol
    while not ticket.is_ended:
        await settled(hands, ticket)
        lots = min(ticket.remaining, hands.spare(ticket))
        if ticket.is_ended or _is_nothing(hands, ticket, lots):
            return
        piece = hands.instrument(ticket).market_piece(lots)
        piece = min(piece, most) if most else piece
        failure = await sell(hands, ticket, piece)
        if failure is None:
            trouble = Trouble()
        elif isinstance(failure, NotSent) or failure.remedy == Remedy.PAUSE_SYMBOL:
            await _wait(hands, symbol, failure, trouble)
        elif failure.remedy == Remedy.DUST and not is_dust(hands, symbol, piece):
            most = await smaller(hands, symbol, lots, piece)
            if not most:
                refuse(hands, ticket, failure, lots)
        else:
            refuse(hands, ticket, failure, lots)


async def sell(hands: Hands, ticket: Ticket, lots: int) -> Failure | None:
    """Sell so many lots at the market; the failure, also when nobody bought: that must not be repeated at once."""
    before = ticket.filled
    failure = await hands.place(exit_request(hands.instrument(ticket), ticket.order, lots, hands.attempt(ticket)),
                                ticket)
    if failure is None:
        await settled(hands, ticket)
        if ticket.filled == before:
            return NotSent("nobody bought: the book is empty", NOBODY_S)
    return failure


def _is_nothing(hands: Hands, ticket: Ticket, lots: int) -> bool:
    """End a sale of which nothing is left that can be sold."""
    if lots <= 0:
        hands.fills.end(ticket, "CANCELED", "nothing is left to sell")
    elif hands.is_too_small(ticket.order.symbol, lots):
        end_as_dust(hands, ticket, lots)
    return ticket.is_ended


async def _wait(hands: Hands, symbol: str, failure: Failure, trouble: Trouble) -> None:
    """Pause before the next try at a sale, longer each time, and tell why it is not sold yet."""
    if isinstance(failure, Refused):
        hands.office.heed(failure, symbol)
        trouble.say(hands, symbol, f"the sale waits until the symbol trades again: {failure}", 0.0)
        await asyncio.sleep(HALTED_S)
        return
    trouble.say(hands, symbol, f"the sale could not be sent: {failure}")
    await asyncio.sleep(min(LONGEST_S, max(trouble.next_pause(LONGEST_S), failure.retry_s)))


async def settled(hands: Hands, ticket: Ticket) -> None:
    """Wait for the end and the executions of every sale of a ticket at the market."""
    for order in hands.office.blotter.attempts(ticket):
        if order.client_id.endswith(EXIT):
            await hands.sender.until_over(order.client_id)


def is_dust(hands: Hands, symbol: str, lots: int) -> bool:
    """Return whether a refusal for being too small can be true, by the usual price: one tick alone proves nothing."""
    return hands.office.instruments[symbol].is_near_smallest(lots, hands.office.usual_price(symbol))


async def smaller(hands: Hands, symbol: str, lots: int, refused: int) -> int:
    """Return how many lots to try after so many were refused for their quantity, 0 when no less can be sold.

    What the venue says now counts; when that does not explain the refusal, half.
    """
    await hands.refresh(symbol)
    instrument = hands.office.instruments[symbol]
    piece = instrument.market_piece(min(lots, refused))
    half = piece if piece < refused else instrument.market_piece(refused // 2)
    return 0 if half < 1 or is_dust(hands, symbol, half) else half


def refuse(hands: Hands, ticket: Ticket, refused: Refused, lots: int) -> None:
    """End a sale that the venue refused; without the balance for it the books are wrong."""
    if refused.remedy == Remedy.DUST and is_dust(hands, ticket.order.symbol, lots):
        end_as_dust(hands, ticket, lots)
        return
    hands.office.heed(refused, ticket.order.symbol)
    hands.office.say(f"exit refused: {refused}", "bad", ticket.order.symbol)
    hands.fills.end(ticket, "REJECTED", str(refused))


def end_as_dust(hands: Hands, ticket: Ticket, lots: int) -> None:
    """End an order for less than the venue takes; the rest is dust if that is all there is."""
    dust = lots >= hands.fills.sellable(ticket.order.symbol)
    hands.fills.end(ticket, "REJECTED", "too small for the venue", dust)
