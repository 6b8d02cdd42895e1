"""The lists of trades and of decision records behind tabs, with filters, pages and files."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text, trace
from layouts.columns import MONEY, RATE, SIDE, SYMBOL, Column, figures, moments, price, signed, words
from layouts.journal import filters
from layouts.tables import GRID_THEME, Row
from trading.domain import DecisionView
from trading.domain.journal import JournalChoices, JournalTrade, TradePage

PER_PAGE = 100
FIRST = "trades"
MOST_UPLOAD = 1_400_000
TITLES = {"trades": "Trades", "decisions": "Decisions"}
TRADES: list[Column] = [
    SYMBOL,
    moments("time", "Closed (UTC)", 124, "utcLong(params.value)"),
    signed("pnl", "Net profit", 84, MONEY),
    signed("roi", "ROI", 74, RATE),
    words("result", "Result", 78, cellClassRules={"up": "params.value == 'win'", "down": "params.value == 'loss'"}),
    SIDE,
    signed("fall", "Fell", 72, RATE, headerTooltip="Deepest fall below the entry price while it was open"),
    price("entry", "Entry", 86),
    price("exit", "Exit", 86),
    words("held", "Held", 82, type="rightAligned"),
    figures("confidence", "Conf.", 60, "fixed(params.value, 2)"),
    words("opened_by", "Opened by", 96, flex=2, tooltipField="opened_by"),
    words("closed_because", "Closed because", 104, flex=2, tooltipField="closed_because"),
    words("tags", "Tags", 90, flex=2),
    words("note", "Note", 120, flex=3, tooltipField="note"),
]
DECISIONS: list[Column] = [
    SYMBOL,
    moments("time", "Bar closed (UTC)", 126, "utcLong(params.value)", maxWidth=150),
    words("outcome", "Outcome", 130, maxWidth=190,
          cellClassRules={"up": "params.data.tone == 'up'", "down": "params.data.tone == 'down'",
                          "muted": "params.data.tone == 'muted'"}),
    words("reason", "Why", 260, flex=4, tooltipField="reason"),
]


def trade_row(trade: JournalTrade) -> Row:
    """Return a trade as a row."""
    note = f"{'imported · ' if trade.imported else ''}{trade.note}"
    return {
        "id": trade.key, "display": trade.display, "time": trade.exit_time, "side": trade.side,
        "result": trade.result, "pnl": None if trade.pnl is None else round(float(trade.pnl), 2),
        "roi": round(trade.roi_rate, 9), "fall": None if trade.drawdown_rate is None else -trade.drawdown_rate,
        "entry": float(trade.entry_price), "exit": float(trade.exit_price), "held": text.span(trade.duration_ms),
        "confidence": trade.confidence, "opened_by": trade.opened_by, "closed_because": trade.closed_because,
        "tags": ", ".join(trade.tags), "note": note, "decimals": trade.decimals,
    }


def decision_row(decision: DecisionView, place: int) -> Row:
    """Return a record as a row."""
    return {"id": f"{decision.key}#{place}", "display": decision.display, "time": decision.time,
            "outcome": decision.outcome, "tone": trace.outcome_tone(decision), "reason": trace.summary(decision)}


def grid(component_id: str, columns: list[Column]) -> dag.AgGrid:
    """Draw an empty grid; its rows follow."""
    options = {"theme": {"function": GRID_THEME}, "animateRows": False, "enableCellTextSelection": True,
               "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
               "suppressNoRowsOverlay": True, "tooltipShowDelay": 400}
    return dag.AgGrid(
        id=component_id, columnDefs=columns, rowData=[], getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "flex": 1}, dashGridOptions=options,
        className="grid bt-grid", style={"height": "100%"})


def trades(page: TradePage) -> parts.Parts:
    """Return a page of trades."""
    shown = len(page.trades)
    first = page.offset + 1 if shown else 0
    words_ = f"{first:,}–{page.offset + shown:,} of {text.plural(page.n_matching, 'trade')}" if shown else "no trade"
    return {
        (ids.JR_TRADES, "rowData"): [trade_row(trade) for trade in page.trades],
        (ids.JR_COUNT, "children"): words_,
        (ids.JR_NEWER, "disabled"): page.offset == 0,
        (ids.JR_OLDER, "disabled"): page.offset + shown >= page.n_matching,
        **_boxes("trades", empty=not shown),
    }


def decisions(found: tuple[DecisionView, ...], *, first: bool, last: bool) -> parts.Parts:
    """Return a page of records."""
    span = f"{text.minute(found[-1].time)} to {text.minute(found[0].time)} UTC" if found else "no record"
    return {
        (ids.JR_DECISIONS, "rowData"): [decision_row(each, place) for place, each in enumerate(found)],
        (ids.JR_COUNT, "children"): f"{text.plural(len(found), 'record')} · {span}" if found else span,
        (ids.JR_NEWER, "disabled"): first,
        (ids.JR_OLDER, "disabled"): last,
        **_boxes("decisions", empty=not found),
    }


def trouble(tab: str, why: str) -> parts.Parts:
    """Say in place of a list why it cannot be shown."""
    return {(ids.JR_COUNT, "children"): "", (ids.JR_NEWER, "disabled"): True, (ids.JR_OLDER, "disabled"): True,
            **_boxes(tab, empty=True), (ids.JR_EMPTY, "children"): failed(why)}


def failed(why: str) -> html.Div:
    """Say that the journal could not be read."""
    made = parts.empty("The journal cannot be read", why)
    made.className, made.role = "empty jr-failed", "alert"
    return made


NOTHING = {
    "trades": ("No trade here", "Each finished trade is listed with its reasons. Where filters are set, Clear shows "
                                "all again."),
    "decisions": ("No record here", "Every closed bar leaves a record: who voted, what risk said, what was sent."),
}


def _boxes(tab: str, *, empty: bool) -> parts.Parts:
    boxes = {"trades": ids.JR_TRADES_BOX, "decisions": ids.JR_DECISIONS_BOX}
    shown = {(box, "className"): "jr-list" if name == tab and not empty else "jr-list hidden"
             for name, box in boxes.items()}
    instead = parts.empty(*NOTHING[tab]) if empty else None
    return {**shown, (ids.JR_EMPTY, "children"): instead,
            **{(ids.journal_field(name), "className"): filters.field_class(name, tab) for name in ids.JR_FILTERS}}


def imports(choices: JournalChoices) -> list[Any]:
    """List the imported logs, each with a button that removes it."""
    if not choices.imports:
        return []
    rows = [html.Span([f"{name} · {text.plural(n, 'trade')}",
                       html.Button("×", id=ids.journal_forget(name), className="btn-quiet",
                                   title=f"Remove the trades of {name}; the file itself is yours",
                                   **{"aria-label": f"Remove {name}"})], className="jr-import")
            for name, n in choices.imports]
    return [html.Span("Imported, never counted:", className="muted"), *rows]


def card(choices: JournalChoices) -> html.Section:
    """Draw the card; the first page of trades follows."""
    choose = dbc.RadioItems([{"value": name, "label": title} for name, title in TITLES.items()], FIRST, id=ids.JR_TAB,
                            inline=True, className="segments tabs", input_class_name="btn-check",
                            label_class_name="seg", label_checked_class_name="seg-on")
    upload = dcc.Upload(html.Button("Import", className="btn-line", title=(
        "Take in a JSON trade log (SYMBOL_trades.json, 1.4 MB at most); its trades are shown and never counted")),
        id=ids.JR_UPLOAD, accept=".json,application/json", max_size=MOST_UPLOAD, className="jr-upload")
    tools = html.Div([
        html.Span(id=ids.JR_COUNT, className="card-note"),
        html.Button("← Newer", id=ids.JR_NEWER, className="btn-line", disabled=True),
        html.Button("Older →", id=ids.JR_OLDER, className="btn-line", disabled=True),
        html.Button("CSV", id=ids.JR_CSV, className="btn-line", title="Save what the filters let through as CSV"),
        html.Button("JSON", id=ids.JR_JSON, className="btn-line", title="Save the trades as a JSON trade log"),
        html.Div(upload, **{"data-most": str(MOST_UPLOAD), "data-told": ids.JR_TOO_LARGE}),
        dcc.Download(id=ids.JR_DOWNLOAD), dcc.Store(id=ids.JR_TOO_LARGE),
    ], className="tools")
    return html.Section([
        html.Header([choose, tools], className="card-head"), filters.row(choices, FIRST),
        html.Div(imports(choices), id=ids.JR_IMPORTS, className="jr-imports"),
        html.Div(grid(ids.JR_TRADES, TRADES), id=ids.JR_TRADES_BOX, className="jr-list hidden"),
        html.Div(grid(ids.JR_DECISIONS, DECISIONS), id=ids.JR_DECISIONS_BOX, className="jr-list hidden"),
        html.Div(parts.empty("Reading the trades…"), id=ids.JR_EMPTY, className="jr-instead"),
    ], className="panel panel-jr-lists")
