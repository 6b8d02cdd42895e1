"""What the rehearsal has come to, said loudly: is the cockpit's ledger the exchange's?"""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import text
from trading.domain.rehearsal import (
    DIFFERENT,
    EQUAL,
    FAILED,
    IDLE,
    RUNNING,
    SETTLING,
    STOPPING,
    OracleView,
    RehearsalView,
)

INVITATION = (
    "Start runs an exchange of our own on this computer that speaks Binance's protocol, and a second cockpit that "
    "trades there with the real order code. Throw switches and watch it cope: nothing may be lost, nothing bought "
    "twice. No money and no network is involved."
)
OLD = "The figures are those of the last answer."
SAFE = "Nothing was traded but on the exchange that ended."
Said = tuple[str, str, str, str]  # mark, tone, statement, what it means


def strip(view: RehearsalView) -> list[Any]:
    """Draw the statement; a failure brings the exchange's last words."""
    mark, tone, title, words = said(view)
    spoken: list[Any] = [html.Strong(title), html.Span(words)]
    if view.state == FAILED and view.tail:
        spoken.append(html.Details([html.Summary("The exchange's last words"), html.Pre("\n".join(view.tail))],
                                   className="rh-tail"))
    cells = [html.Span(mark, className="am-mark", **{"aria-hidden": "true"}), html.Div(spoken, className="am-said")]
    return [html.Div(cells, className=f"am-verdict is-{tone}")]


def said(view: RehearsalView) -> Said:
    """Return mark, tone, statement and what it means."""
    if view.state == FAILED:
        return "✗", "bad", "The rehearsal failed.", f"{_sentence(view.detail)} {SAFE}"
    if view.state == IDLE:
        return _idle(view)
    if view.state == STOPPING:
        return "◔", "open", "Stopping.", "The cockpit there cancels its entries, then the exchange ends."
    if view.state != RUNNING:
        return "◔", "open", "Starting:", f"{view.detail}."
    if view.detail:
        return "!", "stopped", "The exchange is silent.", f"{_sentence(view.detail)} {OLD}"
    return judged(view.oracle, view.now)


def _sentence(words: str) -> str:
    """Begin with a capital, end with a full stop."""
    return f"{words[:1].upper()}{text.typeset(words)[1:].rstrip('.')}."


def _idle(view: RehearsalView) -> Said:
    if view.request is None:
        return "◢", "open", "Rehearse before it costs money.", INVITATION
    mark, tone, title, words = judged(view.oracle, view.now)
    return mark, tone, f"Stopped. {title}", f"{words} The pictures below are the last ones."


def judged(oracle: OracleView, now: int) -> Said:
    """Return what the comparison of the ledgers said."""
    if oracle.error:
        return "!", "stopped", "The ledgers could not be compared.", oracle.error
    if not oracle.checked:
        return "◔", "open", "Not compared yet.", "The first comparison of the ledgers comes within seconds."
    checked = f"checked {age(now - oracle.checked)} ago, {text.plural(oracle.n_checks, 'check')} so far."
    if oracle.state == EQUAL and not oracle.n_orders:
        return "◔", "open", "No order yet: nothing to compare.", f"The balances agree, {checked}"
    if oracle.state == EQUAL:
        return "✓", "good", "Ledger equals the exchange's: yes.", f"{counts(oracle)}, {checked}"
    n = text.plural(len(oracle.differences), "difference")
    oldest = age(now - min((d.since for d in oracle.differences), default=now))
    if oracle.state == SETTLING:
        return "◔", "stopped", "On its way.", f"{n}, the oldest for {oldest}; due within 10 s. {checked.capitalize()}"
    if oracle.state == DIFFERENT:
        return "✗", "bad", "Ledger equals the exchange's: no.", f"{n}, the oldest for {oldest}, listed below; {checked}"
    raise ValueError(f"unknown state of the comparison: {oracle.state}")


def counts(oracle: OracleView) -> str:
    """Write what was compared."""
    return (f"{text.plural(oracle.n_orders, 'order')}, {text.plural(oracle.n_fills, 'fill')} and "
            f"{text.plural(oracle.n_balances, 'balance')}")


def age(milliseconds: int) -> str:
    """Write how long ago: `3 s`, `2 m 04 s`."""
    return f"{max(0, milliseconds) // 1000} s" if milliseconds < 60_000 else text.span(milliseconds)
