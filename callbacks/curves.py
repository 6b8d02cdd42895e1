"""Equity and drawdown: increments of the curves, and the range on screen."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from dash import Dash, Input, Output

from callbacks.live import Changes, Live, Tab
from layouts import curves, ids
from services.container import Services
from trading.domain import CockpitView, SeriesView

PERIOD_S = 1.0  # a redraw costs Plotly about 90 ms


class CurveLive:
    """Increments of one figure."""

    def __init__(self) -> None:
        self.time: np.ndarray | None = None
        self.chosen: str | None = None

    def cut(self, series: SeriesView, chosen: str) -> tuple[SeriesView, int]:
        """Return the curves on screen and how many of their points the browser has (0: send them in full)."""
        sent, length = self.time, curves.RANGES.get(chosen, 0)
        if sent is None or chosen != self.chosen or not len(series.time):
            return self._anew(series, chosen)
        rows = slice(int(np.searchsorted(series.time, sent[0])), None)
        now = SeriesView(series.time[rows], series.equity[rows], series.benchmark[rows], series.drawdown[rows])
        grown = length and now.time[-1] - sent[0] > 1.05 * length
        if grown or not np.array_equal(now.time[: len(sent)], sent):
            return self._anew(series, chosen)
        n_sent, self.time = len(sent), now.time
        return now, n_sent

    def _anew(self, series: SeriesView, chosen: str) -> tuple[SeriesView, int]:
        now = curves.within(series, chosen)
        self.time, self.chosen = (now.time if len(now.time) else None), chosen
        return now, 0


class CurvesLive:
    """Both figures of one connection, at most once a second."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.equity, self.drawdown = CurveLive(), CurveLive()
        self.at = 0.0
        self.read: Any = None

    def changes(self, view: CockpitView, tab: Tab) -> Changes:
        """Return what brings both figures up to date."""
        read = (view.account.equity, view.feed.time, view.session.profile, tab.equity_range)
        if read == self.read or time.monotonic() - self.at < PERIOD_S:
            return {}
        self.read, self.at = read, time.monotonic()
        series, kill = self.services.portfolio.series(), view.session.profile.max_drawdown_rate
        return self._equity(series, tab.equity_range or curves.DEFAULT_RANGE) | self._drawdown(series, kill, view)

    def _equity(self, series: SeriesView, chosen: str) -> Changes:
        now, n_sent = self.equity.cut(series, chosen)
        figure: Any = curves.equity_figure(now)
        if n_sent:
            values = [curves.numbers(now.equity), curves.numbers(now.benchmark)]
            figure = curves.increment(values, now.time.tolist(), n_sent, curves.money_range(now))
        return {(ids.EQUITY_GRAPH, "figure"): figure, (ids.EQUITY_NOTE, "children"): curves.equity_note(now)}

    def _drawdown(self, series: SeriesView, kill: float, view: CockpitView) -> Changes:
        now, n_sent = self.drawdown.cut(series, f"kill at {kill}")
        figure: Any = curves.drawdown_figure(now, kill)
        if n_sent:
            figure = curves.increment(
                [curves.numbers(now.drawdown)], now.time.tolist(), n_sent, curves.loss_range(now, kill)
            )
        note = curves.drawdown_note(view, now)
        return {(ids.DRAWDOWN_GRAPH, "figure"): figure, (ids.DRAWDOWN_NOTE, "children"): note}


async def on_range(services: Services, chosen: str) -> tuple[Any, Any]:
    """Draw the chosen range."""
    now = curves.within(services.portfolio.series(), chosen)
    return curves.equity_figure(now), curves.equity_note(now)


def live(services: Services) -> Live:
    """Return what one connection gets."""
    return CurvesLive(services)


def register(app: Dash, services: Services) -> None:
    """Register the choice of the range."""

    @app.callback(
        Output(ids.EQUITY_GRAPH, "figure"),
        Output(ids.EQUITY_NOTE, "children"),
        Input(ids.EQUITY_RANGE, "value"),
        prevent_initial_call=True,
    )
    async def choose(chosen: str) -> Any:
        return await on_range(services, chosen)
