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
        self._last_ticks: dict[str, int] = {}
        self._lots_left: dict[str, int] = {}
        self._started: dict[str, int] = {}
        self._n_fills = 0

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

    def on_open(self, symbol: str, price_ticks: int, volume_lots: int, time: int) -> None:
        """Fill waiting market orders at an open; an order younger than the stretch waits for the next one."""
        self._last_ticks[symbol] = price_ticks
        self._started[symbol] = time
        self._lots_left[symbol] = rules.fillable_lots(self._costs, volume_lots, volume_lots)
        for order in self._working(symbol, OrderType.MARKET):
            price = rules.buy_price if order.side is Side.BUY else rules.sell_price
            self._fill(order, price(self._costs, price_ticks), time, order.reason)

    def on_range(self, symbol: str, open_ticks: int, high_ticks: int, low_ticks: int, time: int) -> None:
        """Fill protective orders, then limit orders, over a range; the stop is assumed to come first."""
        for order in self._working(symbol, OrderType.OCO):
            self._match_oco(order, (open_ticks, high_ticks, low_ticks), time)
        for order in self._working(symbol, OrderType.LIMIT):
            price = _limit_price(order, open_ticks, high_ticks, low_ticks)
            if price:
                self._fill(order, price, time, order.reason)

    def snapshot(self) -> dict[str, Any]:
        """Return working orders, last prices, the volume that is left of this stretch and the fill counter."""
        orders = [asdict(order) for order in self._orders.values()]
        return {
            "orders": orders, "last_ticks": dict(self._last_ticks), "lots_left": dict(self._lots_left),
            "started": dict(self._started), "n_fills": self._n_fills,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Continue from a snapshot."""
        orders = [Order.of(row) for row in snapshot["orders"]]
        self._orders = {order.client_id: order for order in orders}
        self._last_ticks = dict(snapshot["last_ticks"])
        self._lots_left = dict(snapshot["lots_left"])
        self._started = dict(snapshot["started"])
        self._n_fills = snapshot["n_fills"]

    def _working(self, symbol: str, kind: OrderType) -> list[Order]:
        if not self._orders:
            return []
        start = self._started.get(symbol, 0)
        return [o for o in self._orders.values() if o.symbol == symbol and o.type is kind and o.time <= start]

    def _refusal(self, order: Order) -> str:
        market = self._markets.get(order.symbol)
        if market is None:
            return f"unknown symbol {order.symbol}"
        if order.client_id in self._orders:
            return "Duplicate order sent."
        if order.lots < max(1, market.min_lots) or 0 < market.max_lots < order.lots:
            return "Filter failure: LOT_SIZE"
        price = order.limit_ticks or order.stop_ticks or self._last_ticks.get(order.symbol, 0)
        if order.side is Side.BUY and price and rules.notional_floor(market, price, order.lots) < market.min_notional:
            return "Filter failure: NOTIONAL"
        return ""

    def _match_oco(self, order: Order, bar: tuple[int, int, int], time: int) -> None:
        leg, price = rules.protective_exit(*bar, order.stop_ticks, order.limit_ticks)
        if leg == rules.EXIT_STOP:
            triggered = replace(order, type=OrderType.MARKET, reason="stop")
            self._orders[order.client_id] = triggered
            self._fill(triggered, rules.sell_price(self._costs, price), time, "stop")
        elif leg == rules.EXIT_TARGET:
            self._fill(order, price, time, "target")

    def _fill(self, order: Order, price: int, time: int, reason: str) -> None:
        market = self._markets[order.symbol]
        lots = min(order.remaining_lots, self._lots_left.get(order.symbol, 0))
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


def _limit_price(order: Order, open_: int, high: int, low: int) -> int:
    """Return the price at which a limit order trades over a range; 0: never passed (a touch is not enough)."""
    limit = order.limit_ticks
    if order.side is Side.BUY:
        return open_ if open_ <= limit else limit if low < limit else 0
    return open_ if open_ >= limit else limit if high > limit else 0
