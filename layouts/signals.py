"""The last vote of each strategy on each symbol, with its reason, and when it votes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain import CockpitView, FeedView, ModelStatus, SignalView

TONES = {"BUY": "up", "SELL": "down", "HOLD": "muted"}
ARROWS = {"BUY": "▲", "SELL": "▼", "HOLD": "■"}


MODEL = "model"  # the name of the source that is a model
NOBODY = "no agent"  # what stands in a strategy's place where none can run


def who(signal: SignalView, models: Sequence[ModelStatus] = ()) -> Any:
    """Name the symbol, and the model where one votes."""
    if signal.strategy != MODEL:
        return html.Span(signal.display, className="vote-symbol")
    version = next((model.version for model in models if model.symbol == signal.symbol), "")
    named = f"{MODEL} {version.rpartition('-')[2][:6]}".strip()
    tag = html.Div(named, className="vote-model", title=version)
    return html.Div([html.Span(signal.display, className="vote-symbol"), tag])


def row(signal: SignalView, models: Sequence[ModelStatus] = ()) -> html.Div:
    """Draw one vote."""
    tone = TONES.get(signal.action, "muted")
    action = [html.Span(ARROWS.get(signal.action, ""), className="arrow", **{"aria-hidden": "true"}), signal.action]
    why = html.Div(
        [
            html.Div(signal.reason, className="why", title=f"{signal.strategy}: {signal.reason}"),
            parts.bar(signal.confidence, "accent" if signal.action != "HOLD" else "quiet"),
        ],
        className="vote-why",
    )
    return html.Div(
        [
            who(signal, models),
            html.Span(action, className=f"vote-action {tone}"),
            why,
            html.Span(
                text.number(signal.confidence), className="vote-confidence", title="confidence of the vote, 0 to 1"
            ),
        ],
        className="vote",
    )


def rows(signals: tuple[SignalView, ...], models: Sequence[ModelStatus] = (), strategy: str = "") -> Any:
    """Draw all votes, or say when the first comes, or that nobody votes."""
    if not signals and strategy == NOBODY:
        return parts.empty("No strategy trades", "The page Agents and the log say why and what to do. What is held "
                           "keeps its stop and target.")
    if not signals:
        return parts.empty("No vote yet", "Each strategy votes when a candle closes, also while trading is stopped.")
    return [row(s, models) for s in signals]


def next_decision(signals: tuple[SignalView, ...], feed: FeedView) -> str:
    """Say how long a person waits for the next candle's close; a replay at 60× closes an hour in a minute."""
    due = min((s.next_time for s in signals if s.next_time > feed.time), default=None)
    if due is None or feed.state in ("ended", "failed"):
        return text.NOTHING
    return f"in {text.span((due - feed.time) / (feed.speed or 1))} (candle close)"


def live(view: CockpitView) -> parts.Parts:
    """Return what changes."""
    return {
        (ids.SIGNALS, "children"): rows(view.signals, view.models, view.session.strategy),
        (ids.SIGNALS_NEXT, "children"): next_decision(view.signals, view.feed),
    }


def card(view: CockpitView) -> html.Section:
    """Draw the card."""
    now = live(view)
    following = html.Div(
        [
            html.Strong("Next decision"),
            html.Span(now[ids.SIGNALS_NEXT, "children"], id=ids.SIGNALS_NEXT, className="card-note"),
        ],
        className="next-decision",
    )
    votes = html.Div(now[ids.SIGNALS, "children"], id=ids.SIGNALS, className="votes")
    return parts.card(
        "Signals", votes, following, note=f"{view.session.strategy} · {view.session.interval}", name="signals"
    )
