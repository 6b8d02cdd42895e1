"""What is needed to go live from paper, in order, with the commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import html

from layouts import ids, parts
from trading.domain.live import LiveView

RUN = "python main.py --mode"


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing to do: in words, as commands, and whether it is done."""

    title: str
    words: str
    commands: tuple[str, ...]
    is_done: bool


def to_do(live: LiveView) -> list[ToDo]:
    """Return the way, in order."""
    passed = {step.key: step.passed for step in live.ladder.steps}
    keys = {key.venue: bool(key.where) for key in live.keys}
    return [
        ToDo("Trade on paper at Binance's prices", "The rule's own record, with invented money. Leave it running for "
             "the days that the ladder asks for.", (f"{RUN} dashboard --feed binance",), passed["paper"]),
        ToDo("Rehearse against an exchange that misbehaves", "Start the local exchange in one window and the cockpit "
             "on it in another; or let the page Rehearsal do both.",
             (f"{RUN} exchange --speed 10 --faults-every 60", f"{RUN} dashboard --venue rehearsal"),
             passed["rehearsal"]),
        ToDo("Give the cockpit an API key", "A key that may trade spot, cannot withdraw, and is bound to this "
             "computer's address. It is typed once, kept in the keyring or encrypted, and never shown again.",
             (f"{RUN} keys set --venue binance", f"{RUN} keys test --venue binance"), keys.get("binance", False)),
        ToDo("Begin small", "The dashboard starts disarmed: it reconciles, and entries wait until LIVE is typed on "
             "this page. --capital is what it may trade with at most.",
             (f"{RUN} dashboard --venue binance --capital 200",), passed["small"]),
    ]


def card(live: LiveView) -> html.Section:
    """Draw the card."""
    return parts.card("The way to live", html.Ol(inside(live), id=ids.LV_WAY, className="lv-way"),
                      note="nothing here starts by itself", name="lv-way")


def inside(live: LiveView) -> list[Any]:
    """Draw the steps."""
    steps = to_do(live)
    now = next((n for n, step in enumerate(steps) if not step.is_done), None)
    return [_step(step, is_now=n == now) for n, step in enumerate(steps)]


def _step(step: ToDo, *, is_now: bool) -> html.Li:
    badge = parts.badge("done", "good") if step.is_done else parts.badge("next", "warn") if is_now else None
    head = html.Div([html.Strong(step.title), badge], className="lv-way-head")
    commands = [html.Code(command, className="lv-command") for command in step.commands]
    return html.Li([head, html.P(step.words, className="lv-words"), *commands])
