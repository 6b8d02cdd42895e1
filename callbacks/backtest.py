"""The page "Backtest": its choices, and a run from the click to the result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from layouts import ids, parts
from layouts.backtest import form, sweep
from layouts.backtest import page as layout
from layouts.backtest.form import Choices, Form
from services.container import Services
from trading.domain.backtests import BacktestProgress, BacktestView
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
    (ids.BT_RUNS, "children"),
)
FORM = (
    State(ids.BT_STRATEGY, "value"),
    State(ids.BT_SYMBOLS, "value"),
    State(ids.BT_INTERVAL, "value"),
    State(ids.BT_START, "date"),
    State(ids.BT_END, "date"),
    State(ids.BT_CAPITAL, "value"),
    State(ids.BT_PROFILE, "value"),
    State(ids.BT_MODE, "value"),
    State(ids.BT_TRAIN, "value"),
    State(ids.BT_TEST, "value"),
    *(State(ids.cost(key), "value") for key in form.COSTS),
)
N_PLAIN = len(FORM) - len(form.COSTS)
SWEEP = tuple((axis, field) for axis in sweep.AXES for field in ids.SWEEP_FIELDS)


def choices_of(services: Services) -> Choices:
    """Collect what can be chosen."""
    port = services.backtests
    return Choices(port.strategies(), port.markets(), services.profiles, port.costs())


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page, for the run that the address names if it names one."""
    choices, key = choices_of(services), query.get("run")
    progress = services.backtests.progress(key) if key else None
    view = services.backtests.view(key) if key else None
    if view is not None and progress is not None:
        progress = BacktestProgress(view.key, "done", 1.0, "", version=progress.version)
    now = form.of_request(view.request, choices) if view else form.first(choices)
    return layout.page(now, choices, view, progress, services.backtests.runs())


def form_of(values: tuple[Any, ...]) -> Form:
    """Put the inputs' values in order."""
    plain = list(values[:N_PLAIN])
    plain[1] = list(plain[1] or [])
    return Form(*plain, dict(zip(form.COSTS, values[N_PLAIN:], strict=True)))


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
    while waited < PATIENCE_S and services.backtests.progress(key).state in ("waiting", "running"):
        await asyncio.sleep(LOOK_S)
        waited += LOOK_S
    found = await asyncio.to_thread(state_of, services, key)
    if (ids.BT_BODY, "children") not in found and over != "done":
        found[ids.BT_BODY, "children"] = layout.body(None, BacktestProgress(key, "running", 0.0, ""), choices, ())
    return found


def state_of(services: Services, key: str) -> parts.Parts:
    """Return what the page shows of a run now."""
    port = services.backtests
    progress = port.progress(key)
    view: BacktestView | None = port.view(key) if progress.state == "done" else None
    if progress.state == "done" and view is None:
        progress = BacktestProgress(key, "failed", 1.0, "", "the result is not stored any more: run it again")
    return layout.outcome(progress, view, choices_of(services), port.runs())


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
    return [found.get(part, no_update) for part in FRAME]


def grids(values: tuple[Any, ...]) -> list[tuple[str | None, sweep.Grid]]:
    """Return the dialog's parameters with their grids."""
    n = len(ids.SWEEP_FIELDS)
    rows = [values[i : i + n] for i in range(0, len(values), n)]
    return [(row[0] or None, (row[1], row[2], row[3])) for row in rows]


def register(app: Dash, services: Services) -> None:
    """Register what is always on the page."""
    _register_run(app, services)
    _register_choices(app, services)
    _register_words(app, services)
    _register_sweep(app, services)
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

    @app.callback(*frame, Input(ids.BT_TICK, "n_intervals"), State(ids.BT_RUN, "data"), prevent_initial_call=True)
    async def tick(_n: int | None, shown: dict[str, Any]) -> Any:
        return in_order(await on_tick(services, shown))

    @app.callback(*frame, Input(ids.BT_CANCEL, "n_clicks"), State(ids.BT_RUN, "data"), prevent_initial_call=True)
    async def cancel(clicks: int | None, shown: dict[str, Any]) -> Any:
        return in_order(await on_cancel(services, shown)) if clicks else no_update


async def on_strategy(services: Services, key: str, symbols: list[str]) -> tuple[Any, ...]:
    """Propose what a strategy was written for; return note, symbols, timeframe."""
    choices = await asyncio.to_thread(choices_of, services)
    strategy = choices.strategy(key)
    if strategy is None:
        return no_update, no_update, no_update
    kept = symbols or form.proposed(choices, strategy)[0]
    interval = strategy.interval if strategy.interval in choices.intervals(kept) else no_update
    return strategy.notes, no_update if symbols else kept, interval


