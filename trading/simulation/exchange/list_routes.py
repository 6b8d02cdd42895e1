"""Calls that place, cancel and ask after order lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.simulation.book_order import Kind
from trading.simulation.exchange.account_routes import within
from trading.simulation.exchange.answers import placed
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.filters import Case, check_filters
from trading.simulation.exchange.order_lists import OrderList
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.placing import check_account, take_on, ticket_of
from trading.simulation.exchange.refusals import (
    DUPLICATE,
    PRICES_RELATE,
    filter_failure,
    refusal,
    refused_order,
)
from trading.simulation.exchange.routes import Call
from trading.simulation.exchange.tickets import Status, Ticket
from trading.simulation.exchange.wishes import LEG_NAMES, Wish, leg, read_wish

Answer = dict[str, Any]
COMMON = {"symbol": "symbol", "newOrderRespType": "newOrderRespType",
          "selfTradePreventionMode": "selfTradePreventionMode"}
STOPS = (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)
TARGETS = (Kind.LIMIT_MAKER, Kind.TAKE_PROFIT, Kind.TAKE_PROFIT_LIMIT)


def params_of(*prefixes: str, also: tuple[str, ...] = ()) -> frozenset[str]:
    """Return the names of parameters of a list with legs of these prefixes."""
    shared = {*COMMON.values(), "listClientOrderId", *also}
    return frozenset(shared | {prefix + name for prefix in prefixes for name in LEG_NAMES.values()})


OCO = params_of("above", "below", also=("side", "quantity")) - {"aboveSide", "belowSide", "aboveQuantity",
                                                                 "belowQuantity"}
OTO = params_of("working", "pending")
OPO = OTO - {"pendingQuantity"}
_OCO_LEGS = {"pendingAboveSide", "pendingBelowSide", "pendingAboveQuantity", "pendingBelowQuantity"}
OPOCO = params_of("working", "pendingAbove", "pendingBelow", also=("pendingSide",)) - _OCO_LEGS
OTOCO = OPOCO | {"pendingQuantity"}
OLD_OCO = frozenset({*COMMON.values(), "listClientOrderId", "side", "quantity", "limitClientOrderId", "price",
                     "limitStrategyId", "limitStrategyType", "limitIcebergQty", "trailingDelta", "stopClientOrderId",
                     "stopPrice", "stopStrategyId", "stopStrategyType", "stopLimitPrice", "stopIcebergQty",
                     "stopLimitTimeInForce"})


def new_oco(call: Call) -> Answer:
    """POST orderList/oco."""
    return _place_oco(call, call.params)


def new_old_oco(call: Call) -> Answer:
    """POST order/oco: the retired spelling of the same."""
    params = call.params
    is_sell = params.text("side") == "SELL"
    target, stop = ("above", "below") if is_sell else ("below", "above")
    limited = "stopLimitPrice" in params
    new = {f"{target}Type": "LIMIT_MAKER", f"{stop}Type": "STOP_LOSS_LIMIT" if limited else "STOP_LOSS"}
    names = {"price": f"{target}Price", "stopPrice": f"{stop}StopPrice", "stopLimitPrice": f"{stop}Price",
             "stopLimitTimeInForce": f"{stop}TimeInForce", "trailingDelta": f"{stop}TrailingDelta"}
    for old, prefix in (("limit", target), ("stop", stop)):
        names |= {old + word: prefix + word for word in ("ClientOrderId", "StrategyId", "StrategyType", "IcebergQty")}
    return _place_oco(call, Params(new | {names.get(name, name): value for name, value in params.items()}))


def _place_oco(call: Call, params: Params) -> Answer:
    common = COMMON | {"side": "side", "quantity": "quantity"}
    desk, wishes = _wishes(call, params, "ocoAllowed", {"above": common, "below": common})
    _check_pair(wishes[0], wishes[1], desk.book.last * desk.symbol.tick)
    pair = _tickets(call, desk, wishes)
    for each in pair:
        desk.vet(each)
    _check_names(desk, pair)
    desk.lock(*pair)
    _take_on(call, pair)
    made = call.exchange.lists.new(params.client_id("listClientOrderId"), None, pair, False)
    for each in pair:
        desk.accept(each)
    desk.enter(*sorted(pair, key=lambda each: not each.waits))
    reports = [placed(each, call.exchange.time, wish.response) for each, wish in zip(pair, wishes, strict=True)]
    return made.document() | {"orderReports": reports}


def new_oto(call: Call) -> Answer:
    """POST orderList/oto: the pending order follows once the working one is filled whole."""
    return _place_oto(call, {"pending": COMMON}, "otoAllowed", by_fill=False)


def new_otoco(call: Call) -> Answer:
    """POST orderList/otoco: a pair follows."""
    pending = COMMON | {"side": "pendingSide", "quantity": "pendingQuantity"}
    return _place_oto(call, {"pendingAbove": pending, "pendingBelow": pending}, "otoAllowed", by_fill=False)


def new_opo(call: Call) -> Answer:
    """POST orderList/opo: the pending quantity is what the working order brings in."""
    pending = COMMON | {"quantity": "workingQuantity"}
    return _place_oto(call, {"pending": pending}, "opoAllowed", by_fill=True)


def new_opoco(call: Call) -> Answer:
    """POST orderList/opoco: the same with a pair."""
    pending = COMMON | {"side": "pendingSide", "quantity": "workingQuantity"}
    return _place_oto(call, {"pendingAbove": pending, "pendingBelow": pending}, "opoAllowed", by_fill=True)


def _place_oto(call: Call, pending: Mapping[str, Mapping[str, str]], flag: str, by_fill: bool) -> Answer:
    params, exchange = call.params, call.exchange
    desk, wishes = _wishes(call, params, flag, {"working": COMMON} | dict(pending))
    _check_oto(wishes, by_fill)
    tickets = _tickets(call, desk, wishes)
    working, pair = tickets[0], tickets[1:]
    desk.vet(working)
    _check_names(desk, tickets)
    desk.lock(working)
    _take_on(call, tickets)
    for each in pair:
        each.status = Status.PENDING_NEW
        if by_fill:
            each.quantity = each.left = 0
    made = exchange.lists.new(params.client_id("listClientOrderId"), working, pair, by_fill)
    for each in tickets:
        desk.accept(each)
    started = made.document()
    reports = [placed(each, exchange.time, wish.response) for each, wish in zip(tickets, wishes, strict=True)]
    desk.enter(working)
    reports[0] = placed(working, exchange.time, wishes[0].response)
    return started | {"orderReports": reports}


def cancel_list(call: Call) -> Answer:
    """DELETE orderList."""
    name = call.params.client_id("newClientOrderId") or call.exchange.make_client_id()
    found = _find(call, "listClientOrderId")
    call.exchange.desk(call.params.text("symbol"))
    if found is None or found.is_done or found.desk.symbol.name != call.params.text("symbol"):
        raise refusal(-2011, "Unknown order list sent.")
    return call.exchange.lists.cancel(found.id, name)


def get_list(call: Call) -> Answer:
    """GET orderList."""
    found = _find(call, "origClientOrderId")
    if found is None:
        raise refusal(-2013, "Order list does not exist.")
    return found.document()


def open_lists(call: Call) -> list[Answer]:
    """GET openOrderList."""
    return [each.document() for each in call.exchange.lists.of(call.owner) if not each.is_done]


def all_lists(call: Call) -> list[Answer]:
    """GET allOrderList: from an id on, or by time."""
    params, lists = call.params, call.exchange.lists.of(call.owner)
    first = params.maybe_long("fromId")
    if first is None:
        return [each.document() for each in within(params, lists, lambda each: each.created)]
    if {"startTime", "endTime"} & params.keys():
        raise refusal(-1128, "Combination of optional parameters invalid.")
    return [each.document() for each in lists if each.id >= first][:params.limit(500, 1000)]


def _find(call: Call, name_param: str) -> OrderList | None:
    list_id, name = call.params.maybe_long("orderListId"), call.params.maybe(name_param)
    if list_id is None and name is None:
        raise refusal(-1102, f"Param 'orderListId' or '{name_param}' must be sent, but both were empty/null!")
    mine = reversed(call.exchange.lists.of(call.owner))
    return next((each for each in mine if list_id in (None, each.id) and name in (None, each.client_id)), None)


def _wishes(call: Call, params: Params, flag: str,
            legs: Mapping[str, Mapping[str, str]]) -> tuple[Desk, list[Wish]]:
    """Return the legs that parameters ask for, checked for form and by the filters."""
    desk, owner = call.exchange.desk(params.text("symbol")), call.owner
    check_account(owner)
    name = params.client_id("listClientOrderId")
    if not desk.symbol.document.get(flag, False):
        raise refused_order(f"{flag.removesuffix('Allowed').upper()} orders are not supported for this symbol.")
    listed = {"newOrderRespType": "RESULT"} | params  # lists answer RESULT unless told otherwise
    wishes = [read_wish(leg(Params(listed), prefix, common), desk.symbol) for prefix, common in legs.items()]
    if not owner.unlimited:
        for each in wishes:
            check_filters(Case(each, desk, owner, wishes))
        _check_count(call, desk)
    if any(name == each.client_id and not each.is_done for each in call.exchange.lists.of(owner)):
        raise refused_order(DUPLICATE)
    return desk, wishes


def _check_count(call: Call, desk: Desk) -> None:
    document = desk.symbol.filters.get("MAX_NUM_ORDER_LISTS")
    n_open = sum(not each.is_done and each.desk is desk for each in call.exchange.lists.of(call.owner))
    if document is not None and n_open >= int(document["maxNumOrderLists"]):
        raise filter_failure("MAX_NUM_ORDER_LISTS")


def _check_names(desk: Desk, tickets: list[Ticket]) -> None:
    names = [each.client_id for each in tickets if each.client_id]
    taken = any((each.account.uid, each.client_id) in desk.names for each in tickets)
    if taken or len(set(names)) < len(names):
        raise refused_order(DUPLICATE)


def _tickets(call: Call, desk: Desk, wishes: list[Wish]) -> list[Ticket]:
    return [ticket_of(call.exchange, desk, call.owner, wish) for wish in wishes]


def _take_on(call: Call, tickets: list[Ticket]) -> None:
    for each in tickets:
        take_on(call.exchange, each)


def _check_oto(wishes: list[Wish], by_fill: bool) -> None:
    working, pair = wishes[0], wishes[1:]
    if working.kind not in (Kind.LIMIT, Kind.LIMIT_MAKER):
        raise refusal(-1014, "Unsupported order combination.")
    if by_fill and (not working.is_buy or any(each.is_buy for each in pair)):
        raise refusal(-1014, "Unsupported order combination.")
    if len(pair) == 2:
        _check_pair(pair[0], pair[1], 0)


def _check_pair(above: Wish, below: Wish, last: int) -> None:
    """Refuse a pair that is the wrong way round; `last` is the last price in units, 0 when it does not matter yet."""
    for each in (above, below):
        if each.kind not in STOPS + TARGETS:
            raise refusal(-1158, "Order type not supported in OCO.")
    kinds = [each.kind in STOPS for each in (above, below)]
    if not any(kinds):
        raise refusal(-1168, "At least one OCO order must be contingent.")
    if all(kinds):
        raise refusal(-1167, "Both OCO orders cannot be contingent.")
    target, is_right = (below, kinds[0]) if above.is_buy else (above, kinds[1])
    if not is_right:
        raise _wrong_way(target)
    high, low = (each.stop or (each.price if each.kind is Kind.LIMIT_MAKER else 0) for each in (above, below))
    if (high and low and high <= low) or (last and ((high and high <= last) or (low and low >= last))):
        raise refused_order(PRICES_RELATE)


def _wrong_way(there: Wish) -> Exception:
    """Return the refusal of a stop where the target should be; the first rule that it breaks."""
    if there.is_buy:
        return refusal(-1196, "A stop loss order in a buy OCO must be above.")
    return refusal(-1197, "A stop loss order in a sell OCO must be below.")
