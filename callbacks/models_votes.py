"""The page "Models": who votes. A change needs a click in the dialog and a reason; a roll back is one click."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from callbacks.commands import TOAST, added
from callbacks.models import FRAME, in_order, market_of, progress_of
from layouts import ids, parts, toast
from layouts.models import dialog
from layouts.models import page as layout
from layouts.models.market import Market, market_named, number
from services.container import Services
from trading.domain.learning import Appointment
from trading.errors import CockpitError

Shown = Mapping[str, Any]
RESTING = (Output(ids.MD_TICK, "disabled"), True, False)
"""While an order is answered no tick asks about the version that was shown before it."""
ROLLED_BACK = "one click on the page Models"
NO_REASON = f"✗ Write a reason of at least {dialog.FEWEST} characters; it stays in the list of who votes."


async def shown_market(services: Services, shown: Shown) -> Market | None:
    """Return the market on screen."""
    name = market_named(shown.get("market"))
    return await asyncio.to_thread(market_of, services, *name, shown.get("version")) if name else None


async def on_ask(services: Services, shown: Shown, kind: str, version: str = "") -> tuple[Any, ...]:
    """Open the dialog; return open, title, words, what it would do, an empty reason and what is asked of it."""
    market = await shown_market(services, shown)
    found = next((v for v in market.versions if v.id == version), None) if market else None
    if market is None or (kind == dialog.APPOINT and found is None):
        return (no_update,) * 6
    title, words = dialog.appoint(found, market) if found else dialog.silence(market)
    return True, title, words, {"kind": kind, "version": version}, "", dialog.REASON_WORD


async def on_confirm(services: Services, shown: Shown, change: Shown, reason: str | None) -> tuple[parts.Parts, Any]:
    """Do what the dialog said; return the page's parts and the toast."""
    market = market_named(shown.get("market"))
    said, port = dialog.reason_of(reason), services.learning
    if market is None or said is None:
        return {}, no_update
    if change.get("kind") == dialog.SILENCE:
        return await _changed(services, shown, lambda: port.silence(*market, said))
    return await _changed(services, shown, lambda: port.appoint(change["version"], said))


async def on_roll_back(services: Services, shown: Shown) -> tuple[parts.Parts, Any]:
    """Let the champion before this one vote again."""
    market = market_named(shown.get("market"))
    if market is None:
        return {}, no_update
    return await _changed(services, shown, lambda: services.learning.roll_back(*market, ROLLED_BACK))


async def _changed(services: Services, shown: Shown, work: Callable[[], Appointment]) -> tuple[parts.Parts, Any]:
    try:
        made = await asyncio.to_thread(work)
    except CockpitError as error:
        return {}, added(toast.note("Nothing was changed", str(error), good=False))
    named = {**shown, "version": made.version or shown.get("version")}
    market = await shown_market(services, named)
    who = "No model votes" if made.kind == "silenced" else f"{number(made.version)} votes"
    note = added(toast.note(f"{who} on {market.words if market else ''}", made.reason, good=True))
    return (layout.outcome(market, progress_of(services, market, shown.get("key"))) if market else {}), note


async def on_fresh(services: Services, shown: Shown, wanted: bool) -> Any:
    """Have the schedule train the market again, or not."""
    market = market_named(shown.get("market"))
    if market is None:
        return no_update
    if wanted == await asyncio.to_thread(services.learning.is_kept_fresh, *market):  # a switch that was just drawn
        return no_update
    await asyncio.to_thread(services.learning.keep_fresh, *market, wanted)
    words = "The schedule trains it again when there are newer candles." if wanted else "It is trained by hand only."
    return added(toast.note("Keep fresh: on" if wanted else "Keep fresh: off", words, good=True))


def register(app: Dash, services: Services) -> None:
    """Register the buttons that change who votes."""
    frame = [Output(*part, allow_duplicate=True) for part in FRAME]
    state = State(ids.MD_STATE, "data")

    @app.callback(
        Output(ids.MD_MODAL, "is_open"),
        Output(ids.MD_MODAL_TITLE, "children"),
        Output(ids.MD_MODAL_TEXT, "children"),
        Output(ids.MD_CHANGE, "data"),
        Output(ids.MD_REASON, "value"),
        Output(ids.MD_REASON_WORD, "children"),
        Input(ids.appoint(ALL, ALL), "n_clicks"),  # type: ignore[arg-type]
        Input(ids.MD_SILENCE, "n_clicks"),
        state,
        prevent_initial_call=True,
    )
    async def ask(_appoint: list[int | None], _silence: int | None, shown: Shown) -> Any:
        if not ctx.triggered or not ctx.triggered[0]["value"]:  # buttons that were just drawn
            return (no_update,) * 6
        named = ctx.triggered_id
        if named == ids.MD_SILENCE:
            return await on_ask(services, shown, dialog.SILENCE)
        return await on_ask(services, shown, dialog.APPOINT, named["version"])

    @app.callback(Output(ids.MD_MODAL, "is_open", allow_duplicate=True), Input(ids.MD_CLOSE, "n_clicks"),
                  prevent_initial_call=True)
    async def close(_clicks: int | None) -> bool:
        return False

    @app.callback(
        *frame,
        TOAST,
        Output(ids.MD_MODAL, "is_open", allow_duplicate=True),
        Output(ids.MD_REASON_WORD, "children", allow_duplicate=True),
        Input(ids.MD_CONFIRM, "n_clicks"),
        state,
        State(ids.MD_CHANGE, "data"),
        State(ids.MD_REASON, "value"),
        running=[
            (Output(ids.MD_CONFIRM, "disabled"), True, False),
            (Output(ids.MD_CONFIRM, "children"), dialog.ASKED, dialog.CONFIRM),
            RESTING,
        ],
        prevent_initial_call=True,
    )
    async def confirm(clicks: int | None, shown: Shown, change: Shown, reason: str | None) -> Any:
        if not clicks or not change:
            return no_update
        if dialog.reason_of(reason) is None:
            return [*in_order({}), no_update, True, html.Span(NO_REASON, className="down")]
        found, said = await on_confirm(services, shown, change, reason)
        return [*in_order(found), said, False, dialog.REASON_WORD]

    @app.callback(*frame, TOAST, Input(ids.MD_BACK, "n_clicks"), state, prevent_initial_call=True,
                  running=[(Output(ids.MD_BACK, "disabled"), True, False), RESTING])
    async def roll_back(clicks: int | None, shown: Shown) -> Any:
        if not clicks:
            return no_update
        found, said = await on_roll_back(services, shown)
        return [*in_order(found), said]

    @app.callback(TOAST, Input(ids.MD_FRESH, "value"), state, prevent_initial_call=True)
    async def fresh(chosen: list[str] | None, shown: Shown) -> Any:
        return await on_fresh(services, shown, bool(chosen))
