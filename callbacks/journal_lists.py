"""The journal's lists of trades and decision records: filters, pages, files in and out."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks import commands, following
from layouts import ids, parts, text, toast
from layouts.journal import csv_text, filters, lists
from services.container import Services
from trading.domain import DecisionView
from trading.domain.journal import FOREVER
from trading.errors import BadInput, CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.JR_TRADES, "rowData"),
    (ids.JR_DECISIONS, "rowData"),
    (ids.JR_COUNT, "children"),
    (ids.JR_NEWER, "disabled"),
    (ids.JR_OLDER, "disabled"),
    (ids.JR_TRADES_BOX, "className"),
    (ids.JR_DECISIONS_BOX, "className"),
    (ids.JR_EMPTY, "children"),
    *((ids.journal_field(name), "className") for name in ids.JR_FILTERS),
    (ids.JR_PLACE, "data"),
)
CHOSEN = ("symbol", "strategy", "agent", "tag")
FIRST_PLACE: Mapping[str, Any] = {"offset": 0, "stack": []}
MOST_RECORDS, AT_ONCE = 20_000, 500
Place = Mapping[str, Any]


def turned(place: Place, trigger: Any) -> Place:
    """Return the page that a click asks for; whatever else is asked begins with the first one."""
    stack = list(place.get("stack") or [])
    if trigger == ids.JR_OLDER:
        below = place.get("next")
        return {"offset": place["offset"] + lists.PER_PAGE, "stack": [*stack, below] if below else stack}
    if trigger == ids.JR_NEWER:
        return {"offset": max(0, place["offset"] - lists.PER_PAGE), "stack": stack[:-1]}
    return FIRST_PLACE


def is_news(trigger: Any, tab: str, place: Place) -> bool:
    """Return whether a tick changes what is on screen: the first page of its list."""
    shown = {ids.JR_SEEN: "trades", ids.JR_MINUTE: "decisions"}.get(trigger)
    return shown is None or (shown == tab and not place["offset"] and not place["stack"])


async def on_list(services: Services, tab: str, asked: filters.Values, place: Place) -> parts.Parts:
    """Return a page of the chosen list."""
    try:
        if tab == "trades":
            wanted = filters.trades(asked)
            page = await asyncio.to_thread(services.journal.trades, wanted, place["offset"], lists.PER_PAGE)
            return lists.trades(page) | {(ids.JR_PLACE, "data"): place}
        query = filters.decisions(asked, place["stack"][-1] if place["stack"] else None)
        found = await asyncio.to_thread(services.journal.decisions, query, lists.PER_PAGE)
    except CockpitError as error:
        return lists.trouble(tab, str(error))
    drawn = lists.decisions(found.decisions, first=not place["stack"], last=found.next is None)
    return drawn | {(ids.JR_PLACE, "data"): {**place, "next": found.next}}


async def on_choices(services: Services) -> list[Any]:
    """Return the options of the filters, and the list of imported logs."""
    try:
        choices = await asyncio.to_thread(services.journal.choices)
    except CockpitError:
        return [no_update] * (len(CHOSEN) + 1)
    return [*(filters.options(name, choices) for name in CHOSEN), lists.imports(choices)]


async def on_csv(services: Services, tab: str, asked: filters.Values) -> Any:
    """Have the browser save what the filters let through."""
    try:
        if tab == "trades":
            page = await asyncio.to_thread(services.journal.trades, filters.trades(asked), 0, FOREVER)
            content = await asyncio.to_thread(csv_text.trades, page.trades)
        else:
            content = csv_text.decisions(await asyncio.to_thread(records, services, asked))
    except CockpitError as error:
        return refused("CSV", error)
    return {"content": content, "filename": f"journal-{tab}.csv", "type": "text/csv"}, no_update


def records(services: Services, asked: filters.Values) -> list[DecisionView]:
    """Return the newest records that the filters let through, at most 20,000."""
    query, found = filters.decisions(asked, None), []
    while len(found) < MOST_RECORDS:
        page = services.journal.decisions(query, AT_ONCE)
        found += page.decisions
        if page.next is None:
            break
        query = replace(query, below=page.next)
    return found


async def on_json(services: Services, asked: filters.Values) -> Any:
    """Have the browser save the trades as a trade log."""
    try:
        name, content = await asyncio.to_thread(services.journal.export, filters.trades(asked))
    except CockpitError as error:
        return refused("JSON", error)
    return {"content": content, "filename": name, "type": "application/json"}, no_update


def refused(title: str, error: Exception) -> tuple[Any, Any]:
    """Return no file, and a toast that says why."""
    return no_update, commands.added(toast.note(f"{title}: not saved", str(error), good=False))


async def on_import(services: Services, name: str, contents: str) -> Any:
    """Take a trade log in and say what became of it: whatever a person's file holds, the page goes on."""
    name = name.encode("utf-8", "replace").decode()
    try:
        content = base64.b64decode(contents.partition(",")[2], validate=True)
        report = await asyncio.to_thread(services.journal.import_log, name, content)
    except (CockpitError, ValueError, ArithmeticError, RecursionError) as error:
        why = str(error) if isinstance(error, BadInput) else f"{name} could not be read: {error}"
        return commands.added(toast.note("Import: refused", why, good=False))
    known = f", {report.n_known} were there before" if report.n_known else ""
    said = f"{text.plural(report.n_new, 'trade')} of {name} added{known}. They are shown and never counted."
    return commands.added(toast.note("Import: done", said, good=True))


