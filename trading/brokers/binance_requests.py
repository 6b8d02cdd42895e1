"""Orders of the engine as requests of Binance: what is kept before it is sent, and the call that sends it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from trading.brokers.binance_options import BrokerSettings, Instrument, text
from trading.domain import Order, OrderType, Side
from trading.domain.venue import Call, Purpose, VenueOrder
from trading.rules import MAX_TICKS

ENTRY, STOP, TARGET, LIST, CANCEL, EXIT = "estlcx"
CANCEL_WINDOW_MS = 5_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an engine's order: its number, the venue's time, how long the request may travel."""

    number: int
    now: int
    window_ms: int

    def client_id(self, order: Order, letter: str) -> str:
        """Return the client id of a part of this attempt."""
        return f"{order.client_id}-{self.number}{letter}"

    def stamp(self) -> dict[str, str]:
        """Return the parameters that bound the request's life."""
        return {"recvWindow": str(self.window_ms), "timestamp": str(self.now)}


@dataclass(frozen=True, slots=True)
class Request:
    """Orders to keep first, and the call that places all of them or none."""

    orders: tuple[VenueOrder, ...]
    call: Call


def letter_of(client_id: str) -> str:
    """Return which part of an attempt a client id names."""
    return client_id[-1]


def attempt_of(client_id: str) -> int:
    """Return the number of the attempt that a client id belongs to."""
    return int(client_id.rpartition("-")[2][:-1])


def engine_id(client_id: str) -> str:
    """Return the engine's order id within a client id."""
    return client_id.rpartition("-")[0]


def entry_request(instrument: Instrument, order: Order, attempt: Attempt, ceiling: int = MAX_TICKS) -> Request:
    """Return a buy at no more than its budget, with its protection in the same list where the symbol takes that.

    `ceiling` is the highest price in ticks that a buy at the market may pay.
    """
    bracket = order.bracket_stop_ticks > 0 and instrument.brackets
    dearest = order.limit_ticks or min(ceiling, instrument.dearest(order.lots, order.budget_units))
    price = instrument.price_below(dearest)
    quantity = instrument.spec.quantity(order.lots)
    entry = _venue_order(order, attempt, ENTRY, "LIMIT", (quantity, price, Decimal(0)))
    if bracket:
        return _bracket(instrument, order, attempt, entry)
    kind = "GTC" if order.type is OrderType.LIMIT else "IOC"
    return _single(entry, attempt, Purpose.ENTRY, {"timeInForce": kind, "price": text(price)})


def exit_request(instrument: Instrument, order: Order, lots: int, attempt: Attempt) -> Request:
    """Return a sale at the market."""
    sold = _venue_order(order, attempt, EXIT, "MARKET", (instrument.spec.quantity(lots), Decimal(0), Decimal(0)))
    return _single(sold, attempt, Purpose.EXIT, {})


def protection_request(
    instrument: Instrument, order: Order, lots: int, attempt: Attempt, settings: BrokerSettings
) -> Request:
    """Return a stop for so many lots, paired with the target if there is one and the symbol takes pairs."""
    quantity = instrument.spec.quantity(lots)
    stop_price = instrument.price_below(order.stop_ticks)
    kind, floor = instrument.stop_type, Decimal(0)
    if kind == "STOP_LOSS_LIMIT":
        floor = instrument.price_below(int(order.stop_ticks * (1 - settings.stop_limit_rate)))
    stop = _venue_order(order, attempt, STOP, kind, (quantity, floor, stop_price))
    if not (order.limit_ticks and instrument.oco):
        limit = {"timeInForce": "GTC", "price": text(floor)} if floor else {}
        return _single(stop, attempt, Purpose.PROTECT, {"stopPrice": text(stop_price), **limit})
    target_price = instrument.price_above(order.limit_ticks)
    target = _venue_order(order, attempt, TARGET, "LIMIT_MAKER", (quantity, target_price, Decimal(0)))
    limit = {"belowTimeInForce": "GTC", "belowPrice": text(floor)} if floor else {}
    return _list("oco", (stop, target), attempt, Purpose.PROTECT, {
        "side": "SELL", "quantity": text(quantity),
        "aboveType": "LIMIT_MAKER", "aboveClientOrderId": target.client_id, "abovePrice": text(target_price),
        "belowType": kind, "belowClientOrderId": stop.client_id, "belowStopPrice": text(stop_price), **limit,
    })


