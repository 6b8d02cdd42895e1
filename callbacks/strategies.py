"""The page "Strategies": the draft follows what is done on the builder, chart and figures follow the draft."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, no_update

from callbacks import following
from layouts import ids, parts
from layouts.strategies import chart
from layouts.strategies import page as layout
from services.container import Services
from trading.domain.workshop import DraftView, StrategyPreview, VersionLine
from trading.errors import CockpitError

DRAFT: tuple[tuple[str, str], ...] = (
    (ids.ST_STATE, "data"),
    (ids.ST_TITLE, "children"),
    (ids.ST_TOOLS, "children"),
    (ids.ST_HEAD, "children"),
    (ids.ST_RULES, "children"),
    (ids.ST_JSON, "value"),
    (ids.ST_MISTAKES, "children"),
    (ids.ST_WORDS, "children"),
    (ids.ST_BUTTONS, "children"),
    (ids.ST_SYMBOL, "options"),
    (ids.ST_NOTICE, "children"),
)
PREVIEW: tuple[tuple[str, str], ...] = (
    (ids.ST_CHART, "series"),
    (ids.ST_CHART, "paneOptions"),
    (ids.ST_CHART, "visibleLogicalRange"),
    (ids.ST_CHART_NOTE, "children"),
    (ids.ST_CHART_EMPTY, "children"),
    (ids.ST_CHART_EMPTY, "className"),
    (ids.ST_TILES, "children"),
    (ids.ST_SYMBOL, "value"),
    (ids.ST_PREVIEWED, "data"),
)
KEPT_TABS = 200


class Newest:
    """Knows the newest question of each tab: an answer to an older one is not shown."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, str] = OrderedDict()

    def ask(self, tab: str, question: str) -> None:
        """Hear a question."""
        self._asked[tab] = question
        self._asked.move_to_end(tab)
        while len(self._asked) > KEPT_TABS:
            self._asked.popitem(last=False)

    def is_newest(self, tab: str, question: str) -> bool:
        """Say whether nothing else was asked since."""
        return self._asked.get(tab) == question


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page with the strategy that the address names, else the first of the user's, else a new one."""
    port = services.strategies
    shelf = port.shelf()
    first = shelf.own[0].entry.ref if shelf.own and shelf.own[0].entry.version else ""
    view = opened(services, query.get("strategy") or first)
    around = layout.Around(shelf, lines_of(services, view), port.catalog(), markets_of(services), port.interval())
    return layout.page(view, around)


def opened(services: Services, ref: str) -> DraftView:
    """Return the draft of `BTCUSDT/dips` or `shipped/demo`; a new one where that is nothing."""
    symbol, _, name = ref.partition("/")
    try:
        return services.strategies.open(symbol, name) if name else services.strategies.blank()
    except CockpitError as error:
        return replace(services.strategies.blank(), notice=str(error))


def lines_of(services: Services, view: DraftView) -> tuple[VersionLine, ...]:
    """Return the versions of a draft's strategy; none of a new one."""
    return services.strategies.history(view.symbol, view.id) if view.version else ()


def markets_of(services: Services) -> tuple[str, ...]:
    """Return the symbols that there are candles of, else those that the cockpit watches."""
    stored = tuple(market.symbol for market in services.backtests.markets())
    return stored or services.portfolio.view().session.symbols


async def on_acts(services: Services, state: Any, acts: Sequence[Mapping[str, Any]]) -> parts.Parts:
    """Do what was done on the builder; inputs that are being typed into are left alone."""
    try:
        return await asyncio.to_thread(after, services, state, acts)
    except CockpitError as error:
        return {(ids.ST_NOTICE, "children"): layout.trouble(str(error))}


def after(services: Services, state: Any, acts: Sequence[Mapping[str, Any]]) -> parts.Parts:
    """Return what the page shows after the acts."""
    port = services.strategies
    view = port.edit(state, acts)
    last = acts[-1] if acts else {}
    cleared: parts.Parts = {(ids.ST_NOTICE, "children"): []}
    if last.get("live"):
        return {**cleared, **layout.beside(view, port.interval()), (ids.ST_JSON, "value"): view.text}
    found = {**cleared, **layout.drawn(view, port.catalog(), markets_of(services), port.interval())}
    if last.get("op") == "json":
        del found[ids.ST_JSON, "value"]
    return found


def question_of(view: DraftView, symbol: str, interval: str) -> str:
    """Name what is asked of a preview."""
    return hashlib.sha256(f"{symbol} {interval} {view.text}".encode("utf-8", "replace")).hexdigest()[:16]


