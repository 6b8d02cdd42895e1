"""Small pieces of the builder. What they do stands in `data-` attributes: `assets/strategies.js` tells the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

Options = Iterable[tuple[str, str]]
NONE = "-"  # a choice's value for "left out": an empty one is no choice to the browser


def act(label: Any, op: str, *, title: str = "", css: str = "st-icon", disabled: bool = False,
        **said: Any) -> html.Button:
    """Draw a button that edits the draft."""
    attributes = {f"data-{name}": str(value) for name, value in said.items()}
    return html.Button(label, className=css, title=title or None, disabled=disabled, type="button",
                       **{"data-op": op, "aria-label": title or str(label), **attributes})


def command(label: Any, do: str, *, title: str = "", css: str = "btn-line", disabled: bool = False,
            **said: Any) -> html.Button:
    """Draw a button that does something with the draft as a whole, once all edits have arrived."""
    attributes = {f"data-{name}": str(value) for name, value in said.items()}
    return html.Button(label, className=css, title=title or None, disabled=disabled, type="button",
                       **{"data-do": do, **({"aria-label": title} if title else {}), **attributes})


def box(value: str, **more: Any) -> dbc.Input:
    """Draw an input of text or numbers."""
    return dbc.Input(value=value, size="sm", autocomplete="off", **more)


def choice(value: str, options: Options, **more: Any) -> dbc.Select:
    """Draw a choice; a value that is none of the options is offered as it is."""
    pairs = list(options)
    if value not in [key for key, _ in pairs]:
        pairs.append((value, value or "choose"))
    return dbc.Select([{"value": key, "label": label} for key, label in pairs], value, size="sm", **more)


def of_row(label: str, control: Any, at: tuple[str, str], *, hidden: bool = False, css: str = "") -> html.Label:
    """Name an input that changes a condition; `at` is its node and the field."""
    return html.Label([html.Span(label, className="visually-hidden" if hidden else ""), control],
                      className=f"st-field {css}".strip(), **{"data-node": at[0], "data-field": at[1]})


def of_head(label: str, control: Any, path: Sequence[str], *, css: str = "", title: str = "") -> html.Label:
    """Name an input, or an input and its unit, that changes a field of the document."""
    inside = control if isinstance(control, list) else [control]
    return html.Label([html.Span(label), *inside], className=f"st-field field {css}".strip(), title=title or None,
                      **{"data-path": json.dumps(list(path))})


def mistakes(found: Iterable[Any]) -> list[html.Div]:
    """Write what is wrong at its row; the place is seen there, and what is known is told below the rules."""
    return [html.Div(brief(one.text, one.place), className="st-mistake", title=one.text) for one in found]


def brief(text: str, place: str) -> str:
    """Return a mistake without its place and without the list of what there is: `'3x' is no indicator`."""
    said = text.removeprefix(f"{place}: ") if place else text
    return said.split("; known are ", maxsplit=1)[0]