def cancel_call(order: VenueOrder, now: int, window_ms: int) -> Call:
    """Return the request that takes an order, or the whole list that it belongs to, out of the book.

    It has longer than an order, `CANCEL_WINDOW_MS`: a late one harms nobody, while one that is refused for being late
    keeps a sale waiting. Not for ever: it must not cancel for a process that is long gone.
    """
    window_ms = max(window_ms, CANCEL_WINDOW_MS)
    which = {"listClientOrderId": order.list_id} if order.list_id else {"origClientOrderId": order.client_id}
    params = {"symbol": order.symbol, **which, "newClientOrderId": f"{order.client_id[:-1]}{CANCEL}",
              "recvWindow": str(window_ms), "timestamp": str(now)}
    return Call("DELETE", "orderList" if order.list_id else "order", params, 1, Purpose.CANCEL)


def query_call(order: VenueOrder) -> Call:
    """Return the question what became of an order."""
    return Call("GET", "order", {"symbol": order.symbol, "origClientOrderId": order.client_id}, 4, Purpose.QUERY)


def _bracket(instrument: Instrument, order: Order, attempt: Attempt, entry: VenueOrder) -> Request:
    """Return an OPO or OPOCO list: the venue gives the legs the quantity that the buy received, less commission.

    Where the symbol takes only OTO and OTOCO the legs get what the known rate of commission leaves. The buy fills at
    once and in full, or not at all (FOK): legs wake up only when it has filled completely.
    """
    kind, size, sized = "opo", entry.quantity, {}
    if not instrument.opo:
        size = instrument.spec.quantity(instrument.received(order.lots))
        kind, sized = "oto", {"pendingQuantity": text(size)}
    stop_price = instrument.price_below(order.bracket_stop_ticks)
    stop = _leg(order, attempt, STOP, (size, Decimal(0), stop_price))
    fields = {
        "workingType": "LIMIT", "workingSide": "BUY", "workingClientOrderId": entry.client_id,
        "workingPrice": text(entry.price), "workingQuantity": text(entry.quantity), "workingTimeInForce": "FOK",
        "pendingSide": "SELL", **sized,
    }
    if not order.bracket_target_ticks:
        pending = {"pendingType": "STOP_LOSS", "pendingClientOrderId": stop.client_id,
                   "pendingStopPrice": text(stop_price)}
        return _list(kind, (entry, stop), attempt, Purpose.ENTRY, fields | pending)
    target_price = instrument.price_above(order.bracket_target_ticks)
    target = _leg(order, attempt, TARGET, (size, target_price, Decimal(0)))
    return _list(f"{kind}co", (entry, stop, target), attempt, Purpose.ENTRY, fields | {
        "pendingAboveType": "LIMIT_MAKER", "pendingAboveClientOrderId": target.client_id,
        "pendingAbovePrice": text(target_price),
        "pendingBelowType": "STOP_LOSS", "pendingBelowClientOrderId": stop.client_id,
        "pendingBelowStopPrice": text(stop_price),
    })


def _leg(order: Order, attempt: Attempt, letter: str, sizes: tuple[Decimal, Decimal, Decimal]) -> VenueOrder:
    kind = "STOP_LOSS" if letter == STOP else "LIMIT_MAKER"
    return replace(_venue_order(order, attempt, letter, kind, sizes), side=Side.SELL.value)


def _venue_order(
    order: Order, attempt: Attempt, letter: str, kind: str, sizes: tuple[Decimal, Decimal, Decimal]
) -> VenueOrder:
    quantity, price, stop_price = sizes
    return VenueOrder(attempt.client_id(order, letter), order.client_id, order.symbol, order.side.value, kind, quantity,
                      attempt.now, price=price, stop_price=stop_price, params=attempt.stamp())


def _single(order: VenueOrder, attempt: Attempt, purpose: Purpose, fields: dict[str, str]) -> Request:
    params = {"symbol": order.symbol, "side": order.side, "type": order.kind, "quantity": text(order.quantity),
              "newClientOrderId": order.client_id, "newOrderRespType": "FULL", **fields, **attempt.stamp()}
    return Request((replace(order, params=params),), Call("POST", "order", params, 1, purpose))


def _list(
    kind: str, orders: tuple[VenueOrder, ...], attempt: Attempt, purpose: Purpose, fields: dict[str, str]
) -> Request:
    list_id = f"{orders[0].client_id[:-1]}{LIST}"
    params = {"symbol": orders[0].symbol, "listClientOrderId": list_id, "newOrderRespType": "RESULT", **fields,
              **attempt.stamp()}
    first, *others = (replace(order, list_id=list_id) for order in orders)
    return Request((replace(first, params=params), *others), Call("POST", f"orderList/{kind}", params, 1, purpose))
