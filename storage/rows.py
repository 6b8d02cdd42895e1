"""Domain values to table rows and back. Money leaves as decimal text with eight digits."""

from __future__ import annotations

import json
from dataclasses import asdict
from decimal import Decimal
from math import isfinite
from typing import Any

from trading.domain import (
    Action,
    Decision,
    EquityPoint,
    Fill,
    JournalLine,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Signal,
    SymbolSpec,
    Trade,
    Verdict,
)

UNIT = Decimal("1e-8")
Row = dict[str, Any]


def money(units: int) -> str:
    """Return 1e-8 units as decimal text."""
    return format(UNIT * units, "f")


def units(text: str) -> int:
    """Return decimal text as 1e-8 units."""
    return int(Decimal(text) / UNIT)


def plain(value: Decimal) -> str:
    """Return a decimal without an exponent."""
    return format(value, "f")


def order_row(spec: SymbolSpec, order: Order) -> Row:
    """Return an order's row."""
    return {
        "client_id": order.client_id,
        "number": order.number,
        "time": order.time,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type.value,
        "status": order.status.value,
        "quantity": plain(spec.quantity(order.lots)),
        "filled": plain(spec.quantity(order.filled_lots)),
        "limit_price": plain(spec.price(order.limit_ticks)),
        "stop_price": plain(spec.price(order.stop_ticks)),
        "reason": order.reason,
        "source": order.source,
    }


def order_of(spec: SymbolSpec, row: Row) -> Order:
    """Return the order of a row."""
    return Order(
        row["client_id"],
        row["symbol"],
        Side(row["side"]),
        OrderType(row["type"]),
        spec.to_lots(Decimal(row["quantity"])),
        row["time"],
        row["reason"],
        limit_ticks=int(Decimal(row["limit_price"]) / spec.tick_size),
        stop_ticks=int(Decimal(row["stop_price"]) / spec.tick_size),
        status=OrderStatus(row["status"]),
        filled_lots=spec.to_lots(Decimal(row["filled"])),
        source=row["source"],
    )


def fill_row(spec: SymbolSpec, fill: Fill) -> Row:
    """Return a fill's row."""
    return {
        "symbol": fill.symbol,
        "trade_id": fill.trade_id,
        "client_id": fill.client_id,
        "side": fill.side.value,
        "quantity": plain(spec.quantity(fill.lots)),
        "price": plain(spec.price(fill.price_ticks)),
        "quote_quantity": money(fill.quote_units),
        "commission_base": money(fill.fee_atoms),
        "commission_quote": money(fill.fee_quote_units),
        "time": fill.time,
        "reason": fill.reason,
    }


def fill_of(spec: SymbolSpec, row: Row) -> Fill:
    """Return the fill of a row."""
    return Fill(
        row["trade_id"],
        row["client_id"],
        row["symbol"],
        Side(row["side"]),
        spec.to_lots(Decimal(row["quantity"])),
        int(Decimal(row["price"]) / spec.tick_size),
        units(row["quote_quantity"]),
        units(row["commission_base"]),
        units(row["commission_quote"]),
        row["time"],
        row["reason"],
    )


def trade_row(spec: SymbolSpec, trade: Trade) -> Row:
    """Return a trade's row."""
    row = asdict(trade)
    quantity = plain(spec.quantity(row.pop("lots")))
    return row | {"quantity": quantity, "fees": money(trade.fees), "pnl": money(trade.pnl)}


def trade_of(spec: SymbolSpec, row: Row) -> Trade:
    """Return the trade of a row."""
    values = {name: row[name] for name in Trade.__dataclass_fields__ if name != "lots"}
    values |= {"fees": units(row["fees"]), "pnl": units(row["pnl"])}
    return Trade(lots=spec.to_lots(Decimal(row["quantity"])), **values)


def decision_row(decision: Decision) -> Row:
    """Return a decision's row; signals and verdicts become one compact document."""
    signals = [[s.source, s.action, s.confidence, s.reason, s.votes, s.inputs, *_finite(s.score)]
               for s in decision.signals]
    verdicts = [[v.rule, v.passed, v.detail] for v in decision.verdicts]
    return {
        "time": decision.time,
        "symbol": decision.symbol,
        "action": decision.action,
        "outcome": decision.outcome,
        "price": repr(decision.price),
        "reason": decision.reason,
        "client_id": decision.client_id,
        "body": json.dumps({"signals": signals, "verdicts": verdicts}, separators=(",", ":")),
    }


def _finite(score: float) -> list[float]:
    return [score] if score and isfinite(score) else []


def decision_of(row: Row) -> Decision:
    """Return the decision of a row."""
    body = json.loads(row["body"])
    signals = tuple(Signal(row["symbol"], row["time"], s[0], Action(s[1]), *s[2:]) for s in body["signals"])
    verdicts = tuple(Verdict(*v) for v in body["verdicts"])
    return Decision(
        row["symbol"],
        row["time"],
        float(row["price"]),
        row["action"],
        row["outcome"],
        row["reason"],
        signals,
        verdicts,
        row["client_id"],
    )


def equity_row(point: EquityPoint) -> Row:
    """Return an equity point's row."""
    return {
        "time": point.time,
        "equity": money(point.equity),
        "benchmark": money(point.benchmark),
        "drawdown_ppm": point.drawdown_ppm,
    }


def equity_of(row: Row) -> EquityPoint:
    """Return the equity point of a row."""
    return EquityPoint(row["time"], units(row["equity"]), units(row["benchmark"]), row["drawdown_ppm"])


def line_of(row: Row) -> JournalLine:
    """Return the journal line of a row."""
    return JournalLine(row["number"], row["time"], row["kind"], row["text"], row["tone"])
