"""The page "Models": what is chosen there, in words."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import Dash, Input, Output, State

from layouts import ids
from layouts.models import form
from layouts.models.form import Choices, Form
from services.container import Services

FORM = (
    State(ids.MD_SYMBOL, "value"),
    State(ids.MD_INTERVAL, "value"),
    State(ids.MD_LABEL, "value"),
    State(ids.MD_HORIZON, "value"),
    State(ids.MD_SCHEME, "value"),
    State(ids.MD_FOLDS, "value"),
    State(ids.MD_START, "date"),
    State(ids.MD_END, "date"),
    State(ids.MD_PROFILE, "value"),
    *(State(ids.model_setting(key), "value") for key in form.ADVANCED),
)
N_PLAIN = len(FORM) - len(form.ADVANCED)


def choices_of(services: Services) -> Choices:
    """Collect what can be chosen."""
    port = services.learning
    return Choices(port.markets(), services.profiles, port.costs())


def form_of(values: tuple[Any, ...]) -> Form:
    """Put the inputs' values in order."""
    return Form(*values[:N_PLAIN], dict(zip(form.ADVANCED, values[N_PLAIN:], strict=True)))


async def on_market(services: Services, symbol: str | None, interval: str | None) -> tuple[str | None, str | None]:
    """Propose what a market can be trained on; return first and last day."""
    known = (await asyncio.to_thread(choices_of, services)).market(symbol)
    return form.dates(known, interval)


def register(app: Dash, services: Services) -> None:
    """Register what follows the choices."""

    @app.callback(
        Output(ids.MD_START, "date"),
        Output(ids.MD_END, "date"),
        Input(ids.MD_SYMBOL, "value"),
        Input(ids.MD_INTERVAL, "value"),
        prevent_initial_call=True,
    )
    async def market(symbol: str | None, interval: str | None) -> Any:
        return await on_market(services, symbol, interval)

    @app.callback(Output(ids.MD_HORIZON, "disabled"), Input(ids.MD_LABEL, "value"), prevent_initial_call=True)
    async def label(chosen: str) -> bool:
        return chosen == "next_bar"

    @app.callback(
        Output(ids.MD_SCHEME_WORD, "children"),
        Input(ids.MD_SCHEME, "value"),
        Input(ids.MD_FOLDS, "value"),
        prevent_initial_call=True,
    )
    async def scheme(chosen: str, n_folds: Any) -> str:
        return form.scheme_word(chosen, n_folds)

    @app.callback(
        Output(ids.MD_MORE_WORD, "children"),
        Input(ids.MD_PROFILE, "value"),
        *(Input(ids.model_setting(key), "value") for key in form.ADVANCED),
        prevent_initial_call=True,
    )
    async def more(profile: str | None, *values: Any) -> str:
        return form.more_word(profile, dict(zip(form.ADVANCED, values, strict=True)))

    shown = [Input(part.component_id, part.component_property) for part in FORM[:8]]

    @app.callback(Output(ids.MD_FOLD_WORD, "children"), *shown, *FORM[8:], prevent_initial_call=True)
    async def fold(*values: Any) -> str:
        return form.summary(form_of(values), await asyncio.to_thread(choices_of, services))
