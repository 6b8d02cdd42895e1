"""From domain values to what the screen shows: units become money, ticks become prices, records become sentences."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from trading.domain import (
    QUOTE_UNIT,
    Decision,
    DecisionView,
    Fill,
    Order,
    OrderView,
    PositionView,
    SymbolSpec,
    Trade,
    TradeView,
)
from trading.domain.venue import Legs
from trading.journal import fill_text
from trading.portfolio import Portfolio, mean_price

ENTRY = "entry:"
ORDINARY = {"hold", "warming up", "no position"}


def money(units: int) -> Decimal:
    """Return 1e-8 units as a Decimal."""
    return QUOTE_UNIT * units


def decimals(spec: SymbolSpec) -> int:
    """Return how many digits a price of the symbol needs."""
    return max(0, -int(spec.tick_size.normalize().as_tuple().exponent))


def ratio(part: int, whole: int) -> float:
    """Return a fraction, 0 of nothing."""
    return part / whole if whole else 0.0


def _price(spec: SymbolSpec, ticks: int) -> Decimal | None:
    return spec.price(ticks) if ticks else None


def position_view(portfolio: Portfolio, symbol: str, legs: Legs | None = None) -> PositionView:
    """Return an open position; its P&L is value less cost (entry fee in), as in the tile and the ledger.

    Stop and target are those that stand at the venue (`legs`), or that are wished for where that is not known.
    """
    spec, holding = portfolio.specs[symbol], portfolio.holdings[symbol]
    unrealized = portfolio.unrealized(symbol)
    return PositionView(
        symbol=symbol, display=spec.display, side="LONG", quantity=spec.quantity(portfolio.sellable_lots(symbol)),
        entry_price=Decimal(mean_price(spec, holding.entry_units, holding.entry_lots)),
        price=spec.price(portfolio.marks[symbol]), value=money(portfolio.value(symbol)),
        pnl=money(unrealized), pnl_rate=ratio(unrealized, holding.cost),
        stop=legs.stop if legs else _price(spec, holding.stop_ticks),
        target=legs.target if legs else _price(spec, holding.target_ticks),
        opened_by=holding.source, entry_time=holding.entry_time, decimals=decimals(spec),
        decision=f"{ENTRY}{symbol}@{holding.entry_time}",
    )


def order_view(spec: SymbolSpec, order: Order) -> OrderView:
    """Return an order."""
    return OrderView(
        client_id=order.client_id, symbol=order.symbol, display=spec.display, side=order.side.value,
        type=order.type.value, quantity=spec.quantity(order.lots), filled=spec.quantity(order.filled_lots),
        limit=spec.price(order.limit_ticks) if order.limit_ticks else None,
        stop=spec.price(order.stop_ticks) if order.stop_ticks else None,
        status=order.status.value, reason=order.reason, time=order.time,
    )


def trade_view(spec: SymbolSpec, trade: Trade) -> TradeView:
    """Return a finished trade."""
    entry = Decimal(trade.entry_price)
    cost = entry * spec.quantity(trade.lots)
    pnl = money(trade.pnl)
    return TradeView(
        number=trade.number, symbol=trade.symbol, display=spec.display, side=trade.side,
        quantity=spec.quantity(trade.lots), entry_time=trade.entry_time, entry_price=entry,
        exit_time=trade.exit_time, exit_price=Decimal(trade.exit_price), fees=money(trade.fees), pnl=pnl,
        pnl_rate=float(pnl / cost) if cost else 0.0, opened_by=trade.opened_by,
        closed_because=trade.closed_because, decimals=decimals(spec),
        decision=f"{ENTRY}{trade.symbol}@{trade.entry_time}",
    )


def decision_key(decision: Decision) -> str:
    """Return the name by which the screen asks for a decision: its bar, or the order where no bar led to it."""
    return decision.client_id if _is_beside_bars(decision) else f"{decision.symbol}@{decision.time}"


def _is_beside_bars(decision: Decision) -> bool:
    return bool(decision.client_id) and not decision.signals


def decision_view(spec: SymbolSpec, decision: Decision, fills: Iterable[Fill]) -> DecisionView:
    """Return all that led to a bar's outcome, one line a step."""
    price = f"{decision.price:,.{decimals(spec)}f}"
    lines = [("PRICE", f"{spec.display} stood at {price}", "plain") if _is_beside_bars(decision)
             else ("BAR", f"{spec.display} closed at {price}", "plain")]
    for signal in decision.signals:
        tone = {"BUY": "good", "SELL": "bad"}.get(signal.action, "plain")
        lines.append(("SIGNAL", f"{signal.source}: {signal.action} {signal.confidence:.2f} · {signal.reason}", tone))
        if "version" in signal.votes:
            lines.append(("MODEL", " · ".join(f"{name} {vote}" for name, vote in signal.votes.items()), "plain"))
        figures = " · ".join(f"{name} {figure(value)}" for name, value in signal.inputs.items())
        if figures:
            lines.append(("INPUTS", figures, "plain"))
    lines += [("RISK", f"{v.rule}: {v.detail}", "plain" if v.passed else "bad") for v in decision.verdicts]
    lines.append(("OUTCOME", f"{decision.outcome} · {decision.reason}", _tone(decision.outcome)))
    if decision.client_id:
        lines.append(("ORDER", decision.client_id, "plain"))
    lines += [("FILL", fill_text(spec, fill), "good") for fill in fills]
    return DecisionView(decision_key(decision), decision.symbol, spec.display, decision.time, decision.outcome,
                        tuple(lines))


def figure(value: float) -> str:
    """Return a number with two decimals, or with three digits that count where two decimals would hide it."""
    return f"{value:,.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3g}"


def _tone(outcome: str) -> str:
    if outcome.startswith("denied"):
        return "bad"
    return "plain" if outcome in ORDINARY else "good"
