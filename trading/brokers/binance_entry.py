"""An entry at Binance: the last checks, one try, and what came of it. A stale wish to buy is never tried again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading.binance.refusals import Remedy
from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_hands import Hands
from trading.brokers.binance_options import TRADING
from trading.brokers.binance_requests import ENTRY, Request, entry_request
from trading.brokers.binance_sending import Failure
from trading.domain import OrderType
from trading.errors import NotSent, Refused, TooOld
from trading.rules import MAX_TICKS


async def enter(hands: Hands, ticket: Ticket) -> None:
    """Buy, with the protection in the same request where the symbol takes that."""
    order, office = ticket.order, hands.office
    problem = _stale(hands, ticket) or objection(hands, ticket)
    if problem:
        hands.fills.end(ticket, "REJECTED", problem)
        return
    office.entered[order.symbol] = office.venue.now()
    failure = await _try(hands, ticket)
    if isinstance(failure, Refused) and failure.remedy == Remedy.FIX:
        await hands.refresh(order.symbol)
    if isinstance(failure, Refused) and order.bracket_stop_ticks and _is_of_the_list(failure):
        office.say(f"the venue took no entry with its stop ({failure}); the stop follows", "warn", order.symbol)
        ticket.order = replace(order, bracket_stop_ticks=0, bracket_target_ticks=0)
        failure = await _try(hands, ticket)
    if isinstance(failure, Refused):
        office.heed(failure, order.symbol)
    if failure is not None:
        hands.fills.end(ticket, "CANCELED" if isinstance(failure, NotSent) else "REJECTED", str(failure))
        return
    hands.fills.announce_placed(ticket)
    if order.type is not OrderType.LIMIT:
        await finish(hands, ticket)


async def finish(hands: Hands, ticket: Ticket) -> None:
    """Wait for the end of a buy that does not rest, and say what of it did not fill."""
    for order in hands.office.blotter.attempts(ticket):
        if order.client_id.endswith(ENTRY):
            await hands.sender.until_over(order.client_id)
    if not ticket.is_ended:
        for leg in hands.office.blotter.brackets(ticket.order.symbol):
            await hands.sender.query(leg)
        last = [o for o in hands.office.blotter.attempts(ticket) if o.client_id.endswith(ENTRY)][-1:]
        why = last[0].detail if last else ""
        hands.fills.end(ticket, "EXPIRED", why or "the price left what was reserved for it")


def objection(hands: Hands, ticket: Ticket) -> str:
    """Return why an approved entry must not be sent after all: the last line before money moves."""
    office, order = hands.office, ticket.order
    instrument = office.instruments.get(order.symbol)
    if instrument is None or instrument.status != TRADING:
        return f"{order.symbol} does not trade: {instrument.status if instrument else 'it is not among ours'}"
    usual, last, settings = office.usual_price(order.symbol), office.last_price(order.symbol), office.settings
    if abs(last - usual) > usual * settings.collar_rate:
        return f"price collar: {last} ticks are more than {settings.collar_rate:.0%} away from the usual {usual}"
    if 0 < settings.max_notional_units < order.budget_units:
        return f"notional cap: {order.budget_units / 10**8:,.2f} of {settings.max_notional_units / 10**8:,.2f}"
    if office.venue.now() - office.entered.get(order.symbol, -settings.duplicate_ms) < settings.duplicate_ms:
        return "duplicate: another entry went out a moment ago"
    if instrument.too_small(order.lots, usual):
        return "Filter failure: NOTIONAL"
    return ""


def _stale(hands: Hands, ticket: Ticket) -> str:
    """Say that the market has gone on since a wish, by the feed's time or, when that stands still, by the clock."""
    office, order = hands.office, ticket.order
    seen = office.prices.get(order.symbol)
    market_ms = seen[-1][0] - order.time if seen else 0
    clock_ms = office.venue.now() - order.time
    if market_ms <= office.settings.stale_ms and clock_ms <= office.settings.old_ms:
        return ""
    return f"stale: it was wanted {max(market_ms, clock_ms) / 1000:.0f} s ago"


async def _try(hands: Hands, ticket: Ticket) -> Failure | None:
    """Send the order; anew, once, when its turn came so late that only the request was too old by then."""
    for last in (False, True):
        failure = await hands.place(_request(hands, ticket), ticket)
        if last or not isinstance(failure, TooOld) or _stale(hands, ticket):
            break
    return failure


def _request(hands: Hands, ticket: Ticket) -> Request:
    office = hands.office
    usual, instrument = office.usual_price(ticket.order.symbol), hands.instrument(ticket)
    ceiling = usual + int(usual * Decimal(str(office.settings.collar_rate))) if usual else MAX_TICKS
    office.n_posts += 1
    return entry_request(instrument, ticket.order, hands.attempt(ticket), ceiling)


def _is_of_the_list(refused: Refused) -> bool:
    """Return whether a refusal may not meet the buy alone: a form or number of orders that the venue does not take."""
    return refused.remedy == Remedy.FIX or "MAX_NUM" in str(refused)
