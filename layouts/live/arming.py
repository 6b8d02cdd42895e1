"""What may be lost, and the typed word that lets entries out."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts, text
from layouts.autotrade import CONTROLS
from layouts.sending import WORD, sending
from trading.domain import CockpitView
from trading.domain.live import LiveView, losses_of


def card(view: CockpitView, live: LiveView) -> html.Section:
    """Draw the card: at a venue with the form, on paper with what the same settings would risk."""
    title = "What may be lost" if view.venue else "What live would risk with these settings"
    return parts.card(title, html.Div(losses(view), id=ids.LV_LOSSES), form(view, live),
                      note=f"in {view.account.quote}", name="lv-arming")


def losses(view: CockpitView) -> list[Any]:
    """Draw the limits, each with its amount."""
    return [html.Div([html.Span(loss.label, className="lv-loss-label"),
                      html.Strong(text.number(loss.amount), className="lv-loss"),
                      html.Span(text.typeset(loss.how), className="muted lv-loss-how")], className="lv-loss-row")
            for loss in losses_of(view)]


def form(view: CockpitView, live: LiveView) -> html.Div:
    """Draw the word, the reason, and the buttons; hidden on paper, where there is nothing to arm."""
    now = changing(view, live)
    word = dbc.Input(id=ids.LV_WORD, placeholder=WORD, maxLength=10, autoComplete="off", size="sm")
    reason = dbc.Input(id=ids.LV_REASON, placeholder="why the proof is not needed", maxLength=500, size="sm")
    box = html.Div(parts.field("Reason, kept for good", reason), id=ids.LV_REASON_BOX,
                   className=now[ids.LV_REASON_BOX, "className"])
    buttons = [
        html.Button("Arm", id=ids.LV_ARM, className="big lv-arm", disabled=now[ids.LV_ARM, "disabled"],
                    title="Entries are sent to the venue from now on"),
        html.Button("Disarm", id=ids.LV_DISARM, className="big calm", disabled=now[ids.LV_DISARM, "disabled"],
                    title="No new entries, working ones cancelled; stops kept, exits managed"),
    ]
    note = html.Div(now[ids.LV_FORM_NOTE, "children"], id=ids.LV_FORM_NOTE, className="hint")
    return html.Div([note, box, html.Div([parts.field(f"Type {WORD}", word), *buttons], className="lv-word-line")],
                    id=ids.LV_FORM, className=now[ids.LV_FORM, "className"])


def changing(view: CockpitView, live: LiveView) -> parts.Parts:
    """Return what follows the account while somebody may be typing."""
    armed, open_ = bool(view.session.armed), live.ladder.is_open
    return {
        (ids.LV_FORM, "className"): "lv-form" if view.venue else "lv-form hidden",
        (ids.LV_FORM_NOTE, "children"): _note(view, live),
        (ids.LV_REASON_BOX, "className"): "hidden" if open_ or armed else "",
        (ids.LV_ARM, "disabled"): armed or view.session.state == "killed",
        (ids.LV_DISARM, "disabled"): not armed,
    }


def _note(view: CockpitView, live: LiveView) -> str:
    badge, ladder = view.session.broker, live.ladder
    if view.session.state == "killed":
        return "The kill switch is on. Re-arm it above, with a reason, before entries can be let out."
    if view.session.armed:
        return f"{badge} is armed: {sending(view)}."
    if not ladder.is_open:
        return f"Not proven yet: {ladder.missing}. Prove it, or go on with a reason that is kept."
    return f"Type the word {WORD}: entries are then sent to {badge}, up to the limits above."


def controls() -> html.Section:
    """Draw the table of the four controls where they are used."""
    head, *rows = CONTROLS
    cells = [html.Tr([html.Th(row[0], scope="row"), *(html.Td(cell) for cell in row[1:])]) for row in rows]
    table = html.Table([html.Thead(html.Tr([html.Th(cell or "Control", scope="col") for cell in head])),
                        html.Tbody(cells)], className="plain-table lv-controls")
    return parts.card("What each control does", html.Div(table, className="scroll-x"),
                      note="buttons: page Cockpit, and the strip", name="lv-controls")
