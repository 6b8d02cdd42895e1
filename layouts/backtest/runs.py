"""The stored runs: links that open them, here or in another tab."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain.backtests import RunSummary

MOST = 60


def table(runs: Sequence[RunSummary], shown: str | None) -> Any:
    """Draw the newest runs, each as a link."""
    if not runs:
        return parts.empty("No run is stored yet", "Every finished run is kept with the hashes of all that made it.")
    head = html.Tr(
        [html.Th(name) for name in ("When (UTC)", "Strategy", "Symbols", "Timeframe", "Return", "Sharpe", "Trades")]
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
        html.Td(text.signed_percent(run.total_return, 1), className=text.tone(run.total_return)),
        html.Td(text.number(run.sharpe)),
        html.Td(f"{run.n_trades:,}"),
    ]
    return html.Tr(cells, className="is-shown" if is_shown else "")


def card(runs: Sequence[RunSummary], shown: str | None) -> html.Section:
    """Draw the card."""
    body = html.Div(table(runs, shown), id=ids.BT_RUNS, className="bt-runs")
    return parts.card("Stored runs", body, note="a click opens one; the address can be kept", name="runs")
