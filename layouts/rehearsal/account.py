"""The cockpit that trades on the exchange: its positions, orders, what is on its way, what is quarantined."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dash import html

from layouts import ids, parts, text, theme
from trading.domain import CockpitView, JournalLine, OrderView, PositionView, TradeView
from trading.domain.rehearsal import RUNNING, RehearsalView
from trading.domain.venue import FlightLine, VenueStatus

WORKING = ("INTENT", "WORKING", "PARTIALLY_FILLED")
N_LINES, N_TRADES = 60, 5
VENUE_TONES = {"ready": "up", "degraded": "warning", "halted": "down", "connecting": "muted", "reconciling": "muted"}


def inside(view: RehearsalView) -> list[Any]:
    """Draw what the card shows."""
    if view.account is None:
        return [parts.empty("No cockpit there yet", "It is put together when the exchange answers: it connects, "
                                                    "reconciles, and trades what was chosen.")]
    account = view.account
    working = [order for order in account.orders if order.status in WORKING]
    return [*_quarantine(view.venue), *_positions(account.positions), *_orders(working), *_flights(view.venue),
            *_trades(account.trades)]


def state(view: RehearsalView) -> list[Any]:
    """Write how its connection and its session stand."""
    if view.account is None or view.venue is None:
        return []
    venue, tone = view.venue, VENUE_TONES.get(view.venue.state, "muted")
    words = [f"clock {venue.clock_offset_ms:+.0f} ms".replace("-", "−"), f"user stream {venue.user_stream}"]
    if venue.weight_limit:
        words.append(f"weight {venue.weight_used:,} of {venue.weight_limit:,}")
    badge = parts.badge(view.account.session.broker, "info", "Taken from the broker that its orders are sent to")
    return [badge, html.Span(f"● {venue.state}", className=tone, title=venue.detail),
            html.Span(f"trading {view.account.session.state}"), html.Span(" · ".join(words))]


def _part(title: str, n: int, *rows: Any) -> list[Any]:
    return [html.H3([title, html.Span(f" {n}", className="count")]), *rows]


def _none(words: str) -> html.P:
    return html.P(words, className="muted rh-none")


def _table(head: Sequence[tuple[str, str]], rows: Sequence[html.Tr]) -> html.Div:
    made = html.Thead(html.Tr([html.Th(name, className=side) for name, side in head]))
    return html.Div(html.Table([made, html.Tbody(list(rows))], className="plain-table"), className="scroll-x")


def _positions(positions: Sequence[PositionView]) -> list[Any]:
    if not positions:
        return _part("Positions", 0, _none("None. It enters when a candle's close says so and no gate objects."))
    figures = ("Quantity", "Entry", "Price", "P&L", "Stop", "Target")
    head = [("Symbol", ""), ("Side", ""), *((name, "right") for name in figures)]
    return _part("Positions", len(positions), _table(head, [_position(p) for p in positions]))


def _position(one: PositionView) -> html.Tr:
    def price(value: Decimal | None) -> html.Td:
        return html.Td(text.number(value, one.decimals), className="right")

    pnl = f"{text.signed(one.pnl)} · {text.signed_percent(one.pnl_rate)}"
    stop = price(one.stop) if one.stop else html.Td("no stop", className="right down")
    return html.Tr([html.Td(html.Strong(one.display)), html.Td(one.side, className="up"),
                    html.Td(_plain(one.quantity), className="right"), price(one.entry_price), price(one.price),
                    html.Td(pnl, className=f"right {text.tone(one.pnl, 2)}"), stop, price(one.target)])


def _orders(orders: Sequence[OrderView]) -> list[Any]:
    if not orders:
        return _part("Working orders", 0, _none("None."))
    head = [("Order", ""), ("Symbol", ""), ("Side", ""), ("Type", ""),
            *((n, "right") for n in ("Quantity", "Filled", "Limit", "Stop")), ("State", "")]
    return _part("Working orders", len(orders), _table(head, [_order(o) for o in orders]))


def _order(one: OrderView) -> html.Tr:
    cells = [_plain(one.quantity), _plain(one.filled), _price(one.limit), _price(one.stop)]
    return html.Tr([html.Td(one.client_id, className="rh-id"), html.Td(html.Strong(one.display)),
                    html.Td(one.side, className="up" if one.side == "BUY" else "down"), html.Td(one.type),
                    *(html.Td(cell, className="right") for cell in cells),
                    html.Td(one.status.lower().replace("_", " "), title=one.reason)])


def _flights(venue: VenueStatus | None) -> list[Any]:
    found = venue.in_flight if venue else ()
    if not found:
        return _part("In flight", 0, _none("Nothing is on its way, nothing has to be asked for, no order waits."))
    return _part("In flight or waiting", len(found), *(_flight(one) for one in found))


def _flight(one: FlightLine) -> html.Div:
    tone = "warning" if one.state == "UNKNOWN" else "muted"
    return html.Div([html.Span(one.client_id, className="rh-id"), html.Span(text.symbol(one.symbol)),
                     html.Span(one.state.lower(), className=tone), html.Span(text.age(one.age_ms)),
                     html.Span(one.detail, className="muted")], className="rh-flight")


def _trades(trades: Sequence[TradeView]) -> list[Any]:
    if not trades:
        return _part("Trades", 0, _none("No round trip is finished yet."))
    head = [("Closed", ""), ("Symbol", ""), *((name, "right") for name in ("Quantity", "Entry", "Exit", "P&L")),
            ("Because", "")]
    newest = sorted(trades, key=lambda trade: -trade.number)[:N_TRADES]
    return _part("Trades", len(trades), _table(head, [_trade(one) for one in newest]))


def _trade(one: TradeView) -> html.Tr:
    prices = [text.number(price, one.decimals) for price in (one.entry_price, one.exit_price)]
    cells = [_plain(one.quantity), *prices]
    return html.Tr([html.Td(text.clock(one.exit_time)), html.Td(html.Strong(one.display)),
                    *(html.Td(cell, className="right") for cell in cells),
                    html.Td(text.signed(one.pnl), className=f"right {text.tone(one.pnl, 2)}"),
                    html.Td(one.closed_because)])


def _quarantine(venue: VenueStatus | None) -> list[Any]:
    if venue is None or not venue.quarantined:
        return []
    rows = [html.Div([html.Strong(text.symbol(symbol)), html.Span(why)]) for symbol, why in venue.quarantined]
    return [html.Div([html.Strong("! In quarantine: nothing new is entered"), *rows], className="rh-quarantine")]


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _price(value: Decimal | None) -> str:
    return text.NOTHING if value is None else f"{value.normalize():,f}"


def card(view: RehearsalView) -> html.Section:
    """Draw the card."""
    release = html.Button("Release", id=ids.RH_RELEASE, className="btn-line", disabled=not is_quarantined(view),
                          title="Asks for the end of every quarantine: granted where account and books agree")
    tools = html.Div([html.Span(state(view), id=ids.RH_STATE, className="rh-state"), release], className="tools")
    return parts.card("The cockpit there", html.Div(inside(view), id=ids.RH_ACCOUNT, className="rh-account"),
                      tools=tools, name="rh-account")


def is_quarantined(view: RehearsalView) -> bool:
    """Tell whether a symbol there is in quarantine now."""
    return view.state == RUNNING and view.venue is not None and bool(view.venue.quarantined)


def journal(account: CockpitView | None) -> Any:
    """Draw its newest journal lines, the last one on top."""
    lines = account.log[-N_LINES:] if account else ()
    if not lines:
        return parts.empty("No line yet", "All that the cockpit there decides, sends and is told is written here.")
    return [_line(line) for line in reversed(lines)]


def _line(line: JournalLine) -> html.Div:
    mark = {"bad": "✗ ", "warn": "! ", "good": "✓ "}.get(line.tone, "")
    kind = html.Strong(f"{mark}{line.kind.replace('_', ' ').lower()}", className=theme.TONES.get(line.tone, ""))
    return html.Div([html.Span(text.clock(line.time), className="muted"), kind, html.Span(text.typeset(line.text))],
                    className="rh-line")


def journal_card(view: RehearsalView) -> html.Section:
    """Draw the journal."""
    return parts.card("Journal", html.Div(journal(view.account), id=ids.RH_JOURNAL, className="rh-journal",
                                          tabIndex=0, **{"aria-label": "Journal of the cockpit there"}),
                      note="of the cockpit there, newest first · UTC", name="rh-journal")


def live(view: RehearsalView) -> parts.Parts:
    """Return what moves."""
    return {(ids.RH_ACCOUNT, "children"): inside(view), (ids.RH_STATE, "children"): state(view),
            (ids.RH_JOURNAL, "children"): journal(view.account),
            (ids.RH_RELEASE, "disabled"): not is_quarantined(view)}
