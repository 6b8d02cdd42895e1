"""The page "Agents": add, pause and drop agents, how Mother AI ranks, and the comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks import commands, following
from layouts import ids, parts, toast
from layouts.agents import page as layout
from services.container import Services
from trading.domain.agents import MODEL
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.AG_NOTE, "children"),
    (ids.AG_CARDS, "children"),
    (ids.AG_RANKING, "children"),
    (ids.AG_DECISIONS, "children"),
    (ids.AG_STUDY, "children"),
    (ids.AG_STUDY_NOTE, "children"),
    (ids.AG_SEEN, "data"),
)
DONE = {"pause": "It has no say from its next bar on.", "resume": "It speaks again from its next bar on.",
        "drop": "It is silent now and gone at the next start.",
        "follow": "From the next start on the cockpit's strategy decides who trades. Who is paused stays paused."}
ASIDE = ("From the next start on the cockpit's strategy decides who trades. Pauses and Mother AI's settings could not "
         "be read: the file is kept as {}. Open this page again to see the agents.")
NOW = "It votes from the next bar on, as soon as the symbol has a model."


def page(services: Services, _query: Mapping[str, str]) -> Any:
    """Draw the page."""
    try:
        return layout.page(services.agents.view())
    except CockpitError as error:
        return layout.broken(str(error))


async def on_tick(services: Services, seen: Mapping[str, Any]) -> parts.Parts:
    """Return what is new."""
    return layout.news(await asyncio.to_thread(services.agents.view), dict(seen or {}))


async def on_add(services: Services, symbol: str, timeframe: str, strategy: str) -> tuple[Any, str]:
    """Add an agent; return the toast, and what is wrong."""
    try:
        added = await asyncio.to_thread(services.agents.add, symbol or "", timeframe or "", strategy or "")
    except CockpitError as error:
        return no_update, str(error)
    if added.strategy == MODEL:
        words = NOW
    elif services.agents.is_asked(added):
        words = f"{added.strategy} has its say on {added.symbol} again from its next bar on."
    else:
        words = f"{added.strategy} advises on {added.symbol} from the next start on."
    return commands.added(toast.note("Agent added", words, good=True)), ""


async def on_act(services: Services, act: str, key: str) -> Any:
    """Pause, resume or drop an agent, or let them all follow the cockpit again."""
    agents = services.agents
    work = {"drop": partial(agents.drop, key), "follow": agents.follow_cockpit}
    try:
        done = await asyncio.to_thread(work.get(act, partial(agents.pause, key, act == "pause")))
    except CockpitError as error:
        return commands.added(toast.note(f"{act.capitalize()}: refused", str(error), good=False))
    title = f"{act.capitalize()} {key.replace('|', ' · ') or 'the cockpit'}"
    words = ASIDE.format(done) if act == "follow" and done else DONE[act]
    return commands.added(toast.note(title, words, good=True))


async def on_save(services: Services, ranks: bool, numbers: tuple[Any, Any, Any, Any]) -> Any:
    """Keep how Mother AI ranks."""
    changes = {"ranks": ranks, **dict(zip(("alpha", "beta", "top_n", "min_score"), numbers, strict=True))}
    try:
        await asyncio.to_thread(services.agents.set_mother, changes)
    except CockpitError as error:
        return commands.added(toast.note("Mother AI: refused", str(error), good=False))
    words = "She ranks from the next start on." if ranks else "From the next start on every wish goes straight to risk."
    return commands.added(toast.note("Mother AI: kept", words, good=True))


def register(app: Dash, services: Services) -> None:
    """Register the callbacks of the page."""
    @app.callback(
        *(Output(*part) for part in FRAME), Output(ids.AG_TICK, "max_intervals"),
        Input(ids.AG_TICK, "n_intervals"), State(ids.AG_SEEN, "data"), prevent_initial_call=True,
    )
    async def tick(n: int | None, seen: Mapping[str, Any]) -> Any:
        told = await following.or_nothing(on_tick(services, seen), "how the agents fare")
        return following.answered(FRAME, told, n)

    _register_changes(app, services)

    @app.callback(
        Output(ids.AG_STUDY_NOTE, "children", allow_duplicate=True), Input(ids.AG_COMPARE, "n_clicks"),
        running=[(Output(ids.AG_COMPARE, "disabled"), True, False)], prevent_initial_call=True,
    )
    async def compare(clicks: int | None) -> Any:
        if clicks:
            await asyncio.to_thread(services.agents.study)
        return no_update


def _register_changes(app: Dash, services: Services) -> None:
    @app.callback(
        commands.TOAST, Output(ids.AG_ERROR, "children"), Input(ids.AG_ADD, "n_clicks"),
        State(ids.AG_SYMBOL, "value"), State(ids.AG_TIMEFRAME, "value"), State(ids.AG_STRATEGY, "value"),
        running=[(Output(ids.AG_ADD, "disabled"), True, False)], prevent_initial_call=True,
    )
    async def add(clicks: int | None, symbol: str, timeframe: str, strategy: str) -> Any:
        return await on_add(services, symbol, timeframe, strategy) if clicks else (no_update, no_update)

    refusal = Output(ids.AG_ERROR, "children", allow_duplicate=True)  # over with the next act

    @app.callback(commands.TOAST, refusal, Input(ids.agent_act(ALL, ALL), "n_clicks"), prevent_initial_call=True)
    async def act(clicks: list[int | None]) -> Any:
        if not any(clicks) or not ctx.triggered_id or not ctx.triggered[0]["value"]:
            return no_update, no_update
        return await on_act(services, ctx.triggered_id["act"], ctx.triggered_id["key"]), ""

    @app.callback(
        commands.TOAST, refusal, Input(ids.AG_SAVE, "n_clicks"),
        State(ids.AG_RANKS, "value"), State(ids.AG_ALPHA, "value"), State(ids.AG_BETA, "value"),
        State(ids.AG_TOP, "value"), State(ids.AG_LEAST, "value"),
        prevent_initial_call=True,
    )
    async def save(clicks: int | None, ranks: list[str], *numbers: Any) -> Any:
        if not clicks:
            return no_update, no_update
        alpha, beta, top_n, least = numbers
        return await on_save(services, bool(ranks), (alpha, beta, top_n, least)), ""
