"""The page as a whole: what is always there, and the body that follows the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_ag_grid as dag
from dash import dcc, html

from layouts import ids, parts, theme
from layouts.backtest import checks, controls, curves, heading, months, plateau, runs, tabs, tiles, trade
from layouts.backtest.form import Choices, Form
from trading.domain.backtests import BacktestProgress, BacktestView, RunSummary

NAME = "backtest"
DOWNLOAD = "python main.py --mode download --assets BTCUSDT,ETHUSDT --interval 1h --start 2022-01-01"
IMPORT = "python main.py --mode import FILE_OR_FOLDER"


def page(
    now: Form,
    choices: Choices,
    view: BacktestView | None,
    progress: BacktestProgress | None,
    stored: Sequence[RunSummary],
) -> html.Main:
    """Draw the page for a run, or for none."""
    key, state = (progress.key, progress.state) if progress else (None, "none")
    active = controls.is_active(progress)
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.BT_RUN, data={"key": key, "state": state}),
        dcc.Interval(id=ids.BT_TICK, interval=250, max_intervals=1, disabled=not active),
    ]
    inside = html.Div(
        body(view, progress, stored, empty=not choices.markets), id=ids.BT_BODY, className=body_class(progress)
    )
    strip = heading.strip(view, now, choices)
    changed = view is not None and heading.has_changed(now, choices, heading.marks(view.request, choices))
    result = html.Div([strip, inside], id=ids.BT_RESULT, className=heading.result_class(changed))
    listed = runs.card(stored, key)
    dialogs = controls.dialogs(now, choices)
    return html.Main(
        [*memory, controls.card(now, choices, view, progress), result, listed, *dialogs], className="bt-page"
    )


def body_class(progress: BacktestProgress | None) -> str:
    """Dim what is on screen while another run is computed."""
    return "bt-body is-busy" if controls.is_active(progress) else "bt-body"


def body(
    view: BacktestView | None, progress: BacktestProgress | None, stored: Sequence[RunSummary], *, empty: bool = False
) -> list[Any]:
    """Draw the result, or what stands in its place; `empty`: there is not a candle to run on."""
    if view is not None:
        return result(view, stored)
    if controls.is_active(progress):
        return [_instead("Computing…", "The first result appears here as soon as it is there.")]
    if progress is not None and progress.state == "cancelled":
        return [_instead("Cancelled", "Nothing of this run was stored. Run begins it again.")]
    if progress is not None and progress.state == "failed":
        return [_instead("This run has no result", progress.error)]
    if empty:
        return [no_candles()]
    return [_instead("Would this have worked?", INVITATION), _warm()]


def _warm() -> html.Div:
    """Have the browser fetch chart and grid while the choices are made: the first result is then painted at once."""
    return html.Div([dcc.Graph(figure=theme.blank("")), dag.AgGrid(columnDefs=[], rowData=[])], className="hidden")


INVITATION = (
    "Choose strategy, symbols and dates above and press Run. The answer comes with all costs, the trades with their "
    "reasons, and the doubts that every result has to pass."
)


def _instead(title: str, words: str) -> html.Section:
    return html.Section(parts.empty(title, words), className="panel bt-instead")


def no_candles(why: str = "A backtest needs history.") -> html.Section:
    """Say how candles get here."""
    words = html.Div(
        [
            html.Strong("No candles are stored"),
            html.Span(f"{why} Download it from Binance, or import files (CSV, Parquet or zip):"),
            html.Code(DOWNLOAD),
            html.Code(IMPORT),
            html.Span("Then load this page again."),
        ],
        className="empty",
    )
    return html.Section(words, className="panel bt-instead")


def result(view: BacktestView, stored: Sequence[RunSummary]) -> list[Any]:
    """Draw a finished run."""
    made = [tiles.row(view)]
    if view.notes:
        made.append(html.Div([html.Span("!", className="warning note-mark"), *_notes(view)], className="bt-notes"))
    right = html.Div([months.card(view), plateau.card(view)], className="bt-side")
    upper = html.Div([curves.card(view, stored), right], className="bt-columns")
    lower = html.Div([tabs.card(view), checks.card(view)], className="bt-columns bt-lower")
    return [*made, upper, lower, trade.dialog()]


def _notes(view: BacktestView) -> list[html.Span]:
    shown = [html.Span(note) for note in view.notes[:2]]
    hidden = len(view.notes) - len(shown)
    return [*shown, html.Span(f"{hidden} more in Data & settings", className="muted")] if hidden else shown


def moving(progress: BacktestProgress) -> parts.Parts:
    """Return what follows a run that is still computed."""
    now = controls.progress(progress)
    return {**now, (ids.BT_BODY, "className"): body_class(progress), (ids.BT_ERROR, "children"): ""}


def outcome(
    progress: BacktestProgress,
    view: BacktestView | None,
    stored: Sequence[RunSummary],
    choices: Choices | None = None,
) -> parts.Parts:
    """Return all that changes when a run has ended."""
    asked = heading.marks(view.request, choices) if view and choices else None
    return {
        **moving(progress),
        (ids.BT_ERROR, "children"): progress.error if progress.state == "failed" else "",
        (ids.BT_BODY, "children"): body(view, progress, stored),
        (ids.BT_HEADING, "children"): heading.title(view),
        (ids.BT_ASKED, "data"): asked,
        (ids.BT_GO, "children"): controls.run_word(view),
        (ids.BT_RUNS, "children"): runs.table(stored, view.key if view else progress.key),
    }