async def on_draft(services: Services, newest: Newest, state: Any, symbol: str | None,
                   before: tuple[str, Mapping[str, Any] | None]) -> parts.Parts:
    """Work out what the draft would have done; nothing where the chart shows that already, or it is asked anew."""
    tab, seen = before
    port = services.strategies
    try:
        view = await asyncio.to_thread(port.edit, state, ())
    except CockpitError:
        return {}
    chosen = symbol if symbol in view.symbols else next(iter(view.symbols), "")
    frame = view.head.get("timeframe")
    interval = frame if isinstance(frame, str) else port.interval()
    question = question_of(view, chosen, interval)
    newest.ask(tab, question)
    if seen and seen.get("question") == question:
        return {}
    found = await asyncio.to_thread(port.preview, view.document, chosen, interval)
    if not newest.is_newest(tab, question):
        return {}
    shown = previewed(found, seen, question)
    if view.is_unsound:
        shown |= {(ids.ST_TILES, "children"): chart.tiles(found, is_old=True)}
        shown |= {(ids.ST_CHART_NOTE, "children"): chart.not_sound()} if found.chart else {}
    return shown if chosen == symbol else {**shown, (ids.ST_SYMBOL, "value"): chosen}


def previewed(found: StrategyPreview, seen: Mapping[str, Any] | None, question: str) -> parts.Parts:
    """Return what shows a preview: the marks alone where the bars and lines are on screen already."""
    told: parts.Parts = {(ids.ST_TILES, "children"): chart.tiles(found)}
    then = (seen or {}).get("shown") or []
    if found.chart is None:
        return {**told, **without_chart(found, then), (ids.ST_PREVIEWED, "data"): {"question": question, "shown": then}}
    now = chart.shown(found)
    told |= {(ids.ST_CHART_NOTE, "children"): chart.note(found),
             (ids.ST_CHART_EMPTY, "className"): "chart-empty hidden",
             (ids.ST_PREVIEWED, "data"): {"question": question, "shown": now}}
    if now == then:
        marks = Patch()
        marks[0]["markers"] = chart.markers(found.marks, int(found.chart.candles.open_time[0]))
        return {**told, (ids.ST_CHART, "series"): marks}
    told |= {(ids.ST_CHART, "series"): chart.series(found),
             (ids.ST_CHART, "paneOptions"): chart.ps.pane_options(found.chart.lines)}
    return told if now[:2] == then[:2] else {**told, (ids.ST_CHART, "visibleLogicalRange"): chart.last_range(found)}


def without_chart(found: StrategyPreview, then: Sequence[str]) -> parts.Parts:
    """Say why there is nothing new; the chart of the same market stays, as it was before the mistake."""
    if then[:2] == [found.symbol, found.interval]:
        return {(ids.ST_CHART_NOTE, "children"): chart.outdated(found)}
    return {(ids.ST_CHART_EMPTY, "className"): "chart-empty", (ids.ST_CHART_EMPTY, "children"): chart.empty(found),
            (ids.ST_CHART_NOTE, "children"): chart.note(None)}


def register(app: Dash, services: Services) -> None:
    """Register editing and the preview."""
    newest = Newest()

    @app.callback(
        *(Output(*part, allow_duplicate=True) for part in DRAFT),
        Input(ids.ST_ACTS, "data"),
        State(ids.ST_STATE, "data"),
        prevent_initial_call=True,
    )
    async def edit(log: dict[str, Any] | None, state: Any) -> Any:
        if not log or not log.get("acts"):
            return [no_update] * len(DRAFT)
        return following.in_order(DRAFT, await on_acts(services, state, log["acts"]))

    @app.callback(
        *(Output(*part) for part in PREVIEW),
        Input(ids.ST_STATE, "data"),
        Input(ids.ST_SYMBOL, "value"),
        State(ids.ST_PREVIEWED, "data"),
        State(ids.TAB, "data"),
    )
    async def preview(state: Any, symbol: str | None, seen: dict[str, Any] | None, tab: str) -> Any:
        return following.in_order(PREVIEW, await on_draft(services, newest, state, symbol, (tab, seen)))

    arrived = ClientsideFunction("strategies", "arrived")
    app.clientside_callback(arrived, Output(ids.ST_STATE, "storage_type"), Input(ids.ST_STATE, "data"))
    tab = ClientsideFunction("strategies", "tab")
    app.clientside_callback(tab, Output(ids.ST_ACTS, "storage_type"), Input(ids.ST_TAB, "value"))
