"""Orders of ours that this database has never heard of: an older backup was restored. They are kept as if we had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.brokers.binance_office import Office
from trading.brokers.binance_requests import LIST, engine_id
from trading.brokers.binance_settling import amount, of_document, whole
from trading.domain import OrderType, Side
from trading.domain.venue import Call, Purpose, VenueOrder

FOUND = "found at the venue"
NO_LIST = -1


def is_ours(office: Office, row: Mapping[str, Any]) -> bool:
    """Return whether an order can be one that we sent: it carries our tag, and we buy at a limit only."""
    is_possible = str(row["side"]) == Side.SELL or str(row["type"]) == OrderType.LIMIT
    return is_possible and str(row["clientOrderId"]).startswith(f"{office.store.tag()}-")


async def adopt(office: Office, row: Mapping[str, Any]) -> VenueOrder:
    """Keep an order of ours as the venue has it, with the others of its list; their numbers are never given again."""
    rows = [row, *await _siblings(office, row)]
    strangers = [other for other in rows if office.blotter.find(str(other["clientOrderId"])) is None]
    office.store.intend(tuple(found(other) for other in strangers))
    for other in strangers:
        office.blotter.load(found(other))
        office.blotter.hear(of_document(other))
        office.number_seen(str(other["clientOrderId"]))
    return office.blotter.orders[str(row["clientOrderId"])]


def found(row: Mapping[str, Any]) -> VenueOrder:
    """Return an order as it must have been sent."""
    client_id = str(row["clientOrderId"])
    list_id = f"{client_id[:-1]}{LIST}" if int(row.get("orderListId", NO_LIST)) != NO_LIST else ""
    return VenueOrder(client_id, engine_id(client_id), str(row["symbol"]), str(row["side"]), str(row["type"]),
                      amount(row["origQty"]), whole(row.get("time", 0)), price=amount(row["price"]),
                      stop_price=amount(row.get("stopPrice", "0")), list_id=list_id, detail=FOUND)


async def _siblings(office: Office, row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Ask for the other orders of a list."""
    number = int(row.get("orderListId", NO_LIST))
    if number == NO_LIST:
        return []
    answer = await office.ask(Call("GET", "orderList", {"orderListId": str(number)}, 4, Purpose.RECONCILE))
    calls = [Call("GET", "order", {"symbol": one["symbol"], "orderId": str(one["orderId"])}, 4, Purpose.RECONCILE)
             for one in answer["orders"] if one["clientOrderId"] != row["clientOrderId"]]
    return [other for call in calls if is_ours(office, other := await office.ask(call))]
