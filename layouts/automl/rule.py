"""A candidate as it would trade: its rule in words, its numbers, its document."""

from __future__ import annotations

import json
from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.automl import rule_words
from layouts.backtest.tiles import fall
from trading.domain.studies import Candidate, StudyView

FIGURES = (
    ("sharpe", "Sharpe a year"),
    ("total_return", "Return"),
    ("max_drawdown", "Largest drawdown"),
    ("n_trades", "Trades"),
)
COUNTS = ("n_trades", "n_bars")
UNTOLD = ("bar_sharpe", "skew", "kurtosis")  # what the gate computes with
LABELS = {"n_bars": "Bars", "score": "Score, by which it was chosen"}
CLOSED = "closed"


def figure(name: str, value: float | None) -> str:
    """Write a figure of a candidate."""
    if name == "total_return":
        return text.signed_percent(value, 1)
    if name == "max_drawdown":
        return fall(value)
    if name in COUNTS:
        return text.NOTHING if value is None else f"{round(value):,}"
    return text.number(value)


def _more(one: Candidate) -> list[tuple[str, str]]:
    """Return the figures that this kind of search has beside the usual ones."""
    quiet = {*dict(FIGURES), *UNTOLD}
    names = [name for name in (*one.inside, *one.outside) if name not in quiet]
    return [(name, LABELS.get(name) or name.replace("_", " ").capitalize()) for name in dict.fromkeys(names)]


def figures(one: Candidate) -> html.Table:
    """Put what was measured inside the search beside what came of it on the untouched window."""
    head = html.Tr([html.Th(""), html.Th("Inside", className="right", title="On the search's own windows"),
                    html.Th("Untouched", className="right", title="On the last part of the candles, opened once")])
    rows = []
    for name, label in (*FIGURES, *_more(one)):
        inside, outside = one.inside.get(name), one.outside.get(name)
        late = figure(name, outside) if one.outside else CLOSED
        is_gain = name in ("sharpe", "total_return")
        tones = [text.tone(v, 3) if is_gain else "" for v in (inside, outside)]
        rows.append(html.Tr([html.Td(label), html.Td(figure(name, inside), className=f"right {tones[0]}"),
                             html.Td(late, className=f"right {tones[1] if one.outside else 'muted'}")]))
    return html.Table([html.Thead(head), html.Tbody(rows)], className="plain-table am-figures")


def words(one: Candidate) -> list[Any]:
    """Write the rule, the numbers and the document."""
    made: list[Any] = []
    if one.document is not None:
        made += [_side(title, found) for title, found in rule_words.sides(one.document)]
        if risk := rule_words.risk(one.document):
            made.append(html.P(f"Risk: {risk}", className="am-risk"))
    if one.parameters:
        made.append(_numbers(one))
    if one.document is not None:
        document = json.dumps(one.document, indent=2, default=str)
        made.append(html.Details([html.Summary("JSON"), html.Pre(document, tabIndex="0")], className="more am-json"))
    return made or [parts.empty("This candidate has no rule to show")]


def _side(title: str, found: list[rule_words.Line]) -> html.Div:
    tone = "am-exit" if title == "Exit" else "am-enter"
    rows = [html.Li(said, style={"marginLeft": f"{14 * depth}px"}, className="am-group" if said in _GROUPS else "")
            for depth, said in found]
    return html.Div([html.H3(title), html.Ul(rows)], className=f"am-side {tone}")


_GROUPS = ("all of", "any of", "not")


def _numbers(one: Candidate) -> html.Div:
    cells = [html.Span([html.Span(f"{name} ", className="muted"), rule_words.amount(value, {})], className="am-number")
             for name, value in one.parameters.items()]
    return html.Div(cells, className="am-numbers")


def inside(view: StudyView) -> list[Any]:
    """Draw what is in the card."""
    if view.champion is None:
        return [parts.empty("No champion yet", "The first candidate that trades enough appears here.")]
    return words(view.champion)


def card(view: StudyView) -> html.Section:
    """Draw the card."""
    body = html.Div(inside(view), id=ids.AM_RULE, className="am-rule")
    title = "The champion's settings" if view.request.search == "model" else "The champion's rule"
    return parts.card(title, body, name="am-rule")


def title(one: Candidate) -> str:
    """Name a candidate."""
    return f"Candidate {one.number:,}" + (f" · {one.name}" if one.name and not one.parameters else "")


def opened(one: Candidate) -> list[Any]:
    """Draw what the dialog of a candidate shows."""
    front = [html.P("On the front: no other has both more Sharpe and less drawdown.", className="muted")]
    return [*(front if one.on_front else []), figures(one), html.Div(words(one), className="am-rule")]
