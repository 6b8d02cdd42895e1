"""The fields of a strategy: what it trades, on which bars, its risk, its parameters, its notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts.strategies import operand
from layouts.strategies.pieces import NONE, act, box, choice, of_head
from trading.domain.workshop import Catalog, DraftView, OperandView

DIRECTIONS = (("long", "Long only"), ("short", "Short (research)"))
MAIN_RISK = (("stop_atr", "Stop", "ATR"), ("target_atr", "Target", "ATR"), ("trail_atr", "Trail", "ATR"),
             ("risk_rate", "Risk/trade", "%"))
MORE_RISK = (("breakeven_atr", "Stop to entry after", "ATR"), ("time_stop_bars", "Sell after", "bars"),
             ("cool_down_bars", "Pause after a trade", "bars"), ("max_position_rate", "Largest position", "%"),
             ("max_exposure_rate", "Largest exposure", "%"), ("max_positions", "Open positions", ""),
             ("daily_loss_rate", "Daily loss limit", "%"), ("max_drawdown_rate", "Kill at drawdown", "%"))


def fields(view: DraftView, catalog: Catalog, markets: Sequence[str]) -> list[Any]:
    """Draw what stands above the rules."""
    head = view.head
    known = html.Datalist([html.Option(value=one) for one in markets], id="st-markets")
    frames = [(NONE, "any"), *((one, one) for one in catalog.timeframes)]
    return [
        of_head("Name", box(_text(head.get("name")), maxlength=255), ["name"], css="st-name"),
        of_head("Symbols", dbc.Input(value=", ".join(view.symbols), size="sm", list="st-markets", autocomplete="off"),
                ["symbols"], title="One or several, with commas between them"),
        of_head("Timeframe", choice(_text(head.get("timeframe")) or NONE, frames), ["timeframe"]),
        of_head("Direction", choice(_text(head.get("side")) or "long", DIRECTIONS), ["side"]),
        known,
    ]


def below(view: DraftView, catalog: Catalog) -> list[Any]:
    """Draw what stands below the rules."""
    titles = dict(catalog.risk)
    risk = _mapping(view.head.get("risk"))
    main = [_risk(name, label, unit, (risk, titles)) for name, label, unit in MAIN_RISK]
    more = [_risk(name, label, unit, (risk, titles)) for name, label, unit in MORE_RISK]
    n_more = sum(name in risk for name, _, _ in MORE_RISK)
    notes = of_head("Notes", dbc.Textarea(value=_text(view.head.get("notes")), size="sm", rows=2), ["notes"],
                    css="st-whole")
    return [
        html.Div(main, className="st-risk"),
        _fold(f"More limits{f' · {n_more} set' if n_more else ''}", [html.Div(more, className="st-risk")], False),
        _parameters(_mapping(view.head.get("parameters"))),
        _rank(view, catalog),
        _fold("Notes", [notes], False),
    ]


def _fold(title: str, inside: list[Any], is_open: bool) -> html.Details:
    folded = html.Div(inside, className="st-folded")
    return html.Details([html.Summary(title), folded], open=is_open, className="st-fold")


def _risk(name: str, label: str, unit: str, known: tuple[Mapping[str, Any], Mapping[str, str]]) -> html.Label:
    risk, titles = known
    value = risk.get(name)
    if name.endswith("_rate") and isinstance(value, int | float):
        value = round(value * 100, 8)
    typed = box(_text(value), inputmode="decimal", placeholder="profile's")
    inside = [typed, *([html.Span(unit, className="unit")] if unit else [])]
    return of_head(label, inside, ["risk", name], css="st-unit",
                   title=f"{titles.get(name, '')}. Empty: as the risk profile says.")


def _parameters(known: Mapping[str, Any]) -> html.Details:
    rows = [_parameter(name, _mapping(one)) for name, one in known.items()]
    title = f"Parameters for a search · {len(rows)}" if rows else "Parameters for a search"
    words = html.P("A parameter gives a number of the rule a name and the range that a sweep may try. Choose it in a "
                   "condition's details as kind Parameter.", className="muted")
    add = html.Div([dbc.Input(placeholder="name, like rsi.period", size="sm", id="st-parameter-name"),
                    act("+ parameter", "add-parameter", css="btn-line small", source="st-parameter-name")],
                   className="st-parameter-new")
    return _fold(title, [words, *rows, add], False)


def _parameter(name: str, said: Mapping[str, Any]) -> html.Div:
    inputs = [of_head(field, box(_text(said.get(field)), inputmode="decimal"), ["parameters", name, field])
              for field in ("value", "low", "high", "step")]
    drop = act("✕", "drop-parameter", title=f"Remove {name}", name=name)
    return html.Div([html.Code(name), *inputs, drop], className="st-parameter")


def _rank(view: DraftView, catalog: Catalog) -> html.Details:
    by: OperandView | None = view.rank
    said = "When several symbols say enter at one moment, those with the highest number may."
    words = html.P(said, className="muted")
    if by is None:
        on = act("Rank the symbols", "head", css="btn-line small", path='["rank"]', value="on")
        return _fold("Ranking of symbols", [words, on], False)
    known = _mapping(view.head.get("parameters"))
    top = of_head("How many may enter", box(_text(_mapping(view.head.get("rank")).get("top_n", 1))), ["rank", "top_n"])
    chosen = operand.editor("The highest of", by, ("rank", "by"), (catalog, tuple(known)))
    off = act("No ranking", "head", css="btn-line small", path='["rank"]', value="")
    return _fold(f"Ranking of symbols · by {by.words}", [words, chosen, top, off], False)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)
