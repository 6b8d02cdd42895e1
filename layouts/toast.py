"""The short answer to a click."""

from __future__ import annotations

import dash_bootstrap_components as dbc

WORDS = {
    "start": "Start",
    "pause": "Pause",
    "stop": "Stop",
    "set_mode": "Mode",
    "set_risk": "Risk limits",
    "kill": "Kill switch",
    "rearm": "Re-arm",
    "flatten": "Flatten",
    "close": "Close",
    "add": "Add",
    "cancel": "Cancel order",
    "arm": "Arm",
    "disarm": "Disarm",
}
ORDERED = ("add", "close", "flatten")
"""Their orders leave after the answer."""


def answer(kind: str, detail: str, *, accepted: bool) -> dbc.Toast:
    """Show what became of a command; a refusal stays longer."""
    became = "refused" if not accepted else "ordered" if kind in ORDERED else "done"
    title = f"{WORDS.get(kind, kind)}: {became}"
    return note(title, detail, good=accepted)


def note(title: str, text: str, *, good: bool) -> dbc.Toast:
    """Show a short text."""
    return dbc.Toast(
        text,
        header=title,
        dismissable=True,
        duration=4000 if good else 12_000,
        class_name="toast-good" if good else "toast-bad",
    )
