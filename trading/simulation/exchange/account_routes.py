"""Calls that ask after an account: its orders, trades, balances, commission."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from trading.simulation.exchange.accounts import Account, LedgerFill, to_text
from trading.simulation.exchange.answers import queried, text, trade
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import refusal
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Prevention

if TYPE_CHECKING:
    from trading.simulation.exchange.exchange import Exchange

Answer = dict[str, Any]
T = TypeVar("T")
DAY_MS = 86_400_000


def get_order(call: Call) -> Answer:
    """GET order."""
    symbol = call.exchange.desk(call.params.text("symbol")).symbol.name
    return queried(call.exchange.registry.queried(call.owner.uid, symbol, call.params))


def open_orders(call: Call) -> list[Answer]:
    """GET openOrders, of one symbol or all."""
    symbol = call.params.maybe("symbol")
    desks = [call.exchange.desk(symbol)] if symbol else list(call.exchange.desks.values())
    return [queried(each) for desk in desks for each in desk.open.values() if each.account is call.owner]


def all_orders(call: Call) -> list[Answer]:
    """GET allOrders: from an order id on, or by time; the newest without either."""
    symbol = call.exchange.desk(call.params.text("symbol")).symbol.name
    tickets = call.exchange.registry.orders(call.owner.uid, symbol)
    limit, first = call.params.limit(500, 1000), call.params.maybe_long("orderId")
    if first is not None:
        check_span(call.params)
        return [queried(each) for each in tickets if each.id >= first][:limit]
    return [queried(each) for each in within(call.params, tickets, lambda t: t.created)]


def my_trades(call: Call) -> list[Answer]:
    """GET myTrades, in the combinations of parameters that Binance knows."""
    params = call.params
    desk = call.exchange.desk(params.text("symbol"))
    by_time = bool({"startTime", "endTime"} & params.keys())
    if by_time and "fromId" in params:
        raise refusal(-1128, "Combination of optional parameters invalid.")
    fills = desk.fills.get(call.owner.uid, [])
    order_id, first = params.maybe_long("orderId"), params.maybe_long("fromId")
    if first is not None:
        fills = fills[bisect_left(fills, first, key=lambda fill: fill.trade_id):]
    if order_id is not None:
        fills = [fill for fill in fills if fill.order_id == order_id]
    limit = params.limit(500, 1000)
    found = within(params, fills, lambda fill: fill.time) if first is None else fills[:limit]
    return [trade(fill, _list_id(call, fill)) for fill in found]


def _list_id(call: Call, fill: LedgerFill) -> int:
    ticket = call.exchange.registry.find(call.owner.uid, fill.symbol, fill.order_id, None)
    return ticket.list_id if ticket else -1


def account(call: Call) -> Answer:
    """GET account."""
    owner, rates = call.owner, call.exchange.rates
    skip = call.params.flag("omitZeroBalances")
    maker, taker = (int(rate * 10_000) for rate in (rates.maker, rates.taker))
    balances = [{"asset": asset, "free": to_text(each.free), "locked": to_text(each.locked)}
                for asset, each in sorted(owner.balances.items()) if not skip or each.free or each.locked]
    return {
        "makerCommission": maker, "takerCommission": taker, "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": _rates(rates.maker, rates.taker), "canTrade": owner.can_trade, "canWithdraw": True,
        "canDeposit": True, "brokered": False, "requireSelfTradePrevention": False, "preventSor": False,
        "updateTime": owner.updated, "accountType": "SPOT", "balances": balances, "permissions": ["SPOT"],
        "uid": owner.uid,
    }


def commission(call: Call) -> Answer:
    """GET account/commission."""
    symbol = call.exchange.desk(call.params.text("symbol")).symbol.name
    return {"symbol": symbol} | commission_document(call.exchange, call.owner, "")


def commission_document(exchange: Exchange, owner: Account, suffix: str) -> Answer:
    """Return the rates of an account; with the suffix ForOrder those of a tested order, which has no sides."""
    none, rates = Decimal(0), exchange.rates
    names = ("maker", "taker") if suffix else ("maker", "taker", "buyer", "seller")
    parts = {"standard": _rates(rates.maker, rates.taker), "special": _rates(none, none), "tax": _rates(none, none)}
    return {
        **{f"{part}Commission{suffix}": {name: each[name] for name in names} for part, each in parts.items()},
        "discount": {"enabledForAccount": owner.bnb_discount, "enabledForSymbol": True, "discountAsset": "BNB",
                     "discount": text(rates.bnb_discount)},
    }


def amendments(call: Call) -> list[Answer]:
    """GET order/amendments."""
    symbol = call.exchange.desk(call.params.text("symbol")).symbol.name
    found = call.exchange.registry.find(call.owner.uid, symbol, call.params.long("orderId"), None)
    if found is None:
        raise refusal(-2013, "Order does not exist.")
    first = call.params.maybe_long("fromExecutionId") or 0
    kept = [each for each in found.amendments if int(str(each["executionId"])) >= first]
    return kept[:call.params.limit(500, 1000)]


def prevented_matches(call: Call) -> list[Answer]:
    """GET myPreventedMatches: by match id, or by order."""
    params, owner = call.params, call.owner
    desk = call.exchange.desk(params.text("symbol"))
    number, order_id = params.maybe_long("preventedMatchId"), params.maybe_long("orderId")
    if (number is None) == (order_id is None):
        raise refusal(-1128, "Combination of optional parameters invalid.")
    first, registry = params.maybe_long("fromPreventedMatchId") or 0, call.exchange.registry
    mine = [each for each in desk.preventions
            if registry.find(owner.uid, desk.symbol.name, each.taker, None) is not None]
    if number is not None:
        found = [each for each in mine if each.id == number]
    else:
        found = [each for each in mine if order_id in (each.taker, each.maker) and each.id >= first]
    return [_prevented(call, each) for each in found[:params.limit(500, 1000)]]


def allocations(call: Call) -> list[Answer]:
    """GET myAllocations: orders are routed to one book, so nothing was ever allocated elsewhere."""
    call.exchange.desk(call.params.text("symbol"))
    return []


def filters(call: Call) -> Answer:
    """GET myFilters."""
    symbol = call.exchange.desk(call.params.text("symbol")).symbol
    return {"exchangeFilters": [], "symbolFilters": list(symbol.document["filters"]), "assetFilters": []}


def check_span(params: Params) -> tuple[int | None, int | None]:
    """Return startTime and endTime, at most a day apart.

    Raises
    ------
    VenueError
        -1127.
    """
    start, end = params.maybe_long("startTime"), params.maybe_long("endTime")
    start, end = (_ms(each) for each in (start, end))
    if start is not None and end is not None:
        if end < start:
            raise refusal(-1128, "Combination of optional parameters invalid.")
        if end - start > DAY_MS:
            raise refusal(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def within(params: Params, items: Sequence[T], time_of: Callable[[T], int]) -> list[T]:
    """Return the items that startTime, endTime and limit choose: the oldest from a start, else the newest."""
    start, end = check_span(params)
    limit = params.limit(500, 1000)
    kept = [each for each in items
            if (start is None or time_of(each) >= start) and (end is None or time_of(each) <= end)]
    return kept[-limit:] if start is None else kept[:limit]


def _ms(time: int | None) -> int | None:
    """Return a time in ms that may have been sent in microseconds."""
    return time // 1000 if time is not None and time >= 10**14 else time


def _rates(maker: Decimal, taker: Decimal) -> Answer:
    return {"maker": text(maker), "taker": text(taker), "buyer": text(Decimal(0)), "seller": text(Decimal(0))}


def _prevented(call: Call, match: Prevention) -> Answer:
    symbol = call.exchange.symbols[match.maker_symbol]
    taker = call.exchange.registry.find(call.owner.uid, symbol.name, match.taker, None)
    return {
        "symbol": symbol.name, "preventedMatchId": match.id, "takerOrderId": match.taker,
        "makerSymbol": symbol.name, "makerOrderId": match.maker, "tradeGroupId": 1,
        "selfTradePreventionMode": str(taker.self_trade) if taker else "NONE",
        "price": symbol.price_text(match.price), "makerPreventedQuantity": symbol.quantity_text(match.lots),
        "transactTime": match.time,
    }
