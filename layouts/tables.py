"""Positions, orders, trades and log: the grids and the rows they get."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts
from layouts.columns import COLUMNS
from trading.domain import CockpitView, JournalLine, OrderView, PositionView, TradeView

Row = dict[str, Any]
WORKING = ("INTENT", "WORKING", "PARTIALLY_FILLED")
FIRST = "positions"
TITLES = {"positions": "Positions", "orders": "Orders", "trades": "Trades", "log": "Log"}
EMPTY = {
    "positions": ("No open position.", ""),
    "orders": ("No order yet.", "Protective stops and working entries appear here."),
    "trades": ("No finished trade yet.", "Each round trip is listed with who opened it and why it closed."),
    "log": ("Nothing has happened yet.", "Every event of this run is listed here."),
}
NEXT_STEP = {
    "stopped": "Press Start: {strategy} trades by itself.",
    "paused": "Entries are paused. Press Resume.",
    "killed": "The kill switch is on. Re-arm it above, with a reason.",
    "running": "The strategy opens one as soon as its rule fires and risk agrees.",
}
GRID_THEME = (
    "themeQuartz.withParams({backgroundColor: '#161a1e', foregroundColor: '#eaecef', headerTextColor: '#848e9c', "
    "headerBackgroundColor: '#161a1e', borderColor: '#23282f', rowHoverColor: '#1d2228', "
    "accentColor: '#4c8dff', "
    "fontSize: 12.5, headerFontSize: 11.5, headerFontWeight: 400, rowHeight: 30, headerHeight: 28, "
    "wrapperBorder: false, "
    "headerColumnBorder: false, columnBorder: false, cellHorizontalPadding: 8, browserColorScheme: 'dark', "
    "fontFamily: 'inherit'})"
)


def _plain(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def position_row(p: PositionView) -> Row:
    """Return a position as a row."""
    return {
        "id": p.symbol,
        "display": p.display,
        "side": p.side,
        "quantity": _plain(p.quantity),
        "entry": _plain(p.entry_price),
        "price": _plain(p.price),
        "pnl": round(float(p.pnl), 2),
        "pnl_rate": round(p.pnl_rate, 9),
        "stop": _plain(p.stop),
        "target": _plain(p.target),
        "opened_by": p.opened_by,
        "time": p.entry_time,
        "decimals": p.decimals,
    }


def order_row(o: OrderView) -> Row:
    """Return an order as a row."""
    return {
        "id": o.client_id,
        "display": o.display,
        "side": o.side,
        "type": o.type,
        "quantity": _plain(o.quantity),
        "filled": _plain(o.filled),
        "limit": _plain(o.limit),
        "stop": _plain(o.stop),
        "status": o.status,
        "reason": o.reason,
        "time": o.time,
        "client_id": o.client_id,
        "cancelable": o.status in WORKING and o.reason != "protection",
    }


def trade_row(t: TradeView) -> Row:
    """Return a finished round trip as a row."""
    return {
        "id": str(t.number),
        "number": t.number,
        "display": t.display,
        "symbol": t.symbol,
        "side": t.side,
        "quantity": _plain(t.quantity),
        "entry": _plain(t.entry_price),
        "exit": _plain(t.exit_price),
        "pnl": round(float(t.pnl), 2),
        "pnl_rate": round(t.pnl_rate, 9),
        "fees": round(float(t.fees), 2),
        "opened_by": t.opened_by,
        "closed_because": t.closed_because,
        "entry_time": t.entry_time,
        "time": t.exit_time,
        "decimals": t.decimals,
    }


def log_row(line: JournalLine) -> Row:
    """Return a line of the journal as a row."""
    return {
        "id": str(line.number),
        "number": line.number,
        "time": line.time,
        "kind": line.kind,
        "text": line.text,
        "tone": line.tone,
    }


SOURCES: dict[str, tuple[Callable[[CockpitView], tuple[Any, ...]], Callable[[Any], Row]]] = {
    "positions": (lambda view: view.positions, position_row),
    "orders": (lambda view: view.orders, order_row),
    "trades": (lambda view: view.trades, trade_row),
    "log": (lambda view: view.log, log_row),
}


def rows(view: CockpitView, name: str) -> list[Row]:
    """Return the rows of a grid."""
    source, row = SOURCES[name]
    return [row(one) for one in source(view)]


def transaction(before: dict[str, Row], after: list[Row]) -> dict[str, Any] | None:
    """Return what turns the rows that the grid holds (by id) into `after`, None when nothing changed."""
    added = [r for r in after if r["id"] not in before]
    changed = [r for r in after if r["id"] in before and before[r["id"]] != r]
    kept = {r["id"] for r in after}
    removed = [{"id": key} for key in before if key not in kept]
    if not (added or changed or removed):
        return None
    return {"add": added, "addIndex": 0, "update": changed, "remove": removed, "async": False}


def counts(view: CockpitView) -> parts.Parts:
    """Return the counts in the tabs; of orders those that still work."""
    working = sum(o.status in WORKING for o in view.orders)
    n = {"positions": len(view.positions), "orders": working, "trades": view.account.n_trades, "log": None}
    return {(ids.table_count(name), "children"): str(k) if k else "" for name, k in n.items()}


def emptiness(view: CockpitView) -> parts.Parts:
    """Show each table's grid, or what stands in its place while there are no rows."""
    shown: parts.Parts = {
        (ids.table_box(name), "className"): "grid-box" if source(view) else "grid-box is-empty"
        for name, (source, _) in SOURCES.items()
    }
    state = view.session.state
    step = NEXT_STEP.get(state, "Auto-trading is " + state).format(strategy=view.session.strategy or "the strategy")
    words = [html.Strong(EMPTY["positions"][0]), html.Span(step)]
    return shown | {(ids.POSITIONS_EMPTY, "children"): words}


