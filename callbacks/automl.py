"""The page "AutoML": a study from the click to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, no_update

from callbacks import following
from callbacks.automl_form import FORM, choices_of, form_of
from layouts import ids, parts
from layouts.automl import form
from layouts.automl import page as layout
from layouts.automl.form import StudyForm
from services.container import Services
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.AM_RUN, "data"),
    (ids.AM_TICK, "disabled"),
    (ids.AM_BAR, "style"),
    (ids.AM_STAGE, "children"),
    (ids.AM_PROGRESS, "className"),
    (ids.AM_ERROR, "children"),
    (ids.AM_BODY, "children"),
    (ids.AM_HEADING, "children"),
    (ids.AM_STUDIES, "children"),
)
GONE = "Nothing is stored under that address. Open a study from the list below, or start one."
Shown = Mapping[str, Any]


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page, for the study that the address names if it names one."""
    choices, key = choices_of(services), query.get("study")
    view = services.studies.view(key) if key else None
    now = form.of_request(view.request, choices) if view else form.first(choices)
    return layout.page(now, choices, view, services.studies.studies(), GONE if key and view is None else "")


def refused(error: Exception) -> parts.Parts:
    """Say beside the controls why nothing was done."""
    return {(ids.AM_ERROR, "children"): str(error)}


async def on_start(services: Services, asked: StudyForm) -> parts.Parts:
    """Begin a study and show it; a question that was asked before shows what came of it."""
    try:
        request = form.request_of(asked, await asyncio.to_thread(choices_of, services))
        key = await asyncio.to_thread(services.studies.start, request)
    except (ValueError, CockpitError) as error:
        return refused(error)
    return await asyncio.to_thread(state_of, services, {"key": key})


async def on_tick(services: Services, shown: Shown) -> parts.Parts:
    """Follow the study on screen.

    A tick names no study, it only says which shape it drew: its answer may come late, over the page of another study,
    whose next tick then draws that anew. So the tick that draws the end does not stop the ticks, but the one after it.
    """
    if not shown.get("key"):
        return {(ids.AM_TICK, "disabled"): True}
    found = await asyncio.to_thread(state_of, services, shown)
    if (ids.AM_RUN, "data") in found:
        drawn = Patch()
        drawn["shape"] = found[ids.AM_RUN, "data"]["shape"]
        found = {**found, (ids.AM_RUN, "data"): drawn}
        found.pop((ids.AM_TICK, "disabled"))
    return found


async def on_order(services: Services, shown: Shown, order: Callable[[str], None]) -> parts.Parts:
    """Cancel or resume the study on screen."""
    try:
        if shown.get("key"):
            await asyncio.to_thread(order, shown["key"])
    except CockpitError as error:
        return refused(error)
    return await asyncio.to_thread(state_of, services, shown) if shown.get("key") else {}


def state_of(services: Services, shown: Shown) -> parts.Parts:
    """Return what the page shows of a study now; what has kept its shape is not drawn again."""
    view = services.studies.view(shown["key"])
    if view is None:
        return {(ids.AM_TICK, "disabled"): True, (ids.AM_ERROR, "children"): GONE}
    if shown.get("shape") == layout.shape(view):
        return layout.moving(view)
    return layout.redrawn(view, services.studies.studies())


def in_order(found: parts.Parts) -> list[Any]:
    """Return the parts in the order of `FRAME`."""
    return following.in_order(FRAME, found)


def register(app: Dash, services: Services) -> None:
    """Register the way of a study, and the address that names it."""
    frame = [Output(*part, allow_duplicate=True) for part in FRAME]

    @app.callback(
        *frame,
        Input(ids.AM_GO, "n_clicks"),
        *FORM,
        running=[(Output(ids.AM_GO, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def start(clicks: int | None, *values: Any) -> Any:
        return in_order(await on_start(services, form_of(values))) if clicks else no_update

    @app.callback(
        *frame, Output(ids.AM_TICK, "max_intervals"), Input(ids.AM_TICK, "n_intervals"), State(ids.AM_RUN, "data"),
        prevent_initial_call=True,
    )
    async def tick(n: int | None, on_screen: Shown) -> Any:
        told = await following.or_nothing(on_tick(services, on_screen), "how far the study is")
        return following.answered(FRAME, told, n)

    for button, order in ((ids.AM_CANCEL, services.studies.cancel), (ids.AM_RESUME, services.studies.resume)):
        _register_order(app, services, button, order)
    address = ClientsideFunction("automl", "address")
    app.clientside_callback(address, Output(ids.AM_RUN, "storage_type"), Input(ids.AM_RUN, "data"))


def _register_order(app: Dash, services: Services, button: str, order: Callable[[str], None]) -> None:
    @app.callback(
        *(Output(*part, allow_duplicate=True) for part in FRAME),
        Input(button, "n_clicks"),
        State(ids.AM_RUN, "data"),
        prevent_initial_call=True,
    )
    async def click(clicks: int | None, on_screen: Shown) -> Any:
        return in_order(await on_order(services, on_screen, order)) if clicks else no_update
