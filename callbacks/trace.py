"""Decisions: the newest as they come; a click on a row, a marker or a trade opens one."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import ALL, Dash, Input, Output, ctx, no_update

from callbacks.live import Live, Watched
from layouts import ids, trace
from services.container import Services
from trading.domain import CockpitView, DecisionView

GRIDS = ("positions", "orders", "trades", "log")


def build(services: Services) -> object:
    """Draw the card as it is now."""
    return trace.card(services.portfolio.view().decisions)


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return Watched(lambda view: view.decisions, lambda view: trace.live(view.decisions))


def before(view: CockpitView, symbol: str, time: int) -> DecisionView | None:
    """Return a symbol's newest decision that is not later than `time`."""
    found = [d for d in view.decisions if d.symbol == symbol and d.time <= time]
    return max(found, key=lambda d: d.time, default=None)


def of_row(services: Services, name: str, row: str) -> DecisionView | None:
    """Return the decision behind a grid's row."""
    view, find = services.portfolio.view(), services.portfolio.decision
    if name == "orders":
        return find(row)
    if name == "log":
        return of_line(services, row)
    held = {p.symbol: p for p in view.positions} if name == "positions" else {str(t.number): t for t in view.trades}
    shown = held.get(row)
    if shown is None:
        return None
    return (find(shown.decision) if shown.decision else None) or before(view, shown.symbol, shown.entry_time)


def of_line(services: Services, number: str) -> DecisionView | None:
    """Return the decision behind a line of the log: of the order that was filled, of the entry, or of its bar."""
    view, find = services.portfolio.view(), services.portfolio.decision
    line = next((each for each in view.log if str(each.number) == number), None)
    symbol = next((q.symbol for q in view.quotes if line and line.text.startswith(f"{q.display} ")), None)
    if line is None or symbol is None:
        return None
    orders = [fill.client_id for fill in services.portfolio.fills(symbol) if fill.time == line.time]
    filled = [*reversed(orders), f"entry:{symbol}@{line.time}"]
    keys = filled if line.kind in ("FILL", "TRADE") else [f"{symbol}@{line.time}", f"{symbol}@{line.time - 1}"]
    return next((found for found in map(find, keys) if found is not None), None)


def of_marker(services: Services, marker: str, symbol: str) -> DecisionView | None:
    """Return the decision behind a marker of the chart, whose id is `order@time`."""
    order, _, time = marker.rpartition("@")
    found = services.portfolio.decision(order)
    return found or before(services.portfolio.view(), symbol, int(time) if time.isdigit() else 0)


def found(services: Services, trigger: Any, value: Any) -> DecisionView | None:
    """Return the decision that a click asks for.

    Raises
    ------
    LookupError
        When the click was not on anything that has a decision.
    """
    if isinstance(trigger, dict) and value:
        return services.portfolio.decision(trigger["key"])
    if trigger == ids.PRICE_CHART and value and value.get("hoveredObjectId"):
        return of_marker(services, value["hoveredObjectId"], (value.get("hoveredSeriesId") or "||").split("|")[1])
    names = {ids.table(name): name for name in GRIDS}
    if trigger in names and value and value.get("colId") != "actions":
        return of_row(services, names[trigger], value["rowId"])
    raise LookupError(trigger)


async def on_click(services: Services, trigger: Any, value: Any) -> Any:
    """Open the decision behind a click, or go back to the newest ones."""
    if trigger == ids.TRACE_BACK:
        return trace.switched(None, back=True)
    try:
        decision = await asyncio.to_thread(found, services, trigger, value)
    except LookupError:
        return (no_update,) * 4
    return trace.switched(decision, back=False)


def register(app: Dash, services: Services) -> None:
    """Register what opens a decision."""

    @app.callback(
        Output(ids.TRACE, "className"),
        Output(ids.TRACE_OPEN, "className"),
        Output(ids.TRACE_BACK, "className"),
        Output(ids.TRACE_OPEN, "children"),
        Input(ids.decision(ALL), "n_clicks"),
        Input(ids.TRACE_BACK, "n_clicks"),
        Input(ids.PRICE_CHART, "click"),
        *(Input(ids.table(name), "cellClicked") for name in GRIDS),
        prevent_initial_call=True,
    )
    async def click(*_values: Any) -> Any:
        return await on_click(services, ctx.triggered_id, ctx.triggered[0]["value"] if ctx.triggered else None)
