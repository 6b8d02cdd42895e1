"""The control row: what is rehearsed, Start and Stop."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.rehearsal import form
from layouts.rehearsal.form import Choices, RehearsalForm
from trading.domain.rehearsal import STOPPING, RehearsalView

SPEED = "Market seconds a second: at 60 an hour's movement passes in a minute; the clock stays the true one"
EVERY = "A fault of the seeded schedule every so many seconds; 0: only those that you throw by hand"


def card(now: RehearsalForm, choices: Choices, view: RehearsalView) -> html.Section:
    """Draw the row."""
    fold = html.Button(
        [html.Span(form.summary(now), id=ids.RH_FOLD_WORD), html.Span("▾", className="fold-mark")],
        id=ids.RH_FOLD, className="fold", title="Show or hide the choices",
        **{"aria-expanded": "false", "aria-controls": ids.RH_FORM},
    )
    state = buttons(view)
    go = html.Button("▶ Start", id=ids.RH_GO, className="big go", disabled=state[ids.RH_GO, "disabled"])
    stop = html.Button("■ Stop", id=ids.RH_STOP, className="big", disabled=state[ids.RH_STOP, "disabled"],
                       title="Stops the cockpit there and ends the exchange")
    fields = html.Div([*_fields(now, choices), html.Div([go, stop], className="bt-buttons")], id=ids.RH_FORM,
                      className="bt-form rh-form")
    error = html.Div(id=ids.RH_ERROR, className="bt-error", role="alert")
    return html.Section([fold, fields, error], className="panel panel-controls", **{"aria-label": "Rehearsal"})


def buttons(view: RehearsalView) -> parts.Parts:
    """Return which of the two can be pressed."""
    return {(ids.RH_GO, "disabled"): view.is_active,
            (ids.RH_STOP, "disabled"): not view.is_active or view.state == STOPPING}


def symbol_options(source: str, choices: Choices) -> list[dict[str, Any]]:
    """Return the symbols that a source has."""
    return [{"label": text.symbol(s), "value": s, "search": f"{text.symbol(s)} {s}"} for s in choices.symbols(source)]


def _fields(now: RehearsalForm, choices: Choices) -> list[Any]:
    sources = [{"label": name, "value": key, "disabled": not choices.symbols(key)}
               for key, name in form.SOURCES.items()]
    rules = [{"label": name, "value": key} for key, name in form.RULES.items()]
    source = dbc.Select(sources, now.source, id=ids.RH_SOURCE, size="sm")
    symbols = dcc.Dropdown(symbol_options(now.source, choices), now.symbols, id=ids.RH_SYMBOLS, multi=True,
                           clearable=False, className="box-choice", placeholder="none",
                           labels={"selected_count": "{num_selected}"})
    note = "" if choices.markets else " · no candles are stored: python main.py --mode download"
    return [
        _named("w-search", "Prices", source, form.SOURCE_WORDS[now.source] + note),
        _named("w-symbols", "Symbols", symbols, "What the exchange lists and the cockpit there trades"),
        _named("w-strategy", "Trades", dbc.Select(rules, now.rule, id=ids.RH_RULE, size="sm"), form.RULE_WORDS),
        _number("Seed", ids.RH_SEED, now.seed, (0, form.MOST_SEED), "The same seed gives the same prices and faults"),
        _number("Speed, ×", ids.RH_SPEED, now.speed, (0.1, form.MOST_SPEED), SPEED),
        _number("Fault every, s", ids.RH_EVERY, now.every, (0, form.MOST_EVERY), EVERY),
    ]


def _named(width: str, label: str, control: Any, title: str = "") -> html.Div:
    field = parts.field(label, control, title)
    field.className = f"field {width}"
    return field


def _number(label: str, key: str, value: Any, limits: tuple[float, float], title: str) -> html.Div:
    box = dbc.Input(id=key, type="number", value=value, min=limits[0], max=limits[1], step="any", size="sm")
    return _named("w-money", label, box, title)
