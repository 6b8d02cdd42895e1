"""The control row: the form's inputs, Start, and what a study says while it runs."""

from __future__ import annotations

import re
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.automl import form
from layouts.automl.form import StudyForm
from layouts.backtest import controls as backtest
from layouts.backtest.form import Choices, cost_figures, costs_word
from trading.domain.studies import StudyView

ACTIVE = ("waiting", "running")
FEWEST = 0.02  # of a search must be done before its end is foretold


def is_active(view: StudyView | None) -> bool:
    """Tell whether a study waits or runs."""
    return view is not None and view.state in ACTIVE


def card(now: StudyForm, choices: Choices, view: StudyView | None) -> html.Section:
    """Draw the row; without candles there is nothing to search on."""
    fold = html.Button(
        [html.Span(form.summary(now, choices), id=ids.AM_FOLD_WORD), html.Span("▾", className="fold-mark")],
        id=ids.AM_FOLD,
        className="fold",
        title="Show or hide the choices",
        **{"aria-expanded": "false", "aria-controls": ids.AM_FORM},
    )
    go = html.Button("▶ Start", id=ids.AM_GO, className="big go", disabled=not choices.markets)
    fields = html.Div(
        [*_fields(now, choices), html.Div(go, className="bt-buttons")], id=ids.AM_FORM, className="bt-form am-form"
    )
    return html.Section([fold, fields, *_status(view)], className="panel panel-controls", **{"aria-label": "Search"})


def _status(view: StudyView | None) -> list[html.Div]:
    shown = progress(view) if view else {}
    fill = html.Div(className="bar-fill", id=ids.AM_BAR, style=shown.get((ids.AM_BAR, "style"), {"width": "0%"}))
    stage = html.Span(
        shown.get((ids.AM_STAGE, "children"), ""), id=ids.AM_STAGE, className="bt-stage am-stage", role="status"
    )
    cancel = html.Button(
        "Cancel", id=ids.AM_CANCEL, className="btn-line danger", title="Stops; what was tried is kept, and it can go on"
    )
    running = html.Div(
        [html.Div(fill, className="bar"), stage, cancel],
        id=ids.AM_PROGRESS,
        className=shown.get((ids.AM_PROGRESS, "className"), "bt-progress hidden"),
    )
    return [running, html.Div(id=ids.AM_ERROR, className="bt-error", role="alert")]


def progress(view: StudyView) -> parts.Parts:
    """Return what follows a study's progress."""
    active = is_active(view)
    return {
        (ids.AM_BAR, "style"): {"width": f"{100 * min(1.0, max(0.0, view.done)):.1f}%"},
        (ids.AM_STAGE, "children"): stage(view),
        (ids.AM_PROGRESS, "className"): "bt-progress" if active else "bt-progress hidden",
        (ids.AM_TICK, "disabled"): not active,
    }


def stage(view: StudyView) -> str:
    """Write how far a study is: share, stage, candidates, their pace, the time that is left."""
    if view.state == "waiting":
        return "waiting: another search runs, one at a time"
    counted = f"{view.n_trials:,} of {view.request.budget:,} candidates"
    said = re.sub(r", [\d,]+ (candidates|sets of numbers)$", "", view.stage)  # they are counted beside it
    words = [f"{100 * view.done:.0f} %", said, counted, pace(view), left(view)]
    return " · ".join(word for word in words if word)


def pace(view: StudyView) -> str:
    """Write how many candidates are tried a minute."""
    return f"{60 * view.n_trials / view.seconds:,.0f} a minute" if view.n_trials and view.seconds > 0 else ""


def left(view: StudyView) -> str:
    """Write the time that is left at the pace so far."""
    if view.done < FEWEST or view.seconds <= 0:
        return ""
    return f"about {text.span(1000 * view.seconds * (1 - view.done) / view.done)} left"


def strategy_options(search: str, choices: Choices) -> list[dict[str, Any]]:
    """Return the strategies that a kind of search may begin from."""
    known = [{"label": s.name, "value": s.id} for s in choices.strategies]
    if search == form.PARAMETERS:
        return [{"label": s.name, "value": s.id, "disabled": not s.parameters} for s in choices.strategies]
    return [{"label": "none: from scratch", "value": form.NONE}, *known] if search == form.EVOLUTION else known


def strategy_label(search: str) -> str:
    """Say what the strategy is to a kind of search."""
    return {form.EVOLUTION: "First ancestor", form.MODEL: "Strategy (not used)"}.get(search, "Strategy")


