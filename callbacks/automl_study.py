"""A study on the page "AutoML": figures that follow it, one candidate, the champion among the user's strategies."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import following
from layouts import ids, parts
from layouts.automl import champion, rule
from layouts.automl import page as layout
from layouts.automl.controls import is_active
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
    (ids.AM_LIVE, "disabled"),
)
Shown = Mapping[str, Any]


async def view_of(services: Services, shown: Shown) -> StudyView | None:
    """Return the study on screen."""
    key = shown.get("key")
    return await asyncio.to_thread(services.studies.view, key) if key else None


async def on_live(services: Services, shown: Shown, seen: str | None) -> parts.Parts:
    """Return the figures, nothing where nothing was found since.

    An answer may come late, over the page of the finished study: it says what it shows, so the next tick sees that and
    mends it. Nothing is asked any more only when the figures on screen are those of the end.
    """
    view = await view_of(services, shown)
    if view is None or not view.candidates:
        return {}
    if layout.picture(view) != seen:
        return await asyncio.to_thread(layout.pictures, view)
    return {} if is_active(view) else {(ids.AM_LIVE, "disabled"): True}


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
        told = await following.or_nothing(on_live(services, on_screen, seen), "what the study found")
        return following.answered(PICTURES, told, n)

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
