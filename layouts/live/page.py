"""The page as a whole."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from layouts import ids, parts
from layouts.live import arming, ladder, parity, standing, venue, way
from trading.domain import CockpitView
from trading.domain.live import LiveView

NAME = "live"
TICK_MS = 2_000


def page(view: CockpitView, live: LiveView) -> html.Main:
    """Draw the page."""
    memory = [
        dcc.Store(id=ids.PAGE_NAME, data=NAME),
        dcc.Store(id=ids.LV_SEEN, data=seen(view, live)),
        dcc.Interval(id=ids.LV_TICK, interval=TICK_MS, max_intervals=1),
    ]
    strip = html.Div(standing.strip(view, live), id=ids.LV_STRIP)
    first = venue.card(view.venue, live) if view.venue else way.card(live)
    other = html.Div(id=ids.LV_WAY if view.venue else ids.LV_VENUE, className="hidden")
    side = html.Div([arming.card(view, live), venue.keys(live)], className="bt-side")
    body: list[Any] = [
        strip, standing.row(view, live),
        html.Div([first, side], className="bt-columns lv-upper"),
        ladder.card(live.ladder), arming.controls(), parity.card(live.parity, live.account), other,
    ]
    return html.Main([*memory, *body], className="bt-page lv-page")


def seen(view: CockpitView, live: LiveView) -> dict[str, Any]:
    """Return what a tab shows, so that only what is new is drawn again."""
    return {"parity": parity.stamp(live.parity), "ladder": repr(live.ladder)}


def moving(view: CockpitView, live: LiveView, shown: dict[str, Any]) -> parts.Parts:
    """Return what is new since a tab was drawn."""
    found: parts.Parts = {
        (ids.LV_STRIP, "children"): standing.strip(view, live),
        (ids.LV_TILES, "children"): standing.tiles(view, live),
        (ids.LV_LOSSES, "children"): arming.losses(view),
        (ids.LV_PARITY, "children"): parity.said(live.parity),
        (ids.LV_KEYS, "children"): venue.key_rows(live),
        **arming.changing(view, live),
    }
    if view.venue:
        found[ids.LV_VENUE, "children"] = venue.inside(view.venue, live)
    else:
        found[ids.LV_WAY, "children"] = way.inside(live)
    now = seen(view, live)
    if now["parity"] != shown.get("parity"):
        found[ids.LV_TABLE, "children"] = parity.inside(live.parity)
    if now["ladder"] != shown.get("ladder"):
        found |= {(ids.LV_LADDER, "children"): ladder.inside(live.ladder),
                  (ids.LV_LADDER_NOTE, "children"): ladder.said(live.ladder)}
    return found | {(ids.LV_SEEN, "data"): now}