async def on_symbols(services: Services, symbols: list[str], chosen: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    """Offer the timeframes that all chosen symbols have, and keep the dates inside what is stored."""
    choices = await asyncio.to_thread(choices_of, services)
    interval, start, end = chosen
    frames = choices.intervals(symbols)
    offered = [{"label": i, "value": i} for i in frames]
    low, high = form.dates(choices, symbols)
    kept = interval if interval in frames else frames[0] if frames else None
    outside = low is None or high is None or not (start and low <= start <= high)
    return offered, kept, low if outside else start, high if high and not (end and low <= end <= high) else end


def _register_choices(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.BT_STRATEGY_NOTE, "title"),
        Output(ids.BT_SYMBOLS, "value"),
        Output(ids.BT_INTERVAL, "value", allow_duplicate=True),
        Input(ids.BT_STRATEGY, "value"),
        State(ids.BT_SYMBOLS, "value"),
        prevent_initial_call=True,
    )
    async def strategy(key: str, symbols: list[str] | None) -> Any:
        return await on_strategy(services, key, symbols or [])

    @app.callback(
        Output(ids.BT_INTERVAL, "options"),
        Output(ids.BT_INTERVAL, "value"),
        Output(ids.BT_START, "date"),
        Output(ids.BT_END, "date"),
        Input(ids.BT_SYMBOLS, "value"),
        State(ids.BT_INTERVAL, "value"),
        State(ids.BT_START, "date"),
        State(ids.BT_END, "date"),
        prevent_initial_call=True,
    )
    async def symbols(chosen: list[str] | None, *others: Any) -> Any:
        return await on_symbols(services, chosen or [], (others[0], others[1], others[2]))


def _register_words(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.BT_COSTS_WORD, "children"),
        *(Input(ids.cost(key), "value") for key in form.COSTS),
        prevent_initial_call=True,
    )
    async def costs(*values: Any) -> str:
        return form.costs_word(dict(zip(form.COSTS, values, strict=True)))

    @app.callback(
        Output(ids.BT_MODE_WORD, "children"),
        Input(ids.BT_MODE, "value"),
        Input(ids.BT_TRAIN, "value"),
        Input(ids.BT_TEST, "value"),
        prevent_initial_call=True,
    )
    async def mode(chosen: str, train: Any, test: Any) -> str:
        return form.mode_word(chosen, train, test)

    shown = [Input(part.component_id, part.component_property) for part in FORM[:5]]

    @app.callback(Output(ids.BT_FOLD_WORD, "children"), *shown, *FORM[5:], prevent_initial_call=True)
    async def fold(*values: Any) -> str:
        return form.summary(form_of(values), await asyncio.to_thread(choices_of, services))


async def on_sweep_strategy(services: Services, key: str) -> list[Any]:
    """Propose a strategy's parameters; return for each axis options and the four values."""
    strategy = (await asyncio.to_thread(choices_of, services)).strategy(key)
    options = sweep.options(strategy)
    return [cell for values in sweep.filled(strategy).values() for cell in (options, *values)]


def _register_sweep(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.BT_SWEEP_MODAL, "is_open"),
        Input(ids.BT_SWEEP, "n_clicks"),
        Input(ids.BT_SWEEP_CANCEL, "n_clicks"),
        prevent_initial_call=True,
    )
    async def dialog(_open: int | None, _close: int | None) -> bool:
        return ctx.triggered_id == ids.BT_SWEEP

    outputs = []
    for axis in sweep.AXES:
        outputs.append(Output(ids.sweep(axis, "name"), "options"))
        outputs += [Output(ids.sweep(axis, field), "value", allow_duplicate=True) for field in ids.SWEEP_FIELDS]

    @app.callback(outputs, Input(ids.BT_STRATEGY, "value"), prevent_initial_call=True)
    async def strategy(key: str) -> Any:
        return await on_sweep_strategy(services, key)

    for axis in sweep.AXES:

        @app.callback(
            *(Output(ids.sweep(axis, field), "value") for field in ids.SWEEP_FIELDS[1:]),
            Input(ids.sweep(axis, "name"), "value"),
            State(ids.BT_STRATEGY, "value"),
            prevent_initial_call=True,
        )
        async def parameter(name: str, key: str) -> Any:
            strategy = (await asyncio.to_thread(choices_of, services)).strategy(key)
            return sweep.grid_of(strategy.document, name) if strategy else (no_update,) * 3

    @app.callback(
        Output(ids.BT_SWEEP_NOTE, "children"),
        Output(ids.BT_SWEEP_GO, "disabled"),
        *(Input(ids.sweep(*part), "value") for part in SWEEP),
        prevent_initial_call=True,
    )
    async def note(*values: Any) -> Any:
        said, ready = sweep.note(grids(values))
        return said, not ready
