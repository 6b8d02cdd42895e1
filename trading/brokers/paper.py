"""A venue inside this process: fills orders from the market's own prices and volume, never better than they allow.

Market orders fill at the open of the next stretch of trading (a tick or a bar) with half the spread and slippage;
limit orders when the price passes them; stops at the stop or, after a gap, at the open, with slippage. All orders
on a symbol together take at most a share of the volume traded; what is left waits for the next stretch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from trading import rules
from trading.domain import Fill, Order, OrderStatus, OrderType, Side
from trading.events import Event, OrderEnded, OrderFilled, OrderPlaced
from trading.ports import Stretch
from trading.rules import Costs, Market


class PaperBroker:
    """Matches orders against market data that the engine shows it."""

    badge = "PAPER"
    is_external = False

    def __init__(self, markets: dict[str, Market], costs: Costs, publish: Callable[[Event], None]) -> None:
        self._markets = markets
        self._costs = costs
        self._publish = publish
        self._orders: dict[str, Order] = {}
        self._lots_left: dict[str, int] = {}
        self._stretch: dict[str, Stretch] = {}
        self._n_fills = 0

    def now(self) -> int:
        """Return 0: the market's own time counts."""
        return 0

    def is_far(self, symbol: str, price_ticks: int) -> bool:
        """Return False: the market that is shown is the market."""
        return False

    doubts = is_far

    def place(self, order: Order) -> None:
        """Accept an order, or reject it for the reason the real venue would give."""
        refusal = self._refusal(order)
        if refusal:
            self._end(order, "REJECTED", order.time, refusal)
            return
        accepted = replace(order, status=OrderStatus.WORKING)
        self._orders[order.client_id] = accepted
        self._publish(OrderPlaced(accepted))

    def amend(self, order: Order) -> None:
        """Replace a working order's quantity and protective prices; a triggered one keeps selling, ended is ignored."""
        current = self._orders.get(order.client_id)
        if current is not None:
            self._orders[order.client_id] = replace(current, lots=order.lots, limit_ticks=order.limit_ticks,
                                                    stop_ticks=order.stop_ticks)

    def cancel(self, client_id: str, time: int) -> None:
        """Take an order out of the book."""
        order = self._orders.pop(client_id, None)
        if order is not None:
            self._end(order, "CANCELED", time, "canceled by the cockpit")

    def on_open(self, stretch: Stretch) -> None:
        """Fill waiting market orders at an open; an order younger than the stretch waits for the next one."""
        symbol = stretch.symbol
        self._stretch[symbol] = stretch
        self._lots_left.pop(symbol, None)
        if not self._orders:
            return
        for order in self._working(symbol, OrderType.MARKET):
            self._fill(order, self._market_price(order, stretch.price_ticks), stretch.time, order.reason)

    def _left(self, symbol: str) -> int:
        """Return what is left of the volume that orders on a symbol may take; it is counted when first asked for."""
        stretch = self._stretch.get(symbol)
        if stretch is not None and symbol not in self._lots_left:
            volume = stretch.volume_lots
            self._lots_left[symbol] = rules.fillable_lots(self._costs, volume, volume)
        return self._lots_left.get(symbol, 0)

    def on_range(self, symbol: str, open_ticks: int, high_ticks: int, low_ticks: int, time: int) -> None:
        """Fill protective orders, then limit orders, over a range; the stop is assumed to come first."""
        if not self._orders:
            return
        for order in self._working(symbol, OrderType.OCO):
            self._match_oco(order, (open_ticks, high_ticks, low_ticks), time)
        for order in self._working(symbol, OrderType.LIMIT):
            price = _limit_price(order, open_ticks, high_ticks, low_ticks)
            if price:
                self._fill(order, price, time, order.reason)

    def snapshot(self) -> dict[str, Any]:
        """Return working orders, the stretches at hand with the volume that is left of them, and the fill counter."""
        orders = [asdict(order) for order in self._orders.values()]
        return {
            "orders": orders, "lots_left": {symbol: self._left(symbol) for symbol in self._stretch},
            "n_fills": self._n_fills,
            "stretches": {symbol: stretch._asdict() for symbol, stretch in self._stretch.items()},
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        orders = [Order.of(row) for row in snapshot["orders"]]
        self._orders = {order.client_id: order for order in orders}
        self._lots_left = dict(snapshot["lots_left"])
        stretches = snapshot["stretches"] if "stretches" in snapshot else _of_old(snapshot)
        self._stretch = {symbol: Stretch(**row) for symbol, row in stretches.items()}
        self._n_fills = snapshot["n_fills"]

    def _working(self, symbol: str, kind: OrderType) -> list[Order]:
        start = self._stretch[symbol].time if symbol in self._stretch else 0
        return [o for o in self._orders.values() if o.symbol == symbol and o.type is kind and o.time <= start]

    def _refusal(self, order: Order) -> str:
        market = self._markets.get(order.symbol)
        if market is None:
            return f"unknown symbol {order.symbol}"
        if order.client_id in self._orders:
            return "Duplicate order sent."
        if order.lots < max(1, market.min_lots) or 0 < market.max_lots < order.lots:
            return "Filter failure: LOT_SIZE"
        stretch = self._stretch.get(order.symbol)
        price = order.limit_ticks or order.stop_ticks or (stretch.price_ticks if stretch else 0)
        if order.side is Side.BUY and price and rules.notional_floor(market, price, order.lots) < market.min_notional:
            return "Filter failure: NOTIONAL"
        return ""

    def _match_oco(self, order: Order, bar: tuple[int, int, int], time: int) -> None:
        leg, price = rules.protective_exit(*bar, order.stop_ticks, order.limit_ticks)
        if leg == rules.EXIT_STOP:
            triggered = replace(order, type=OrderType.MARKET, reason="stop")
            self._orders[order.client_id] = triggered
            self._fill(triggered, self._market_price(triggered, price), time, "stop")
        elif leg == rules.EXIT_TARGET:
            self._fill(order, price, time, "target")

    def _market_price(self, order: Order, price: int) -> int:
        stretch = self._stretch[order.symbol]
        share = rules.volume_taken(min(order.remaining_lots, self._left(order.symbol)), stretch.volume_lots)
        paid = rules.buy_price if order.side is Side.BUY else rules.sell_price
        return paid(self._costs, price, stretch.atr_ticks, share)

    def _fill(self, order: Order, price: int, time: int, reason: str) -> None:
        market = self._markets[order.symbol]
        lots = min(order.remaining_lots, self._left(order.symbol))
        if order.side is Side.BUY:
            affordable = rules.affordable_lots(market, order.budget_units, price)
            if affordable == 0:
                self._orders.pop(order.client_id)
                self._end(order, "EXPIRED", time, "the price left what was reserved for it")
                return
            lots = min(lots, affordable)
        if lots <= 0:
            return
        fill = self._execution(order, lots, price, time, reason)
        self._book(order, fill)

    def _execution(self, order: Order, lots: int, price: int, time: int, reason: str) -> Fill:
        market = self._markets[order.symbol]
        buying = order.side is Side.BUY
        quote = (rules.notional_ceil if buying else rules.notional_floor)(market, price, lots)
        fee_atoms = rules.commission_atoms(market, self._costs, lots) if buying else 0
        fee_quote = 0 if buying else rules.commission_units(self._costs, quote)
        self._n_fills += 1
        return Fill(self._n_fills, order.client_id, order.symbol, order.side, lots, price, quote, fee_atoms, fee_quote,
                    time, reason)

    def _book(self, order: Order, fill: Fill) -> None:
        self._lots_left[order.symbol] -= fill.lots
        budget = order.budget_units - fill.quote_units if order.side is Side.BUY else 0
        after = replace(order, filled_lots=order.filled_lots + fill.lots, status=OrderStatus.PARTIALLY_FILLED,
                        budget_units=budget)
        complete = after.remaining_lots == 0
        if complete:
            del self._orders[order.client_id]
        else:
            self._orders[order.client_id] = after
        self._publish(OrderFilled(fill, complete))

    def _end(self, order: Order, kind: str, time: int, detail: str) -> None:
        self._publish(OrderEnded(order.client_id, order.symbol, kind, time, detail))


def _of_old(snapshot: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the stretches of a snapshot written before 0.2, which kept prices and starts apart."""
    return {symbol: {"symbol": symbol, "price_ticks": ticks, "volume_lots": 0, "time": snapshot["started"][symbol]}
            for symbol, ticks in snapshot["last_ticks"].items()}


def _limit_price(order: Order, open_: int, high: int, low: int) -> int:
    """Return the price at which a limit order trades over a range; 0: never passed (a touch is not enough)."""
    limit = order.limit_ticks
    if order.side is Side.BUY:
        return open_ if open_ <= limit else limit if low < limit else 0
    return open_ if open_ >= limit else limit if high > limit else 0
