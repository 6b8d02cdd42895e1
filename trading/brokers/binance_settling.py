"""The state machine of an order at Binance: what its reports mean, and which of them may change what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from trading.domain.venue import TRANSITIONS, VenueOrder, VenueState
from trading.errors import BrokenInvariant

S = VenueState
STATUSES = {
    "NEW": S.WORKING, "PENDING_NEW": S.WORKING, "PARTIALLY_FILLED": S.WORKING, "PENDING_CANCEL": S.WORKING,
    "FILLED": S.FILLED, "CANCELED": S.CANCELED, "EXPIRED": S.EXPIRED, "EXPIRED_IN_MATCH": S.EXPIRED,
    "REJECTED": S.REFUSED,
}
DEFAULT_WINDOW_MS = 5_000
CANCELED_BY = "canceled by"
MOST, UNBOUNDED = Decimal(2**63 - 1).scaleb(-8), Decimal(10) ** 20
"""No order is larger, at Binance or in whole atoms here; a balance may be."""
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an answer of another form than the documented one raises."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the venue says of one order; `quantity` 0 = it does not say (a bracket's legs get theirs by the fill)."""

    client_id: str
    venue_id: int
    state: VenueState
    executed: Decimal
    detail: str = ""
    quantity: Decimal = Decimal(0)


def amount(text: Any, most: Decimal = MOST) -> Decimal:
    """Return a quantity of the venue; ValueError when it is none."""
    number = Decimal(text)
    if not number.is_finite() or not 0 <= number <= most:
        raise ValueError(f"{str(text)[:40]!r} is no quantity")
    return number


def held(row: Mapping[str, Any]) -> Decimal:
    """Return what an account holds of an asset, free and locked."""
    return amount(row["free"], UNBOUNDED) + amount(row["locked"], UNBOUNDED)


def change(text: Any) -> Decimal:
    """Return by how much a balance changed; ValueError when it is no number."""
    number = Decimal(text)
    if not number.is_finite() or abs(number) > UNBOUNDED:
        raise ValueError(f"{str(text)[:40]!r} is no change of a balance")
    return number


def whole(value: Any, most: int = 2**63) -> int:
    """Return an id or a time of the venue; ValueError when it is none."""
    number = int(value)
    if not 0 <= number < most:
        raise ValueError(f"{str(value)[:40]!r} is no number of the venue")
    return number


def of_document(document: Mapping[str, Any]) -> Report:
    """Read an order from a REST answer; a cancelled one carries the cancel's id beside its own."""
    client_id = document.get("origClientOrderId") or document["clientOrderId"]
    return Report(str(client_id), whole(document["orderId"]), STATUSES[document.get("status", "NEW")],
                  amount(document.get("executedQty", "0")), str(document.get("expiryReason", "")),
                  amount(document.get("origQty", "0")))


def of_event(event: Mapping[str, Any]) -> Report:
    """Read an order from an executionReport."""
    client_id = (event.get("C") or event["c"]) if event["x"] == "CANCELED" else event["c"]
    detail = event.get("eR", "") if event.get("r", "NONE") == "NONE" else event["r"]
    if event["x"] == "CANCELED" and event.get("C"):
        detail = f"{CANCELED_BY} {event['c']}"
    return Report(str(client_id), whole(event["i"]), STATUSES[event["X"]], amount(event["z"]), str(detail),
                  amount(event["q"]))


def moved(order: VenueOrder, state: VenueState, detail: str = "") -> VenueOrder:
    """Return an order in another state; BrokenInvariant when the table has no such step."""
    if state not in TRANSITIONS[order.state]:
        raise BrokenInvariant(f"{order.client_id}: {order.state} cannot become {state}")
    return replace(order, state=state, detail=detail or order.detail)


def told(order: VenueOrder, report: Report) -> VenueOrder:
    """Return an order after a report. Older news change nothing, and what was executed never shrinks."""
    if 0 < order.quantity < report.quantity:
        raise ValueError(f"{order.client_id}: {report.quantity} at the venue, {order.quantity} were sent")
    if report.executed > (report.quantity or order.quantity):
        raise ValueError(f"{order.client_id}: {report.executed} executed of {report.quantity or order.quantity}")
    if order.state is S.INTENT:
        order = moved(order, S.SENT)  # an event can overtake the answer to the request
    state = S.EXPIRED if report.state is S.REFUSED and order.state is S.WORKING else report.state
    known = replace(order, venue_id=order.venue_id or report.venue_id, executed=max(order.executed, report.executed),
                    quantity=report.quantity or order.quantity)
    return moved(known, state, report.detail) if state in TRANSITIONS[order.state] else known


def contradiction(order: VenueOrder, report: Report) -> str:
    """Say how a report denies what was certain, "" when it does not."""
    if order.venue_id and report.venue_id and order.venue_id != report.venue_id:
        return (f"{order.client_id} is order {report.venue_id} at the venue, ours was {order.venue_id}: the name was "
                "used twice")
    if order.state is S.VOID:
        return f"{order.client_id} is {report.state} at the venue although it was proven never to have arrived"
    if order.state.is_over and report.executed > order.executed:
        return (f"{order.client_id} was {order.state} with {order.executed} filled, "
                f"the venue now says {report.state} with {report.executed}")
    return ""


def barrier(order: VenueOrder, margin_ms: int) -> int:
    """Return the time (UTC ms) after which an order that the venue does not know can never appear any more."""
    return order.timestamp + int(order.params.get("recvWindow", DEFAULT_WINDOW_MS)) + margin_ms
