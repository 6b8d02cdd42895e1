"""The page "Live": what is pushed to it, the typed word, and the comparison with the replay."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks import commands, following
from layouts import ids, parts, toast
from layouts.live import arming
from layouts.live import page as layout
from services.container import Services
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.LV_STRIP, "children"),
    (ids.LV_TILES, "children"),
    (ids.LV_LOSSES, "children"),
    (ids.LV_PARITY, "children"),
    (ids.LV_TABLE, "children"),
    (ids.LV_LADDER, "children"),
    (ids.LV_LADDER_NOTE, "children"),
    (ids.LV_VENUE, "children"),
    (ids.LV_WAY, "children"),
    (ids.LV_KEYS, "children"),
    (ids.LV_FORM, "className"),
    (ids.LV_FORM_NOTE, "children"),
    (ids.LV_REASON_BOX, "className"),
    (ids.LV_ARM, "disabled"),
    (ids.LV_DISARM, "disabled"),
    (ids.LV_SEEN, "data"),
)
Shown = Mapping[str, Any]


def page(services: Services, _query: Mapping[str, str]) -> Any:
    """Draw the page."""
    return layout.page(services.portfolio.view(), services.live.view())


async def on_tick(services: Services, shown: Shown) -> parts.Parts:
    """Return what is new."""
    live = await asyncio.to_thread(services.live.view)
    return layout.moving(services.portfolio.view(), live, dict(shown or {}))


async def on_arm(services: Services, name: str, version: int, typed: tuple[str | None, str | None]) -> tuple[Any, Any]:
    """Let entries out; return the toast, and the emptied word when it was accepted."""
    word, reason = ((each or "").strip() for each in typed)
    if word != arming.WORD:
        return commands.added(toast.note("Arm: refused", f"Type the word {arming.WORD}.", good=False)), no_update
    shown, accepted = await commands.send(services, "arm", name, version, word=word, reason=reason)
    return shown, "" if accepted else no_update


async def on_release(services: Services, symbol: str) -> Any:
    """Ask for the end of a quarantine."""
    try:
        await asyncio.to_thread(services.live.release, symbol)
    except CockpitError as error:
        return commands.added(toast.note("Release: refused", str(error), good=False))
    words = "Account and books are compared; the symbol trades again if they agree."
    return commands.added(toast.note(f"Release {symbol}", words, good=True))


def register(app: Dash, services: Services) -> None:
    """Register the callbacks of the page."""
    @app.callback(
        *(Output(*part) for part in FRAME), Output(ids.LV_TICK, "max_intervals"),
        Input(ids.LV_TICK, "n_intervals"), State(ids.LV_SEEN, "data"), prevent_initial_call=True,
    )
    async def tick(n: int | None, shown: Shown) -> Any:
        told = await following.or_nothing(on_tick(services, shown), "how the way to live stands")
        return following.answered(FRAME, told, n)

    _register_arming(app, services)

    @app.callback(
        Output(ids.LV_PARITY, "children", allow_duplicate=True), Input(ids.LV_COMPARE, "n_clicks"),
        running=[(Output(ids.LV_COMPARE, "disabled"), True, False)], prevent_initial_call=True,
    )
    async def compare(clicks: int | None) -> Any:
        if not clicks:
            return no_update
        await asyncio.to_thread(services.live.compare)
        return "comparing…"

    @app.callback(Output(ids.LV_TRADES, "exportDataAsCsv"), Input(ids.LV_CSV, "n_clicks"), prevent_initial_call=True)
    async def save(clicks: int | None) -> Any:
        return True if clicks else no_update


def _register_arming(app: Dash, services: Services) -> None:
    @app.callback(
        commands.TOAST, Output(ids.LV_WORD, "value"), Input(ids.LV_ARM, "n_clicks"),
        State(ids.LV_WORD, "value"), State(ids.LV_REASON, "value"), State(ids.TAB, "data"), State(ids.VERSION, "data"),
        running=[(Output(ids.LV_ARM, "disabled"), True, False)], prevent_initial_call=True,
    )
    async def arm(clicks: int | None, word: str | None, reason: str | None, tab: str, version: int) -> Any:
        if not clicks:
            return no_update, no_update
        return await on_arm(services, commands.nonce(tab, ids.LV_ARM, clicks), version, (word, reason))

    @app.callback(
        commands.TOAST, Input(ids.LV_DISARM, "n_clicks"), State(ids.TAB, "data"), prevent_initial_call=True,
    )
    async def disarm(clicks: int | None, tab: str) -> Any:
        if not clicks:
            return no_update
        return (await commands.send(services, "disarm", commands.nonce(tab, ids.LV_DISARM, clicks)))[0]

    @app.callback(commands.TOAST, Input(ids.release(ALL), "n_clicks"), prevent_initial_call=True)
    async def release(clicks: list[int | None]) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update
        return await on_release(services, ctx.triggered_id["symbol"])
