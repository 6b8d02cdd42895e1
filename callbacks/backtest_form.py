"""The page "Backtest": what is chosen there, and the dialog of the sweep."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from layouts import ids
from layouts.backtest import controls, form, heading, sweep
from layouts.backtest.form import Choices, Form
from services.container import Services

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


def form_of(values: tuple[Any, ...]) -> Form:
    """Put the inputs' values in order."""
    plain = list(values[:N_PLAIN])
    plain[1] = list(plain[1] or [])
    return Form(*plain, dict(zip(form.COSTS, values[N_PLAIN:], strict=True)))


def grids(values: tuple[Any, ...]) -> list[tuple[str | None, sweep.Grid]]:
    """Return the dialog's parameters with their grids."""
    n = len(ids.SWEEP_FIELDS)
    rows = [values[i : i + n] for i in range(0, len(values), n)]
    return [(row[0] or None, (row[1], row[2], row[3])) for row in rows]


def register(app: Dash, services: Services) -> None:
    """Register what follows the choices."""
    _register_choices(app, services)
    _register_words(app, services)
    _register_sweep(app, services)


async def on_strategy(services: Services, key: str, symbols: list[str]) -> tuple[Any, ...]:
    """Propose what a strategy was written for; return note, symbols, timeframe."""
    choices = await asyncio.to_thread(choices_of, services)
    strategy = choices.strategy(key)
    if strategy is None:
        return no_update, no_update, no_update
    stored = {market.symbol for market in choices.markets}
    own = [symbol for symbol in strategy.symbols if symbol in stored]
    kept = own or symbols or form.proposed(choices, strategy)[0]
    interval = strategy.interval if strategy.interval in choices.intervals(kept) else no_update
    return strategy.notes, no_update if kept == symbols else kept, interval


async def on_symbols(services: Services, symbols: list[str], chosen: tuple[Any, Any, Any]) -> tuple[Any, ...]:
    """Offer the timeframes that all chosen symbols have, and keep the dates inside what is stored."""
    choices = await asyncio.to_thread(choices_of, services)
    interval, start, end = chosen
    frames = choices.intervals(symbols)
    offered = controls.interval_options(frames)
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

    @app.callback(
        Output(ids.BT_CHANGED, "children"),
        Output(ids.BT_RESULT, "className"),
        Input(ids.BT_ASKED, "data"),
        *(Input(part.component_id, part.component_property) for part in FORM),
        prevent_initial_call=True,
    )
    async def changed(shown: list[str] | None, *values: Any) -> Any:
        return await on_form(services, shown, form_of(values))


async def on_form(services: Services, shown: list[str] | None, now: Form) -> tuple[str, str]:
    """Say when the form asks something else than the result on screen answers; return words and class."""
    found = heading.has_changed(now, await asyncio.to_thread(choices_of, services), shown)
    return heading.CHANGED if found else "", heading.result_class(found)


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
