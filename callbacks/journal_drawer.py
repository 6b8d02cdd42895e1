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
    (ids.JR_DRAFTS, "data"),
)
UNSAVED = "not saved yet"
Asked = Mapping[str, str]  # {"trade": key} or {"decision": key}
Drafts = Mapping[str, Any]  # {key: [note, tags]} of what is not saved
Typed = tuple[str | None, str, str]  # the trade in the drawer, its note and tags as they stand there


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


def with_draft(services: Services, typed: Typed, drafts: Drafts) -> dict[str, Any]:
    """Return the drafts with what stands in the drawer, where it is not what is saved."""
    key, note, tags = typed
    trade = services.journal.trade(key) if key else None
    others = {name: draft for name, draft in drafts.items() if name != key}
    words = tuple(tag.strip() for tag in tags.split(",") if tag.strip())
    if trade is None or (note, words) == (trade.note, trade.tags):
        return others
    return {**others, trade.key: [note, tags]}


async def on_open(services: Services, asked: Asked, typed: Typed = (None, "", ""),
                  drafts: Drafts | None = None) -> parts.Parts:
    """Open the drawer; what was typed into it before and not saved is kept for the trade that it is about."""
    if not asked:
        return {}
    try:
        kept = await asyncio.to_thread(with_draft, services, typed, drafts or {})
        trade, decision = await asyncio.to_thread(found, services, asked)
    except CockpitError as error:
        return {(ids.JR_DRAWER, "is_open"): True, (ids.JR_DRAWER_TITLE, "children"): "The journal cannot be read",
                (ids.JR_DRAWER_BODY, "children"): str(error)}
    saved = [trade.note, ", ".join(trade.tags)] if trade else ["", ""]
    note, tags = kept.get(trade.key, saved) if trade else saved
    return {
        (ids.JR_DRAWER, "is_open"): True,
        (ids.JR_DRAWER_TITLE, "children"): drawer.title(trade, decision),
        (ids.JR_DRAWER_BODY, "children"): drawer.body(trade, decision),
        (ids.JR_KEY, "data"): trade.key if trade else None,
        (ids.JR_NOTES, "className"): drawer.notes_class(trade),
        (ids.JR_NOTE, "value"): note,
        (ids.JR_TAGS, "value"): tags,
        (ids.JR_SAVED, "children"): UNSAVED if trade and trade.key in kept else "",
        (ids.JR_DRAFTS, "data"): kept,
    }


async def on_save(services: Services, key: str, note: str, tags: str,
                  drafts: Drafts | None = None) -> tuple[Any, Any, Any, Any]:
    """Keep a note; return what to say beside the button, a toast when it was refused, that the list is old, drafts."""
    try:
        await asyncio.to_thread(services.journal.note, key, note, tags.split(","))
    except CockpitError as error:
        return "not saved", commands.added(toast.note("Note: not saved", str(error), good=False)), no_update, no_update
    return "✓ saved", no_update, None, {name: draft for name, draft in (drafts or {}).items() if name != key}


def register(app: Dash, services: Services) -> None:
    """Register the drawer."""
    @app.callback(
        *(Output(*part) for part in FRAME),
        Input(ids.JR_OPEN, "data"), Input(ids.JR_TRADES, "cellClicked"), Input(ids.JR_DECISIONS, "cellClicked"),
        Input(ids.JR_TRADES, "selectedRows"), Input(ids.JR_DECISIONS, "selectedRows"), State(ids.JR_KEY, "data"),
        State(ids.JR_NOTE, "value"), State(ids.JR_TAGS, "value"), State(ids.JR_DRAFTS, "data"),
    )
    async def click(opened: Asked | None, *more: Any) -> Any:
        value = ctx.triggered[0]["value"] if ctx.triggered else None
        key, note, tags, drafts = more[-4:]
        asked = asked_by(ctx.triggered_id, value, opened)
        return following.in_order(FRAME, await on_open(services, asked, (key, note or "", tags or ""), drafts))

    @app.callback(
        Output(ids.JR_SAVED, "children", allow_duplicate=True), commands.TOAST,
        Output(ids.JR_SEEN, "data", allow_duplicate=True), Output(ids.JR_DRAFTS, "data", allow_duplicate=True),
        Input(ids.JR_SAVE, "n_clicks"), State(ids.JR_KEY, "data"), State(ids.JR_NOTE, "value"),
        State(ids.JR_TAGS, "value"), State(ids.JR_DRAFTS, "data"), prevent_initial_call=True,
    )
    async def save(clicks: int | None, key: str | None, *typed: Any) -> Any:
        if not clicks or not key:
            return [no_update] * 4
        note, tags, drafts = typed
        return await on_save(services, key, note or "", tags or "", drafts)
