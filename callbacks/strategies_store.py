"""The page "Strategies": what is done with a strategy as a whole - open, save, compare, give away, put on paper."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, State, dcc, no_update

from callbacks import commands, following
from callbacks.strategies import DRAFT, lines_of, markets_of
from layouts import ids, parts, toast
from layouts.strategies import page as layout
from layouts.strategies import shelf, versions
from services.container import Services
from trading.domain.workshop import DraftView
from trading.errors import BadInput, CockpitError, StrategyChanged

FRAME: tuple[tuple[str, str], ...] = (
    *DRAFT,
    (ids.ST_SHELF, "children"),
    (ids.ST_VERSIONS, "children"),
    (ids.ST_DIFF, "is_open"),
    (ids.ST_DIFF_OLD, "options"),
    (ids.ST_DIFF_OLD, "value"),
    (ids.ST_DIFF_NEW, "options"),
    (ids.ST_DIFF_NEW, "value"),
    (ids.ST_GO, "href"),
    (ids.ST_DOWNLOAD, "data"),
    (ids.TOASTS, "children"),
)
Asked = Mapping[str, Any]
Answer = Callable[[Services, Asked, Any], Awaitable[parts.Parts]]


def told(title: str, words: str, *, good: bool = True) -> parts.Parts:
    """Say what came of it."""
    return {(ids.TOASTS, "children"): commands.added(toast.note(title, words, good=good))}


def whole(services: Services, asked: Asked, view: DraftView) -> parts.Parts:
    """Return all that shows a draft, with list and versions; acts before the command are done with."""
    port = services.strategies
    view = port.edit(view.state, [{"n": asked.get("n"), "op": "seen"}])
    drawn = layout.drawn(view, port.catalog(), markets_of(services), port.interval())
    return {**drawn, (ids.ST_NOTICE, "children"): [], **listed(services, view),
            (ids.ST_VERSIONS, "children"): versions.table(lines_of(services, view), layout.ref_of(view))}


def listed(services: Services, view: DraftView) -> parts.Parts:
    """Return the list as it is now."""
    return {(ids.ST_SHELF, "children"): shelf.rows(services.strategies.shelf(), layout.ref_of(view))}


def named(asked: Asked) -> tuple[str, str]:
    """Return (symbol, id) of what a command is about."""
    symbol, _, name = str(asked.get("ref", "")).partition("/")
    if not name:
        raise BadInput("save it first: it is not among the stored strategies yet")
    return symbol, name


def version_of(asked: Asked) -> int | None:
    """Return the version that a command names, None for the newest."""
    text = str(asked.get("version", ""))
    return int(text) if text.isdecimal() else None


async def on_new(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Begin a new strategy."""
    return await asyncio.to_thread(lambda: whole(services, asked, services.strategies.blank()))


