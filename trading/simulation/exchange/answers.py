"""Orders as REST answers them: acknowledgement, result, full, query, cancel; decimal texts as Binance writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trading.simulation.exchange.accounts import LedgerFill, to_text
from trading.simulation.exchange.tickets import Ticket

Answer = dict[str, Any]


def acknowledged(ticket: Ticket, time: int) -> Answer:
    """Return the ACK of a placement."""
    return {"symbol": ticket.symbol.name, "orderId": ticket.id, "orderListId": ticket.list_id,
            "clientOrderId": ticket.client_id, "transactTime": time}


def result(ticket: Ticket, time: int) -> Answer:
    """Return the RESULT of a placement; a pending order whose quantity is not known yet has no origQty."""
    answer = acknowledged(ticket, time) | _amounts(ticket) | {"workingTime": ticket.working} | _stp(ticket)
    if not ticket.quantity:
        del answer["origQty"]
    return answer | conditional(ticket)


def full(ticket: Ticket, time: int) -> Answer:
    """Return the FULL answer of a placement."""
    return result(ticket, time) | {"fills": [_fill(each) for each in ticket.fills]}


def placed(ticket: Ticket, time: int, kind: str) -> Answer:
    """Return the answer of the kind asked for: ACK, RESULT or FULL."""
    return {"ACK": acknowledged, "RESULT": result, "FULL": full}[kind](ticket, time)


def queried(ticket: Ticket) -> Answer:
    """Return an order as GET order, openOrders and allOrders do."""
    symbol = ticket.symbol
    answer = {"symbol": symbol.name, "orderId": ticket.id, "orderListId": ticket.list_id,
              "clientOrderId": ticket.client_id, **_amounts(ticket), "stopPrice": symbol.price_text(ticket.stop),
              "icebergQty": symbol.quantity_text(ticket.display), "time": ticket.created, "updateTime": ticket.updated,
              "isWorking": ticket.working >= 0, "workingTime": ticket.working, **_stp(ticket)}
    return answer | conditional(ticket)


def cancelled(ticket: Ticket, cancel_id: str, time: int) -> Answer:
    """Return the answer to a cancel, whose own client id is `cancel_id`."""
    return {"symbol": ticket.symbol.name, "origClientOrderId": ticket.client_id, "orderId": ticket.id,
            "orderListId": ticket.list_id, "clientOrderId": cancel_id, "transactTime": time, **_amounts(ticket),
            **_stp(ticket), **conditional(ticket)}


def trade(fill: LedgerFill, list_id: int) -> Answer:
    """Return one line of myTrades."""
    return {"symbol": fill.symbol, "id": fill.trade_id, "orderId": fill.order_id, "orderListId": list_id,
            "price": text(fill.price), "qty": text(fill.quantity), "quoteQty": text(fill.quote),
            "commission": text(fill.commission), "commissionAsset": fill.commission_asset, "time": fill.time,
            "isBuyer": fill.side == "BUY", "isMaker": fill.is_maker, "isBestMatch": True}


def text(amount: Decimal) -> str:
    """Return an amount with eight decimals and no exponent."""
    return f"{amount:.8f}"


def conditional(ticket: Ticket) -> Answer:
    """Return the fields that only some orders have."""
    symbol = ticket.symbol
    found: Answer = {}
    if ticket.stop:
        found["stopPrice"] = symbol.price_text(ticket.stop)
    if ticket.display:
        found["icebergQty"] = symbol.quantity_text(ticket.display)
    if ticket.trail:
        found |= {"trailingDelta": ticket.trail, "trailingTime": ticket.trailing_since}
    if ticket.strategy_id is not None:
        found["strategyId"] = ticket.strategy_id
    if ticket.strategy_type is not None:
        found["strategyType"] = ticket.strategy_type
    if ticket.prevention >= 0:
        found |= {"preventedMatchId": ticket.prevention, "preventedQuantity": symbol.quantity_text(ticket.prevented)}
    if ticket.uses_sor:
        found |= {"workingFloor": "SOR", "usedSor": True}
    if ticket.expiry:
        found["expiryReason"] = ticket.expiry
    return found | ticket.peg


def _amounts(ticket: Ticket) -> Answer:
    symbol = ticket.symbol
    return {
        "price": symbol.price_text(ticket.price), "origQty": symbol.quantity_text(ticket.quantity),
        "executedQty": symbol.quantity_text(ticket.executed), "origQuoteOrderQty": to_text(ticket.quote_wanted),
        "cummulativeQuoteQty": to_text(ticket.quote), "status": str(ticket.status),
        "timeInForce": str(ticket.force), "type": str(ticket.kind), "side": ticket.side,
    }


def _stp(ticket: Ticket) -> Answer:
    return {"selfTradePreventionMode": str(ticket.self_trade)}


def _fill(fill: LedgerFill) -> Answer:
    return {"price": text(fill.price), "qty": text(fill.quantity), "commission": text(fill.commission),
            "commissionAsset": fill.commission_asset, "tradeId": fill.trade_id}
