"""The comparison of the ledgers in detail: what was compared, and each difference."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, parts, text
from layouts.rehearsal.verdict import age
from trading.domain.rehearsal import SETTLING, Difference, OracleView, RehearsalView

KINDS = (("order", "Orders", "n_orders"), ("fill", "Fills", "n_fills"), ("balance", "Balances", "n_balances"))
EXPLAINED = ("The exchange's ledger is the truth here. Every order, fill and balance of the account is compared with "
             "what the cockpit there has kept; what is on its way has 10 s to settle.")


def inside(view: RehearsalView) -> list[Any]:
    """Draw the rows, and the differences below them."""
    oracle = view.oracle
    if not oracle.checked:
        return [parts.empty("Not compared yet", EXPLAINED)]
    rows = [_row(name, getattr(oracle, n), sum(d.what == kind for d in oracle.differences), oracle)
            for kind, name, n in KINDS]
    found = [_difference(d, view.now) for d in oracle.differences]
    others = [html.P(f"{text.plural(oracle.n_others, 'order')} of other hands left out.", className="muted rh-none")]
    return [*rows, *found, *(others if oracle.n_others else []), html.P(EXPLAINED, className="muted rh-none")]


def _row(name: str, n: int, n_different: int, oracle: OracleView) -> html.Div:
    mark, tone, word = ("✓", "up", "equal") if not n_different else ("✗", "down", f"{n_different} differ")
    if n_different and oracle.state == SETTLING:
        mark, tone, word = "◔", "warning", f"{n_different} on the way"
    cells = [html.Span(mark, className=f"check-mark {tone}", **{"aria-hidden": "true"}),
             html.Span(f"{name} · {n:,}", className="check-name"), html.Span(word, className=f"check-detail {tone}")]
    return html.Div(cells, className="check")


def _difference(one: Difference, now: int) -> html.Div:
    pairs = [("exchange", one.exchange), ("cockpit", one.cockpit)]
    said = [html.Div([html.Dt(side), html.Dd(text.typeset(words))]) for side, words in pairs]
    return html.Div([html.Strong(f"{one.what} {one.name}"), html.Span(f"for {age(now - one.since)}", className="muted"),
                     html.Dl(said)], className="rh-difference")


def card(view: RehearsalView) -> html.Section:
    """Draw the card."""
    return parts.card("Ledger against the exchange's", html.Div(inside(view), id=ids.RH_LEDGER, className="checks"),
                      name="rh-ledger")


def live(view: RehearsalView) -> parts.Parts:
    """Return what moves."""
    return {(ids.RH_LEDGER, "children"): inside(view)}
