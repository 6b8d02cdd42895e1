"""The strip that every page has on top: who trades, on what, since when, and the kill switch."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from layouts import ids, parts, text
from layouts.sending import sending
from trading.domain import CockpitView, FeedView, JobView

DOTS = {"live": "up", "connecting": "warning", "stale": "warning", "ended": "muted", "failed": "down"}
STATES = {"running": "good", "paused": "warn", "stopped": "plain", "killed": "bad"}
BROKERS = {"LIVE": "bad", "PAPER": "warn", "REHEARSAL": "info", "TESTNET": "info", "DEMO": "info"}
VENUE_TONES = {"halted": "bad", "degraded": "warn"}
OF_VENUE = "badge-venue"
UNREAL = ("SIMULATED", "REPLAY")


def feed_state(feed: FeedView) -> list[Any]:
    """Name the feed: `Binance · 38 ms`, `Simulated · 60×`."""
    words = [text.short(feed.name)]
    if feed.latency_ms is not None:
        words.append(f"{feed.latency_ms:.0f} ms")
    elif feed.speed and feed.speed != 1:
        words.append(f"{feed.speed:g}×")
    if feed.state != "live":
        words.append(feed.state)
    dot = html.Span("●", className=f"dot {DOTS.get(feed.state, 'muted')}", **{"aria-hidden": "true"})
    return [dot, html.Span(" · ".join(words), title=f"{feed.name}: {feed.detail or feed.state}")]


def badges(view: CockpitView) -> list[html.Span]:
    """Say whose money it is, whether prices are real, and whether the cockpit trades."""
    feed, state = view.feed.badge, view.session.state
    shown = [_broker_badge(view)]
    if feed in UNREAL:
        shown.insert(0, parts.badge(feed, "warn badge-loud", "These are not today's market prices"))
    shown += venue_badges(view)
    return [*shown, parts.badge(state.upper(), STATES.get(state, "plain"), "State of auto-trading")]


def venue_badges(view: CockpitView) -> list[html.Span]:
    """Say what is wrong with a venue or with symbols there; nothing while all is well."""
    venue = view.venue
    if venue is None:
        return []
    if venue.bare:
        return [parts.badge(f"{len(venue.bare)} NO STOP", f"bad {OF_VENUE}", venue.detail)]
    if venue.quarantined:
        names = "; ".join(f"{symbol}: {reason}" for symbol, reason in venue.quarantined)
        return [parts.badge(f"{len(venue.quarantined)} HALTED", f"bad {OF_VENUE}", names)]
    if venue.state != "ready":
        tone = VENUE_TONES.get(venue.state, "info")
        return [parts.badge(venue.state.upper(), f"{tone} {OF_VENUE}", venue.detail or venue.state)]
    return []


def _broker_badge(view: CockpitView) -> html.Span:
    """Name the broker, and say whether entries are let out to it."""
    session = view.session
    broker, title = session.broker, "Taken from the broker that orders are sent to"
    tone = BROKERS.get(broker, "info")
    if session.armed is None:
        return parts.badge(broker, tone, title)
    word = "ARMED" if session.armed else "DISARMED"
    return parts.badge(f"{broker} · {word}", tone, f"{title}; {sending(view)}")


def kill_text(view: CockpitView) -> str:
    """Say why trading was killed."""
    return view.session.kill_reason or "no reason was recorded"


def jobs(rows: tuple[JobView, ...], lag_ms: float, worst_ms: float) -> list[Any]:
    """Show the background jobs and how quickly the server answers."""
    tones = {"failed": "down", "running": "warning", "done": "up", "waiting": "muted"}
    failed = sum(job.state == "failed" for job in rows)
    word = f"Jobs {len(rows)}" if not failed else f"Jobs {len(rows)} · {failed} failed"
    body = [
        html.Div(
            [
                html.Span(job.name, className="job-name"),
                html.Span(job.state, className=tones.get(job.state, "")),
                html.Span(f"next {text.clock(job.next_time)}" if job.next_time else "", className="muted"),
                html.Span(job.detail, className="muted job-detail", title=job.detail),
            ],
            className="job",
        )
        for job in rows
    ]
    lag = html.Div(f"Server event loop: {lag_ms:.1f} ms late, worst {worst_ms:.0f} ms", className="muted job-lag")
    return [word, [*(body or [html.Div("No background job.", className="muted")]), lag]]


def live(view: CockpitView) -> parts.Parts:
    """Return all of the strip that changes with the account."""
    killed = view.session.state == "killed"
    return {
        (ids.FEED_STATE, "children"): feed_state(view.feed),
        (ids.UPDATED, "children"): f"{text.clock(view.feed.time)} UTC",
        (ids.BADGES, "children"): badges(view),
        (ids.VERSION, "data"): view.session.control_version,
        (ids.KILL, "disabled"): killed,
        (ids.KILL_STRIP, "className"): "kill-strip" if killed else "kill-strip hidden",
        (ids.KILL_TEXT, "children"): kill_text(view),
        (ids.TITLE, "data"): {
            "positions": len(view.positions),
            "state": view.session.state,
            "broker": view.session.broker,
        },
    }


def card(view: CockpitView, pages: list[tuple[str, str]]) -> list[Any]:
    """Draw the strip; `pages` are (name, path) of the menu."""
    now = live(view)
    word, body = jobs(view.jobs, 0.0, 0.0)
    brand = dcc.Link(
        [html.Span("◢ ", className="muted-mark"), "AI Trading ", html.Span("Cockpit")], href="/", className="brand"
    )
    menu = html.Nav(
        [dcc.Link(name, href=path, className="nav-page") for name, path in pages], className="menu", id=ids.MENU
    )
    jobs_menu = html.Details(
        [html.Summary(word, id=ids.JOBS_WORD), html.Div(body, id=ids.JOBS, className="sheet sheet-right")],
        className="drop jobs",
    )
    right = [
        html.Span("reconnecting… figures are old", className="reconnecting", role="status"),
        html.Span(now[ids.FEED_STATE, "children"], id=ids.FEED_STATE, className="feed"),
        html.Span(now[ids.UPDATED, "children"], id=ids.UPDATED, className="updated", title="Time of the last update"),
        jobs_menu,
        html.Span(now[ids.BADGES, "children"], id=ids.BADGES, className="badges"),
        html.Button(
            "■ KILL SWITCH",
            id=ids.KILL,
            className="kill",
            disabled=now[ids.KILL, "disabled"],
            title="No new entries, working entries cancelled, stops kept; back only by hand, with a reason",
        ),
    ]
    bar = html.Header([brand, menu, html.Div(right, className="status")], className="topbar")
    return [html.Div([bar, _kill_strip(now)], className="strip"), _kill_modal()]


def _kill_strip(now: parts.Parts) -> html.Div:
    reason = dbc.Input(id=ids.REARM_REASON, placeholder="Why is it safe to trade again?", maxLength=200, size="sm")
    children = [
        html.Strong("■ KILLED"),
        html.Span(now[ids.KILL_TEXT, "children"], id=ids.KILL_TEXT),
        html.Span("No entries. Protective stops are kept; only reductions by hand are sent.", className="kill-means"),
        html.Div([reason, html.Button("Re-arm", id=ids.REARM, className="btn-line")], className="rearm"),
    ]
    return html.Div(children, id=ids.KILL_STRIP, className=now[ids.KILL_STRIP, "className"], role="alert")


def _kill_modal() -> dbc.Modal:
    body = [
        html.P(
            "New entries stop and working entries are cancelled at once. Protective stops stay. Open positions are "
            "not sold: use Flatten for that. Trading comes back only by hand, with a reason."
        ),
        html.Label("Reason", htmlFor=ids.KILL_REASON),
        dbc.Input(id=ids.KILL_REASON, value="stopped by hand", maxLength=200),
    ]
    foot = [
        html.Button("Cancel", id=ids.KILL_CANCEL, className="btn-line"),
        html.Button("■ Kill now", id=ids.KILL_CONFIRM, className="kill"),
    ]
    parts_of = [dbc.ModalHeader(dbc.ModalTitle("Kill switch")), dbc.ModalBody(body), dbc.ModalFooter(foot)]
    return dbc.Modal(parts_of, id=ids.KILL_MODAL, is_open=False, centered=True)
