"""The versions of a strategy: what changed, what each would have done, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts, text
from layouts.strategies.pieces import command
from trading.domain.strategies import StrategyChange
from trading.domain.workshop import VersionLine

DRAFT = "draft"
MARKS = {"added": ("+", "up"), "removed": ("−", "down"), "changed": ("±", "warning"), "moved": ("↕", "muted")}


def card(lines: Sequence[VersionLine], ref: str) -> html.Section:
    """Draw the card."""
    return parts.card("Versions", html.Div(table(lines, ref), id=ids.ST_VERSIONS, className="scroll-x st-versions"),
                      note="returns on the bars of the chart", name="st-versions")


def table(lines: Sequence[VersionLine], ref: str) -> Any:
    """Draw the versions, the newest first."""
    if not lines:
        return parts.empty("Not saved yet", "Every save keeps a version; none is ever lost.")
    names = ("Version", "Changed", "Return", "Sharpe", "Drawdown", "State", "")
    cells = [html.Th(name, className="right" if 2 <= n <= 4 else "") for n, name in enumerate(names)]
    head = html.Thead(html.Tr(cells))
    return html.Table([head, html.Tbody([_row(one, ref, number == 0) for number, one in enumerate(lines)])],
                      className="plain-table")


def _row(one: VersionLine, ref: str, is_newest: bool) -> html.Tr:
    version, figures = one.version, one.figures
    gain, fall = figures.get("total_return"), figures.get("max_drawdown")
    changed = one.words or ("first" if version.number == 1 else version.kind)
    when = f"{version.kind} {text.moment(version.time)} UTC"
    state = html.Span("in use", className="warning") if one.is_running else version.kind
    gone = version.kind in ("deleted", "removed")
    doing = [] if gone else [command("open", "open", css="btn-line small", ref=ref, version=version.number)]
    if not is_newest and not gone and not version.mistakes:
        doing.append(command("restore", "restore", css="btn-line small", ref=ref, version=version.number,
                             title=f"Make version {version.number} the newest"))
    cells = [html.Td(f"v{version.number}", title=when), html.Td(changed, className="st-changed", title=changed),
             html.Td(text.signed_percent(gain, 1), className=f"right {text.tone(gain)}"),
             html.Td(text.number(figures.get("sharpe")), className="right"),
             html.Td(text.signed_percent(None if fall is None else -abs(fall), 1), className="right"),
             html.Td("broken" if version.mistakes else state, className="down" if version.mistakes else "muted"),
             html.Td(doing, className="right")]
    return html.Tr(cells)


def dialog() -> dbc.Modal:
    """Draw the dialog that compares versions."""
    pair = html.Div([parts.field("From", dbc.Select([], id=ids.ST_DIFF_OLD, size="sm")),
                     parts.field("To", dbc.Select([], id=ids.ST_DIFF_NEW, size="sm"))], className="pair")
    body = [pair, html.Div(id=ids.ST_DIFF_LIST, className="st-diff", role="status")]
    return dbc.Modal([dbc.ModalHeader(dbc.ModalTitle("What changed")), dbc.ModalBody(body)], id=ids.ST_DIFF,
                     is_open=False, centered=True, scrollable=True)


def choices(lines: Sequence[VersionLine]) -> list[dict[str, str]]:
    """Return what can be compared: the draft, and every version that is a strategy."""
    kept = [one.version for one in lines if not one.version.mistakes and one.version.kind not in ("deleted", "removed")]
    return [{"value": DRAFT, "label": "as it is here"},
            *({"value": str(one.number), "label": f"version {one.number}, {text.moment(one.time)}"} for one in kept)]


def changes(found: Sequence[StrategyChange] | str) -> Any:
    """Draw the differences, or why they cannot be told."""
    if isinstance(found, str):
        return html.Div(found, className="st-mistake")
    if not found:
        return html.Div("Both say the same.", className="muted")
    return html.Ul([_change(one) for one in found])


def _change(one: StrategyChange) -> html.Li:
    mark, tone = MARKS.get(one.kind, ("·", "muted"))
    return html.Li([html.Span(mark, className=f"st-mark {tone}", title=one.kind), html.Span(one.words)])
