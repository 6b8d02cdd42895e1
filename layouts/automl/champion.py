"""The champion: its figures inside and outside, what the gate asked, and how to go on with it."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts
from layouts.automl import rule, verdict
from layouts.automl.controls import is_active
from trading.domain.studies import SavedStrategy, StudyView

UNPROVEN = "It was not promoted: it is saved for research, and its name says unproven."
UNASKED = "The search is not over, so nothing speaks for it: it is saved for research, and its name says unproven."
FIRST = "The first candidate that trades enough appears here."
ALL_MARKETS = ("Rules are bred on one symbol each; at the end the best of them are judged on all symbols, and the best "
               "there is the champion. Until then figures beside each other may be of different symbols.")
PROVEN = "It passed the gate. Begin on paper."
SHORT = ("Long and short rules are for research only and cannot be traded on spot: the saved file keeps the long side "
         "alone, which nobody judged, and its name says unproven.")
MODEL = "These are settings of a model: train one with them on the page Models; nothing is saved here."


def inside(view: StudyView) -> list[Any]:
    """Draw what is in the card; the gate's questions stand below the figures."""
    if view.champion is None:
        return [parts.empty("No champion yet", ALL_MARKETS if is_bred_apart(view) else FIRST)]
    return [rule.figures(view.champion), html.H3("May it be promoted?"), *verdict.lines(view), *_save(view)]


def is_bred_apart(view: StudyView) -> bool:
    """Tell whether candidates are bred on a symbol each and only the best are judged on all."""
    return view.request.search == "evolution" and len(view.request.symbols) > 1


def _save(view: StudyView) -> list[Any]:
    """Offer to keep the champion once the search has stopped."""
    if is_active(view) or view.champion is None:
        return []
    if view.champion.document is None:
        return [html.P(MODEL, className="muted am-means")]
    word = "Save as strategy" if view.is_proven else "Save as unproven strategy"
    means = SHORT if view.request.short else PROVEN if view.is_proven else UNPROVEN if view.gate else UNASKED
    button = html.Button(word, id=ids.AM_SAVE, className="big go" if view.is_proven else "big calm")
    row = html.Div([button, html.Span(means, className="muted")], className="am-save")
    return [row, html.Div(id=ids.AM_SAVED, className="am-saved", role="status")]


def saved(view: StudyView, kept: SavedStrategy) -> list[Any]:
    """Say where it is and how it is tried next."""
    asked = view.request
    command = (f'python main.py --mode dashboard --strategy "{kept.path}" --assets {",".join(asked.symbols)} '
               f"--interval {asked.interval}")
    made: list[Any] = [
        html.Div([html.Strong(f"Saved as {kept.name}. "),
                  html.A("Open on the page Backtest", href=f"/backtest?strategy={kept.id}")]),
    ]
    if asked.short:
        return [*made, html.Div(SHORT, className="muted")]
    how = "To put it on paper, stop the cockpit and start it with this strategy; the mode is Paper until you change it:"
    return [*made, html.Div(how, className="muted"), html.Code(command)]


def failed(error: Exception) -> list[Any]:
    """Say why it was not saved."""
    return [html.Span(f"✗ {error}", className="down")]


def title(view: StudyView) -> str:
    """Name the champion."""
    return "Champion" if view.champion is None else f"Champion · candidate {view.champion.number:,}"


def card(view: StudyView) -> html.Section:
    """Draw the card."""
    named = html.Span(title(view), id=ids.AM_CHAMPION_TITLE)
    return parts.card(named, html.Div(inside(view), id=ids.AM_CHAMPION, className="am-champion"), name="am-champion")
