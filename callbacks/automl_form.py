"""The page "AutoML": what is chosen there."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.backtest_form import on_symbols
from layouts import ids
from layouts.automl import controls, form
from layouts.automl.form import StudyForm
from layouts.backtest.form import Choices, proposed
from services.container import Services

FORM = (
    State(ids.AM_SEARCH, "value"),
    State(ids.AM_STRATEGY, "value"),
    State(ids.AM_SYMBOLS, "value"),
    State(ids.AM_INTERVAL, "value"),
    State(ids.AM_START, "date"),
    State(ids.AM_END, "date"),
    State(ids.AM_HOLDOUT, "value"),
    State(ids.AM_BUDGET, "value"),
    State(ids.AM_SEED, "value"),
    State(ids.AM_PROFILE, "value"),
    State(ids.AM_ISLANDS, "value"),
    State(ids.AM_POPULATION, "value"),
    State(ids.AM_SHORT, "value"),
)


def choices_of(services: Services) -> Choices:
    """Collect what can be chosen."""
    port = services.studies
    return Choices(port.strategies(), port.markets(), services.profiles, port.costs())


def form_of(values: tuple[Any, ...]) -> StudyForm:
    """Put the inputs' values in order."""
    search, strategy, symbols, *others, short = values
    return StudyForm(search, strategy, list(symbols or []), *others, bool(short))


async def on_search(services: Services, search: str, strategy: str | None) -> tuple[Any, ...]:
    """Propose what a kind of search needs; return note, label, strategies, strategy, locked, budget, class."""
    choices = await asyncio.to_thread(choices_of, services)
    options = controls.strategy_options(search, choices)
    able = [o["value"] for o in options if not o.get("disabled")]
    kept = form.NONE if search == form.EVOLUTION else strategy if strategy in able else next(iter(able), None)
    wanted = form.SEARCHES[search]
    return (wanted.words, controls.strategy_label(search), options, kept, search == form.MODEL, wanted.budget,
            controls.evolution_class(search))


async def on_strategy(services: Services, key: str | None, symbols: list[str]) -> tuple[Any, Any]:
    """Propose what a strategy was written for; return symbols and timeframe."""
    choices = await asyncio.to_thread(choices_of, services)
    strategy = choices.strategy(key)
    if strategy is None:
        return no_update, no_update
    kept, _ = proposed(choices, strategy)
    kept = kept if set(kept) & set(strategy.symbols) else symbols or kept
    interval = strategy.interval if strategy.interval in choices.intervals(kept) else no_update
    return no_update if kept == symbols else kept, interval


def register(app: Dash, services: Services) -> None:
    """Register what follows the choices."""
    _register_choices(app, services)

    @app.callback(
        Output(ids.AM_MORE_WORD, "children"),
        Input(ids.AM_SEARCH, "value"),
        Input(ids.AM_PROFILE, "value"),
        Input(ids.AM_ISLANDS, "value"),
        Input(ids.AM_POPULATION, "value"),
        Input(ids.AM_SHORT, "value"),
        prevent_initial_call=True,
    )
    async def more(search: str, profile: str | None, islands: Any, population: Any, short: list[str] | None) -> str:
        return form.more_word(search, profile, islands, population, bool(short))

    shown = [Input(part.component_id, part.component_property) for part in FORM[:4]]

    @app.callback(Output(ids.AM_FOLD_WORD, "children"), *shown, *FORM[4:], prevent_initial_call=True)
    async def fold(*values: Any) -> str:
        return form.summary(form_of(values), await asyncio.to_thread(choices_of, services))


def _register_choices(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.AM_SEARCH_NOTE, "title"),
        Output(ids.AM_STRATEGY_NOTE, "children"),
        Output(ids.AM_STRATEGY, "options"),
        Output(ids.AM_STRATEGY, "value"),
        Output(ids.AM_STRATEGY, "disabled"),
        Output(ids.AM_BUDGET, "value"),
        Output(ids.AM_EVOLUTION, "className"),
        Input(ids.AM_SEARCH, "value"),
        State(ids.AM_STRATEGY, "value"),
        prevent_initial_call=True,
    )
    async def search(kind: str, strategy: str | None) -> Any:
        return await on_search(services, kind, strategy)

    @app.callback(
        Output(ids.AM_SYMBOLS, "value"),
        Output(ids.AM_INTERVAL, "value", allow_duplicate=True),
        Input(ids.AM_STRATEGY, "value"),
        State(ids.AM_SYMBOLS, "value"),
        prevent_initial_call=True,
    )
    async def strategy(key: str | None, symbols: list[str] | None) -> Any:
        return await on_strategy(services, key, symbols or [])

    @app.callback(
        Output(ids.AM_INTERVAL, "options"),
        Output(ids.AM_INTERVAL, "value"),
        Output(ids.AM_START, "date"),
        Output(ids.AM_END, "date"),
        Input(ids.AM_SYMBOLS, "value"),
        State(ids.AM_INTERVAL, "value"),
        State(ids.AM_START, "date"),
        State(ids.AM_END, "date"),
        prevent_initial_call=True,
    )
    async def symbols(chosen: list[str] | None, *others: Any) -> Any:
        return await on_symbols(services, chosen or [], (others[0], others[1], others[2]))
