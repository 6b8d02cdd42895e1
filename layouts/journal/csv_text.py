"""Trades and decision records as CSV: times as ISO 8601, money as it was booked, no cell that would be computed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from layouts import trace
from layouts.backtest_csv import iso, safe
from trading.domain import DecisionView
from trading.domain.journal import JournalTrade

TRADES = ("number", "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "fees",
          "pnl", "roi_rate", "result", "drawdown_rate", "duration_ms", "strategy", "agent", "confidence", "indicators",
          "opened_by", "closed_because", "note", "tags", "imported")
DECISIONS = ("time", "symbol", "outcome", "reason", "lines")


def trades(found: Iterable[JournalTrade]) -> str:
    """Write trades."""
    return _written(TRADES, ([_cell(trade, name) for name in TRADES] for trade in found))


def decisions(found: Iterable[DecisionView]) -> str:
    """Write records."""
    return _written(DECISIONS, ([
        iso(each.time), each.symbol, each.outcome, trace.summary(each),
        " | ".join(f"{stage}: {words}" for stage, words, _ in each.lines)] for each in found))


def _cell(trade: JournalTrade, name: str) -> Any:
    value = getattr(trade, name)
    if name.endswith("_time"):
        return iso(value)
    if name == "indicators":
        return " ".join(f"{key}={each}" for key, each in value.items())
    return " ".join(value) if name == "tags" else value


def _written(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()
