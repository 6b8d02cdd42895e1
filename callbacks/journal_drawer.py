"""The journal's drawer: one trade or one decision record, and what the user writes about a trade."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import commands, following
from layouts import ids, parts, toast
from layouts.journal import drawer
from services.container import Services
from trading.domain import DecisionView
from trading.domain.journal import JournalTrade
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.JR_DRAWER, "is_open"),
    (ids.JR_DRAWER_TITLE, "children"),
    (ids.JR_DRAWER_BODY, "children"),
    (ids.JR_KEY, "data"),
    (ids.JR_NOTES, "className"),
    (ids.JR_NOTE, "value"),
    (ids.JR_TAGS, "value"),
    (ids.JR_SAVED, "children"),
)
Asked = Mapping[str, str]  # {"trade": key} or {"decision": key}


def asked_by(trigger: Any, value: Any, opened: Asked | None) -> Asked:
    """Return what a click or the address wants to see."""
    if trigger == ids.JR_OPEN or trigger is None:
        return opened or {}
    row = value[0]["id"] if isinstance(value, list) and value else (value or {}).get("rowId") if value else None
    if not row:
        return {}
    return {"trade": row} if trigger == ids.JR_TRADES else {"decision": row.partition("#")[0]}


def found(services: Services, asked: Asked) -> tuple[JournalTrade | None, DecisionView | None]:
    """Return the trade and the record that are asked for."""
    journal = services.journal
    trade = journal.trade(asked["trade"]) if "trade" in asked else None
    key = trade.decision if trade else asked.get("decision", "")
    return trade, journal.decision(key) if key else None


async def on_open(services: Services, asked: Asked) -> parts.Parts:
    """Open the drawer."""
    if not asked:
        return {}
    try:
        trade, decision = await asyncio.to_thread(found, services, asked)
    except CockpitError as error:
        return {(ids.JR_DRAWER, "is_open"): True, (ids.JR_DRAWER_TITLE, "children"): "The journal cannot be read",
                (ids.JR_DRAWER_BODY, "children"): str(error)}
    return {
        (ids.JR_DRAWER, "is_open"): True,
        (ids.JR_DRAWER_TITLE, "children"): drawer.title(trade, decision),
        (ids.JR_DRAWER_BODY, "children"): drawer.body(trade, decision),
        (ids.JR_KEY, "data"): trade.key if trade else None,
        (ids.JR_NOTES, "className"): drawer.notes_class(trade),
        (ids.JR_NOTE, "value"): trade.note if trade else "",
        (ids.JR_TAGS, "value"): ", ".join(trade.tags) if trade else "",
        (ids.JR_SAVED, "children"): "",
    }


async def on_save(services: Services, key: str, note: str, tags: str) -> tuple[Any, Any, Any]:
    """Keep a note; return what to say beside the button, a toast when it was refused, and that the list is old."""
    try:
        await asyncio.to_thread(services.journal.note, key, note, tags.split(","))
    except CockpitError as error:
        return "not saved", commands.added(toast.note("Note: not saved", str(error), good=False)), no_update
    return "✓ saved", no_update, None


def register(app: Dash, services: Services) -> None:
    """Register the drawer."""
    @app.callback(
        *(Output(*part) for part in FRAME),
        Input(ids.JR_OPEN, "data"), Input(ids.JR_TRADES, "cellClicked"), Input(ids.JR_DECISIONS, "cellClicked"),
        Input(ids.JR_TRADES, "selectedRows"), Input(ids.JR_DECISIONS, "selectedRows"),
    )
    async def click(opened: Asked | None, *_rows: Any) -> Any:
        value = ctx.triggered[0]["value"] if ctx.triggered else None
        return following.in_order(FRAME, await on_open(services, asked_by(ctx.triggered_id, value, opened)))

    @app.callback(
        Output(ids.JR_SAVED, "children", allow_duplicate=True), commands.TOAST,
        Output(ids.JR_SEEN, "data", allow_duplicate=True), Input(ids.JR_SAVE, "n_clicks"), State(ids.JR_KEY, "data"),
        State(ids.JR_NOTE, "value"), State(ids.JR_TAGS, "value"), prevent_initial_call=True,
    )
    async def save(clicks: int | None, key: str | None, note: str | None, tags: str | None) -> Any:
        if not clicks or not key:
            return no_update, no_update, no_update
        return await on_save(services, key, note or "", tags or "")