def grid(name: str, held: list[Row], instead: html.Div) -> html.Div:
    """Draw a grid and its empty state."""
    options = {
        "theme": {"function": GRID_THEME},
        "animateRows": False,
        "suppressCellFocus": False,
        "enableCellTextSelection": True,
        "suppressNoRowsOverlay": True,
        "suppressMovableColumns": False,
        "tooltipShowDelay": 400,
        "defaultCsvExportParams": {"processCellCallback": {"function": "csvCell(params)"}},
    }
    usual = {"sortable": True, "resizable": True, "flex": 1, "suppressHeaderMenuButton": False}
    made = dag.AgGrid(
        id=ids.table(name),
        columnDefs=COLUMNS[name],
        rowData=held,
        getRowId="params.data.id",
        defaultColDef=usual,
        dashGridOptions=options,
        className="grid",
        csvExportParams={"fileName": f"{name}.csv"},
        style={"height": "100%"},
    )
    box = "grid-box" if held else "grid-box is-empty"
    return html.Div([made, instead], className=box, id=ids.table_box(name))


def card(view: CockpitView) -> html.Section:
    """Draw the four tables behind tabs."""
    n, now = counts(view), emptiness(view)
    options = [
        {
            "value": name,
            "label": html.Span(
                [title, html.Span(n[ids.table_count(name), "children"], id=ids.table_count(name), className="count")]
            ),
        }
        for name, title in TITLES.items()
    ]
    choose = dbc.RadioItems(
        options,
        FIRST,
        id=ids.TABLE_TABS,
        inline=True,
        className="segments tabs",
        input_class_name="btn-check",
        label_class_name="seg",
        label_checked_class_name="seg-on",
    )
    tools = html.Div(
        [
            html.Button(
                "Flatten all",
                id=ids.FLATTEN,
                className="btn-line danger",
                title="Sell every position and cancel entries (asks first)",
            ),
            html.Button("CSV", id=ids.EXPORT, className="btn-line", title="Save this table as CSV"),
        ],
        className="tools",
    )
    instead = {name: parts.empty(*words) for name, words in EMPTY.items()}
    instead["positions"] = html.Div(now[ids.POSITIONS_EMPTY, "children"], id=ids.POSITIONS_EMPTY, className="empty")
    panes = [
        html.Div(
            grid(name, rows(view, name), instead[name]), id=ids.table_pane(name), className=pane_class(name, FIRST)
        )
        for name in TITLES
    ]
    return html.Section(
        [html.Header([choose, tools], className="card-head"), *panes, _flatten_modal()], className="panel panel-tables"
    )


def pane_class(name: str, chosen: str) -> str:
    """Show only the chosen table (hidden ones stay in the page, so that increments reach them)."""
    return "table-pane" if name == chosen else "table-pane hidden"


def _flatten_modal() -> dbc.Modal:
    body = html.P(
        "Every open position is sold at the market and working entries are cancelled. "
        "Protective stops are replaced by the exits. Auto-trading stops; Start brings it back."
    )
    foot = [
        html.Button("Cancel", id=ids.FLATTEN_CANCEL, className="btn-line"),
        html.Button("Sell everything", id=ids.FLATTEN_CONFIRM, className="kill"),
    ]
    pieces = [dbc.ModalHeader(dbc.ModalTitle("Flatten all positions")), dbc.ModalBody(body), dbc.ModalFooter(foot)]
    return dbc.Modal(pieces, id=ids.FLATTEN_MODAL, is_open=False, centered=True)
