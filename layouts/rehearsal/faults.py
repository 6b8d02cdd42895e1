"""The switches, grouped by what they break; each says what it does and what is promised under it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from dash import html

from layouts import ids, parts
from trading.domain.rehearsal import FaultView, RehearsalView

NOTE = "Under each: entries wait until all is reconciled; exits that reduce risk stay allowed."
JUDGED = "By a comparison of the exchange's ledger and ours after it was over; times and alerts are not judged"
MEANS = {
    "Orders": "what becomes of requests and fills",
    "Connection": "network, streams and clock",
    "Market data": "prices and candles",
    "Money": "commission and other hands",
    "Limits": "rate limits and bans",
}


def switch(fault: FaultView) -> list[Any]:
    """Draw what is in a switch: whether it is on, its name, how often it struck and what came of it."""
    struck: list[Any]
    word, tone = ("ON", "on") if fault.is_on else ("off", "off")
    struck = [f"struck {fault.n_thrown:,}×"] if fault.n_thrown else []
    if fault.survived is not None and not fault.is_on:
        mark, colour = ("✓ ledgers equal", "up") if fault.survived else ("✗ ledgers differ", "down")
        struck = [f"{fault.n_thrown:,}× ", html.Span(mark, className=colour, title=JUDGED)]
    if not fault.is_known:
        word, tone = "off", "none"
    return [html.Span(word, className=f"rh-knob is-{tone}"), html.Span(fault.card.title, className="rh-name"),
            html.Span(struck, className="rh-struck", title=fault.settings)]


def row(fault: FaultView) -> html.Div:
    """Draw a switch with its words."""
    card = fault.card
    rows = ", ".join(str(n) for n in card.rows)
    due = f"detected ≤ {card.detected_s:g} s · alerted ≤ {card.alerted_s:g} s"
    button = html.Button(switch(fault), id=ids.fault(card.name), className="rh-switch",
                         title=f"{card.name}: row {rows} of the fault catalogue")
    promise = html.Div([html.Span("Promise: ", className="rh-promised"), card.promise,
                        html.Div(due, className="rh-due")], className="rh-promise")
    return html.Div([button, html.Div(card.does, className="rh-does"), promise], className="rh-fault")


def group(name: str, faults: Sequence[FaultView]) -> html.Details:
    """Draw the switches that break one thing; a phone folds them (assets/rehearsal.js)."""
    heading = [html.Strong(name), html.Span(MEANS.get(name, ""), className="title-note"),
               html.Span(n_on(faults), id=ids.fault_group(name), className="rh-on warning")]
    return html.Details([html.Summary(heading), *(row(fault) for fault in faults)], className="rh-group", open=True)


def n_on(faults: Sequence[FaultView]) -> str:
    """Write how many of a group are on."""
    n = sum(fault.is_on for fault in faults)
    return f"{n} on" if n else ""


def grouped(view: RehearsalView) -> list[tuple[str, list[FaultView]]]:
    """Return the groups with their switches."""
    return [(name, list(found)) for name, found in groupby(view.faults, lambda fault: fault.card.group)]


def card(view: RehearsalView) -> html.Section:
    """Draw the card; without an exchange nothing can be thrown."""
    groups = [group(name, found) for name, found in grouped(view)]
    state = live(view)
    clear = html.Button("All off", id=ids.RH_CLEAR, className="btn-line", title="Puts every switch back")
    head = html.Div([html.Span(NOTE, className="card-note rh-note"), clear], className="tools")
    inside = html.Fieldset([html.Legend("Switches", className="visually-hidden"), head,
                            html.Div(groups, className="rh-groups")],
                           id=ids.RH_SWITCHES, disabled=state[ids.RH_SWITCHES, "disabled"])
    title = html.Span(["Faults", html.Span("thrown by hand, or by the schedule", className="title-note")])
    return parts.card(title, inside, tools=html.Span(), name="rh-faults")


def live(view: RehearsalView) -> parts.Parts:
    """Return what moves."""
    known = any(fault.is_known for fault in view.faults)
    return {(ids.RH_SWITCHES, "disabled"): not known,
            **{(ids.fault_group(name), "children"): n_on(found) for name, found in grouped(view)},
            **{(ids.fault(f.card.name), "children"): switch(f) for f in view.faults}}
