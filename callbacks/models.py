"""The page "Models": a market with its models, and a training from the click to the result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from callbacks import following
from callbacks.models_form import FORM, choices_of, form_of
from layouts import ids, parts
from layouts.models import controls, form
from layouts.models import page as layout
from layouts.models.form import Form
from layouts.models.market import Market, is_active, market_named
from services.container import Services
from trading.domain.backtests import BacktestProgress
from trading.domain.learning import TrainingRun
from trading.errors import CockpitError

FRAME: tuple[tuple[str, str], ...] = (
    (ids.MD_STATE, "data"),
    (ids.MD_TICK, "interval"),
    (ids.MD_BAR, "style"),
    (ids.MD_STAGE, "children"),
    (ids.MD_PROGRESS, "className"),
    (ids.MD_ERROR, "children"),
    (ids.MD_GO, "disabled"),
    (ids.MD_BODY, "children"),
)
Shown = Mapping[str, Any]


def page(services: Services, query: Mapping[str, str]) -> Any:
    """Draw the page for the market and version that the address names, else for the first one with a model."""
    choices = choices_of(services)
    name = market_named(query.get("market")) or first_market(services, choices)
    if name is None:
        return layout.page(form.first(choices), choices, None, None)
    badge = services.portfolio.view().feed.badge
    market = market_of(services, *name, query.get("version"))
    settings = market.shown.settings if market.shown else None
    return layout.page(form.first(choices, name, settings), choices, market, progress_of(services, market, None), badge)


def first_market(services: Services, choices: form.Choices) -> tuple[str, str] | None:
    """Return the market of the newest training, else the first stored one."""
    newest = next(iter(services.learning.runs()), None)
    if newest is not None and choices.market(newest.symbol):
        return newest.symbol, newest.interval
    symbol, interval = form.first_market(choices, services.portfolio.view().session.interval)
    return (symbol, interval) if symbol and interval else None


def market_of(services: Services, symbol: str, interval: str, wanted: str | None = None) -> Market:
    """Gather what is known of a market; `wanted` is the version to show, else the champion, else the newest."""
    port = services.learning
    versions = port.versions(symbol, interval)
    champion = next((v for v in versions if v.status == "champion"), None)
    named = next((v for v in versions if v.id == wanted), None)
    shown = named or champion or next(iter(versions), None)
    report = port.report(shown.id) if shown else None
    runs = tuple(run for run in port.runs() if (run.symbol, run.interval) == (symbol, interval))
    drift, history = port.drift(symbol, interval), port.history(symbol, interval)
    fresh = port.is_kept_fresh(symbol, interval)
    traded = services.portfolio.view().session.interval
    return Market(symbol, interval, versions, shown, report, drift, history, runs, fresh, traded)


def progress_of(services: Services, market: Market, key: str | None) -> BacktestProgress | None:
    """Return how far the market's training is, else how the one under `key` ended."""
    followed = market.active.key if market.active else key
    return services.learning.progress(followed) if followed else None


async def on_train(services: Services, asked: Form) -> parts.Parts:
    """Begin a training."""
    try:
        choices = await asyncio.to_thread(choices_of, services)
        request = form.request_of(asked, choices)
        key = await asyncio.to_thread(services.learning.start, request)
    except (ValueError, CockpitError) as error:
        return {(ids.MD_ERROR, "children"): str(error)}
    market = await asyncio.to_thread(market_of, services, request.symbol, request.interval)
    return layout.outcome(market, services.learning.progress(key))


async def on_tick(services: Services, shown: Shown) -> parts.Parts:
    """Follow a training, and draw the market again if anything is new."""
    return await asyncio.to_thread(news, services, shown)


def news(services: Services, shown: Shown) -> parts.Parts:
    """Return what is new on the market that a tab shows."""
    name = market_named(shown.get("market"))
    if name is None:
        return {}
    followed = shown.get("key")
    progress = services.learning.progress(followed) if followed else None
    if is_active(progress):
        return layout.moving(progress)
    market = market_of(services, *name, finished_by_hand(services, followed) or shown.get("version"))
    progress = progress_of(services, market, followed)
    changed = market.stamp != shown.get("stamp") or market.name != shown.get("market")
    return layout.outcome(market, progress) if changed or is_active(progress) else {}


def finished_by_hand(services: Services, key: str | None) -> str | None:
    """Return what a training left that somebody waited for; a scheduled one does not change what is looked at."""
    found: TrainingRun | None = next((run for run in services.learning.runs() if run.key == key), None)
    return found.version or None if found and found.why == "by hand" else None


async def on_cancel(services: Services, shown: Shown) -> parts.Parts:
    """Stop the training on screen."""
    if shown.get("key"):
        await asyncio.to_thread(services.learning.cancel, shown["key"])
    return await on_tick(services, shown)


async def on_market(services: Services, symbol: str | None, interval: str | None) -> tuple[parts.Parts, Any, Any]:
    """Show another market; return the page's parts, the timeframes and the chosen one."""
    choices = await asyncio.to_thread(choices_of, services)
    frames = choices.intervals(symbol)
    kept = form.interval_for(frames, interval)
    if symbol is None or kept is None:
        return {}, no_update, no_update
    market = await asyncio.to_thread(market_of, services, symbol, kept)
    found = layout.outcome(market, progress_of(services, market, None))
    return found, controls.options(frames), kept if kept != interval else no_update


def in_order(found: parts.Parts) -> list[Any]:
    """Return the parts in the order of `FRAME`."""
    return following.in_order(FRAME, found)


def register(app: Dash, services: Services) -> None:
    """Register the way of a training, and the address that names market and version."""
    frame = [Output(*part, allow_duplicate=True) for part in FRAME]
    state = State(ids.MD_STATE, "data")
    address = ClientsideFunction("models", "address")
    app.clientside_callback(address, Output(ids.MD_STATE, "storage_type"), Input(ids.MD_STATE, "data"))

    @app.callback(
        *frame,
        Input(ids.MD_GO, "n_clicks"),
        *FORM,
        running=[(Output(ids.MD_FORM, "className"), "bt-form is-asking", "bt-form")],
        prevent_initial_call=True,
    )
    async def train(clicks: int | None, *values: Any) -> Any:
        return in_order(await on_train(services, form_of(values))) if clicks else no_update

    allowed = Output(ids.MD_TICK, "max_intervals")  # by a tick's own answer: ticks never overtake a busy server

    @app.callback(*frame, allowed, Input(ids.MD_TICK, "n_intervals"), state, prevent_initial_call=True)
    async def tick(n: int | None, shown: Shown) -> Any:
        told = await following.or_nothing(on_tick(services, shown), "what is new on the page Models")
        return following.answered(FRAME, told, n)

    @app.callback(*frame, Input(ids.MD_CANCEL, "n_clicks"), state, prevent_initial_call=True)
    async def cancel(clicks: int | None, shown: Shown) -> Any:
        return in_order(await on_cancel(services, shown)) if clicks else no_update

    @app.callback(
        *frame,
        Output(ids.MD_INTERVAL, "options"),
        Output(ids.MD_INTERVAL, "value"),
        Input(ids.MD_SYMBOL, "value"),
        Input(ids.MD_INTERVAL, "value"),
        prevent_initial_call=True,
    )
    async def market(symbol: str | None, interval: str | None) -> Any:
        found, offered, kept = await on_market(services, symbol, interval)
        return [*in_order(found), offered, kept]
