"""From an approved entry to a protected position and out again: places orders, books fills, keeps the stop in place."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trading import rules
from trading.bus import Bus
from trading.domain import Decision, Order, OrderType, Side, Trade
from trading.events import (
    AlertLogged,
    DecisionMade,
    FillsConfirmed,
    NumberUsed,
    OrderEnded,
    OrderFilled,
    OrderPlaced,
    OrderTakenOver,
    PositionUpdated,
    ProtectionWanted,
    TradeClosed,
    VenueSaid,
)
from trading.journal import Journal
from trading.orders import OrderManager
from trading.portfolio import Holding, Portfolio
from trading.ports import Recorder
from trading.risk import Approval, EntryRequest, Risk
from trading.rules import Limits, Position

BECAUSE = {"time": "held as long as the time stop allows", "manual": "closed by hand", "flatten": "flattened by hand"}
"""Why a position is left when no agent said so, by the order's reason."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What execution works with."""

    bus: Bus
    portfolio: Portfolio
    orders: OrderManager
    risk: Risk
    recorder: Recorder
    journal: Journal


class Execution:
    """Owns the life of a position."""

    def __init__(self, desk: Desk) -> None:
        self._bus, self._portfolio, self._orders = desk.bus, desk.portfolio, desk.orders
        self._risk, self._recorder, self._journal = desk.risk, desk.recorder, desk.journal
        desk.portfolio.may_owe = desk.orders.is_external  # what a venue has bought is bought, whatever was planned
        self.atr_ticks: dict[str, int] = {}
        self._last_exit: dict[str, str] = {}
        self._raised_by: dict[str, Limits] = {}
        self._found_stops: dict[str, int] = {}
        desk.bus.subscribe(OrderPlaced, self._on_placed)
        desk.bus.subscribe(OrderFilled, self._on_filled)
        desk.bus.subscribe(OrderEnded, self._on_ended)
        desk.bus.subscribe(OrderTakenOver, self._on_taken_over)
        desk.bus.subscribe(NumberUsed, self._on_number_used)
        desk.bus.subscribe(FillsConfirmed, self._on_confirmed)
        desk.bus.subscribe(ProtectionWanted, self._on_protection_wanted)
        desk.bus.subscribe(VenueSaid, self._on_venue_said)

    def enter(self, request: EntryRequest, approval: Approval, source: str, why: Decision | None = None) -> Order:
        """Send the approved market buy; the record of `why` is kept as safely as its intent."""
        order = Order(self._orders.next_id(), request.symbol, Side.BUY, OrderType.MARKET, approval.lots, request.time,
                      "add" if request.adds else "entry", budget_units=approval.budget_units, source=source)
        if self._orders.is_external and not request.adds:
            order = self._with_bracket(order, request)
        self._orders.submit(order, why)
        return order

    def _with_bracket(self, order: Order, request: EntryRequest) -> Order:
        limits, price, atr = self._risk.limits, request.price_ticks, request.atr_ticks
        return replace(order, bracket_stop_ticks=rules.stop_price(price, atr, limits.stop_atr),
                       bracket_target_ticks=rules.target_price(price, atr, limits.target_atr))

    def exit(self, symbol: str, lots: int, reason: str, time: int, why: Decision | None = None) -> Order | None:
        """Sell part or all of a position at the market; protection shrinks first, working entries are cancelled.

        The record of `why` is kept as safely as the intent; a sale that no agent asked for gets one of its own. None
        when an exit is working already or what is left is less than the venue takes.
        """
        self.cancel_entries(symbol, time)
        lots = self._largest(symbol, min(lots, self.free_lots(symbol)))
        if lots < self._portfolio.markets[symbol].min_lots:
            self._set_dust_aside(symbol, time)
            return None
        self.protect(symbol, time, leaving=lots)
        order = Order(self._orders.next_id(), symbol, Side.SELL, OrderType.MARKET, lots, time, reason)
        if why is None:
            self._tell_why(order)
        self._orders.submit(order, why)
        return order

    def _tell_why(self, order: Order) -> None:
        """Record why a sale is sent that no bar's advice led to; its number keeps two of one moment apart."""
        symbol, portfolio = order.symbol, self._portfolio
        spec, held = portfolio.specs[symbol], portfolio.sellable_lots(symbol)
        words = (f"{BECAUSE.get(order.reason, order.reason)}: {spec.quantity(order.lots):f} of "
                 f"{spec.quantity(held):f} {spec.base}")
        price = float(spec.price(portfolio.marks.get(symbol, 0)))
        made = Decision(symbol, order.time, price, order.side.value, f"exit: {order.reason} #{order.number}", words,
                        client_id=order.client_id)
        self._recorder.record(made)
        self._bus.publish(DecisionMade(made))

    def cancel_entries(self, symbol: str | None, time: int) -> int:
        """Cancel working buys of a symbol, or of all; return how many."""
        entries = [o for o in self._orders.working.values() if o.side is Side.BUY and symbol in (None, o.symbol)]
        for order in entries:
            self._orders.cancel(order, time)
        return len(entries)

    def protect(self, symbol: str, time: int, leaving: int = 0) -> None:
        """Make the protective order cover all that is held and not already on its way out."""
        existing = self._orders.protection(symbol)
        lots = self._largest(symbol, self.free_lots(symbol) - leaving)
        holding = self._portfolio.holdings[symbol]
        if existing is None:
            if lots > 0 and holding.is_open:
                self._place_protection(symbol, holding, lots, time)
        elif lots <= 0:
            self._orders.cancel(existing, time)
        else:
            self._amend(existing, holding, lots)

    def on_bar(self, symbol: str, high_ticks: int, time: int, managed: bool) -> None:
        """Raise the stop and count the bars of a position that is `managed`, on a closed bar."""
        holding = self._portfolio.holdings[symbol]
        if holding.cool_bars > 0:
            holding.cool_bars -= 1
        if not managed or not holding.is_open:
            return
        self._raise_stop(symbol, holding, high_ticks, time)
        holding.n_bars += 1
        limit = self._risk.limits.time_stop_bars
        if 0 < limit <= holding.n_bars:
            self.exit(symbol, self._portfolio.sellable_lots(symbol), "time", time)

    def _raise_stop(self, symbol: str, holding: Holding, high_ticks: int, time: int) -> None:
        limits = self._risk.limits
        if high_ticks <= holding.high_ticks and holding.n_bars > 0 and self._raised_by.get(symbol) is limits:
            return  # the rule was asked about this high under these limits
        self._raised_by[symbol] = limits
        holding.high_ticks = max(holding.high_ticks, high_ticks)
        position = Position(holding.entry_ticks, holding.atr_ticks, holding.stop_ticks, holding.stop_kind)
        stop, holding.stop_kind = rules.raised_stop(limits, position, holding.high_ticks)
        if stop > holding.stop_ticks:
            holding.stop_ticks = stop
            self.protect(symbol, time)

    def free_lots(self, symbol: str) -> int:
        """Return lots that can be sold and are not in a market sell already."""
        leaving = sum(o.remaining_lots for o in self._orders.of(symbol, Side.SELL) if o.type is not OrderType.OCO)
        return self._portfolio.sellable_lots(symbol) - leaving

    def _largest(self, symbol: str, lots: int) -> int:
        """Return lots, or the largest order that the venue takes."""
        most = self._portfolio.markets[symbol].max_lots
        return min(lots, most) if most > 0 else lots

    def _place_protection(self, symbol: str, holding: Holding, lots: int, time: int) -> None:
        if lots < self._portfolio.markets[symbol].min_lots:
            display = self._portfolio.specs[symbol].display
            self._bus.publish(AlertLogged(time, f"{display} is not protected: {lots} lots are too few for an order"))
            return
        self._orders.submit(Order(self._orders.next_id(), symbol, Side.SELL, OrderType.OCO, lots, time, "protection",
                                  limit_ticks=holding.target_ticks, stop_ticks=holding.stop_ticks))

    def _amend(self, existing: Order, holding: Holding, lots: int) -> None:
        amended = replace(existing, lots=existing.filled_lots + lots, stop_ticks=holding.stop_ticks,
                          limit_ticks=holding.target_ticks)
        if amended != existing:
            self._orders.amend(amended)

    def _on_placed(self, event: OrderPlaced) -> None:
        self._orders.on_placed(event)

    def _on_filled(self, event: OrderFilled) -> None:
        fill = event.fill
        if self._portfolio.is_booked(fill):
            self._journal.write(fill.time, "FILL", f"repeated fill {fill.trade_id} ignored", "warn", fill.symbol)
            return
        order = self._orders.on_filled(event)
        self._recorder.record(fill)
        trade = self._portfolio.apply(fill, order.source)
        if self._portfolio.cash < 0 and fill.side is Side.BUY:
            self._bus.publish(AlertLogged(fill.time, f"{fill.symbol} was bought for more than the cash that was left: "
                                                     "compare the books with the venue"))
        if not self._orders.is_external:
            self._portfolio.confirm(fill.symbol, fill.trade_id)
        if fill.side is Side.BUY:
            self._set_protection(order, fill.price_ticks)
        else:
            self._last_exit[fill.symbol] = fill.reason
        if fill.side is Side.SELL and trade is None:
            self.cancel_entries(fill.symbol, fill.time)
        self._journal.fill(self._portfolio.specs[fill.symbol], fill)
        if trade is not None:
            self.cancel_entries(fill.symbol, fill.time)
            self._announce(trade)
        self.protect(fill.symbol, fill.time)
        self._set_dust_aside(fill.symbol, fill.time)
        self._bus.publish(PositionUpdated(fill.symbol, fill.time, self._portfolio.sellable_lots(fill.symbol)))

    def _announce(self, trade: Trade) -> None:
        cool = self._risk.limits.cool_down_bars
        self._portfolio.holdings[trade.symbol].cool_bars = cool + 1 if cool else 0
        self._recorder.record(trade)
        self._journal.trade(self._portfolio.specs[trade.symbol], trade)
        self._bus.publish(TradeClosed(trade))

    def _set_dust_aside(self, symbol: str, time: int, refused: bool = False) -> None:
        """Let go of a position that no order could sell, so that it does not block the next one."""
        lots, market = self._portfolio.sellable_lots(symbol), self._portfolio.markets[symbol]
        busy = any(order.symbol == symbol for order in self._orders.working.values())
        if busy or not self._portfolio.holdings[symbol].is_open or (lots >= market.min_lots and not refused):
            return
        display = self._portfolio.specs[symbol].display
        self._journal.write(time, "ORDER", "what is left is too little to sell: set aside", "warn", display)
        reason = self._last_exit.get(symbol, "dust") if refused else "dust"
        trade = self._portfolio.set_dust_aside(symbol, time, reason)
        if trade is not None:
            self._announce(trade)

    def _set_protection(self, order: Order, price_ticks: int) -> None:
        """Fix stop and target from the first fill, or as the venue was told; later fills of the trade share them."""
        holding = self._portfolio.holdings[order.symbol]
        if holding.stop_ticks == 0:
            limits = self._risk.limits
            holding.atr_ticks = self.atr_ticks.get(order.symbol, 0)
            if order.bracket_stop_ticks:
                holding.stop_ticks = max(order.bracket_stop_ticks, self._found_stops.pop(order.symbol, 0))
                holding.target_ticks = order.bracket_target_ticks
                return
            holding.stop_ticks = rules.stop_price(price_ticks, holding.atr_ticks, limits.stop_atr)
            holding.target_ticks = rules.target_price(price_ticks, holding.atr_ticks, limits.target_atr)

    def _on_ended(self, event: OrderEnded) -> None:
        order = self._orders.on_ended(event)
        if order is None:
            return
        unexpected = event.kind != "CANCELED"
        text = f"{event.kind.lower()}: {order.side} {order.type} {order.client_id} · {event.detail}"
        display = self._portfolio.specs[event.symbol].display
        self._journal.write(event.time, "ORDER", text, "warn" if unexpected else "plain", display)
        if order.type is OrderType.OCO and unexpected and not event.dust:
            self._bus.publish(AlertLogged(event.time, f"{display} is not protected: {order.client_id} {text}"))
        elif order.side is Side.SELL and not event.dust:
            self.protect(event.symbol, event.time)
        self._set_dust_aside(event.symbol, event.time, event.dust)

    def _on_taken_over(self, event: OrderTakenOver) -> None:
        order = event.order
        self._orders.take_over(order)
        if order.type is OrderType.OCO:
            self._found_stops[order.symbol] = order.stop_ticks
        text = f"found at the venue and taken over: {order.side} {order.type} {order.client_id}"
        self._journal.write(order.time, "ORDER", text, "warn", self._portfolio.specs[order.symbol].display)

    def _on_number_used(self, event: NumberUsed) -> None:
        self._orders.skip(event.number)

    def _on_confirmed(self, event: FillsConfirmed) -> None:
        self._portfolio.confirm(event.symbol, event.trade_id)

    def _on_protection_wanted(self, event: ProtectionWanted) -> None:
        self.protect(event.symbol, event.time)

    def _on_venue_said(self, event: VenueSaid) -> None:
        spec = self._portfolio.specs.get(event.symbol)
        text = f"{spec.display} {event.text}" if spec else event.text
        self._journal.write(event.time, "VENUE", text, event.tone)
        if event.tone in ("bad", "warn"):
            self._bus.publish(AlertLogged(event.time, text))

