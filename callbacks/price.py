"""The price chart: choices, and increments of the forming bar."""

from __future__ import annotations

import asyncio
from typing import Any

from dash import Dash, Input, Output, Patch, State, no_update

from callbacks.live import BOOT, Changes, Live, Tab
from layouts import ids, price
from layouts import price_series as ps
from services.container import Services
from trading.domain import INTERVAL_MS, Candle, CockpitView

MOST_TICKS = 200  # behind by more bars than this, the series are sent anew


def picture(services: Services, view: CockpitView, shown: price.Shown) -> price.Picture:
    """Collect all that the chart draws."""
    chart = services.charts.chart(shown.symbol, shown.timeframe, price.N_BARS, shown.lines)
    last = int(chart.candles.open_time[-1]) if len(chart.candles) else 0
    now = price.Shown(shown.symbol, shown.timeframe, shown.lines, shown.trades, BOOT, last)
    fills = services.portfolio.fills(shown.symbol)
    return price.Picture(now, chart, services.charts.indicator_names(), fills, view.positions, view.quotes)


def first_choice(services: Services, view: CockpitView) -> price.Shown:
    """Choose what a new tab sees: a symbol that is held, else the first, in the timeframe that decides."""
    symbols = [p.symbol for p in view.positions] or list(view.session.symbols) or [q.symbol for q in view.quotes]
    frames = services.charts.timeframes()
    timeframe = view.session.interval if view.session.interval in frames else frames[0]
    names = services.charts.indicator_names()
    return price.Shown(symbols[0], timeframe, ps.lines_of(price.default_groups(names), names), True)


def build(services: Services) -> object:
    """Draw the card as it is now."""
    view = services.portfolio.view()
    return price.card(picture(services, view, first_choice(services, view)), services.charts.timeframes())


class PriceLive:
    """Increments for what one tab shows; series in full when it cannot be caught up with increments."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.shown: tuple[Any, ...] = ()
        self.last = 0
        self.drawn: Any = None

    def changes(self, view: CockpitView, tab: Tab) -> Changes:
        """Return the newest bar's increments, legend and lines."""
        if tab.shown is None:
            return {}
        shown = price.Shown.of(tab.shown)
        key = (shown.symbol, shown.timeframe, shown.lines, shown.trades)
        if key != self.shown:
            self.shown, self.last, self.drawn = key, shown.last, None
        got = self.services.charts.last_bar(shown.symbol, shown.timeframe, shown.lines)
        if got is None:
            return {}
        behind = (got[0].open_time - self.last) // INTERVAL_MS[shown.timeframe]
        if shown.boot != BOOT or not self.last or not 0 <= behind <= MOST_TICKS:
            return self._anew(view, shown)
        found = self._ticks(shown, got, behind)
        self.last = got[0].open_time
        return found | self._legend(view, shown, got) | self._position(view, shown)

    def _anew(self, view: CockpitView, shown: price.Shown) -> Changes:
        made = picture(self.services, view, shown)
        self.last, self.drawn = made.last_time, None
        return dict(price.live(made))

    def _ticks(self, shown: price.Shown, got: tuple[Candle, dict[str, float]], behind: int) -> Changes:
        if not behind:
            return {(ids.PRICE_CHART, "tick"): ps.bar_ticks(*got)}
        chart = self.services.charts.chart(shown.symbol, shown.timeframe, behind + 2, shown.lines)
        return {(ids.PRICE_CHART, "tick"): ps.ticks(ps.since(chart, self.last))}

    def _legend(self, view: CockpitView, shown: price.Shown, got: tuple[Candle, dict[str, float]]) -> Changes:
        decimals = next((q.decimals for q in view.quotes if q.symbol == shown.symbol), 2)
        return {
            (ids.PRICE_LEGEND, "children"): price.legend(*got, self.services.charts.indicator_names(), decimals),
            (ids.PRICE_QUOTE, "children"): price.quote(view.quotes, shown.symbol, got[0].close),
        }

    def _position(self, view: CockpitView, shown: price.Shown) -> Changes:
        lines = ps.price_lines(view.positions, shown.symbol)
        drawn = (lines, view.account.n_trades, len(view.positions), shown.trades)
        if drawn == self.drawn:
            return {}
        self.drawn = drawn
        fills = self.services.portfolio.fills(shown.symbol) if shown.trades else ()
        first = self.last - price.N_BARS * INTERVAL_MS[shown.timeframe]
        series = Patch()
        series[0]["priceLines"] = lines
        series[0]["markers"] = ps.markers(fills, shown.timeframe, first)
        return {(ids.PRICE_CHART, "series"): series}


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return PriceLive(services)


async def on_choice(services: Services, shown: price.Shown, before: dict[str, Any]) -> tuple[Any, ...]:
    """Send the chosen symbol, timeframe and lines in full; the zoom stays unless the bars are others."""
    made = await asyncio.to_thread(picture, services, services.portfolio.view(), shown)
    same_bars = (before["symbol"], before["timeframe"]) == (shown.symbol, shown.timeframe)
    return (*price.live(made).values(), no_update if same_bars else price.last_range(made))


def register(app: Dash, services: Services) -> None:
    """Register the chart's choices."""
    parts = (
        (ids.PRICE_CHART, "series"),
        (ids.PRICE_CHART, "paneOptions"),
        (ids.PRICE_SHOWN, "data"),
        (ids.PRICE_LEGEND, "children"),
        (ids.PRICE_QUOTE, "children"),
        (ids.PRICE_EMPTY, "className"),
        (ids.PRICE_CHART, "visibleLogicalRange"),
    )

    @app.callback(
        *(Output(*part) for part in parts),
        Input(ids.PRICE_SYMBOL, "value"),
        Input(ids.PRICE_TIMEFRAME, "value"),
        Input(ids.PRICE_LINES, "value"),
        Input(ids.PRICE_TRADES, "value"),
        State(ids.PRICE_SHOWN, "data"),
        running=[(Output(ids.PRICE_VEIL, "className"), "chart-veil", "chart-veil hidden")],
        prevent_initial_call=True,
    )
    async def choice(symbol: str, timeframe: str, chosen: list[str], trades: list[str], before: dict[str, Any]) -> Any:
        lines = ps.lines_of(chosen or [], services.charts.indicator_names())
        return await on_choice(services, price.Shown(symbol, timeframe, lines, bool(trades)), before)
