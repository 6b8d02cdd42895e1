"""Everything an account can ask for, with Binance's weights: the table that requests are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from trading.simulation.exchange import account_routes as asked
from trading.simulation.exchange import list_routes as lists
from trading.simulation.exchange import order_routes as orders
from trading.simulation.exchange.amending import amend_order
from trading.simulation.exchange.replacing import cancel_replace
from trading.simulation.exchange.routes import Call, Route, Security, Weigher
from trading.simulation.exchange.wishes import ORDER_PARAMS

NAMES = frozenset({"symbol", "orderId", "origClientOrderId"})
SPAN = frozenset({"startTime", "endTime", "limit"})
CANCEL = NAMES | {"newClientOrderId", "cancelRestrictions"}
REPLACE = ORDER_PARAMS | {"cancelReplaceMode", "cancelNewClientOrderId", "cancelOrigClientOrderId", "cancelOrderId",
                          "cancelRestrictions", "orderRateLimitExceededMode"}
SOR = ORDER_PARAMS - {"quoteOrderQty", "stopPrice", "trailingDelta"}
RATES = frozenset({"computeCommissionRates"})


def one_or_all(one: int, every: int) -> Weigher:
    """Return a weight that depends on whether a symbol is given."""
    return lambda params: one if "symbol" in params else every


def tested(params: Mapping[str, str]) -> int:
    """Return the weight of a test order."""
    return 20 if params.get("computeCommissionRates") == "true" else 1


def trades_weight(params: Mapping[str, str]) -> int:
    """Return the weight of myTrades."""
    return 5 if "orderId" in params else 20


def prevented_weight(params: Mapping[str, str]) -> int:
    """Return the weight of myPreventedMatches."""
    return 2 if "preventedMatchId" in params else 20


def trade(function: Callable[[Call], Any], params: frozenset[str], n_orders: int = 0) -> Route:
    """Return the row of a call that changes something and weighs nothing when it succeeds."""
    return Route(function, 1, Security.TRADE, params, free_when_done=True, orders=n_orders)


def ask(function: Callable[[Call], Any], weight: int | Weigher, *params: str) -> Route:
    """Return the row of a call that only asks."""
    return Route(function, weight, Security.USER_DATA, frozenset(params))


TRADING_ROUTES: Mapping[tuple[str, str], Route] = {
    ("POST", "order"): trade(orders.new_order, ORDER_PARAMS, n_orders=1),
    ("POST", "order/test"): Route(orders.test_order, tested, Security.TRADE, ORDER_PARAMS | RATES),
    ("DELETE", "order"): trade(orders.cancel_order, CANCEL),
    ("DELETE", "openOrders"): trade(orders.cancel_open_orders, frozenset({"symbol"})),
    ("POST", "order/cancelReplace"): trade(cancel_replace, REPLACE, n_orders=1),
    ("PUT", "order/amend/keepPriority"): Route(
        amend_order, 4, Security.TRADE, NAMES | {"newClientOrderId", "newQty"}),
    ("POST", "sor/order"): trade(orders.sor_order, SOR, n_orders=1),
    ("POST", "sor/order/test"): Route(orders.test_sor_order, tested, Security.TRADE, SOR | RATES),
    ("POST", "orderList/oco"): trade(lists.new_oco, lists.OCO, n_orders=2),
    ("POST", "orderList/oto"): trade(lists.new_oto, lists.OTO, n_orders=2),
    ("POST", "orderList/otoco"): trade(lists.new_otoco, lists.OTOCO, n_orders=3),
    ("POST", "orderList/opo"): trade(lists.new_opo, lists.OPO, n_orders=2),
    ("POST", "orderList/opoco"): trade(lists.new_opoco, lists.OPOCO, n_orders=3),
    ("POST", "order/oco"): trade(lists.new_old_oco, lists.OLD_OCO, n_orders=2),
    ("DELETE", "orderList"): trade(
        lists.cancel_list, frozenset({"symbol", "orderListId", "listClientOrderId", "newClientOrderId"})),
    ("GET", "orderList"): ask(lists.get_list, 4, "orderListId", "origClientOrderId"),
    ("GET", "allOrderList"): ask(lists.all_lists, 20, "fromId", *SPAN),
    ("GET", "openOrderList"): ask(lists.open_lists, 6),
    ("GET", "order"): ask(asked.get_order, 4, *NAMES),
    ("GET", "openOrders"): ask(asked.open_orders, one_or_all(6, 80), "symbol"),
    ("GET", "allOrders"): ask(asked.all_orders, 20, "symbol", "orderId", *SPAN),
    ("GET", "myTrades"): ask(asked.my_trades, trades_weight, "symbol", "orderId", "fromId", *SPAN),
    ("GET", "account"): ask(asked.account, 20, "omitZeroBalances"),
    ("GET", "account/commission"): ask(asked.commission, 20, "symbol"),
    ("GET", "order/amendments"): ask(asked.amendments, 4, "symbol", "orderId", "fromExecutionId", "limit"),
    ("GET", "myPreventedMatches"): ask(asked.prevented_matches, prevented_weight, "symbol", "preventedMatchId",
                                       "orderId", "fromPreventedMatchId", "limit"),
    ("GET", "myAllocations"): ask(asked.allocations, 20, "symbol", "fromAllocationId", "orderId", *SPAN),
    ("GET", "myFilters"): ask(asked.filters, 40, "symbol"),
}
