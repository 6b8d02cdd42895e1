"""The page as a whole: what is always there, and the body that follows the study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from layouts import ids, parts, text
from layouts.automl import champion, charts, controls, form, parallel, rule, studies, table, tiles, verdict
from layouts.automl.form import StudyForm
from layouts.backtest.form import Choices
from layouts.backtest.page import no_candles
from trading.domain.studies import StudySummary, StudyView

NAME = "automl"
INVITATION = (
    "A search tries many candidates on the first part of the candles and keeps the best. Its champion is then judged "
    "once on the last part, which none of them has seen, against the number of candidates that it took to find it. "
    "Nothing is promoted on what a search found inside."
)


def page(now: StudyForm, choices: Choices, view: StudyView | None, listed: Sequence[StudySummary],
         unknown: str = "") -> html.Main:
    """Draw the page for a study, or for none; `unknown` says why the one that the address names is not here."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.AM_RUN, data=seen(view)),
        dcc.Interval(id=ids.AM_TICK, interval=400, max_intervals=1, disabled=not controls.is_active(view)),
    ]
    heading = html.H2(title(view), id=ids.AM_HEADING, className="bt-heading")
    inside = html.Div(body(view, empty=not choices.markets, unknown=unknown), id=ids.AM_BODY, className="bt-body")
    result = html.Div([html.Div(heading, className="bt-head"), inside], className="bt-result")
    rest = [controls.card(now, choices, view), result, studies.card(listed, view.key if view else None)]
    return html.Main([*memory, *rest, table.dialog()], className="bt-page am-page")


def seen(view: StudyView | None) -> dict[str, Any]:
    """Return which study is on screen, and the shape of its page: another shape is drawn anew."""
    return {"key": view.key if view else None, "shape": shape(view)}


def shape(view: StudyView | None) -> str:
    """Name what a page of a study consists of."""
    if view is None:
        return "none"
    return f"{view.key} {view.state} {'some' if view.candidates else 'empty'} {view.error}"


def title(view: StudyView | None) -> list[Any]:
    """Write whose result is on screen."""
    if view is None:
        return []
    asked = view.request
    name = " · ".join(word for word in (form.SEARCHES[asked.search].name, asked.strategy) if word)
    symbols = ", ".join(text.symbol(s) for s in asked.symbols)
    dates = " to ".join(text.date(t) for t in (asked.start, asked.end and asked.end - 1) if t is not None)
    rest = (symbols, asked.interval, dates, f"{text.percent(asked.holdout_rate, 0)} untouched", f"seed {asked.seed}",
            "long and short, research only" if asked.short else "")
    return [html.Strong(name), html.Span(" · ".join(word for word in rest if word), className="muted")]


def body(view: StudyView | None, *, empty: bool = False, unknown: str = "") -> list[Any]:
    """Draw the study, or what stands in its place."""
    if view is not None:
        return result(view)
    if unknown:
        return [_instead("This study is not here", unknown)]
    return [no_candles()] if empty else [_instead("Search honestly", INVITATION)]


def _instead(said: str, words: str) -> html.Section:
    return html.Section(parts.empty(said, words), className="panel bt-instead")


def result(view: StudyView) -> list[Any]:
    """Draw a study as it stands."""
    made: list[Any] = [verdict.strip(view), *_notes(view)]
    if not view.candidates:
        return [*made, _instead(*_nothing(view))]
    live = dcc.Interval(id=ids.AM_LIVE, interval=1_500, max_intervals=1)
    upper = html.Div([charts.pareto_card(view), champion.card(view)], className="bt-columns")
    middle = html.Div([parallel.card(view), charts.outside_card(view), charts.history_card(view)], className="am-three")
    lower = html.Div([table.card(view), rule.card(view)], className="bt-columns am-lower")
    return [*made, live, dcc.Store(id=ids.AM_SEEN, data=picture(view)), tiles.row(view), upper, middle, lower]


def _nothing(view: StudyView) -> tuple[str, str]:
    if view.state == "waiting":
        return "Waiting its turn", "One search runs at a time; this one begins by itself."
    if view.state == "running":
        return "The first candidates are being tried", (
            "Candles are read, and what judges the candidates is compiled when it is new: that may take a minute.")
    return "No candidate was kept", "The search stopped before the first one was finished."


def _notes(view: StudyView) -> list[Any]:
    if not view.notes:
        return []
    words = [html.Span(text.typeset(f"{note[:1].upper()}{note[1:]}")) for note in view.notes[:4]]
    return [html.Div([html.Span("!", className="warning note-mark"), *words], className="bt-notes")]


def picture(view: StudyView) -> str:
    """Name what the figures show: the same name needs no new drawing."""
    return f"{view.key} {view.version} {view.n_trials}"


def moving(view: StudyView) -> parts.Parts:
    """Return what follows a study in the frame while its page keeps its shape."""
    return {**controls.progress(view), (ids.AM_ERROR, "children"): ""}


def redrawn(view: StudyView, listed: Sequence[StudySummary]) -> parts.Parts:
    """Return all that changes with another study or another state."""
    return {
        **moving(view),
        (ids.AM_RUN, "data"): seen(view),
        (ids.AM_BODY, "children"): body(view),
        (ids.AM_HEADING, "children"): title(view),
        (ids.AM_STUDIES, "children"): studies.table(listed, view.key),
    }


def pictures(view: StudyView) -> parts.Parts:
    """Return the figures of a study that runs."""
    return {
        (ids.AM_SEEN, "data"): picture(view),
        (ids.AM_TILES, "children"): tiles.tiles(view),
        (ids.AM_PARETO, "figure"): charts.pareto(view),
        (ids.AM_PARALLEL, "figure"): parallel.drawn(view),
        (ids.AM_HISTORY, "figure"): charts.history(view),
        (ids.AM_CHAMPION_TITLE, "children"): champion.title(view),
        (ids.AM_CHAMPION, "children"): champion.inside(view),
        (ids.AM_RULE, "children"): rule.inside(view),
        (ids.AM_TABLE, "rowData"): table.rows(view),
        (ids.AM_COUNT, "children"): table.count(view),
    }
