"""Each trade beside its own replay: the gap, what it is made of, and what has no partner."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag
from dash import html

from layouts import ids, parts, text
from layouts.columns import Column, moments, price, signed, words
from layouts.tables import GRID_THEME, Row
from trading.domain.parity import CAUSES, PARTS, ParityLine, ParityReport, ParityState, UnmatchedTrade

MOST_ROWS, MOST_ALONE, MOST_TOLD = 5_000, 40, 60
HEAD_HIGH, ROW_HIGH, MOST_HIGH = 34, 31, 340  # pixels
HELP = {
    "data": "Bars that the cockpit saw otherwise than they are recorded",
    "timing": "Acting on another bar than the replay",
    "fill": "Another price or quantity on the same bar",
    "commission": "Other fees, and the dust that they leave",
}
COLUMNS: list[Column] = [
    moments("entry_time", "Entry (UTC)", 124, "utcLong(params.value)"),
    words("display", "Symbol", 92, cellClassRules={"cell-strong": "true"}),
    signed("gap", "Gap", 84, "signed(params.value, 4)"),
    signed("bps", "bps", 72, "signed(params.value, 2)"),
    *(signed(part, part.capitalize(), 92, "signed(params.value, 4)", headerTooltip=HELP[part]) for part in PARTS),
    price("live_entry", "Entry lived"),
    price("replay_entry", "replayed"),
    price("live_exit", "Exit lived"),
    price("replay_exit", "replayed"),
    signed("pnl", "P&L lived", 92, "signed(params.value, 2)"),
    words("remark", "Remark", 160, flex=3, tooltipField="remark"),
]


def row(number: int, line: ParityLine) -> Row:
    """Return a pair as a row."""
    live, replay = line.live, line.replay
    amounts = {part: float(getattr(line, part)) for part in ("gap", *PARTS)}
    return {
        "id": str(number), "entry_time": live.entry_time, "display": line.display, "decimals": line.decimals,
        "live_entry": float(live.entry_price), "replay_entry": float(replay.entry_price),
        "live_exit": float(live.exit_price), "replay_exit": float(replay.exit_price),
        "pnl": float(live.pnl), "bps": round(line.bps, 4), "remark": remark(line), **amounts,
    }


def remark(line: ParityLine) -> str:
    """Say who acted, and where the two went other ways."""
    return "; ".join(each for each in (CAUSES[line.cause] if line.cause else "", line.note) if each)


def stamp(state: ParityState) -> str:
    """Name what the table shows: the same name needs no new drawing."""
    return f"{state.state} {state.report.made if state.report else 0} {state.detail}"


def card(state: ParityState, account: str) -> html.Section:
    """Draw the card."""
    tools = html.Span([
        html.Span(said(state), id=ids.LV_PARITY, className="card-note"),
        html.Button("Compare now", id=ids.LV_COMPARE, className="btn-line", disabled=state.state == "never",
                    title="Replays the account over the recorded candles, in the background"),
        html.Button("CSV", id=ids.LV_CSV, className="btn-quiet", title="Save the table as a file"),
    ], className="tools")
    title = ["Parity", html.Span(f"{account} beside its own replay", className="title-note")]
    body = html.Div(inside(state), id=ids.LV_TABLE, className="lv-parity")
    return parts.card(title, body, tools=tools, name="lv-parity")


def said(state: ParityState) -> str:
    """Say what is shown and how fresh it is."""
    if state.state == "running":
        return "comparing…"
    report = state.report
    if report is None:
        return "not compared yet"
    span = f"{text.minute(report.first)} to {text.minute(report.last)} UTC"
    return f"{text.plural(report.n_bars, 'bar')} {report.interval} · {span} · at {text.clock(report.made)}"


def inside(state: ParityState) -> list[Any]:
    """Draw the table, or what stands in its place."""
    report = state.report
    trouble = [html.Div(f"✗ {state.detail}", className="lv-trouble", role="alert")] if state.state == "failed" else []
    if report is None:
        return [*trouble, grid([], hidden=True), html.Div(_nothing(state), className="pane-empty")]
    empty = [] if report.lines else [html.Div(parts.empty(
        "No finished trade yet", "Each trade is compared with its replay once it is closed."), className="pane-empty")]
    return [*trouble, *_notes(report), grid([row(n, line) for n, line in enumerate(report.lines)][-MOST_ROWS:][::-1],
                                            hidden=not report.lines), *empty, _rest(report)]


def _nothing(state: ParityState) -> html.Div:
    if state.state == "running":
        return parts.empty("Replaying the account…", "The same candles, settings and start; the rest of the cockpit "
                                                     "goes on meanwhile.")
    if state.state == "never":
        return parts.empty("A replay is its own record", state.detail)
    if state.state == "failed":
        return parts.empty("No report", "What went wrong stands above. Compare now tries again.")
    return parts.empty("Not compared yet", "Compare now replays this account over the recorded candles.")


def grid(rows: list[Row], *, hidden: bool = False) -> html.Div:
    """Draw the table of pairs."""
    options = {"theme": {"function": GRID_THEME}, "animateRows": False, "enableCellTextSelection": True,
               "suppressNoRowsOverlay": True, "tooltipShowDelay": 400,
               "defaultCsvExportParams": {"processCellCallback": {"function": "csvCell(params)"}}}
    table = dag.AgGrid(
        id=ids.LV_TRADES, columnDefs=COLUMNS, rowData=rows, getRowId="params.data.id",
        defaultColDef={"sortable": True, "resizable": True, "flex": 1}, dashGridOptions=options,
        csvExportParams={"fileName": "parity.csv"}, className="grid bt-grid", style={"height": "100%"},
    )
    height = min(MOST_HIGH, HEAD_HIGH + ROW_HIGH * max(2, len(rows)))
    return html.Div(table, className="lv-grid hidden" if hidden else "lv-grid", style={"height": f"{height}px"})


def _notes(report: ParityReport) -> list[Any]:
    if not report.notes:
        return []
    words_ = [html.Span(f"{note[:1].upper()}{note[1:]}") for note in report.notes]
    return [html.Div([html.Span("!", className="warning note-mark"), *words_], className="bt-notes")]


def _rest(report: ParityReport) -> html.Div:
    """Draw what has no partner, and what besides the rules shaped the account."""
    alone = [_alone(each) for each in report.unmatched[-MOST_ALONE:][::-1]] or [
        html.P("Every trade has its partner.", className="muted lv-words")]
    told = [html.Div([html.Span(text.minute(each.time), className="muted"), html.Strong(each.kind),
                      html.Span(text.typeset(each.text))], className="lv-told")
            for each in report.circumstances[-MOST_TOLD:][::-1]]
    n = len(report.unmatched)
    return html.Div([
        html.Div([html.H3(f"Without a partner: {n}"), html.Div(alone, className="lv-list")], id=ids.LV_ALONE),
        html.Div([html.H3("What besides the rules shaped it"), html.Div(told, className="lv-list")]),
    ], className="lv-rest")


def _alone(each: UnmatchedTrade) -> html.Div:
    only = "only lived" if each.whose == "live" else "only replayed"
    head = html.Div([html.Strong(each.display), html.Span(text.minute(each.trade.entry_time), className="muted"),
                     html.Span(only), html.Span(CAUSES[each.cause], className="warning")], className="lv-alone-head")
    rows = [html.Div([html.Span(side, className="muted"), html.Span(text.typeset(decided))], className="lv-decided")
            for side, decided in (("lived", each.live_decision), ("replayed", each.replay_decision))]
    return html.Div([head, *rows], className="lv-alone")
