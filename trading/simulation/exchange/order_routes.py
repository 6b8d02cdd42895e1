"""Calls that place, cancel and change single orders."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.account_routes import commission_document
from trading.simulation.exchange.answers import cancelled, placed, result
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.filters import check_amendments
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.placing import check_account, draft, place
from trading.simulation.exchange.refusals import MARKET_CLOSED, VenueError, refusal, refused_order
from trading.simulation.exchange.registry import identity
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Status, Ticket

Answer = dict[str, Any]
RESTRICTIONS = {"ONLY_NEW": Status.NEW, "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED}

REPLACED = ("cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId")


def new_order(call: Call) -> Answer:
    """POST order."""
    ticket, wish = draft(call.exchange, call.params, call.owner)
    place(call.exchange, ticket)
    return placed(ticket, call.exchange.time, wish.response)


def test_order(call: Call) -> Answer:
    """POST order/test: everything but the matching engine."""
    with_rates = call.params.flag("computeCommissionRates")
    order = Params({name: value for name, value in call.params.items() if name != "computeCommissionRates"})
    draft(call.exchange, order, call.owner)
    return commission_document(call.exchange, call.owner, "ForOrder") if with_rates else {}


def cancel_order(call: Call) -> Answer:
    """DELETE order; a leg takes its whole list with it."""
    return cancel_named(call, "orderId", "origClientOrderId", "newClientOrderId")


def cancel_named(call: Call, order_id: str, client_id: str, cancel_id: str) -> Answer:
    """Cancel the order that parameters of these names tell."""
    params, exchange = call.params, call.exchange
    desk = exchange.desk(params.text("symbol"))
    ticket = exchange.registry.to_cancel(call.owner.uid, desk.symbol.name, identity(params, order_id, client_id))
    restriction = params.maybe("cancelRestrictions")
    if restriction is not None:
        if restriction not in RESTRICTIONS:
            raise refusal(-1145, "Invalid cancelRestrictions")
        if ticket.status is not RESTRICTIONS[restriction]:
            raise refusal(-2011, "Order was not canceled due to cancel restrictions.")
    name = params.client_id(cancel_id) or exchange.make_client_id()
    if ticket.list_id >= 0:
        exchange.lists.cancel(ticket.list_id, name)
    else:
        desk.cancel(ticket, name)
    return cancelled(ticket, name, exchange.time)


def cancel_open_orders(call: Call) -> list[Answer]:
    """DELETE openOrders: orders and order lists, mixed."""
    desk = call.exchange.desk(call.params.text("symbol"))
    mine = [each for each in desk.open.values() if each.account is call.owner]
    if not mine:
        raise refusal(-2011, "Unknown order sent.")
    answers: list[Answer] = []
    for ticket in mine:
        name = call.exchange.make_client_id()
        if ticket.list_id >= 0 and ticket.is_open:
            answers.append(call.exchange.lists.cancel(ticket.list_id, name))
        elif ticket.is_open:
            desk.cancel(ticket, name)
            answers.append(cancelled(ticket, name, call.exchange.time))
    return answers


def cancel_replace(call: Call) -> Answer:
    """POST order/cancelReplace: filters and the order count are asked before the cancel; not atomic."""
    exchange, params = call.exchange, call.params
    mode = params.text("cancelReplaceMode")
    if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        raise refusal(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
    desk = exchange.desk(params.text("symbol"))
    if not desk.symbol.document.get("cancelReplaceAllowed", False):
        raise refused_order("Order cancel-replace is not supported for this symbol.")
    identity(params, "cancelOrderId", "cancelOrigClientOrderId")
    ticket, wish = draft(exchange, params, call.owner)
    rule = params.maybe("orderRateLimitExceededMode")  # the count itself is asked at the server's gate
    if rule not in (None, "DO_NOTHING", "CANCEL_ONLY"):
        raise refusal(-1130, "Data sent for parameter 'orderRateLimitExceededMode' is not valid.")
    both: Answer = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED", "cancelResponse": None,
                    "newOrderResponse": None}
    try:
        both["cancelResponse"] = cancel_named(call, *REPLACED)
    except VenueError as why:
        both |= {"cancelResult": "FAILURE", "cancelResponse": why.document()}
        if mode == "STOP_ON_FAILURE":
            raise VenueError(400, -2022, "Order cancel-replace failed.", both) from why
    try:
        place(exchange, ticket)
        both |= {"newOrderResult": "SUCCESS", "newOrderResponse": placed(ticket, exchange.time, wish.response)}
    except VenueError as why:
        both |= {"newOrderResult": "FAILURE", "newOrderResponse": why.document()}
    return _halves(both)


def _halves(both: Answer) -> Answer:
    """Return the answer when both halves went well, raise otherwise."""
    failed = [both[half] == "FAILURE" for half in ("cancelResult", "newOrderResult")]
    if all(failed):
        raise VenueError(400, -2022, "Order cancel-replace failed.", both)
    if any(failed):
        raise VenueError(409, -2021, "Order cancel-replace partially failed.", both)
    return both


def amend_order(call: Call) -> Answer:
    """PUT order/amend/keepPriority: less quantity, the same place in the queue."""
    exchange, params = call.exchange, call.params
    desk = exchange.desk(params.text("symbol"))
    if not desk.symbol.document.get("amendAllowed", False):
        raise refusal(-2038, "Order amend is not supported for this symbol.")
    ticket = _to_amend(call, desk)
    units = params.amount("newQty", int(desk.symbol.document.get("baseAssetPrecision", 8)))
    if units is None:
        params.text("newQty")
    lots = _lots(desk, units or 0)
    if lots >= ticket.quantity:
        words = "Order amend (quantity increase) is not supported." if lots > ticket.quantity else (
            "The requested action would change no state; rejecting.")
        raise refusal(-2038, words)
    if lots <= ticket.executed:
        raise refusal(-2038, "Order amend quantity is not above the executed one.")
    check_amendments(desk, len(ticket.amendments))
    return _amend(call, desk, ticket, lots)


def _to_amend(call: Call, desk: Desk) -> Ticket:
    order_id, client_id = identity(call.params, "orderId", "origClientOrderId")
    found = call.exchange.registry.find(call.owner.uid, desk.symbol.name, order_id, client_id)
    if found is None or not found.is_open:
        raise refusal(-2038, "Unknown order sent.")
    if client_id is not None and client_id != found.client_id:
        raise refusal(-2039, "Client ID is not correct for this order ID.")
    if desk.status != "TRADING":
        raise refusal(-2038, MARKET_CLOSED)
    return found


def _lots(desk: Desk, units: int) -> int:
    from_filters = desk.symbol.filters.get("LOT_SIZE", {})
    if units % desk.symbol.lot or not units:
        raise refusal(-1013, "Filter failure: LOT_SIZE" if from_filters else "Invalid quantity.")
    return units // desk.symbol.lot


def _amend(call: Call, desk: Desk, ticket: Ticket, lots: int) -> Answer:
    exchange, before, was = call.exchange, ticket.client_id, ticket.quantity
    name = call.params.client_id("newClientOrderId") or exchange.make_client_id()
    if name != before and (ticket.account.uid, name) in desk.names:
        raise refusal(-2038, "Duplicate order sent.")
    execution = desk.amend(ticket, lots, name)
    exchange.registry.rename(ticket, before)
    text = desk.symbol.quantity_text
    ticket.amendments.append({
        "symbol": desk.symbol.name, "orderId": ticket.id, "executionId": execution, "origClientOrderId": before,
        "newClientOrderId": name, "origQty": text(was), "newQty": text(lots), "time": exchange.time})
    answer: Answer = {"transactTime": exchange.time, "executionId": execution, "amendedOrder": _amended(ticket, before)}
    if ticket.list_id >= 0:
        answer["listStatus"] = exchange.lists.updated(ticket.list_id)
    return answer


def _amended(ticket: Ticket, before: str) -> Answer:
    whole = result(ticket, 0)
    text = ticket.symbol.quantity_text
    names = ("status", "timeInForce", "type", "side", "workingTime", "selfTradePreventionMode", "stopPrice",
             "icebergQty", "trailingDelta", "trailingTime", "strategyId", "strategyType", "preventedMatchId",
             "preventedQuantity")
    return {
        "symbol": ticket.symbol.name, "orderId": ticket.id, "orderListId": ticket.list_id,
        "origClientOrderId": before, "clientOrderId": ticket.client_id, "price": whole["price"],
        "qty": text(ticket.quantity), "executedQty": text(ticket.executed), "preventedQty": text(ticket.prevented),
        "quoteOrderQty": whole["origQuoteOrderQty"], "cumulativeQuoteQty": whole["cummulativeQuoteQty"],
        **{name: whole[name] for name in names if name in whole}}


def sor_order(call: Call) -> Answer:
    """POST sor/order: there is one book only, so the order goes there; the answer says that it was routed."""
    ticket, wish = _sor_draft(call)
    place(call.exchange, ticket)
    answer = placed(ticket, call.exchange.time, wish)
    if "status" in answer:
        answer |= {"workingFloor": "SOR", "usedSor": True}
    for line in answer.get("fills", []):
        line |= {"matchType": "ONE_PARTY_TRADE_REPORT", "allocId": line["tradeId"]}
    return answer


def test_sor_order(call: Call) -> Answer:
    """POST sor/order/test."""
    with_rates = call.params.pop("computeCommissionRates", "false") == "true"
    _sor_draft(call)
    return commission_document(call.exchange, call.owner, "ForOrder") if with_rates else {}


def _sor_draft(call: Call) -> tuple[Ticket, str]:
    if call.params.text("type") not in ("LIMIT", "MARKET"):
        raise refused_order("This order type is not possible in this trading pair for SOR.")
    call.params.text("quantity")
    ticket, wish = draft(call.exchange, call.params, call.owner)
    check_account(call.owner)
    ticket.uses_sor = True
    return ticket, wish.response
