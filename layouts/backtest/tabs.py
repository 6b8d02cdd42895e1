"""What stands below the curves, behind tabs: trades, costs, distribution, windows, data and settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
import numpy as np
from dash import dcc, html

from layouts import figure_words, ids, parts, text, theme
from layouts.backtest.form import COSTS, cost_figures
from layouts.columns import COLUMNS, Column
from layouts.tables import GRID_THEME, Row
from trading.domain.backtests import BacktestTrade, BacktestView, WalkWindow

TITLES = {
    "trades": "Trades",
    "costs": "Costs",
    "distribution": "Distribution",
    "windows": "Windows",
    "settings": "Data & settings",
}
FIRST = "trades"
MOST_ROWS = 5_000  # of more trades the newest are shown; CSV has them all


def trade_row(t: BacktestTrade) -> Row:
    """Return a trade as a row."""
    return {
        "id": str(t.number),
        "number": t.number,
        "display": t.display,
        "side": t.side,
        "quantity": float(t.quantity),
        "entry_time": t.entry_time,
        "exit_time": t.exit_time,
        "entry": float(t.entry_price),
        "exit": float(t.exit_price),
        "pnl": round(float(t.pnl), 2),
        "pnl_rate": round(t.pnl_rate, 9),
        "fees": round(float(t.fees), 4),
        "opened_by": t.opened_by,
        "closed_because": t.closed_because,
        "confidence": None if t.confidence is None else round(t.confidence, 2),
        "decimals": t.decimals,
    }


def trade_columns(view: BacktestView) -> list[Column]:
    """Return the columns of the trades; without a single confidence its column is left out."""
    told = any(t.confidence is not None for t in view.trades)
    return [column for column in COLUMNS["backtest"] if told or column["field"] != "confidence"]


def trades(view: BacktestView) -> Any:
    """Draw the trades; a click on one opens its chart."""
    if not view.trades:
        why = view.notes[0] if view.notes else "The entry rule was never met while risk allowed an entry."
        return html.Div(parts.empty("No trade was made", why), className="pane-empty")
    shown = view.trades[-MOST_ROWS:]
    options = {
        "theme": {"function": GRID_THEME},
        "animateRows": False,
        "enableCellTextSelection": True,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
        "suppressNoRowsOverlay": True,
        "tooltipShowDelay": 400,
    }
    return dag.AgGrid(
        id=ids.BT_TRADES,
        columnDefs=trade_columns(view),
        rowData=[trade_row(t) for t in reversed(shown)],
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "flex": 1},
        dashGridOptions=options,
        className="grid bt-grid",
        style={"height": "100%"},
    )


def costs(view: BacktestView) -> html.Div:
    """Split what trading cost."""
    total = sum(amount for _, amount in view.costs)
    if not view.costs or not total:
        return html.Div(parts.empty("Nothing was paid", "There was no trade."), className="pane-empty")
    rows = [
        html.Div(
            [
                html.Span(name, className="cost-name"),
                parts.bar(amount / total, "accent"),
                html.Span(f"{text.number(amount)} {view.quote}", className="cost-amount"),
                html.Span(text.percent(amount / total, 0), className="muted cost-share"),
            ],
            className="cost",
        )
        for name, amount in view.costs
    ]
    capital, gain = float(view.request.capital), view.figures.get("total_return")
    words = [f"Together {text.number(total)} {view.quote}, {text.percent(total / capital)} of the capital"]
    if gain is not None:
        words.append(f"return before costs about {text.signed_percent(gain + total / capital, 1)}")
    if view.trades:
        words.append(f"{text.number(total / len(view.trades))} {view.quote} a trade")
    return html.Div([*rows, html.P(" · ".join(words), className="muted pane-words")], className="pane-costs")


def distribution_figure(view: BacktestView) -> dict[str, Any]:
    """Draw how many trades returned how much."""
    edges, counts = view.distribution
    middle = (edges[1:] + edges[:-1]) / 2
    bars = {
        "type": "bar",
        "x": middle.round(6).tolist(),
        "y": counts.tolist(),
        "marker": {"color": [theme.UP if m > 0 else theme.DOWN for m in middle.tolist()], "opacity": 0.75},
        "hovertemplate": "%{x:.2%}: %{y} trades<extra></extra>",
    }
    axis = {"tickformat": ".1~%", "showgrid": False, "zeroline": True, "zerolinecolor": theme.MUTED, "fixedrange": True}
    layout = {"xaxis": axis, "bargap": 0.08, "hovermode": "closest"}
    layout["yaxis"] = theme.FIGURE_LAYOUT["yaxis"] | {"rangemode": "tozero"}
    layout["shapes"] = [_mean_line(float(np.average(middle, weights=counts)))] if counts.sum() else []
    return {"data": [bars], "layout": theme.FIGURE_LAYOUT | layout}


def _mean_line(mean: float) -> dict[str, Any]:
    line = {"color": theme.ACCENT, "width": 1.5, "dash": "dash"}
    return {"type": "line", "x0": mean, "x1": mean, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def distribution(view: BacktestView) -> html.Div:
    """Draw the distribution of the trades' returns."""
    if not view.trades or not len(view.distribution[1]):
        return html.Div(parts.empty("No trade to distribute"), className="pane-empty")
    rates = np.array([t.pnl_rate for t in view.trades])
    wins, losses = rates[rates > 0], rates[rates <= 0]
    words = [
        f"mean {text.signed_percent(float(rates.mean()))} (dashed)",
        f"median {text.signed_percent(float(np.median(rates)))}",
        f"best {text.signed_percent(float(rates.max()))}",
        f"worst {text.signed_percent(float(rates.min()))}",
        f"{len(wins)} gains, {len(losses)} losses",
    ]
    figure = distribution_figure(view)
    graph = dcc.Graph(figure=figure, config=theme.FIGURE_CONFIG, className="bt-distribution", responsive=True)
    return html.Div([graph, html.P(" · ".join(words), className="muted pane-words")], className="pane-column")


