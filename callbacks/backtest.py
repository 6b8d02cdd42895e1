"""The page "Backtest": a run from the click to the result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks import following
from callbacks.backtest_form import FORM, SWEEP, choices_of, form_of, grids
from layouts import ids, parts
from layouts.backtest import controls, form, sweep
from layouts.backtest import page as layout
from layouts.backtest.form import Form
from services.container import Services
from trading.domain.backtests import BacktestProgress, BacktestRequest, BacktestView
from trading.errors import CockpitError

PATIENCE_S = 0.8  # a run that is done by then is answered at once, without a progress bar
LOOK_S = 0.01

FRAME: tuple[tuple[str, str], ...] = (
    (ids.BT_RUN, "data"),
    (ids.BT_TICK, "disabled"),
    (ids.BT_BAR, "style"),
    (ids.BT_STAGE, "children"),
    (ids.BT_PROGRESS, "className"),
    (ids.BT_ERROR, "children"),
    (ids.BT_GO, "children"),
    (ids.BT_GO, "disabled"),
    (ids.BT_SWEEP, "disabled"),
    (ids.BT_BODY, "className"),
    (ids.BT_BODY, "children"),
    (ids.BT_HEADING, "children"),
    (ids.BT_ASKED, "data"),
    (ids.BT_RUNS, "children"),
)


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page for the run that the address names, or ready to run the strategy that it names."""
    choices, key = choices_of(services), query.get("run")
    progress = services.backtests.progress(key) if key else None
    view = services.backtests.view(key) if key else None
    if view is not None and progress is not None:
        progress = BacktestProgress(view.key, "done", 1.0, "", version=progress.version)
    asked = view.request if view else request_of(services, key)
    now = form.of_request(asked, choices) if asked else form.first(choices, query.get("strategy"))
    return layout.page(now, choices, view, progress, services.backtests.runs())


def request_of(services: Services, key: str | None) -> BacktestRequest | None:
    """Return what a run without a result was asked (a restart may have ended it), None where nobody knows."""
    return services.backtests.request(key) if key and hasattr(services.backtests, "request") else None


def refused(error: Exception) -> parts.Parts:
    """Say beside the controls why nothing was begun."""
    return {(ids.BT_ERROR, "children"): str(error)}


async def on_run(services: Services, asked: Form, swept: str = "", *, over: str = "none") -> parts.Parts:
    """Begin a run and give it a moment: most are done before a progress bar could be drawn.

    A result that the page shows (`over` is its state) stays, dimmed, until the next one is there.
    """
    try:
        choices = await asyncio.to_thread(choices_of, services)
        request = form.request_of(asked, choices, swept)
        key = await asyncio.to_thread(services.backtests.start, request)
    except (ValueError, CockpitError) as error:
        return refused(error)
    waited = 0.0
    while waited < PATIENCE_S and controls.is_active(services.backtests.progress(key)):
        await asyncio.sleep(LOOK_S)
        waited += LOOK_S
    found = await asyncio.to_thread(state_of, services, key)
    if (ids.BT_BODY, "children") not in found and over != "done":
        found[ids.BT_BODY, "children"] = layout.body(None, BacktestProgress(key, "running", 0.0, ""), ())
        found[ids.BT_HEADING, "children"], found[ids.BT_ASKED, "data"] = [], None
    return found


def state_of(services: Services, key: str) -> parts.Parts:
    """Return what the page shows of a run now."""
    port = services.backtests
    progress = port.progress(key)
    if controls.is_active(progress):
        return layout.moving(progress)
    view: BacktestView | None = port.view(key) if progress.state == "done" else None
    if progress.state == "done" and view is None:
        progress = BacktestProgress(key, "failed", 1.0, "", "the result is not stored any more: run it again")
    return layout.outcome(progress, view, port.runs(), choices_of(services))


async def on_tick(services: Services, run: Mapping[str, Any]) -> parts.Parts:
    """Follow the run on screen."""
    if not run.get("key"):
        return {(ids.BT_TICK, "disabled"): True}
    return await asyncio.to_thread(state_of, services, run["key"])


async def on_cancel(services: Services, run: Mapping[str, Any]) -> parts.Parts:
    """Stop the run on screen."""
    if run.get("key"):
        await asyncio.to_thread(services.backtests.cancel, run["key"])
    return await on_tick(services, run)


def in_order(found: parts.Parts) -> list[Any]:
    """Return the parts in the order of `FRAME`."""
    return following.in_order(FRAME, found)


def register(app: Dash, services: Services) -> None:
    """Register the way of a run, and the address that names it."""
    _register_run(app, services)
    address = ClientsideFunction("backtest", "address")
    app.clientside_callback(address, Output(ids.BT_RUN, "storage_type"), Input(ids.BT_RUN, "data"))


def _register_run(app: Dash, services: Services) -> None:
    frame = [Output(*part, allow_duplicate=True) for part in FRAME]

    @app.callback(
        *frame,
        Output(ids.BT_SWEEP_MODAL, "is_open", allow_duplicate=True),
        Input(ids.BT_GO, "n_clicks"),
        Input(ids.BT_SWEEP_GO, "n_clicks"),
        *FORM,
        *(State(ids.sweep(*part), "value") for part in SWEEP),
        State(ids.BT_RUN, "data"),
        running=[(Output(ids.BT_FORM, "className"), "bt-form is-asking", "bt-form")],
        prevent_initial_call=True,
    )
    async def run(go: int | None, sweep_go: int | None, *values: Any) -> Any:
        if not go and not sweep_go:
            return no_update
        asked, typed, shown = form_of(values[: len(FORM)]), values[len(FORM) : -1], values[-1]
        try:
            swept = sweep.text_of(grids(typed)) if ctx.triggered_id == ids.BT_SWEEP_GO else ""
        except ValueError as error:
            return [*in_order(refused(error)), False]
        return [*in_order(await on_run(services, asked, swept, over=shown["state"])), False]

    allowed = Output(ids.BT_TICK, "max_intervals")

    @app.callback(*frame, allowed, Input(ids.BT_TICK, "n_intervals"), State(ids.BT_RUN, "data"),
                  prevent_initial_call=True)
    async def tick(n: int | None, shown: dict[str, Any]) -> Any:
        told = await following.or_nothing(on_tick(services, shown), "how far the backtest is")
        return following.answered(FRAME, told, n)

    @app.callback(*frame, Input(ids.BT_CANCEL, "n_clicks"), State(ids.BT_RUN, "data"), prevent_initial_call=True)
    async def cancel(clicks: int | None, shown: dict[str, Any]) -> Any:
        return in_order(await on_cancel(services, shown)) if clicks else no_update
