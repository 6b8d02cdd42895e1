"""The strip on every page: what it shows, the kill switch and the way back."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from callbacks import commands
from callbacks.live import Live, Watched
from layouts import header, ids, toast
from services.container import Services
from trading.domain import CockpitView


def reads(view: CockpitView) -> tuple[object, ...]:
    """Name what the strip depends on."""
    venue = view.venue and (view.venue.state, view.venue.detail, view.venue.quarantined)
    return view.feed, view.session, len(view.positions), venue


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(reads, header.live)


async def on_kill_dialog(_open: int | None, _cancel: int | None, _kill: int | None) -> bool:
    """Open the question, close it on either answer."""
    return ctx.triggered_id == ids.KILL


async def on_kill(services: Services, tab: str, clicks: int | None, reason: str | None) -> Any:
    """Trip the kill switch: never refused for a stale page, never for want of a reason."""
    if not clicks:
        return no_update
    name = commands.nonce(tab, ids.KILL_CONFIRM, clicks)
    return (await commands.send(services, "kill", name, reason=(reason or "").strip() or "stopped by hand"))[0]


async def on_rearm(
    services: Services, memory: tuple[str, int], clicks: int | None, reason: str | None
) -> tuple[Any, Any]:
    """Re-arm with a typed reason."""
    if not clicks:
        return no_update, no_update
    if not (reason or "").strip():
        return commands.added(
            toast.note("Re-arm: refused", "Type why it is safe to trade again.", good=False)
        ), no_update
    tab, version = memory
    name = commands.nonce(tab, ids.REARM, clicks)
    shown, accepted = await commands.send(services, "rearm", name, version, reason=(reason or "").strip())
    return shown, "" if accepted else no_update


def register(app: Dash, services: Services) -> None:
    """Register the callbacks of the strip."""
    app.callback(
        Output(ids.KILL_MODAL, "is_open"),
        Input(ids.KILL, "n_clicks"),
        Input(ids.KILL_CANCEL, "n_clicks"),
        Input(ids.KILL_CONFIRM, "n_clicks"),
        prevent_initial_call=True,
    )(on_kill_dialog)

    @app.callback(
        commands.TOAST,
        Input(ids.KILL_CONFIRM, "n_clicks"),
        State(ids.KILL_REASON, "value"),
        State(ids.TAB, "data"),
        running=[(Output(ids.KILL_CONFIRM, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def kill(clicks: int | None, reason: str | None, tab: str) -> Any:
        return await on_kill(services, tab, clicks, reason)

    @app.callback(
        commands.TOAST,
        Output(ids.REARM_REASON, "value"),
        Input(ids.REARM, "n_clicks"),
        State(ids.REARM_REASON, "value"),
        State(ids.TAB, "data"),
        State(ids.VERSION, "data"),
        running=[(Output(ids.REARM, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def rearm(clicks: int | None, reason: str | None, tab: str, version: int) -> Any:
        return await on_rearm(services, (tab, version), clicks, reason)

    beat = ClientsideFunction("cockpit", "beat")
    app.clientside_callback("name => name", Output(ids.PAGE, "data"), Input(ids.PAGE_NAME, "data"))
    app.clientside_callback(beat, Output(ids.BEAT, "storage_type"), Input(ids.BEAT, "data"), prevent_initial_call=True)
    title = ClientsideFunction("cockpit", "title")
    app.clientside_callback(
        title, Output(ids.TITLE, "storage_type"), Input(ids.TITLE, "data"), Input("_pages_store", "data")
    )
