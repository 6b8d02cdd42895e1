"""The candidates that are kept, sortable; a click opens one."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts
from layouts.columns import Column, figures, signed, words
from layouts.tables import GRID_THEME, Row
from trading.domain.studies import Candidate, StudyView

SHARE = "signedPercent(params.value)"
OPENED = "On the untouched window, looked at after the verdict: who chooses by it has no untouched window left"
COLUMNS: list[Column] = [
    figures("number", "#", 62, "plain(params.value)", maxWidth=84, cellClassRules={"cell-strong": "true"}),
    words("front", "Front", 64, maxWidth=78, cellClassRules={"up": "params.value == 'front'"}),
    words("name", "What", 150, flex=3, tooltipField="name"),
    figures("sharpe", "Sharpe", 76, "fixed(params.value, 2)"),
    signed("total_return", "Return", 84, SHARE),
    signed("max_drawdown", "Drawdown", 92, SHARE),
    figures("n_trades", "Trades", 74, "plain(params.value)"),
    figures("sharpe_outside", "Sharpe unt.", 96, "fixed(params.value, 2)", headerTooltip=OPENED),
    signed("return_outside", "Return unt.", 96, SHARE, headerTooltip=OPENED),
]


def row(one: Candidate) -> Row:
    """Return a candidate as a row."""
    inside, outside = one.inside, one.outside
    drawdown = inside.get("max_drawdown")
    return {
        "id": str(one.number),
        "number": one.number,
        "front": "front" if one.on_front else "",
        "name": one.name or ", ".join(f"{name} {value:g}" for name, value in one.parameters.items()),
        "sharpe": _ratio(inside.get("sharpe")),
        "total_return": inside.get("total_return"),
        "max_drawdown": None if drawdown is None else 0.0 - abs(drawdown),
        "n_trades": inside.get("n_trades"),
        "sharpe_outside": _ratio(outside.get("sharpe")),
        "return_outside": outside.get("total_return"),
    }


def _ratio(value: float | None) -> float | None:
    """Return a ratio as it is shown, without a minus before nought."""
    return None if value is None else round(value, 2) + 0.0


def rows(view: StudyView) -> list[Row]:
    """Return all rows."""
    return [row(one) for one in view.candidates]


def count(view: StudyView) -> str:
    """Say how many of those that were tried are here."""
    return f"{len(view.candidates):,} kept of {view.n_trials:,} tried; a click opens one"


def card(view: StudyView) -> html.Section:
    """Draw the card."""
    options = {
        "theme": {"function": GRID_THEME},
        "animateRows": False,
        "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": False},
        "suppressNoRowsOverlay": True,
        "tooltipShowDelay": 400,
    }
    opened = {"sharpe_outside", "return_outside"} if not any(c.outside for c in view.candidates) else set()
    grid = dag.AgGrid(
        id=ids.AM_TABLE,
        columnDefs=[column | {"hide": column["field"] in opened} for column in COLUMNS],
        rowData=rows(view),
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "flex": 1},
        dashGridOptions=options,
        className="grid bt-grid",
        style={"height": "100%"},
    )
    note = html.Span(count(view), id=ids.AM_COUNT, className="card-note")
    return parts.card("Candidates", grid, tools=note, name="am-table")


def dialog() -> dbc.Modal:
    """Draw the empty dialog of a candidate."""
    head = dbc.ModalHeader(dbc.ModalTitle("", id=ids.AM_CANDIDATE_TITLE))
    body: Any = dbc.ModalBody(id=ids.AM_CANDIDATE_BODY)
    return dbc.Modal([head, body], id=ids.AM_CANDIDATE, is_open=False, size="lg", centered=True, scrollable=True)
