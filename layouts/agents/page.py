"""The page as a whole. All parts are always there; a tick sends those whose content differs from what is shown."""

from __future__ import annotations

import json
from typing import Any
from zlib import crc32

import dash_bootstrap_components as dbc
from dash import dcc, html
from plotly.utils import PlotlyJSONEncoder

from layouts import ids, parts, text
from layouts.agents import cards, mother
from trading.domain.agents import AgentsView

NAME = "agents"
TICK_MS = 2_000
OWN = ("This list decides who trades: a strategy that is named at the start or put on paper on the page Strategies is "
       "refused.")
RESTART = ("What you changed here is kept and holds from the next start of the cockpit on; until then the agents of "
           "this session go on.")


def page(view: AgentsView) -> html.Main:
    """Draw the page."""
    shown = moving(view)
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME), dcc.Store(id=ids.AG_SEEN, data=_stamps(shown)),
        dcc.Interval(id=ids.AG_TICK, interval=TICK_MS, max_intervals=1),
    ]
    compare = html.Button("Compare", id=ids.AG_COMPARE, className="btn-line",
                          title="Learn on the first half of the stored bars, trade the second")
    note = html.Span(shown[ids.AG_STUDY_NOTE, "children"], id=ids.AG_STUDY_NOTE, className="card-note")
    lower = html.Div([
        parts.card("Mother AI", mother.settings(view.mother), _part(shown, ids.AG_RANKING), name="ag-mother"),
        parts.card("Decision history", _part(shown, ids.AG_DECISIONS, "ag-scroll ag-tall"),
                   note="wishes and what became of them", name="ag-history"),
    ], className="bt-columns ag-lower")
    return html.Main([
        *memory, _controls(view), _part(shown, ids.AG_NOTE), _part(shown, ids.AG_CARDS, "ag-grid"), lower,
        parts.card("What would Mother AI have done?", _part(shown, ids.AG_STUDY),
                   tools=html.Div([note, compare], className="tools"), name="ag-study"),
    ], className="bt-page ag-page")


def broken(words: str) -> html.Main:
    """Say why there is nothing to see, with a way out."""
    follow = html.Button("Follow the cockpit", id=ids.agent_act("follow", ""), className="btn-line", title=(
        "Set the file aside as agents.json.broken: the cockpit's strategy trades again, from the next start on"))
    told = html.Div([parts.empty("The agents cannot be read", words), follow],
                    style={"textAlign": "center", "margin": "auto"})
    return html.Main([dcc.Store(id=ids.PAGE_NAME, data=NAME),
                      html.Section(told, className="panel bt-instead")], className="bt-page ag-page")


def moving(view: AgentsView) -> parts.Parts:
    """Return all that changes while the page is looked at."""
    return {
        (ids.AG_NOTE, "children"): _notes(view),
        (ids.AG_CARDS, "children"): cards.grid(view.agents),
        (ids.AG_RANKING, "children"): mother.ranking(view),
        (ids.AG_DECISIONS, "children"): mother.decisions(view),
        (ids.AG_STUDY, "children"): mother.study(view),
        (ids.AG_STUDY_NOTE, "children"): mother.studied(view.study),
    }


def news(view: AgentsView, seen: dict[str, Any]) -> parts.Parts:
    """Return the parts that differ from what a tab shows, and what it shows then."""
    now = moving(view)
    stamps = _stamps(now)
    found: parts.Parts = {part: value for part, value in now.items() if stamps[part[0]] != seen.get(part[0])}
    return found | {(ids.AG_SEEN, "data"): stamps} if found else found


def _stamps(shown: parts.Parts) -> dict[str, int]:
    return {key: crc32(json.dumps(value, cls=PlotlyJSONEncoder).encode()) for (key, _), value in shown.items()}


def _part(shown: parts.Parts, key: str, name: str = "") -> html.Div:
    return html.Div(shown[key, "children"], id=key, className=name)


def _notes(view: AgentsView) -> list[Any]:
    """Draw what must be known before anything else: that nobody trades, that a restart is due, who decides."""
    found = [_note("!", "down", html.Span(notice)) for notice in view.notices]
    if view.needs_restart:
        found.append(_note("!", "warning", html.Span(RESTART)))
    if view.is_own:
        follow = html.Button("Follow the cockpit", id=ids.agent_act("follow", ""), className="btn-line",
                             title="Forget the list: the cockpit's strategy trades again, from the next start on")
        found.append(html.Div([html.Span(OWN, className="muted"), follow], className="ag-own"))
    return found


def _note(mark: str, tone: str, *words: Any) -> html.Div:
    return html.Div([html.Span(mark, className=f"{tone} note-mark"), *words], className="bt-notes")


def _controls(view: AgentsView) -> html.Section:
    symbols = [{"label": text.symbol(symbol), "value": symbol} for symbol in view.symbols]
    rules = [{"label": cards.strategy_label(key, label), "value": key} for key, label in view.strategies]
    symbol = dbc.Select(symbols, view.symbols[0] if view.symbols else None, id=ids.AG_SYMBOL, size="sm")
    strategy = dbc.Select(rules, rules[0]["value"] if rules else None, id=ids.AG_STRATEGY, size="sm")
    timeframe = dbc.Input(value=view.timeframe, id=ids.AG_TIMEFRAME, size="sm", readonly=True)
    add = html.Button("Add agent", id=ids.AG_ADD, className="big go")
    fields = [
        _named("w-symbols", "Symbol", symbol, "One of the cockpit's symbols"),
        _named("w-strategy", "Strategy", strategy, "A strategy of yours, a shipped one, or the symbol's model"),
        _named("w-money", "Timeframe", timeframe, "Agents decide on the cockpit's own bars"),
        html.Div(add, className="bt-buttons"),
    ]
    error = html.Div(id=ids.AG_ERROR, className="bt-error", role="alert")
    return html.Section([html.Div(fields, className="bt-form"), error], className="panel panel-controls",
                        **{"aria-label": "Add an agent"})


def _named(width: str, label: str, control: Any, title: str) -> html.Div:
    field = parts.field(label, control, title)
    field.className = f"field {width}"
    return field
