"""The call that cancels an order and places another: two halves, each of which can fail."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.answers import placed
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.order_routes import cancel_named, read_restriction
from trading.simulation.exchange.placing import draft, place
from trading.simulation.exchange.refusals import VenueError, refusal, refused_order
from trading.simulation.exchange.registry import identity
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Ticket

Answer = dict[str, Any]
NAMES = ("cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId")
CHOICES = {"cancelReplaceMode": ("STOP_ON_FAILURE", "ALLOW_FAILURE"),
           "orderRateLimitExceededMode": ("DO_NOTHING", "CANCEL_ONLY")}


def cancel_replace(call: Call) -> Answer:
    """POST order/cancelReplace: filters are asked before the cancel; not atomic.

    The ORDERS limit is asked at the server's gate, before either half.
    """
    exchange = call.exchange
    desk, mode = _read(call)
    ticket, wish = draft(exchange, call.params, call.owner)
    both: Answer = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": None,
                    "newOrderResponse": None}
    try:
        both["cancelResponse"] = cancel_named(call, *NAMES)
    except VenueError as why:
        both |= {"cancelResult": "FAILURE", "cancelResponse": why.document()}
        if mode == "STOP_ON_FAILURE":
            raise VenueError(400, -2022, "Order cancel-replace failed.", both) from why
    both |= _second_half(call, desk, ticket, wish.response)
    return _judged(both)


def _read(call: Call) -> tuple[Desk, str]:
    params = call.params
    for name, choices in CHOICES.items():
        if (params.text(name) if name == "cancelReplaceMode" else params.maybe(name)) not in (*choices, None):
            raise refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
    params.client_id(NAMES[2])
    read_restriction(params)
    desk = call.exchange.desk(params.text("symbol"))
    if not desk.symbol.document.get("cancelReplaceAllowed", False):
        raise refused_order("Order cancel-replace is not supported for this symbol.")
    identity(params, NAMES[0], NAMES[1])
    return desk, params["cancelReplaceMode"]


def _second_half(call: Call, desk: Desk, ticket: Ticket, response: str) -> Answer:
    try:
        place(call.exchange, ticket)
    except VenueError as why:
        ticket.client_id = ticket.client_id or call.exchange.make_client_id()
        desk.reject(ticket, why.message)
        return {"newOrderResult": "FAILURE", "newOrderResponse": why.document()}
    return {"newOrderResult": "SUCCESS", "newOrderResponse": placed(ticket, call.exchange.time, response)}


def _judged(both: Answer) -> Answer:
    """Return the answer when both halves went well, raise otherwise."""
    failed = [both[half] == "FAILURE" for half in ("cancelResult", "newOrderResult")]
    if all(failed):
        raise VenueError(400, -2022, "Order cancel-replace failed.", both)
    if any(failed):
        raise VenueError(409, -2021, "Order cancel-replace partially failed.", both)
    return both
