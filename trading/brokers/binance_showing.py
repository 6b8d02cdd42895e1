"""The picture of a broker at a venue, for other threads: what is wrong, what is on its way, what rests there."""

from __future__ import annotations

from decimal import Decimal

from trading.brokers.binance_balances import SHORT_OF_CASH, Balances
from trading.brokers.binance_office import Office
from trading.brokers.binance_reconciling import LOST, STREAM, Reconciler
from trading.brokers.binance_requests import STOP, TARGET, letter_of
from trading.brokers.binance_way import median_and_p95
from trading.domain.venue import FlightLine, Legs, VenueState, VenueStatus
from trading.gate import ARMED, PEOPLES

IN_FLIGHT = (VenueState.INTENT, VenueState.SENT, VenueState.UNKNOWN)
WAITS = "nothing of it is on its way: the venue or what came before it is waited for"


def picture(
    office: Office, reconciler: Reconciler | None, balances: Balances | None, state: str, detail: str
) -> VenueStatus:
    """Return how things stand; on the broker's loop."""
    posts, frames = median_and_p95(office.way.posts), median_and_p95(office.way.frames)
    return VenueStatus(
        office.venue.badge, state, detail, not office.gate.closed_by(ARMED),
        user_stream=reconciler.user_stream if reconciler else "connecting",
        orders_checked=reconciler.orders_checked if reconciler else 0,
        balances_checked=balances.checked if balances else 0,
        post_p50_ms=posts[0], post_p95_ms=posts[1], frame_p50_ms=frames[0], frame_p95_ms=frames[1],
        n_posts=office.n_posts,
        unprotected_last_ms=office.bare_last_ms, unprotected_worst_ms=office.bare_worst_ms,
        quarantined=tuple(office.quarantined.items()), in_flight=_flights(office),
        balances=balances.lines if balances else (), n_unknown=office.n_unknown, n_recovered=office.n_recovered,
        bare=tuple(sorted(office.bare)), closed=next(iter(office.gate.reasons(*PEOPLES)), ""),
        resting=() if office.frozen else _resting(office), held=office.gate.held(), doubt=_doubt(office),
    )  # fmt: skip


def trouble(office: Office) -> str:
    """Return what keeps the connection from being well, the worst first; "" when it is."""
    without = [f"{_display(office, symbol)} has NO STOP at the venue: {_remedy(office, symbol)}"
               for symbol in sorted(office.bare)]
    closed = [why for why in office.gate.reasons(*PEOPLES) if why != office.frozen]
    return "; ".join(part for part in (office.frozen, *without, *closed, *_held_up(office)) if part)


def _doubt(office: Office) -> str:
    """Return why it cannot be said that account and books agree; "" when it can."""
    bare = [f"{_display(office, symbol)} has no stop at the venue" for symbol in sorted(office.bare)]
    unchecked = [office.gate.closed_by(key) for key in (LOST, STREAM, SHORT_OF_CASH)]
    return "; ".join(part for part in (*_held_up(office), office.frozen, *unchecked, *bare) if part)


def _held_up(office: Office) -> list[str]:
    return [f"{_display(office, symbol)}: {why}" for symbol, why in office.quarantined.items()]


def _remedy(office: Office, symbol: str) -> str:
    """Say what is done, or to be done, about a position without a stop."""
    if office.frozen:
        return "nothing can be sent, look at the venue"
    if symbol in office.quarantined:
        return "release or close it"
    return "it is being sold" if office.blotter.leaving(symbol) else "it is tried again"


def _flights(office: Office) -> tuple[FlightLine, ...]:
    """Return what is on its way or asked for, and the orders that wait until something of them can be sent."""
    blotter, now = office.blotter, office.venue.now()
    sent = [o for o in blotter.orders.values() if o.state in IN_FLIGHT]
    under_way = {o.order_id for o in sent}
    waiting = [t.order for t in blotter.tickets.values()
               if not (t.is_ended or t.is_protection or t.order.client_id in under_way)]
    return (*(FlightLine(o.client_id, o.symbol, o.state, max(0, now - o.timestamp), o.detail) for o in sent),
            *(FlightLine(o.client_id, o.symbol, "WAITING", max(0, now - o.time), WAITS) for o in waiting))


def _resting(office: Office) -> tuple[Legs, ...]:
    """Return the protective orders that work at the venue, the tighter ones where two sets do."""
    found: dict[str, dict[str, Decimal]] = {}
    for order in office.blotter.orders.values():
        letter, price = letter_of(order.client_id), order.stop_price or order.price
        if order.state is VenueState.WORKING and letter in (STOP, TARGET) and price:
            legs = found.setdefault(order.symbol, {})
            legs[letter] = (max if letter == STOP else min)(legs.get(letter, price), price)
    return tuple(Legs(symbol, legs.get(STOP), legs.get(TARGET)) for symbol, legs in found.items())


def _display(office: Office, symbol: str) -> str:
    known = office.instruments.get(symbol)
    return known.spec.display if known else symbol
