"""Binance's filters, in its arithmetic, on whole units of 1e-8."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from trading.simulation.book_order import Kind
from trading.simulation.exchange.accounts import UNITS, Account
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.refusals import filter_failure, refusal
from trading.simulation.exchange.symbols import Document, units_of
from trading.simulation.exchange.wishes import Wish

BIPS_ABOVE = (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)


@dataclass(frozen=True, slots=True)
class Case:
    """An order before the filters: who asks for it where, and which others it is placed with."""

    wish: Wish
    desk: Desk
    account: Account
    together: Sequence[Wish]

    @property
    def reference(self) -> int:
        """Return the average price in units."""
        return self.desk.view.average_units()

    @property
    def notional(self) -> int:
        """Return price times quantity in units; a market order's price is the average, or the amount itself."""
        if self.wish.quote:
            return self.wish.quote
        price = self.wish.price or self.reference
        return price * self.wish.quantity // UNITS

    def open_wishes(self, wanted: Callable[[Kind, int], bool]) -> int:
        """Count open orders of the account here, and those asked for, of which kind and iceberg part are wanted."""
        mine = self.account.uid
        there = sum(wanted(t.kind, t.display) for t in self.desk.open.values() if t.account.uid == mine)
        return there + sum(wanted(each.kind, each.iceberg) for each in self.together)


def check_filters(case: Case, names: Collection[str] = ()) -> None:
    """Refuse an order that a filter of its symbol refuses; only those of these names, when any are given.

    Raises
    ------
    VenueError
        -1013, with the name of the first one, in the document's order.
    """
    for document in case.desk.symbol.document["filters"]:
        name = document["filterType"]
        passes = FILTERS.get(name) if not names or name in names else None
        if passes is not None and not passes(case, document):
            raise filter_failure(name)


def check_amendments(desk: Desk, n_before: int) -> None:
    """Refuse a further amendment of an order that had as many as are allowed."""
    document = desk.symbol.filters.get("MAX_NUM_ORDER_AMENDS")
    if document is not None and n_before >= int(document["maxNumOrderAmends"]):
        raise refusal(-2038, "Order amend limit was reached: MAX_NUM_ORDER_AMENDS.")


def on_grid(amount: int, document: Document, names: tuple[str, str, str]) -> bool:
    """Return whether an amount lies between the first two fields and on the third's grid; 0 turns a rule off."""
    lowest, highest, step = (units_of(document[name]) for name in names)
    return (not lowest or amount >= lowest) and (not highest or amount <= highest) and (
        not step or amount % step == 0)


def _price(case: Case, document: Document) -> bool:
    names = ("minPrice", "maxPrice", "tickSize")
    return all(on_grid(each, document, names) for each in (case.wish.price, case.wish.stop) if each)


_LOT = ("minQty", "maxQty", "stepSize")


def _lot(case: Case, document: Document) -> bool:
    return all(on_grid(each, document, _LOT) for each in (case.wish.quantity, case.wish.iceberg) if each)


def _market_lot(case: Case, document: Document) -> bool:
    return not case.wish.kind.is_market or not case.wish.quantity or on_grid(case.wish.quantity, document, _LOT)


def _min_notional(case: Case, document: Document) -> bool:
    if case.wish.kind.is_market and not document.get("applyToMarket", True):
        return True
    return _unknown(case) or case.notional >= units_of(document["minNotional"])


def _notional(case: Case, document: Document) -> bool:
    is_market = case.wish.kind.is_market
    if _unknown(case):
        return True
    if (not is_market or document["applyMinToMarket"]) and case.notional < units_of(document["minNotional"]):
        return False
    return (is_market and not document["applyMaxToMarket"]) or case.notional <= units_of(document["maxNotional"])


def _unknown(case: Case) -> bool:
    """Return whether a market order's worth cannot be told: nothing ever traded."""
    return not (case.wish.price or case.wish.quote or case.reference)


def _percent(case: Case, document: Document) -> bool:
    return _within(case, document["multiplierUp"], document["multiplierDown"])


def _percent_by_side(case: Case, document: Document) -> bool:
    side = "bid" if case.wish.is_buy else "ask"
    return _within(case, document[f"{side}MultiplierUp"], document[f"{side}MultiplierDown"])


def _within(case: Case, up: str, down: str) -> bool:
    price, reference = case.wish.price, case.reference
    if not price or not reference:
        return True
    return reference * units_of(down) <= price * UNITS <= reference * units_of(up)


def _iceberg(case: Case, document: Document) -> bool:
    wish = case.wish
    return not wish.iceberg or -(-wish.quantity // wish.iceberg) <= int(document["limit"])


def _trailing(case: Case, document: Document) -> bool:
    wish = case.wish
    if not wish.trail:
        return True
    word = "Above" if wish.is_buy is (wish.kind in BIPS_ABOVE) else "Below"
    return int(document[f"minTrailing{word}Delta"]) <= wish.trail <= int(document[f"maxTrailing{word}Delta"])


def _max_orders(case: Case, document: Document) -> bool:
    return case.open_wishes(lambda kind, part: True) <= int(document["maxNumOrders"])


def _max_algo(case: Case, document: Document) -> bool:
    if not any(each.kind.is_stop for each in case.together):
        return True
    return case.open_wishes(lambda kind, part: kind.is_stop) <= int(document["maxNumAlgoOrders"])


def _max_iceberg(case: Case, document: Document) -> bool:
    if not any(each.iceberg for each in case.together):
        return True
    return case.open_wishes(lambda kind, part: part > 0) <= int(document["maxNumIcebergOrders"])


def _max_position(case: Case, document: Document) -> bool:
    if not case.wish.is_buy:
        return True
    balance, lot = case.account.balance(case.desk.symbol.base), case.desk.symbol.lot
    coming = sum(t.left * lot for t in case.desk.open.values() if t.account.uid == case.account.uid and t.is_buy)
    return balance.free + balance.locked + coming + case.wish.quantity <= units_of(document["maxPosition"])


FILTERS: dict[str, Callable[[Case, Document], bool]] = {
    "PRICE_FILTER": _price, "LOT_SIZE": _lot, "MARKET_LOT_SIZE": _market_lot, "MIN_NOTIONAL": _min_notional,
    "NOTIONAL": _notional, "PERCENT_PRICE": _percent, "PERCENT_PRICE_BY_SIDE": _percent_by_side,
    "ICEBERG_PARTS": _iceberg, "TRAILING_DELTA": _trailing, "MAX_NUM_ORDERS": _max_orders,
    "MAX_NUM_ALGO_ORDERS": _max_algo, "MAX_NUM_ICEBERG_ORDERS": _max_iceberg, "MAX_POSITION": _max_position,
}
"""By name; what is not here is asked elsewhere (lists, amendments) or is no rule of a single order."""
