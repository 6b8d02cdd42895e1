"""A finished run on the page "Backtest": checks that fill up, curves, tabs, trades, files to save."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from layouts import backtest_csv, ids, report
from layouts.backtest import checks, curves, tabs, tiles, trade
from services.container import Services
from trading.domain.backtests import BacktestTrade, BacktestView

Run = Mapping[str, Any]


async def view_of(services: Services, run: Run) -> BacktestView | None:
    """Return the run on screen."""
    key = run.get("key")
    return await asyncio.to_thread(services.backtests.view, key) if key else None


async def on_checks(services: Services, run: Run) -> tuple[Any, Any, bool]:
    """Return the checks and tiles as they are now, and whether all is answered."""
    view = await view_of(services, run)
    if view is None:
        return no_update, no_update, True
    return checks.inside(view), tiles.tiles(view), not checks.unfinished(view)


async def on_curves(services: Services, run: Run, log: list[str], chosen: list[str]) -> tuple[Any, ...]:
    """Draw the curves with what was chosen; return figure, legend, choices, word."""
    view = await view_of(services, run)
    if view is None:
        return (no_update,) * 4
    wanted = chosen[: curves.MOST_COMPARED]
    found = [await asyncio.to_thread(services.backtests.view, key) for key in wanted]
    others = [other for other in found if other is not None]
    stored = await asyncio.to_thread(services.backtests.runs)
    figure = curves.figure(view, others, log=bool(log))
    return (
        figure,
        curves.compared(others),
        curves.compare_options(stored, view.key, wanted),
        curves.compare_word(wanted),
    )


def neighbour(view: BacktestView, number: int | None, step: int) -> BacktestTrade | None:
    """Return the trade `step` places later, stopping at either end."""
    places = {t.number: i for i, t in enumerate(view.trades)}
    if number not in places:
        return None
    return view.trades[min(len(view.trades) - 1, max(0, places[number] + step))]


async def on_trade(services: Services, run: Run, number: int | None, step: int = 0) -> tuple[Any, ...]:
    """Open a trade's chart; return open, title, body, number."""
    view = await view_of(services, run)
    found = neighbour(view, number, step) if view else None
    if view is None or found is None:
        return (no_update,) * 4
    interval = trade.chart_interval(found, view.request.interval)
    start, end = trade.span(found, interval)
    candles = await asyncio.to_thread(services.backtests.candles, found.symbol, interval, start, end)
    return True, trade.title(found, view.quote), trade.body(found, candles, view.quote), found.number


async def on_save(services: Services, run: Run) -> Any:
    """Have the browser save the report."""
    view = await view_of(services, run)
    if view is None:
        return no_update
    content = await asyncio.to_thread(report.report, view)
    return {"content": content, "filename": f"backtest-{view.key}.html", "type": "text/html"}


async def on_csv(services: Services, run: Run, tab: str) -> Any:
    """Have the browser save what the chosen tab shows."""
    view = await view_of(services, run)
    if view is None:
        return no_update
    content = await asyncio.to_thread(backtest_csv.text_of, view, tab)
    return {"content": content, "filename": f"backtest-{view.key}-{tab}.csv", "type": "text/csv"}


def register(app: Dash, services: Services) -> None:
    """Register what a finished run brings with it."""
    run = State(ids.BT_RUN, "data")

    @app.callback(
        Output(ids.BT_CHECKS, "children"),
        Output(ids.BT_TILES, "children"),
        Output(ids.BT_CHECK_TICK, "disabled"),
        Output(ids.BT_CHECK_TICK, "max_intervals"),
        Input(ids.BT_CHECK_TICK, "n_intervals"),
        run,
        prevent_initial_call=True,
    )
    async def answered(n: int | None, shown: Run) -> Any:
        return *await on_checks(services, shown), (n or 0) + 1

    @app.callback(
        Output(ids.BT_CURVES, "figure"),
        Output(ids.BT_COMPARED, "children"),
        Output(ids.BT_COMPARE, "options"),
        Output(ids.BT_COMPARE_WORD, "children"),
        Input(ids.BT_LOG, "value"),
        Input(ids.BT_COMPARE, "value"),
        run,
        prevent_initial_call=True,
    )
    async def draw(log: list[str], chosen: list[str], shown: Run) -> Any:
        return await on_curves(services, shown, log or [], chosen or [])

    @app.callback(
        *(Output(ids.backtest_pane(name), "className") for name in tabs.PANES),
        Input(ids.BT_TABS, "value"),
        prevent_initial_call=True,
    )
    async def tab(chosen: str) -> Any:
        return [tabs.pane_class(name, chosen) for name in tabs.PANES]

    _register_trades(app, services, run)
    _register_files(app, services, run)


def _register_trades(app: Dash, services: Services, run: State) -> None:
    shows = (
        (ids.BT_TRADE_MODAL, "is_open"),
        (ids.BT_TRADE_TITLE, "children"),
        (ids.BT_TRADE_BODY, "children"),
        (ids.BT_TRADE, "data"),
    )

    @app.callback(
        *(Output(*part) for part in shows),
        Input(ids.BT_TRADES, "cellClicked"),
        Input(ids.BT_TRADES, "selectedRows"),
        run,
        prevent_initial_call=True,
    )
    async def click(clicked: dict[str, Any] | None, selected: list[dict[str, Any]] | None, shown: Run) -> Any:
        by_click = any(part["prop_id"].endswith("cellClicked") for part in ctx.triggered)
        row = (clicked or {}).get("rowId") if by_click else selected[0]["id"] if selected else None
        return await on_trade(services, shown, int(row) if row else None)

    @app.callback(
        *(Output(*part, allow_duplicate=True) for part in shows),
        Input(ids.BT_TRADE_BACK, "n_clicks"),
        Input(ids.BT_TRADE_NEXT, "n_clicks"),
        State(ids.BT_TRADE, "data"),
        run,
        prevent_initial_call=True,
    )
    async def step(_back: int | None, _next: int | None, number: int | None, shown: Run) -> Any:
        return await on_trade(services, shown, number, -1 if ctx.triggered_id == ids.BT_TRADE_BACK else 1)


def _register_files(app: Dash, services: Services, run: State) -> None:
    @app.callback(
        Output(ids.BT_DOWNLOAD, "data"),
        Input(ids.BT_SAVE, "n_clicks"),
        run,
        running=[(Output(ids.BT_SAVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def save(clicks: int | None, shown: Run) -> Any:
        return await on_save(services, shown) if clicks else no_update

    @app.callback(
        Output(ids.BT_CSV_DOWNLOAD, "data"),
        Input(ids.BT_CSV, "n_clicks"),
        State(ids.BT_TABS, "value"),
        run,
        prevent_initial_call=True,
    )
    async def csv(clicks: int | None, chosen: str, shown: Run) -> Any:
        return await on_csv(services, shown, chosen) if clicks else no_update
