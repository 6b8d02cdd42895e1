"""The call that lowers an order's quantity without losing its place in the queue."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.answers import result
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.filters import Case, check_amendments, check_filters
from trading.simulation.exchange.placing import wish_of
from trading.simulation.exchange.refusals import MARKET_CLOSED, filter_failure, refusal
from trading.simulation.exchange.registry import identity
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Ticket

Answer = dict[str, Any]
ASKED = ("LOT_SIZE", "MARKET_LOT_SIZE", "MIN_NOTIONAL", "NOTIONAL", "ICEBERG_PARTS")


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
    if lots <= ticket.quantity - ticket.left:
        raise refusal(-2038, "Order amend quantity is not above the executed one.")
    check_amendments(desk, len(ticket.amendments))
    wish = wish_of(ticket, lots)
    check_filters(Case(wish, desk, call.owner, (wish,)), ASKED)
    return _amend(call, desk, ticket, lots)


def _to_amend(call: Call, desk: Desk) -> Ticket:
    order_id, client_id = identity(call.params, "orderId", "origClientOrderId")
    found = call.exchange.registry.find(call.owner.uid, desk.symbol.name, order_id, client_id)
    if found is None or not found.is_open:
        raise refusal(-2038, "Unknown order sent.")
    if client_id is not None and client_id != found.client_id:
        raise refusal(-2039, "Client order ID is not correct for this order ID.")
    if desk.status != "TRADING":
        raise refusal(-2038, MARKET_CLOSED)
    return found


def _lots(desk: Desk, units: int) -> int:
    if units % desk.symbol.lot or not units:
        raise filter_failure("LOT_SIZE")
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