def _fields(now: StudyForm, choices: Choices) -> list[Any]:
    kinds = [{"label": one.name, "value": key} for key, one in form.SEARCHES.items()]
    markets = [{"label": m.display, "value": m.symbol, "search": f"{m.display} {m.symbol}"} for m in choices.markets]
    strategy = dcc.Dropdown(strategy_options(now.search, choices), now.strategy, id=ids.AM_STRATEGY, clearable=False,
                            className="box-choice", disabled=now.search == form.MODEL)
    symbols = dcc.Dropdown(markets, now.symbols, id=ids.AM_SYMBOLS, multi=True, clearable=False, maxHeight=320,
                           className="box-choice", placeholder="none", labels={"selected_count": "{num_selected}"})
    interval = dbc.Select(
        backtest.interval_options(choices.intervals(now.symbols)), now.interval, id=ids.AM_INTERVAL, size="sm"
    )
    search = _named("w-search", "Search", dbc.Select(kinds, now.search, id=ids.AM_SEARCH, size="sm"))
    search.id, search.title = ids.AM_SEARCH_NOTE, form.SEARCHES[now.search].words
    named = _named("w-strategy", strategy_label(now.search), strategy)
    named.children[0].id = ids.AM_STRATEGY_NOTE
    return [
        search,
        named,
        _named("w-symbols", "Symbols", symbols, "Evolution: the islands share the symbols and send each other rules"),
        _named("w-short", "Timeframe", interval),
        _named("w-date", "From", _date(ids.AM_START, now.start), "First day, UTC"),
        _named("w-date", "To", _date(ids.AM_END, now.end), "Last day, UTC"),
        _number("Untouched, %", ids.AM_HOLDOUT, now.holdout, 5, 80,
                "The last part of the candles: no candidate sees it, the champion is judged there once"),
        _number("Candidates", ids.AM_BUDGET, now.budget, 1, form.MOST_BUDGET, "How many may be tried", "w-money"),
        _number("Seed", ids.AM_SEED, now.seed, 0, form.MOST_SEED, "The same question and seed find the same champion"),
        _more(now, choices),
    ]


def _named(width: str, label: str, control: Any, title: str = "") -> html.Div:
    field = parts.field(label, control, title)
    field.className = f"field {width}"
    return field


def _number(label: str, key: str, value: Any, low: int, high: int, title: str, width: str = "w-number") -> html.Div:
    box = dbc.Input(id=key, type="number", value=value, min=low, max=high, step="any", size="sm")
    return _named(width, label, box, title)


def _date(key: str, value: str | None) -> dcc.DatePickerSingle:
    return dcc.DatePickerSingle(id=key, date=value, display_format="YYYY-MM-DD", className="box-date")


def evolution_class(search: str) -> str:
    """Show what only breeding needs to who breeds."""
    return "am-evolution" if search == form.EVOLUTION else "am-evolution hidden"


def _more(now: StudyForm, choices: Choices) -> html.Div:
    profiles = [{"label": p.name, "value": p.name} for p in choices.profiles]
    boxes = [
        _number("Islands", ids.AM_ISLANDS, now.islands, 1, 16, "Populations that breed apart and trade their best"),
        _number("Population", ids.AM_POPULATION, now.population, 4, 1_000, "Rules alive at once on each island"),
    ]
    short = dbc.Checklist([{"label": "Long and short rules", "value": "short"}], ["short"] if now.short else [],
                          id=ids.AM_SHORT, className="line-choice")
    warning = "For research only: what comes of it cannot be traded on spot."
    breeding = html.Div([html.Div(boxes, className="pair"), short, html.P(warning, className="muted sheet-words")],
                        id=ids.AM_EVOLUTION, className=evolution_class(now.search))
    costs = f"Costs are those of the settings: {costs_word(cost_figures(choices.costs))}."
    profile = _named("", "Risk profile", dbc.Select(profiles, now.profile, id=ids.AM_PROFILE, size="sm"))
    sheet = html.Div([profile, breeding, html.P(costs, className="muted sheet-words")],
                     className="sheet sheet-right sheet-mode")
    word = form.more_word(now.search, now.profile, now.islands, now.population, now.short)
    summary = html.Summary([html.Span("More: ", className="visually-hidden"),
                            html.Span(word, id=ids.AM_MORE_WORD, className="box-word")])
    return html.Div([html.Label("More"), html.Details([summary, sheet], className="drop box")],
                    className="field w-mode")
