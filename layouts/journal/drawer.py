"""One trade or one decision record, from the side: what happened, why, and what the user wrote about it."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, text, trace
from trading.domain import DecisionView
from trading.domain.journal import JournalTrade


def drawer() -> dbc.Offcanvas:
    """Draw the closed drawer."""
    note = dbc.Textarea(id=ids.JR_NOTE, value="", placeholder="What did you think? What will you do otherwise?",
                        rows=4, maxLength=10_000)
    tags = dbc.Input(id=ids.JR_TAGS, value="", placeholder="news, too early", maxLength=900)
    notes = html.Div([
        html.Div([html.Label("Note", htmlFor=ids.JR_NOTE), note], className="field"),
        html.Div([html.Label("Tags, with commas between", htmlFor=ids.JR_TAGS), tags], className="field"),
        html.Div([html.Span(id=ids.JR_SAVED, className="muted", role="status"),
                  html.Button("Save", id=ids.JR_SAVE, className="big go")], className="jr-save"),
    ], id=ids.JR_NOTES, className="jr-notes hidden")
    return dbc.Offcanvas(
        [html.Div(id=ids.JR_DRAWER_BODY), notes, dcc.Store(id=ids.JR_KEY), dcc.Store(id=ids.JR_DRAFTS)],
        id=ids.JR_DRAWER, title=html.Span(id=ids.JR_DRAWER_TITLE), placement="end", is_open=False,
        className="jr-drawer", scrollable=True)


def title(trade: JournalTrade | None, decision: DecisionView | None) -> str:
    """Name what is in the drawer."""
    if trade is not None:
        number = f"Trade {trade.number}" if trade.number else "Imported trade"
        return f"{number} · {trade.display}"
    return f"Decision · {decision.display}" if decision else "Decision"


def body(trade: JournalTrade | None, decision: DecisionView | None) -> list[Any]:
    """Draw a trade with the record of its entry, or a record alone."""
    record = html.Div(trace.opened(decision), className="trace")
    if trade is None:
        return [record]
    return [facts(trade), html.H3("Why it was opened"), record]


def facts(trade: JournalTrade) -> html.Dl:
    """Draw what is known of a trade."""
    d = trade.decimals
    money = text.NOTHING if trade.pnl is None else text.signed(trade.pnl)
    rows: list[tuple[str, Any]] = [
        ("Result", html.Span(f"{trade.result} · {money} · {text.signed_percent(trade.roi_rate)}",
                             className=text.tone(trade.roi_rate))),
        ("Entry", f"{text.number(trade.entry_price, d)} · {text.minute(trade.entry_time)} UTC"),
        ("Exit", f"{text.number(trade.exit_price, d)} · {text.minute(trade.exit_time)} UTC"),
        ("Held", text.span(trade.duration_ms)),
        ("Side, quantity", f"{trade.side.lower()} · {_quantity(trade)}"),
        ("Fees", text.number(trade.fees) if trade.fees is not None else text.NOTHING),
        ("Fell below entry", "not known" if trade.drawdown_rate is None else
         text.signed_percent(-trade.drawdown_rate) if trade.drawdown_rate else "never"),
        ("Strategy", trade.strategy or text.NOTHING),
        ("Agent", trade.agent or text.NOTHING),
        ("Confidence", text.number(trade.confidence)),
        ("Indicators", " · ".join(_indicator(*each) for each in trade.indicators.items()) or text.NOTHING),
        ("Opened by", trade.opened_by or text.NOTHING),
        ("Closed because", trade.closed_because or text.NOTHING),
    ]
    if trade.imported:
        rows.append(("Imported from", f"{trade.imported}; not part of this account's ledger"))
    return html.Dl([cell for name, value in rows for cell in (html.Dt(name), html.Dd(value))], className="pairs")


def _quantity(trade: JournalTrade) -> str:
    return text.NOTHING if trade.quantity is None else f"{trade.quantity:f}"


def _indicator(name: str, value: float | str) -> str:
    return f"{name} {value:,.2f}" if isinstance(value, float | int) else f"{name} {value}".strip()


def notes_class(trade: JournalTrade | None) -> str:
    """Show where notes are written, for trades."""
    return "jr-notes" if trade else "jr-notes hidden"
