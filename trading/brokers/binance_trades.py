"""Executions as Binance tells them, in three shapes, and as the ledger books them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

from trading.brokers.binance_blotter import Ticket
from trading.brokers.binance_options import Instrument
from trading.brokers.binance_requests import EXIT, TARGET, letter_of
from trading.brokers.binance_settling import amount, whole
from trading.domain import Fill, Side
from trading.domain.venue import VenueOrder
from trading.errors import BrokenInvariant

UNITS, LATEST = 10**8, 2**53


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """One execution of one of the account's orders."""

    symbol: str
    trade_id: int
    venue_id: int
    side: str
    quantity: Decimal
    price: Decimal
    commission: Decimal
    asset: str
    time: int

    def __post_init__(self) -> None:
        """Raise ValueError when it can be no execution."""
        if not (self.quantity and self.price):
            raise ValueError(f"{self.symbol}: trade {self.trade_id} of {self.quantity} at {self.price}")


def of_my_trade(row: Mapping[str, Any]) -> VenueTrade:
    """Read a row of myTrades."""
    return VenueTrade(str(row["symbol"]), whole(row["id"]), whole(row["orderId"]), "BUY" if row["isBuyer"] else "SELL",
                      amount(row["qty"]), amount(row["price"]), amount(row["commission"]),
                      str(row["commissionAsset"]), whole(row["time"], LATEST))


def of_event(event: Mapping[str, Any]) -> VenueTrade:
    """Read the execution in an executionReport of type TRADE."""
    return VenueTrade(str(event["s"]), whole(event["t"]), whole(event["i"]), str(event["S"]), amount(event["l"]),
                      amount(event["L"]), amount(event["n"]), str(event["N"]), whole(event["T"], LATEST))


def of_answer(document: Mapping[str, Any]) -> list[VenueTrade]:
    """Read the fills in the answer to an order."""
    return [VenueTrade(str(document["symbol"]), whole(row["tradeId"]), whole(document["orderId"]),
                       str(document["side"]), amount(row["qty"]), amount(row["price"]), amount(row["commission"]),
                       str(row["commissionAsset"]), whole(document["transactTime"], LATEST))
            for row in document.get("fills", ())]


def fill_of(trade: VenueTrade, ticket: Ticket, order: VenueOrder, instrument: Instrument) -> Fill:
    """Return an execution in whole units; a commission in a third asset is none of this ledger.

    The money is exact; the price is rounded to a tick, since the venue may make its ticks finer at any time.

    Raises
    ------
    ValueError
        If the price is none.
    BrokenInvariant
        If the quantity is off the symbol's grid, or a buy costs more than its order allowed.
    """
    spec = instrument.spec
    lots = trade.quantity / spec.lot_size
    price_ticks = (trade.price / spec.tick_size).to_integral_value(ROUND_HALF_EVEN)
    if lots != int(lots):
        raise BrokenInvariant(f"{trade.symbol}: trade {trade.trade_id} of {trade.quantity} is off the grid of lots of "
                              f"{spec.lot_size}")
    if price_ticks < 1:
        raise ValueError(f"{trade.symbol}: trade {trade.trade_id} at {trade.price}, less than half a tick")
    buying = trade.side == Side.BUY
    if buying and order.price and trade.price > order.price:
        raise BrokenInvariant(f"{order.client_id}: bought at {trade.price}, above its limit of {order.price}")
    quote = (trade.price * trade.quantity * UNITS).to_integral_value(ROUND_CEILING if buying else ROUND_FLOOR)
    fee = int((trade.commission * UNITS).to_integral_value(ROUND_CEILING))
    return Fill(trade.trade_id, ticket.order.client_id, trade.symbol, Side(trade.side), int(lots), int(price_ticks),
                int(quote), fee if trade.asset == spec.base else 0, fee if trade.asset == spec.quote else 0, trade.time,
                _reason(ticket, order, int(price_ticks)))


def _reason(ticket: Ticket, order: VenueOrder, price_ticks: int) -> str:
    if not ticket.is_protection:
        return ticket.order.reason
    letter, stop, target = letter_of(order.client_id), ticket.order.stop_ticks, ticket.order.limit_ticks
    is_nearer = target > 0 and target - price_ticks <= price_ticks - stop
    return "target" if letter == TARGET or (letter == EXIT and is_nearer) else "stop"