def windows(view: BacktestView) -> html.Div:
    """List the steps of a walk-forward."""
    if not view.windows:
        words = "Mode Walk-forward trains on one part and trades the untouched days after it, again and again."
        return html.Div(parts.empty("This run used the whole period at once", words), className="pane-empty")
    head = ("Train from", "Test from", "Test to", "Chosen", "Sharpe, train", "Sharpe, test", "Return, test", "Trades")
    body = html.Tbody([_window(w) for w in view.windows])
    titles = html.Tr([html.Th(h, className="right" if i > 3 else "") for i, h in enumerate(head)])
    table = html.Table([html.Thead(titles), body], className="plain-table")
    return html.Div(table, className="pane-scroll")


def _window(w: WalkWindow) -> html.Tr:
    days = [text.date(t) for t in (w.train_start, w.test_start, w.test_end)]
    chosen = ", ".join(f"{name} {value:g}" for name, value in w.parameters.items()) or "as written"
    return html.Tr(
        [
            *(html.Td(d) for d in days),
            html.Td(chosen),
            html.Td(text.number(w.train_sharpe), className="right"),
            html.Td(text.number(w.test_sharpe), className=f"right {text.tone(w.test_sharpe, 2)}"),
            html.Td(text.signed_percent(w.test_return), className=f"right {text.tone(w.test_return)}"),
            html.Td(f"{w.n_trades}", className="right"),
        ]
    )


def settings_rows(view: BacktestView) -> list[tuple[str, str]]:
    """Return what the run was asked, in words."""
    asked = view.request
    typed = cost_figures(asked.costs)
    walk = f"train {asked.train_days} days, test {asked.test_days} days"
    rows = [
        ("Run", view.key),
        ("Strategy", asked.strategy),
        ("Symbols", ", ".join(text.symbol(s) for s in asked.symbols)),
        ("Timeframe", asked.interval),
        ("Period", f"{_edge(asked.start, 'first candle')} to {_edge(asked.end, 'last candle')}"),
        ("Capital", f"{asked.capital:,f} {view.quote}"),
        ("Costs", ", ".join(f"{c.label.strip('+ ').lower()} {typed[k]:g} {c.unit}" for k, c in COSTS.items())),
        ("Risk profile", _profile(asked.profile)),
        ("Mode", walk if asked.train_days and asked.test_days else "whole period"),
        ("Sweep", asked.sweep or "none"),
        ("Took", f"{view.seconds:.3f} s"),
    ]
    return [*rows, *((f"Hash of {name}", value) for name, value in view.hashes.items())]


def _edge(time_ms: int | None, otherwise: str) -> str:
    return otherwise if time_ms is None else f"{text.date(time_ms)} {text.clock(time_ms)[:5]} UTC"


def _profile(profile: Any) -> str:
    values: Mapping[str, Any] = asdict(profile)
    return ", ".join([str(values["name"]), *(f"{k} {v:g}" for k, v in values.items() if k != "name")])


def all_figures(view: BacktestView) -> list[tuple[str, str]]:
    """Return every figure by its name, with its unit."""
    return figure_words.rows(view)


def settings(view: BacktestView) -> html.Div:
    """Show what made the result, so that it can be repeated to the byte."""
    lines = [html.Li(note) for note in view.notes]
    document = json.dumps(view.request.document, indent=2, default=str)
    return html.Div(
        [
            html.Div([html.H3("Notes"), html.Ul(lines)]) if lines else None,
            html.Div([html.H3("Settings and hashes"), pairs(settings_rows(view))]),
            html.Div([html.H3("All figures"), pairs(all_figures(view))]),
            html.Details([html.Summary("Strategy document"), html.Pre(document)], className="more"),
        ],
        className="pane-scroll pane-settings",
    )


def pairs(rows: list[tuple[str, str]]) -> html.Dl:
    """Draw names and values."""
    return html.Dl([cell for name, value in rows for cell in (html.Dt(name), html.Dd(value))], className="pairs")


PANES = {
    "trades": trades,
    "costs": costs,
    "distribution": distribution,
    "windows": windows,
    "settings": settings,
}


def pane_class(name: str, chosen: str) -> str:
    """Show only the chosen pane."""
    return f"bt-pane pane-{name}" + ("" if name == chosen else " hidden")


def card(view: BacktestView) -> html.Section:
    """Draw the tabs."""
    counts = {"trades": len(view.trades), "windows": len(view.windows)}
    options = [
        {
            "value": name,
            "label": html.Span([title, html.Span(f"{counts[name]:,}", className="count")])
            if counts.get(name)
            else title,
        }
        for name, title in TITLES.items()
    ]
    choose = dbc.RadioItems(
        options,
        FIRST,
        id=ids.BT_TABS,
        inline=True,
        className="segments tabs",
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
    )
    csv = html.Button("CSV", id=ids.BT_CSV, className="btn-quiet", title="Save what this tab shows as CSV, in full")
    tools = html.Div([csv, dcc.Download(id=ids.BT_CSV_DOWNLOAD)], className="tools")
    panes = [
        html.Div(draw(view), id=ids.backtest_pane(name), className=pane_class(name, FIRST))
        for name, draw in PANES.items()
    ]
    return html.Section([html.Header([choose, tools], className="card-head"), *panes], className="panel panel-bt-tabs")
