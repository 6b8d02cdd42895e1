"""The row of figures of a rehearsal."""

from __future__ import annotations

from dash import html

from layouts import ids, text
from layouts.kpis import Tile, inside
from trading.domain.rehearsal import RehearsalView

UNPROTECTED_MS = 3_000
NONE = Tile(text.NOTHING, "no cockpit there yet", "muted")


def equity(view: RehearsalView) -> Tile:
    """Equity of the cockpit there."""
    if view.account is None:
        return NONE
    account = view.account.account
    gain = float(account.equity / account.start_equity - 1) if account.start_equity else 0.0
    return Tile(text.number(account.equity), f"{text.signed_percent(gain)} since start")


def positions(view: RehearsalView) -> Tile:
    """Its positions."""
    if view.account is None:
        return NONE
    pnl, quote = view.account.account.unrealized_pnl, view.account.account.quote
    return Tile(str(len(view.account.positions)), f"unrealised {text.signed(pnl)} {quote}")


def orders(view: RehearsalView) -> Tile:
    """Orders that work there, and those on their way."""
    if view.account is None:
        return NONE
    n_working = sum(order.status in ("WORKING", "PARTIALLY_FILLED") for order in view.account.orders)
    n_flying = sum(line.state != "WAITING" for line in view.venue.in_flight) if view.venue else 0
    return Tile(str(n_working), f"{n_flying} in flight", "warning" if n_flying > 3 else "")


def faults(view: RehearsalView) -> Tile:
    """Switches that are thrown, and how often they struck."""
    n_on, n_thrown = sum(f.is_on for f in view.faults), sum(f.n_thrown for f in view.faults)
    return Tile(f"{n_on} on", f"struck {n_thrown:,} times", "warning" if n_on else "")


def requests(view: RehearsalView) -> Tile:
    """Requests that the exchange got, and how long it took."""
    if view.p50_ms is None:
        return Tile(f"{view.n_minute:,}", "in the last minute")
    return Tile(f"{view.n_minute:,}", f"a minute · p95 {milliseconds(view.p95_ms)}")


def post(view: RehearsalView) -> Tile:
    """Time from a closed candle's frame to the order's POST."""
    if view.venue is None or view.venue.post_p95_ms is None:
        return Tile(text.NOTHING, "no entry was sent yet", "muted", title=POST)
    found = f"p50 {milliseconds(view.venue.post_p50_ms)} · {text.plural(view.venue.n_posts, 'order')}"
    return Tile(milliseconds(view.venue.post_p95_ms), found, title=POST)


POST = "From the arrival of a closed candle's frame to the moment when the order has left, 95th percentile"


def unprotected(view: RehearsalView) -> Tile:
    """Longest time that a position stood without a stop."""
    if view.venue is None:
        return NONE
    worst = view.venue.unprotected_worst_ms
    tone = "down" if worst > UNPROTECTED_MS else ""
    return Tile(f"{worst / 1000:.2f} s" if worst else text.NOTHING, "worst; 3 s are allowed", tone,
                worst / UNPROTECTED_MS, tone or "accent", "While a stop was replaced")


def unknown(view: RehearsalView) -> Tile:
    """Orders whose outcome was unknown."""
    if view.venue is None:
        return NONE
    return Tile(f"{view.venue.n_unknown:,}", f"since start · {view.venue.n_recovered:,} found",
                title="Requests whose outcome had to be asked for by the order's client id, and those that REST found")


def milliseconds(value: float | None) -> str:
    """Write `4.1 ms`, `180 ms`, `2.5 s`."""
    if value is None:
        return text.NOTHING
    if value >= 1_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


TILES = {
    "equity": ("Equity there", equity),
    "positions": ("Positions", positions),
    "orders": ("Working orders", orders),
    "unknown": ("Outcome unknown", unknown),
    "faults": ("Faults", faults),
    "unprotected": ("Unprotected", unprotected),
    "post": ("Close → POST", post),
    "requests": ("Requests", requests),
}


def tiles(view: RehearsalView) -> list[html.Div]:
    """Draw the tiles."""
    return [html.Div(inside(label, tile(view)), className=f"panel kpi kpi-rh-{key}")
            for key, (label, tile) in TILES.items()]


def row(view: RehearsalView) -> html.Div:
    """Draw the row."""
    return html.Div(tiles(view), id=ids.RH_TILES, className="kpis bt-kpis")
