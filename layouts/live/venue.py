"""Everything of the venue that a trader asks for: keys, comparisons, requests on their way, quarantine, balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dash import html

from layouts import ids, parts, text
from trading.domain.live import KeyState, LiveView
from trading.domain.venue import VenueStatus

TONES = {"good": "up", "warn": "warning", "bad": "down", "plain": "muted"}


def keys(live: LiveView) -> html.Section:
    """Draw where the keys are."""
    return parts.card("API keys", html.Div(key_rows(live), id=ids.LV_KEYS), note="never shown, never logged",
                      name="lv-keys")


def key_rows(live: LiveView) -> list[Any]:
    """Draw a row a venue."""
    return [_key(key) for key in live.keys]


def _key(key: KeyState) -> html.Div:
    tone = TONES[key.tone]
    found: list[Any] = [html.Div([html.Strong(key.venue), html.Span(key.detail, className=tone)],
                                 className="lv-key")]
    if key.where:
        found.append(html.Div(key.where, className="muted lv-words"))
    else:
        found.append(html.Code(f"python main.py --mode keys set --venue {key.venue}", className="lv-command"))
    return html.Div(found, className="lv-key-row")


def card(venue: VenueStatus, live: LiveView) -> html.Section:
    """Draw the card of an account at a venue."""
    return parts.card("Venue", html.Div(inside(venue, live), id=ids.LV_VENUE, className="lv-venue"),
                      note="as the venue tells it", name="lv-venue")


def inside(venue: VenueStatus, live: LiveView) -> list[Any]:
    """Draw what is wrong first, then what is on its way, then what was compared."""
    return [*_quarantine(venue), *_flights(venue), *_way(venue), *_events(venue), *_compared(live), *_balances(venue)]


def _quarantine(venue: VenueStatus) -> list[Any]:
    if not venue.quarantined:
        return []
    rows = [html.Div([html.Strong(text.symbol(symbol)), html.Span(text.typeset(why), className="down"),
                      html.Button("Release", id=ids.release(symbol), className="btn-line small",
                                  title="Compares account and books; the symbol trades again if they agree")],
                     className="lv-quarantine") for symbol, why in venue.quarantined]
    return [html.H3("In quarantine: nothing is entered"), *rows]


def _flights(venue: VenueStatus) -> list[Any]:
    if not venue.in_flight:
        settled = f"{text.plural(venue.n_recovered, 'request')} of unknown outcome settled"
        words = f"No request is on its way, and no order waits. {settled}."
        return [html.H3("On their way"), html.P(words, className="muted lv-words")]
    rows = [html.Tr([html.Td(line.client_id), html.Td(text.symbol(line.symbol)), html.Td(line.state),
                     html.Td(text.age(line.age_ms), className="right"), html.Td(line.detail)])
            for line in venue.in_flight]
    return [html.H3(f"On their way: {len(rows)}"), _table(("Order", "Symbol", "State", "Age", ""), rows)]


def _way(venue: VenueStatus) -> list[Any]:
    """Say the venue's part of the way from a close to an order, and ours."""
    if venue.frame_p50_ms is None or venue.frame_p95_ms is None:
        return []
    words = (f"The venue's frame arrives {venue.frame_p50_ms:,.0f} ms after the close (p95 {venue.frame_p95_ms:,.0f} "
             "ms). ")
    if venue.post_p50_ms is not None and venue.post_p95_ms is not None:
        words += (f"The order has left {venue.post_p50_ms:,.1f} ms after the frame (p95 {venue.post_p95_ms:,.1f} ms); "
                  "symbols wait for each other's frames, since they share one wallet.")
    return [html.H3("From close to order"), html.P(words, className="muted lv-words")]


def _events(venue: VenueStatus) -> list[Any]:
    """Say whether the account's events are heard."""
    stream = html.Span(venue.user_stream, className="up" if venue.user_stream == "live" else "down")
    return [html.H3("The account's events"), html.P(["user stream ", stream], className="muted lv-words")]


def _compared(live: LiveView) -> list[Any]:
    if not live.reconciliations:
        words = "The first comparison is kept when orders and balances were both checked."
        return [html.H3("Last comparisons"), html.P(words, className="muted lv-words")]
    rows = [html.Tr([html.Td(text.minute(each.time)),
                     html.Td("✓ agreed" if each.clean else "✗ not agreed", className="up" if each.clean else "down"),
                     html.Td(text.typeset(each.text))]) for each in live.reconciliations]
    return [html.H3("Last comparisons"), _table(("UTC", "Account and books", ""), rows)]


def _balances(venue: VenueStatus) -> list[Any]:
    if not venue.balances:
        return []
    rows = [html.Tr([html.Td(line.asset), *(html.Td(_amount(value), className="right")
                                            for value in (line.venue, line.ours, line.others))])
            for line in venue.balances]
    heads = ("Asset", "At the venue", "Ours", "Not ours")
    return [html.H3(f"Balances at {text.clock(venue.balances_checked)} UTC"), _table(heads, rows)]


def _amount(value: Decimal) -> str:
    """Write an amount without the nought that a venue pads it with."""
    whole, dot, rest = f"{value:,f}".partition(".")
    return (whole + dot + rest.rstrip("0")).rstrip(".")


def _table(heads: tuple[str, ...], rows: list[html.Tr]) -> html.Div:
    right = ("Age", "At the venue", "Ours", "Not ours")
    titles = html.Tr([html.Th(head, className="right" if head in right else "", scope="col") for head in heads])
    return html.Div(html.Table([html.Thead(titles), html.Tbody(rows)], className="plain-table"),
                    className="scroll-x md-scroll")
