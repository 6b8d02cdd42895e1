"""Calls that place and cancel single orders."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.account_routes import commission_document
from trading.simulation.exchange.answers import cancelled, placed
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.placing import check, draft, place
from trading.simulation.exchange.refusals import refusal, refused_order
from trading.simulation.exchange.registry import identity
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Status

Answer = dict[str, Any]
RESTRICTIONS = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}


def new_order(call: Call) -> Answer:
    """POST order."""
    ticket, wish = draft(call.exchange, call.params, call.owner)
    place(call.exchange, ticket)
    return placed(ticket, call.exchange.time, wish.response)


def test_order(call: Call) -> Answer:
    """POST order/test: everything but the matching engine."""
    with_rates = call.params.flag("computeCommissionRates")
    order = Params({name: value for name, value in call.params.items() if name != "computeCommissionRates"})
    check(call.exchange, order, call.owner)
    return commission_document(call.exchange, call.owner, "ForOrder") if with_rates else {}


def cancel_order(call: Call) -> Answer:
    """DELETE order; a leg takes its whole list with it."""
    return cancel_named(call, "orderId", "origClientOrderId", "newClientOrderId")


def cancel_named(call: Call, order_id: str, client_id: str, cancel_id: str) -> Answer:
    """Cancel the order that parameters of these names tell."""
    params, exchange = call.params, call.exchange
    desk = exchange.desk(params.text("symbol"))
    ticket = exchange.registry.to_cancel(call.owner.uid, desk.symbol.name, identity(params, order_id, client_id))
    if read_restriction(params) not in (None, ticket.status):
        raise refusal(-2011, "Order was not canceled due to cancel restrictions.")
    name = params.client_id(cancel_id) or exchange.make_client_id()
    if ticket.list_id >= 0:
        exchange.lists.cancel(ticket.list_id, name)
    else:
        desk.cancel(ticket, name)
    return cancelled(ticket, name, exchange.time)


def read_restriction(params: Params) -> Status | None:
    """Return the status that an order must have to be cancelled, None when any will do."""
    given = params.maybe("cancelRestrictions")
    if given is not None and given not in RESTRICTIONS:
        raise refusal(-1145, "Invalid cancelRestrictions")
    return RESTRICTIONS[given] if given else None


def cancel_open_orders(call: Call) -> list[Answer]:
    """DELETE openOrders: orders and order lists, mixed."""
    desk = call.exchange.desk(call.params.text("symbol"))
    mine = [each for each in desk.open.values() if each.account is call.owner]
    if not mine:
        raise refusal(-2011, "Unknown order sent.")
    answers: list[Answer] = []
    name = call.exchange.make_client_id()
    for ticket in mine:
        if ticket.list_id >= 0 and ticket.is_open:
            answers.append(call.exchange.lists.cancel(ticket.list_id, name))
        elif ticket.is_open:
            desk.cancel(ticket, name)
            answers.append(cancelled(ticket, name, call.exchange.time))
    return answers


def sor_order(call: Call) -> Answer:
    """POST sor/order: there is one book only, so the order goes there; the answer says that it was routed."""
    _check_sor(call)
    ticket, wish = draft(call.exchange, call.params, call.owner)
    ticket.uses_sor = True
    place(call.exchange, ticket)
    answer = placed(ticket, call.exchange.time, wish.response)
    for line in answer.get("fills", []):
        line |= {"matchType": "ONE_PARTY_TRADE_REPORT", "allocId": line["tradeId"]}
    return answer


def test_sor_order(call: Call) -> Answer:
    """POST sor/order/test."""
    _check_sor(call)
    return test_order(call)


def _check_sor(call: Call) -> None:
    if call.params.text("type") not in ("LIMIT", "MARKET"):
        raise refused_order("This order type is not possible in this trading pair for SOR.")
    call.params.text("quantity")
