"""Start, pause, stop, mode and risk limits."""

from __future__ import annotations

import uuid
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import commands
from callbacks.live import Live, Watched
from layouts import autotrade, ids, toast
from services.container import Services
from trading.domain import CockpitView

CONTROLS = {ids.AUTO_START: "start", ids.AUTO_PAUSE: "pause", ids.AUTO_STOP: "stop"}
ADDS_RISK = ("start",)
INPUTS = tuple(autotrade.LIMITS)


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return autotrade.card(services.portfolio.view(), services.profiles)


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(reads, lambda view: autotrade.live(view, services.profiles))


def reads(view: CockpitView) -> tuple[object, ...]:
    """Name what the card depends on; money only where a venue may lose it."""
    return view.session, view.account if view.session.armed is not None else None


async def on_control(services: Services, control: str, clicks: int | None, memory: tuple[str, int]) -> Any:
    """Start, pause or stop."""
    if not clicks:
        return no_update
    tab, version = memory
    kind = CONTROLS[control]
    name = commands.nonce(tab, control, clicks)
    return (await commands.send(services, kind, name, version if kind in ADDS_RISK else None))[0]


async def on_arm(services: Services, memory: tuple[str, int], clicks: int | None, word: str | None) -> tuple[Any, Any]:
    """Let orders out, if the word is right; return toast and what the input shows."""
    if not clicks:
        return no_update, no_update
    tab, version = memory
    name = commands.nonce(tab, ids.ARM, clicks)
    shown, accepted = await commands.send(services, "arm", name, version, word=(word or "").strip())
    return shown, "" if accepted else no_update


async def on_disarm(services: Services, tab: str, clicks: int | None) -> Any:
    """Stop letting entries out; never refused for a stale page."""
    if not clicks:
        return no_update
    return (await commands.send(services, "disarm", commands.nonce(tab, ids.DISARM, clicks)))[0]


async def on_mode(services: Services, mode: str, memory: tuple[str, int]) -> tuple[Any, Any]:
    """Change the mode; one that was refused jumps back, one that the engine already has was not chosen by a person."""
    active = services.portfolio.view().session
    if mode == active.mode:
        return no_update, no_update
    tab, version = memory
    name = commands.nonce(tab, "mode", uuid.uuid4().hex)  # a repeated choice is dropped above
    shown, accepted = await commands.send(services, "set_mode", name, version, mode=mode)
    return shown, no_update if accepted else active.mode


async def on_profile(services: Services, triggered: str | None, name: str, values: list[float | None]) -> list[Any]:
    """Fill in the limits of a chosen profile, or name the profile that typed limits make; return name, note, limits."""
    typed = dict(zip(INPUTS, values, strict=True))
    chosen = next((p for p in services.profiles if p.name == name), None)
    if triggered == ids.RISK_PROFILE and chosen is not None:
        typed = dict(autotrade.figures(chosen))
    note = autotrade.note(typed, services.portfolio.view().session.profile)
    return [autotrade.name_of(typed, services.profiles), note, *typed.values()]


async def on_apply(
    services: Services, clicks: int | None, form: tuple[str, list[float | None]], memory: tuple[str, int]
) -> Any:
    """Put the limits in force; return toast and note."""
    if not clicks:
        return no_update, no_update
    typed = dict(zip(INPUTS, form[1], strict=True))
    try:
        active = services.portfolio.view().session.profile
        profile = autotrade.profile_of(autotrade.name_of(typed, services.profiles), typed, active)
    except ValueError as error:
        return commands.added(toast.note("Risk limits: refused", str(error), good=False)), "not applied"
    tab, version = memory
    click = commands.nonce(tab, ids.RISK_APPLY, clicks)
    shown, accepted = await commands.send(services, "set_risk", click, version, profile=profile)
    return shown, "in force" if accepted else "not applied"


def register(app: Dash, services: Services) -> None:
    """Register the callbacks of the card."""
    memory = (State(ids.TAB, "data"), State(ids.VERSION, "data"))
    _register_controls(app, services, memory)
    _register_arming(app, services, memory)
    limits = [ids.risk(key) for key in INPUTS]

    @app.callback(
        commands.TOAST,
        Output(ids.AUTO_MODE, "value"),
        Input(ids.AUTO_MODE, "value"),
        *memory,
        running=[(Output(ids.AUTO_MODE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def mode(value: str, tab: str, version: int) -> Any:
        return await on_mode(services, value, (tab, version))

    @app.callback(
        Output(ids.RISK_PROFILE, "value"),
        Output(ids.RISK_NOTE, "children"),
        *(Output(i, "value") for i in limits),
        Input(ids.RISK_PROFILE, "value"),
        *(Input(i, "value") for i in limits),
        prevent_initial_call=True,
    )
    async def profile(name: str, *values: float | None) -> Any:
        return await on_profile(services, ctx.triggered_id, name, list(values))

    @app.callback(
        commands.TOAST,
        Output(ids.RISK_NOTE, "children", allow_duplicate=True),
        Input(ids.RISK_APPLY, "n_clicks"),
        *memory,
        State(ids.RISK_PROFILE, "value"),
        *(State(i, "value") for i in limits),
        running=[(Output(ids.RISK_APPLY, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def apply(clicks: int | None, tab: str, version: int, name: str, *values: float | None) -> Any:
        return await on_apply(services, clicks, (name, list(values)), (tab, version))


def _register_arming(app: Dash, services: Services, memory: tuple[State, State]) -> None:
    @app.callback(
        commands.TOAST,
        Output(ids.ARM_WORD, "value"),
        Input(ids.ARM, "n_clicks"),
        State(ids.ARM_WORD, "value"),
        *memory,
        prevent_initial_call=True,
    )
    async def arm(clicks: int | None, word: str | None, tab: str, version: int) -> Any:
        return await on_arm(services, (tab, version), clicks, word)

    @app.callback(commands.TOAST, Input(ids.DISARM, "n_clicks"), memory[0], prevent_initial_call=True)
    async def disarm(clicks: int | None, tab: str) -> Any:
        return await on_disarm(services, tab, clicks)


def _register_controls(app: Dash, services: Services, memory: tuple[State, State]) -> None:
    @app.callback(
        commands.TOAST,
        *(Input(control, "n_clicks") for control in CONTROLS),
        *memory,
        running=[(Output(ids.AUTO_HINT, "className"), "hint busy", "hint")],
        prevent_initial_call=True,
    )
    async def control(*clicked: Any) -> Any:
        *clicks, tab, version = clicked
        pressed = dict(zip(CONTROLS, clicks, strict=True))
        return await on_control(services, ctx.triggered_id, pressed.get(ctx.triggered_id), (tab, version))
