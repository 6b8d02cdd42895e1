"""What a tab of a finished run shows, as CSV: in full, times as ISO 8601, money as it was booked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from layouts.backtest import tabs
from trading.domain.backtests import BacktestView

FORMULA = ("=", "+", "-", "@", "\t", "\r")
TRADES = [
    "number",
    "symbol",
    "side",
    "quantity",
    "entry_time",
    "entry_price",
    "exit_time",
    "exit_price",
    "fees",
    "pnl",
    "pnl_rate",
    "opened_by",
    "closed_because",
    "confidence",
]


def text_of(view: BacktestView, tab: str) -> str:
    """Write a tab as CSV."""
    head, rows = TABLES[tab](view)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def safe(cell: Any) -> Any:
    """Keep a spreadsheet from reading text as a formula; a number stays a number, whatever its sign."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def iso(time_ms: int) -> str:
    """Write UTC milliseconds as ISO 8601."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


Table = tuple[Iterable[str], list[list[Any]]]


def _trades(view: BacktestView) -> Table:
    def cell(name: str, value: Any) -> Any:
        return iso(value) if name.endswith("_time") else value

    return TRADES, [[cell(name, getattr(t, name)) for name in TRADES] for t in view.trades]


def _costs(view: BacktestView) -> Table:
    return ("cost", f"amount_{view.quote}"), [list(row) for row in view.costs]


def _distribution(view: BacktestView) -> Table:
    edges, counts = (column.tolist() for column in view.distribution)
    return ("from", "to", "trades"), [[*row] for row in zip(edges[:-1], edges[1:], counts, strict=True)]


def _windows(view: BacktestView) -> Table:
    head = (
        "train_start",
        "test_start",
        "test_end",
        "parameters",
        "train_sharpe",
        "test_sharpe",
        "test_return",
        "trades",
    )
    return head, [
        [
            iso(w.train_start),
            iso(w.test_start),
            iso(w.test_end),
            " ".join(f"{k}={v:g}" for k, v in w.parameters.items()),
            w.train_sharpe,
            w.test_sharpe,
            w.test_return,
            w.n_trades,
        ]
        for w in view.windows
    ]


def _settings(view: BacktestView) -> Table:
    rows = [*tabs.settings_rows(view), *((k, v) for k, v in view.figures.items()), *(("note", n) for n in view.notes)]
    return ("name", "value"), [list(row) for row in rows]


TABLES = {
    "trades": _trades,
    "costs": _costs,
    "distribution": _distribution,
    "windows": _windows,
    "settings": _settings,
}
