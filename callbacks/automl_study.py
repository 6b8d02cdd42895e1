"""A study on the page "AutoML": figures that follow it, one candidate, the champion among the user's strategies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from layouts import ids
from layouts.automl import champion, rule
from layouts.automl import page as layout
from services.container import Services
from trading.domain.studies import StudyView
from trading.errors import CockpitError

PICTURES: tuple[tuple[str, str], ...] = (
    (ids.AM_SEEN, "data"),
    (ids.AM_TILES, "children"),
    (ids.AM_PARETO, "figure"),
    (ids.AM_PARALLEL, "figure"),
    (ids.AM_HISTORY, "figure"),
    (ids.AM_CHAMPION_TITLE, "children"),
    (ids.AM_CHAMPION, "children"),
    (ids.AM_RULE, "children"),
    (ids.AM_TABLE, "rowData"),
    (ids.AM_COUNT, "children"),
)
Shown = Mapping[str, Any]


async def view_of(services: Services, shown: Shown) -> StudyView | None:
    """Return the study on screen."""
    key = shown.get("key")
    return await asyncio.to_thread(services.studies.view, key) if key else None


async def on_live(services: Services, shown: Shown, seen: str | None) -> list[Any]:
    """Return the figures in the order of `PICTURES`, nothing where nothing was found since."""
    view = await view_of(services, shown)
    if view is None or not view.candidates or layout.picture(view) == seen:
        return [no_update] * len(PICTURES)
    found = await asyncio.to_thread(layout.pictures, view)
    return [found[part] for part in PICTURES]


async def on_candidate(services: Services, shown: Shown, number: int | None) -> tuple[Any, ...]:
    """Open a candidate; return open, title, body."""
    view = await view_of(services, shown)
    known = [*view.candidates, *([view.champion] if view.champion else [])] if view else []
    found = next((one for one in known if one.number == number), None)
    if found is None:
        return (no_update,) * 3
    return True, rule.title(found), rule.opened(found)


async def on_save(services: Services, shown: Shown) -> Any:
    """Put the champion among the user's strategies; return what is said of it."""
    view = await view_of(services, shown)
    if view is None:
        return no_update
    try:
        return champion.saved(view, await asyncio.to_thread(services.studies.save, view.key))
    except CockpitError as error:
        return champion.failed(error)


def register(app: Dash, services: Services) -> None:
    """Register what a study brings with it."""
    shown = State(ids.AM_RUN, "data")

    @app.callback(
        *(Output(*part) for part in PICTURES),
        Output(ids.AM_LIVE, "max_intervals"),
        Input(ids.AM_LIVE, "n_intervals"),
        shown,
        State(ids.AM_SEEN, "data"),
        prevent_initial_call=True,
    )
    async def live(n: int | None, on_screen: Shown, seen: str | None) -> Any:
        return [*await on_live(services, on_screen, seen), (n or 0) + 1]

    @app.callback(
        Output(ids.AM_CANDIDATE, "is_open"),
        Output(ids.AM_CANDIDATE_TITLE, "children"),
        Output(ids.AM_CANDIDATE_BODY, "children"),
        Input(ids.AM_TABLE, "cellClicked"),
        Input(ids.AM_TABLE, "selectedRows"),
        shown,
        prevent_initial_call=True,
    )
    async def candidate(clicked: dict[str, Any] | None, selected: list[dict[str, Any]] | None, on_screen: Shown) -> Any:
        by_click = any(part["prop_id"].endswith("cellClicked") for part in ctx.triggered)
        row = (clicked or {}).get("rowId") if by_click else selected[0]["id"] if selected else None
        return await on_candidate(services, on_screen, int(row) if row else None)

    @app.callback(
        Output(ids.AM_SAVED, "children"),
        Input(ids.AM_SAVE, "n_clicks"),
        shown,
        running=[(Output(ids.AM_SAVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def save(clicks: int | None, on_screen: Shown) -> Any:
        return await on_save(services, on_screen) if clicks else no_update
