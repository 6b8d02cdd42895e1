"""Where this account stands, said loudly, and the row of figures."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts import ids, text
from layouts.header import kill_text
from layouts.kpis import Tile, inside
from layouts.sending import sending
from trading.domain import CockpitView
from trading.domain.live import LiveView
from trading.domain.parity import PARTS
from trading.domain.venue import VenueStatus

SLOW_MS, BARE_MS, LATE_MS, SKEW_MS, LONG_MS = 1_000.0, 3_000, 120_000, 1_000.0, 10_000
POST = "From the arrival of a closed candle's frame to the moment when the order has left"
Said = tuple[str, str, str, str]  # mark, tone, statement, what it means


def strip(view: CockpitView, live: LiveView) -> list[Any]:
    """Draw the statement."""
    mark, tone, title, words = said(view, live)
    spoken = html.Div([html.Strong(title), html.Span(words)], className="am-said")
    return [html.Div([html.Span(mark, className="am-mark", **{"aria-hidden": "true"}), spoken],
                     className=f"am-verdict is-{tone}", role="status")]


def said(view: CockpitView, live: LiveView) -> Said:
    """Return what stands on top of the page."""
    venue, badge = view.venue, view.session.broker
    if venue is None:
        return "◔", "open", "Paper.", (
            "Orders stay inside this process; nothing on this page can reach an exchange. Below is what is needed to "
            "go live, step by step, and what this account has proven so far.")
    if view.session.state == "killed":
        legs = [venue.legs(position.symbol) for position in view.positions]
        stops = " Stops are kept at the venue." if legs and all(one and one.stop for one in legs) else ""
        return "■", "bad", f"{badge}, killed.", f"{kill_text(view).rstrip('.')}.{stops} {venue.detail}".rstrip()
    if venue.state in ("halted", "degraded"):
        return "!", "bad", f"{badge}, {venue.state}.", venue.detail or "Nothing is entered until this is over."
    if venue.state != "ready":
        return "◔", "open", f"{badge}, {venue.state}.", "Account and books are compared before anything is sent."
    if venue.armed:
        sent = sending(view)
        return "●", "bad" if badge == "LIVE" else "stopped", f"{badge}, armed.", (
            f"{sent[:1].upper()}{sent[1:]}. Disarm, Stop and the kill switch work at once.")
    return "✓", "stopped", f"{badge}, not armed.", (
        "Connected and reconciled. Positions are protected and exits managed; entries wait for the typed word.")


def tiles(view: CockpitView, live: LiveView) -> list[html.Div]:
    """Draw the figures: of the venue, or of the account's parity while there is none."""
    found = _of_venue(view, view.venue) if view.venue else _of_parity(live)
    return [html.Div(inside(label, tile), className="panel kpi") for label, tile in found]


def row(view: CockpitView, live: LiveView) -> html.Div:
    """Draw the row."""
    return html.Div(tiles(view, live), id=ids.LV_TILES, className="kpis bt-kpis")


def _of_parity(live: LiveView) -> list[tuple[str, Tile]]:
    report = live.parity.report
    if report is None:
        names = ("Trades compared", "Gap a trade", "Gap in all", *(part.capitalize() for part in PARTS), "No partner")
        return [(name, Tile(text.NOTHING, "not compared yet", "muted")) for name in names]
    quote = report.quote
    found = [
        ("Trades compared", Tile(f"{len(report.counted):,}", f"of {text.plural(len(report.lines), 'matched trade')}",
                                 title="Trades in which only the machine acted; what people did is left out")),
        ("Gap a trade", Tile(text.NOTHING if report.mean_bps is None else f"{text.signed(report.mean_bps)} bps",
                             f"median {text.signed(report.median_bps)} · size {text.number(report.mean_abs_bps)}",
                             title="Lived less replayed, in 1e-4 of what the trade paid to enter")),
        ("Gap in all", Tile(text.signed(report.total("gap")), quote, text.tone(report.total("gap"), 2))),
    ]
    found += [(part.capitalize(), Tile(text.signed(report.total(part)), WORDS[part], text.tone(report.total(part), 2)))
              for part in PARTS]
    n = len(report.differing)
    found.append(("No partner", Tile(f"{n}", f"of {text.plural(len(report.unmatched), 'unmatched trade')}",
                                     "warning" if n else "", title="Trades that only one side made; this many count")))
    return found


WORDS = {"data": "candles seen otherwise", "timing": "another bar", "fill": "price, quantity", "commission": "fees"}


def _of_venue(view: CockpitView, venue: VenueStatus) -> list[tuple[str, Tile]]:
    now = view.feed.time
    armed = Tile("armed" if venue.armed else "not armed", sending(view), "warning" if venue.armed else "muted")
    used = venue.weight_used / venue.weight_limit if venue.weight_limit else 0.0
    skew = "down" if abs(venue.clock_offset_ms) > SKEW_MS else ""
    return [
        ("Venue", Tile(venue.state, venue.detail or venue.badge, "up" if venue.state == "ready" else "warning")),
        ("Entries", armed),
        ("Close → POST", _latency(venue)),
        ("Unprotected", _bare(venue)),
        ("Clock", Tile(f"{text.signed(venue.clock_offset_ms, 0)} ms", "against the venue's", skew)),
        ("Request weight", Tile(f"{venue.weight_used:,}", f"of {venue.weight_limit:,} a minute", used=used,
                                bar_tone="down" if used > 0.8 else "accent")),
        ("Orders checked", _checked(venue.orders_checked, now)),
        ("Balances checked", _checked(venue.balances_checked, now)),
    ]


def _latency(venue: VenueStatus) -> Tile:
    if venue.post_p95_ms is None:
        return Tile(text.NOTHING, "no order was sent yet", "muted", title=POST)
    tone = "warning" if venue.post_p95_ms > SLOW_MS else ""
    return Tile(f"{venue.post_p95_ms:.0f} ms", f"p95 · p50 {venue.post_p50_ms or 0:.0f} ms · {venue.n_posts:,} orders",
                tone, title=POST)


def _bare(venue: VenueStatus) -> Tile:
    worst = venue.unprotected_worst_ms
    tone = "down" if worst > BARE_MS else ""
    return Tile(_length(worst), f"worst · last {_length(venue.unprotected_last_ms)}", tone,
                title="How long a position stood without a stop: while it was replaced, or taken by another hand")


def _length(span_ms: int) -> str:
    return f"{span_ms:,} ms" if span_ms < LONG_MS else text.span(span_ms)


def _checked(time: int, now: int) -> Tile:
    if not time:
        return Tile(text.NOTHING, "not yet", "muted")
    return Tile(text.clock(time), "UTC", "warning" if now - time > LATE_MS else "")