async def on_open(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Open a strategy, or an old version of it."""
    symbol, name = named(asked)
    return await asyncio.to_thread(
        lambda: whole(services, asked, services.strategies.open(symbol, name, version_of(asked))))


async def on_resume(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Go on with what this tab was editing before it left the page."""
    return await asyncio.to_thread(lambda: whole(services, asked, services.strategies.edit(asked.get("state"), ())))


async def on_save(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Keep the draft as the next version."""
    view = await asyncio.to_thread(services.strategies.keep, state)
    said = told("Saved", f"{view.name} is version {view.version} of {layout.ref_of(view)}"
                f"{await _pending(services, view.symbol, view.id)}")
    return {**await asyncio.to_thread(whole, services, asked, view), **said}


async def on_overwrite(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Keep the draft although a newer version came; that one stays among the versions."""
    view = await asyncio.to_thread(services.strategies.newest, state)
    return await on_save(services, asked, view.state)


async def on_copy(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Keep the draft as a strategy of its own."""
    view = await asyncio.to_thread(services.strategies.apart, state)
    return await on_save(services, asked, view.state)


async def on_duplicate(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Copy a stored strategy under a free id and open the copy."""
    entry = await asyncio.to_thread(services.strategies.duplicate, *named(asked))
    return {**await on_open(services, {**asked, "ref": entry.ref}, None), **told("Duplicated", f"this is {entry.ref}")}


async def on_delete(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Delete a strategy; its versions stay."""
    entry = await asyncio.to_thread(services.strategies.delete, *named(asked))
    return {**await on_new(services, asked, None),
            **told("Deleted", f"{entry.ref} is gone from the list; Restore under Deleted brings it back")}


async def on_restore(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Make an old version the newest, of a deleted strategy the last one."""
    entry = await asyncio.to_thread(services.strategies.restore, *named(asked), version_of(asked))
    found = await on_open(services, {"n": asked.get("n"), "ref": entry.ref}, None)
    waits = await _pending(services, entry.symbol, entry.id)
    return {**found, **told("Restored", f"{entry.ref} is version {entry.version} now{waits}")}


async def _pending(services: Services, symbol: str, name: str) -> str:
    """Return what is to be added to a toast where another version trades than the one that was saved."""
    words = await asyncio.to_thread(services.strategies.pending, symbol, name)
    return f". {words}" if words else ""


async def on_default(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Make a strategy its symbol's default."""
    entry = await asyncio.to_thread(services.strategies.set_default, *named(asked))
    return {**await _list(services, state), **told("Default", f"{entry.ref} is the default of {entry.symbol}")}


async def on_register(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Let agents use a strategy."""
    entry = await asyncio.to_thread(services.strategies.register, *named(asked))
    return {**await _list(services, state), **told("Registered", f"agents may use {entry.ref}")}


async def on_unregister(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Take a strategy off the register."""
    entry = await asyncio.to_thread(services.strategies.unregister, *named(asked))
    return {**await _list(services, state), **told("Off the register", f"agents leave {entry.ref} alone")}


async def _list(services: Services, state: Any) -> parts.Parts:
    view = await asyncio.to_thread(services.strategies.edit, state, ())
    return await asyncio.to_thread(listed, services, view)


async def on_export(services: Services, _asked: Asked, state: Any) -> parts.Parts:
    """Give the draft away as one JSON file."""
    view = await asyncio.to_thread(services.strategies.edit, state, ())
    symbol = view.symbol or next(iter(view.symbols), "any")
    name = f"{symbol.lower()}_strategy_{view.id or 'draft'}.json"
    return {(ids.ST_DOWNLOAD, "data"): dcc.send_string(view.text, name, type="application/json")}


async def on_adopt(services: Services, asked: Asked, _state: Any) -> parts.Parts:
    """Give a loose file a place, and open it."""
    entry = await asyncio.to_thread(services.strategies.adopt, str(asked.get("ref", "")))
    return {**await on_open(services, {**asked, "ref": entry.ref}, None), **told("Imported", f"this is {entry.ref}")}


async def on_diff(services: Services, _asked: Asked, state: Any) -> parts.Parts:
    """Open the dialog: from the last saved version to what is on the screen."""
    view = await asyncio.to_thread(services.strategies.edit, state, ())
    lines = await asyncio.to_thread(lines_of, services, view)
    options = versions.choices(lines)
    kept = [one["value"] for one in options[1:]]
    old = kept[0] if kept and (view.is_changed or len(kept) == 1) else kept[1] if kept else None
    new = versions.DRAFT if view.is_changed or len(kept) < 2 else kept[0]
    return {(ids.ST_DIFF, "is_open"): True, (ids.ST_DIFF_OLD, "options"): options[1:],
            (ids.ST_DIFF_OLD, "value"): old, (ids.ST_DIFF_NEW, "options"): options, (ids.ST_DIFF_NEW, "value"): new}


async def on_compare(services: Services, state: Any, old: str | None, new: str | None) -> Any:
    """Say what differs."""
    if not old or not new:
        return versions.changes("Choose two versions.")
    numbers = [int(one) if one.isdecimal() else 0 for one in (old, new)]
    try:
        return versions.changes(await asyncio.to_thread(services.strategies.compare, state, *numbers))
    except CockpitError as error:
        return versions.changes(str(error))


async def on_backtest(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Go to the page Backtest with this strategy chosen; what is not saved is saved first."""
    found, view = await _saved(services, asked, state)
    return {**found, (ids.ST_GO, "href"): f"/backtest?strategy=own/{layout.ref_of(view)}"}


async def on_paper(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Save, register as the default, and let the cockpit trade it."""
    found, view = await _saved(services, asked, state)
    port = services.strategies
    await asyncio.to_thread(port.set_default, view.symbol, view.id)
    name = commands.nonce(str(asked.get("tab", "")), "paper", str(asked.get("n")))
    version = services.portfolio.view().session.control_version
    answered = await services.session.send("use_strategy", name, version, ref=layout.ref_of(view))
    notice = layout.taken_over(answered.detail) if answered.accepted else layout.trouble(answered.detail)
    shown = {**found, **await asyncio.to_thread(listed, services, view)}
    lines = await asyncio.to_thread(lines_of, services, view)
    return {**shown, (ids.ST_VERSIONS, "children"): versions.table(lines, layout.ref_of(view)),
            (ids.ST_NOTICE, "children"): notice}


async def _saved(services: Services, asked: Asked, state: Any) -> tuple[parts.Parts, DraftView]:
    view = await asyncio.to_thread(services.strategies.edit, state, ())
    if not view.version or view.is_changed:
        view = await asyncio.to_thread(services.strategies.keep, state)
        return await asyncio.to_thread(whole, services, asked, view), view
    return {}, view


COMMANDS: dict[str, Answer] = {
    "new": on_new, "open": on_open, "resume": on_resume, "save": on_save, "overwrite": on_overwrite, "copy": on_copy,
    "duplicate": on_duplicate, "delete": on_delete, "restore": on_restore, "default": on_default,
    "register": on_register, "unregister": on_unregister, "export": on_export, "adopt": on_adopt, "diff": on_diff,
    "backtest": on_backtest, "paper": on_paper,
}


async def on_command(services: Services, asked: Asked, state: Any) -> parts.Parts:
    """Do what a button asks for; a refusal is said where it stands, with the ways out."""
    answer = COMMANDS.get(str(asked.get("do")))
    if answer is None:
        return {}
    try:
        return await answer(services, asked, state)
    except StrategyChanged as error:
        view = await asyncio.to_thread(services.strategies.edit, state, ())
        return {(ids.ST_NOTICE, "children"): layout.conflict(str(error), layout.ref_of(view))}
    except CockpitError as error:
        return {(ids.ST_NOTICE, "children"): layout.trouble(str(error))}


async def on_upload(services: Services, content: str, name: str, n: int) -> parts.Parts:
    """Bring in a file and open it; `n` is the last act on what was open before."""
    try:
        text = base64.b64decode(content.partition(",")[2], validate=True)
        entry = await asyncio.to_thread(services.strategies.import_text, name, text)
    except (CockpitError, binascii.Error) as error:
        return {(ids.ST_NOTICE, "children"): layout.trouble(f"{name}: {error}")}
    found = await on_open(services, {"n": n, "ref": entry.ref}, None)
    return {**found, **told("Imported", f"{name} is {entry.ref}")}


def register(app: Dash, services: Services) -> None:
    """Register the commands."""
    frame = [Output(*part, allow_duplicate=True) for part in FRAME]
    busy = [(Output(ids.ST_PAGE, "className"), "st-columns is-busy", "st-columns")]

    @app.callback(*frame, Input(ids.ST_COMMAND, "data"), State(ids.ST_STATE, "data"), State(ids.TAB, "data"),
                  running=busy, prevent_initial_call=True)
    async def command(asked: dict[str, Any] | None, state: Any, tab: str) -> Any:
        if not asked:
            return [no_update] * len(FRAME)
        return following.in_order(FRAME, await on_command(services, {**asked, "tab": tab}, state))

    @app.callback(*frame, Output(ids.ST_UPLOAD, "contents"), Input(ids.ST_UPLOAD, "contents"),
                  State(ids.ST_UPLOAD, "filename"), State(ids.ST_ACTS, "data"), running=busy, prevent_initial_call=True)
    async def upload(content: str | None, name: str | None, log: dict[str, Any] | None) -> Any:
        if not content:
            return [no_update] * (len(FRAME) + 1)
        acts = (log or {}).get("acts") or [{}]
        told = await on_upload(services, content, name or "strategy.json", int(acts[-1].get("n", 0)))
        return [*following.in_order(FRAME, told), None]

    @app.callback(Output(ids.ST_DIFF_LIST, "children"), Input(ids.ST_DIFF_OLD, "value"),
                  Input(ids.ST_DIFF_NEW, "value"), State(ids.ST_STATE, "data"), prevent_initial_call=True)
    async def compare(old: str | None, new: str | None, state: Any) -> Any:
        return await on_compare(services, state, old, new)
