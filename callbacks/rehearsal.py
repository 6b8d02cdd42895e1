"""The page "Rehearsal": start, stop, switches, and all that moves."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from plotly.io.json import to_json_plotly

from callbacks import following
from layouts import ids, parts
from layouts.rehearsal import controls, form
from layouts.rehearsal import page as layout
from layouts.rehearsal.form import Choices, RehearsalForm
from services.container import Services
from trading.errors import CockpitError

FORM = (
    State(ids.RH_SOURCE, "value"),
    State(ids.RH_SYMBOLS, "value"),
    State(ids.RH_RULE, "value"),
    State(ids.RH_SEED, "value"),
    State(ids.RH_SPEED, "value"),
    State(ids.RH_EVERY, "value"),
)
SEEN, ERROR = (ids.RH_SEEN, "data"), (ids.RH_ERROR, "children")
Stamps = Mapping[str, int]


def choices_of(services: Services) -> Choices:
    """Collect what can be chosen."""
    return Choices(services.rehearsal.symbols(), services.rehearsal.markets())


def page(services: Services, _query: Mapping[str, str]) -> Any:
    """Draw the page as the rehearsal stands."""
    return layout.page(services.rehearsal.view(), choices_of(services))


def moving(services: Services) -> tuple[tuple[str, str], ...]:
    """Return the parts that move, in the order of the outputs."""
    return (SEEN, *layout.live(services.rehearsal.view(), None))


def fresh(found: parts.Parts, seen: Stamps) -> parts.Parts:
    """Return the parts whose content differs from what is on screen, and what is on screen then."""
    stamps = {f"{key}.{name}": zlib.crc32(to_json_plotly(value).encode()) for (key, name), value in found.items()}
    changed = {part: value for part, value in found.items() if seen.get(".".join(part)) != stamps[".".join(part)]}
    return {**changed, SEEN: stamps} if changed else {}


async def on_tick(services: Services, seen: Stamps, symbol: str | None) -> parts.Parts:
    """Return what has changed since the tab was told last."""
    return await asyncio.to_thread(lambda: fresh(layout.live(services.rehearsal.view(), symbol), seen))


async def on_start(services: Services, asked: RehearsalForm) -> parts.Parts:
    """Begin a rehearsal; what is wrong is said beside the controls."""
    try:
        request = form.request_of(asked)
    except ValueError as error:
        return {ERROR: str(error)}
    return await _done(services, lambda: services.rehearsal.start(request))


async def on_stop(services: Services) -> parts.Parts:
    """End the rehearsal."""
    return await _done(services, services.rehearsal.stop)


async def on_switch(services: Services, name: str) -> parts.Parts:
    """Turn a switch over, as the exchange has it now."""
    now = {fault.card.name: fault.is_on for fault in services.rehearsal.view().faults}
    return await _done(services, lambda: services.rehearsal.set_fault(name, not now.get(name, False)))


async def on_clear(services: Services) -> parts.Parts:
    """Put all switches back."""
    return await _done(services, services.rehearsal.clear_faults)


async def on_release(services: Services) -> parts.Parts:
    """Ask for the end of every quarantine there."""
    return await _done(services, services.rehearsal.release)


async def _done(services: Services, act: Callable[[], None]) -> parts.Parts:
    """Act, and have the next tick draw everything anew: this answer may overtake one that is on its way."""
    try:
        await asyncio.to_thread(act)
    except CockpitError as error:
        return {ERROR: str(error), SEEN: {}}
    return {ERROR: "", SEEN: {}}


def register(app: Dash, services: Services) -> None:
    """Register what the page does."""
    frame = moving(services)

    @app.callback(
        *(Output(*part, allow_duplicate=part == SEEN) for part in frame),
        Output(ids.RH_TICK, "max_intervals"),
        Input(ids.RH_TICK, "n_intervals"),
        State(ids.RH_SYMBOL, "value"),
        State(ids.RH_SEEN, "data"),
        prevent_initial_call=True,
    )
    async def tick(n: int | None, symbol: str | None, seen: Stamps | None) -> Any:
        told = await following.or_nothing(on_tick(services, seen or {}, symbol), "the rehearsal")
        return following.answered(frame, told, n)

    _register_form(app, services)
    _register_acts(app, services)


def _register_form(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.RH_SYMBOLS, "options"), Output(ids.RH_SYMBOLS, "value"), Input(ids.RH_SOURCE, "value"),
        State(ids.RH_SYMBOLS, "value"), prevent_initial_call=True,
    )
    async def source(chosen: str, symbols: list[str] | None) -> Any:
        choices = await asyncio.to_thread(choices_of, services)
        return controls.symbol_options(chosen, choices), form.kept(chosen, symbols or [], choices)

    @app.callback(
        Output(ids.RH_FOLD_WORD, "children"),
        *(Input(one.component_id, one.component_property) for one in FORM), prevent_initial_call=True,
    )
    async def fold(source: str, symbols: list[str] | None, *others: Any) -> str:
        return form.summary(RehearsalForm(source, symbols or [], *others))


def _register_acts(app: Dash, services: Services) -> None:
    outputs = [Output(*ERROR, allow_duplicate=True), Output(*SEEN, allow_duplicate=True)]

    def answer(found: parts.Parts) -> list[Any]:
        return following.in_order((ERROR, SEEN), found)

    @app.callback(*outputs, Input(ids.RH_GO, "n_clicks"), *FORM, prevent_initial_call=True)
    async def start(clicks: int | None, source: str, symbols: list[str] | None, *others: Any) -> Any:
        asked = RehearsalForm(source, symbols or [], *others)
        return answer(await on_start(services, asked)) if clicks else no_update

    @app.callback(*outputs, Input(ids.RH_STOP, "n_clicks"), prevent_initial_call=True)
    async def stop(clicks: int | None) -> Any:
        return answer(await on_stop(services)) if clicks else no_update

    @app.callback(*outputs, Input(ids.RH_CLEAR, "n_clicks"), prevent_initial_call=True)
    async def clear(clicks: int | None) -> Any:
        return answer(await on_clear(services)) if clicks else no_update

    @app.callback(*outputs, Input(ids.RH_RELEASE, "n_clicks"), prevent_initial_call=True)
    async def release(clicks: int | None) -> Any:
        return answer(await on_release(services)) if clicks else no_update

    names = {ids.fault(fault.card.name): fault.card.name for fault in services.rehearsal.view().faults}

    @app.callback(*outputs, *(Input(key, "n_clicks") for key in names), prevent_initial_call=True)
    async def switch(*clicks: int | None) -> Any:
        name = names.get(str(ctx.triggered_id))
        return answer(await on_switch(services, name)) if name and any(clicks) else no_update
