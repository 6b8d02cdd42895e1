"""The page "Journal": its figures, added up again when another trade has closed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import time as wall_clock
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks import following
from layouts import ids, parts
from layouts.journal import groups
from layouts.journal import page as layout
from services.container import Services
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.JR_TILES, "children"),
    (ids.JR_CALENDAR, "children"),
    (ids.JR_CURVE, "figure"),
    (ids.JR_CURVE_NOTE, "children"),
    (ids.JR_WATER, "children"),
    (ids.JR_GROUPS, "children"),
)
MINUTE_MS = 60_000


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page."""
    try:
        choices = services.journal.choices()
    except CockpitError as error:
        return layout.broken(str(error))
    return layout.page(choices, f"{services.portfolio.view().session.broker} account", query)


async def on_figures(services: Services, chosen: str, group: str) -> parts.Parts:
    """Add up the trades of a range of time."""
    start = layout.span(chosen, services.portfolio.view().feed.time or int(wall_clock() * 1000))
    try:
        found = await asyncio.to_thread(services.journal.figures, start)
    except CockpitError as error:
        return layout.trouble(str(error))
    return layout.figures(found, group)


async def on_group(services: Services, chosen: str, group: str) -> Any:
    """Group the same trades in another way."""
    found = await on_figures(services, chosen, group)
    return found.get((ids.JR_GROUPS, "children"), no_update)


async def on_tick(services: Services, trades: Any, minute: Any) -> tuple[Any, Any]:
    """Return how many trades there are and the newest minute, where they are not what the page shows."""
    view = services.portfolio.view()
    now = [view.account.n_trades], view.feed.time // MINUTE_MS
    return tuple(new if new != old else no_update for new, old in zip(now, (trades, minute), strict=True))


def register(app: Dash, services: Services) -> None:
    """Register the figures."""
    @app.callback(
        Output(ids.JR_SEEN, "data"), Output(ids.JR_MINUTE, "data"), Input(ids.JR_TICK, "n_intervals"),
        State(ids.JR_SEEN, "data"), State(ids.JR_MINUTE, "data"),
    )
    async def tick(_n: int | None, trades: Any, minute: Any) -> Any:
        return await on_tick(services, trades, minute)

    @app.callback(
        *(Output(*part) for part in FRAME), Input(ids.JR_RANGE, "value"), Input(ids.JR_SEEN, "data"),
        State(ids.JR_GROUP, "value"), prevent_initial_call=True,
    )
    async def figures(chosen: str, _seen: Any, group: str) -> Any:
        return following.in_order(FRAME, await on_figures(services, chosen, group or groups.FIRST))

    @app.callback(
        Output(ids.JR_GROUPS, "children", allow_duplicate=True), Input(ids.JR_GROUP, "value"),
        State(ids.JR_RANGE, "value"), prevent_initial_call=True,
    )
    async def grouped(group: str, chosen: str) -> Any:
        return await on_group(services, chosen, group)