def on_too_large(found: Mapping[str, Any]) -> Any:
    """Say why nothing came of a file: the browser is not allowed to send that much at once."""
    megabytes, most = float(found.get("bytes", 0)) / 1e6, lists.MOST_UPLOAD / 1e6
    said = f"{found.get('name', 'the file')} has {megabytes:.1f} MB, {most:.1f} MB are taken at most; split the file."
    return commands.added(toast.note("Import: refused", said, good=False))


async def on_forget(services: Services, name: str) -> Any:
    """Remove an imported log."""
    try:
        n = await asyncio.to_thread(services.journal.remove_import, name)
    except CockpitError as error:
        return commands.added(toast.note("Remove: refused", str(error), good=False))
    return commands.added(toast.note("Removed", f"{text.plural(n, 'trade')} of {name}.", good=True))


def register(app: Dash, services: Services) -> None:
    """Register the lists."""
    given = [Input(ids.journal_filter(name), "value") for name in ids.JR_FILTERS]

    @app.callback(
        *(Output(*part) for part in FRAME),
        Input(ids.JR_TAB, "value"), State(ids.JR_PLACE, "data"), *given, Input(ids.JR_NEWER, "n_clicks"),
        Input(ids.JR_OLDER, "n_clicks"), Input(ids.JR_SEEN, "data"), Input(ids.JR_MINUTE, "data"),
    )
    async def listed(tab: str, place: Place, *asked: Any) -> Any:
        triggers = {each["prop_id"].partition(".")[0] for each in ctx.triggered}
        if triggers and not any(is_news(each, tab, place) for each in triggers):
            return [no_update] * len(FRAME)
        chosen = turned(place, ctx.triggered_id)
        return following.in_order(FRAME, await on_list(services, tab, filters.values(asked[:len(given)]), chosen))

    @app.callback(
        *(Output(ids.journal_filter(name), "options") for name in CHOSEN), Output(ids.JR_IMPORTS, "children"),
        Input(ids.JR_SEEN, "data"), prevent_initial_call=True,
    )
    async def choices(_seen: Any) -> Any:
        return await on_choices(services)

    _register_filters(app)
    _register_files(app, services)


def _register_filters(app: Dash) -> None:
    reset = [Output(ids.journal_filter(name), "value", allow_duplicate=True) for name in ids.JR_FILTERS]

    @app.callback(*reset, Input(ids.JR_CLEAR, "n_clicks"), prevent_initial_call=True)
    async def clear(clicks: int | None) -> Any:
        return filters.cleared() if clicks else [no_update] * len(ids.JR_FILTERS)

    @app.callback(
        Output(ids.journal_filter("start"), "value", allow_duplicate=True),
        Output(ids.journal_filter("end"), "value", allow_duplicate=True), Output(ids.JR_TAB, "value"),
        Input(ids.journal_day(ALL), "n_clicks"), prevent_initial_call=True,
    )
    async def day(clicks: list[int | None]) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update, no_update, no_update
        return ctx.triggered_id["day"], ctx.triggered_id["day"], "trades"


def _register_files(app: Dash, services: Services) -> None:
    given = [State(ids.journal_filter(name), "value") for name in ids.JR_FILTERS]

    @app.callback(
        Output(ids.JR_DOWNLOAD, "data"), commands.TOAST, Input(ids.JR_CSV, "n_clicks"), Input(ids.JR_JSON, "n_clicks"),
        State(ids.JR_TAB, "value"), *given, prevent_initial_call=True,
    )
    async def save(_csv: int | None, _json: int | None, tab: str, *asked: Any) -> Any:
        if ctx.triggered_id == ids.JR_JSON:
            return await on_json(services, filters.values(asked))
        return await on_csv(services, tab, filters.values(asked))

    @app.callback(
        commands.TOAST, Output(ids.JR_SEEN, "data", allow_duplicate=True), Output(ids.JR_UPLOAD, "contents"),
        Input(ids.JR_UPLOAD, "contents"), State(ids.JR_UPLOAD, "filename"), prevent_initial_call=True,
    )
    async def upload(contents: str | None, name: str | None) -> Any:
        if not contents:
            return no_update, no_update, no_update
        return await on_import(services, name or "the file", contents), None, None

    @app.callback(commands.TOAST, Input(ids.JR_TOO_LARGE, "data"), prevent_initial_call=True)
    async def too_large(found: dict[str, Any] | None) -> Any:
        return on_too_large(found) if found else no_update

    @app.callback(
        commands.TOAST, Output(ids.JR_SEEN, "data", allow_duplicate=True), Input(ids.journal_forget(ALL), "n_clicks"),
        prevent_initial_call=True,
    )
    async def forget(clicks: list[int | None]) -> Any:
        if not any(clicks) or not ctx.triggered_id:
            return no_update, no_update
        return await on_forget(services, ctx.triggered_id["name"]), None
