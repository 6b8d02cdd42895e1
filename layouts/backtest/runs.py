"""The stored runs: links that open them, here or in another tab."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain.backtests import RunSummary

MOST = 60
MODES = {"whole": "whole period", "walk-forward": "walk-forward", "sweep": "sweep"}


def dates(run: RunSummary) -> str:
    """Write the dates that a run was asked for: `2022-01-01 to 2024-06-24`."""
    if run.start is None and run.end is None:
        return "all that was stored" if run.mode else text.NOTHING
    first = text.date(run.start) if run.start is not None else "first candle"
    return f"{first} to {text.date(run.end - 1) if run.end is not None else 'last candle'}"


def capital(run: RunSummary) -> str:
    """Write a run's capital: `10,000`."""
    return f"{Decimal(run.capital):,f}" if run.capital else text.NOTHING


def table(runs: Sequence[RunSummary], shown: str | None) -> Any:
    """Draw the newest runs, each as a link."""
    if not runs:
        return parts.empty("No run is stored yet", "Every finished run is kept with the hashes of all that made it.")
    head = html.Tr(
        [
            *(html.Th(name) for name in ("When (UTC)", "Strategy", "Symbols", "Timeframe", "Mode", "Dates")),
            *(html.Th(name, className="right") for name in ("Capital", "Return", "Sharpe", "Trades")),
        ]
    )
    rows = [_row(run, run.key == shown) for run in runs[:MOST]]
    return html.Div(html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table"), className="scroll-x")


def _row(run: RunSummary, is_shown: bool) -> html.Tr:
    cells = [
        html.Td(text.moment(run.created)),
        html.Td(html.A(run.strategy, href=f"/backtest?run={run.key}", title=f"open run {run.key}")),
        html.Td(
            ", ".join(text.symbol(s) for s in run.symbols[:3])
            + (f" +{len(run.symbols) - 3}" if len(run.symbols) > 3 else "")
        ),
        html.Td(run.interval),
        html.Td(MODES.get(run.mode, text.NOTHING)),
        html.Td(dates(run)),
        html.Td(capital(run), className="right"),
        html.Td(text.signed_percent(run.total_return, 1), className=f"right {text.tone(run.total_return)}"),
        html.Td(text.number(run.sharpe), className="right"),
        html.Td(f"{run.n_trades:,}", className="right"),
    ]
    return html.Tr(cells, className="is-shown" if is_shown else "")


def card(runs: Sequence[RunSummary], shown: str | None) -> html.Section:
    """Draw the card."""
    body = html.Div(table(runs, shown), id=ids.BT_RUNS, className="bt-runs")
    return parts.card("Stored runs", body, note="a click opens one; the address can be kept", name="runs")
