"""Positions, orders, trades and log: row increments, and the buttons in the rows."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks import commands
from callbacks.live import Changes, Live, Tab, Watched
from layouts import ids, tables
from services.container import Services
from trading.domain import CockpitView

BUTTONS = {
    "add": ("add", {}),
    "half": ("close", {"rate": 0.5}),
    "close": ("close", {"rate": 1.0}),
    "cancel": ("cancel", {}),
}


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return tables.card(services.portfolio.view())


class TablesLive:
    """Row increments of one connection; the first time all rows."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, tables.Row]] = {}
        self.seen: dict[str, tuple[Any, ...]] = {}
        self.labels = Watched(_reads, lambda view: {**tables.counts(view), **tables.emptiness(view)})

    def changes(self, view: CockpitView, tab: Tab) -> Changes:
        """Return the changed rows of each grid, counts and empty states."""
        found = self.labels.changes(view, tab)
        for name, (source, row) in tables.SOURCES.items():
            shown = source(view)
            if name not in self.seen or self.seen[name] != shown:
                self.seen[name] = shown
                found |= self._rows(name, [row(one) for one in shown])
        return found

    def _rows(self, name: str, rows: list[tables.Row]) -> Changes:
        before = self.held.get(name)
        self.held[name] = {r["id"]: r for r in rows}
        if before is None:
            return {(ids.table(name), "rowData"): rows}
        moved = tables.transaction(before, rows)
        return {(ids.table(name), "rowTransaction"): moved} if moved else {}


def _reads(view: CockpitView) -> tuple[object, ...]:
    return (
        view.session.state,
        len(view.positions),
        tuple(o.status for o in view.orders),
        view.account.n_trades,
        len(view.trades),
        bool(view.log),
    )


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return TablesLive()


async def on_button(services: Services, pressed: dict[str, Any] | None, memory: tuple[str, int]) -> Any:
    """Do what a button in a row says: `{action, id, nonce}`."""
    asked = (pressed or {}).get("value") or {}
    if asked.get("action") not in BUTTONS:
        return no_update
    tab, version = memory
    kind, arguments = BUTTONS[asked["action"]]
    order = {"client_id": asked["id"]}
    target = order if kind == "cancel" else {"symbol": asked["id"], "entry_time": asked.get("seen")}
    name = commands.nonce(tab, f"{asked['action']}-{asked['id']}", asked.get("nonce", ""))
    return (await commands.send(services, kind, name, version if kind == "add" else None, **target, **arguments))[0]


async def on_flatten(services: Services, clicks: int | None, tab: str) -> Any:
    """Sell everything, once it was confirmed."""
    if not clicks:
        return no_update
    return (await commands.send(services, "flatten", commands.nonce(tab, ids.FLATTEN, clicks)))[0]


async def on_flatten_dialog(_open: int | None, _cancel: int | None, _sell: int | None) -> bool:
    """Open the question, close it on either answer."""
    return ctx.triggered_id == ids.FLATTEN


async def on_tab(chosen: str) -> list[str]:
    """Show the chosen table."""
    return [tables.pane_class(name, chosen) for name in ids.TABLES]


async def on_export(clicks: int | None, chosen: str) -> list[Any]:
    """Have the browser save the chosen table."""
    return [(bool(clicks) and name == chosen) or no_update for name in ids.TABLES]


def register(app: Dash, services: Services) -> None:
    """Register the tables' callbacks."""
    app.callback(
        [Output(ids.table_pane(name), "className") for name in ids.TABLES],
        Input(ids.TABLE_TABS, "value"),
        prevent_initial_call=True,
    )(on_tab)
    app.callback(
        [Output(ids.table(name), "exportDataAsCsv") for name in ids.TABLES],
        Input(ids.EXPORT, "n_clicks"),
        State(ids.TABLE_TABS, "value"),
        prevent_initial_call=True,
    )(on_export)
    app.callback(
        Output(ids.FLATTEN_MODAL, "is_open"),
        Input(ids.FLATTEN, "n_clicks"),
        Input(ids.FLATTEN_CANCEL, "n_clicks"),
        Input(ids.FLATTEN_CONFIRM, "n_clicks"),
        prevent_initial_call=True,
    )(on_flatten_dialog)
    _register_commands(app, services)


def _register_commands(app: Dash, services: Services) -> None:
    @app.callback(
        commands.TOAST,
        Input(ids.FLATTEN_CONFIRM, "n_clicks"),
        State(ids.TAB, "data"),
        running=[(Output(ids.FLATTEN, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def flatten(clicks: int | None, tab: str) -> Any:
        return await on_flatten(services, clicks, tab)

    for name in ("positions", "orders"):

        @app.callback(
            commands.TOAST,
            Input(ids.table(name), "cellRendererData"),
            State(ids.TAB, "data"),
            State(ids.VERSION, "data"),
            prevent_initial_call=True,
        )
        async def button(pressed: dict[str, Any] | None, tab: str, version: int) -> Any:
            return await on_button(services, pressed, (tab, version))
