"""Pushes: only what changed, of what the tab shows."""

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from callbacks import curves, kpis, price, tables
from callbacks.live import Tab
from callbacks.push import Connection
from layouts import cockpit, ids
from services.push import LagMeter, PushHub
from tests.fakes.fake_services import FakeWorld
from trading.domain import MINUTE_MS


@pytest.fixture
def world():
    return FakeWorld()


def tab(world, timeframe="1m", **changes):
    view = world.portfolio.view()
    chosen = replace(price.first_choice(world.services, view), timeframe=timeframe)
    stored = price.picture(world.services, view, chosen).shown.stored()
    return Tab(cockpit.NAME, stored | changes, "All")


def step(world, milliseconds=12_000):
    world.market.step(milliseconds)
    world.portfolio.refresh()
    return world.portfolio.view()


def test_view_that_did_not_change_sends_nothing(world):
    live = kpis.live(world.services)
    view, shown = world.portfolio.view(), tab(world)
    assert len(live.changes(view, shown)) == 8
    assert live.changes(view, shown) == {}
    moved = replace(view, account=replace(view.account, win_rate=0.6))
    assert list(live.changes(moved, shown)) == [(ids.kpi("win"), "children")]


def test_forming_bar_is_an_increment_and_a_skipped_bar_is_not_lost(world):
    live, shown = price.PriceLive(world.services), tab(world)
    live.changes(world.portfolio.view(), shown)
    last = shown.shown["last"]
    step(world, MINUTE_MS)
    changes = live.changes(step(world, MINUTE_MS), shown)
    times = [1000 * t["bar"]["time"] for t in changes[ids.PRICE_CHART, "tick"] if t["id"].startswith("candles")]
    bars = world.services.charts.chart("BTCUSDT", "1m", 10, ()).candles.open_time.tolist()
    assert times == bars[bars.index(last) :] and len(times) == 3
    assert (ids.PRICE_CHART, "series") not in changes


def test_series_are_sent_anew_after_a_restart_or_when_far_behind(world):
    for changed in ({"boot": "another run"}, {"last": 0}, {"last": world.market.time - 10 * 86_400_000}):
        changes = price.PriceLive(world.services).changes(world.portfolio.view(), tab(world, **changed))
        assert isinstance(changes[ids.PRICE_CHART, "series"], list)
        assert changes[ids.PRICE_SHOWN, "data"]["boot"] == price.BOOT


def test_increments_of_another_symbol_cannot_reach_the_series_on_screen(world):
    live = price.PriceLive(world.services)
    found = live.changes(world.portfolio.view(), tab(world, symbol="ETHUSDT"))
    assert {t["id"].split("|")[1] for t in found[ids.PRICE_CHART, "tick"]} == {"ETHUSDT"}


def test_tables_send_all_rows_once_and_then_only_changed_ones(world):
    live, shown = tables.TablesLive(), tab(world)
    first = live.changes(world.portfolio.view(), shown)
    assert len(first[ids.table("trades"), "rowData"]) == 54
    second = live.changes(step(world), shown)
    assert (ids.table("trades"), "rowData") not in second
    assert second[ids.table("positions"), "rowTransaction"]["update"]


def test_curve_grows_by_increments_until_its_points_are_others(world):
    curve = curves.CurveLive()
    series = world.portfolio.series()
    assert curve.cut(series, "All")[1] == 0
    step(world)
    now, n_sent = curve.cut(world.portfolio.series(), "All")
    assert (n_sent, len(now.time)) == (600, 601)
    assert curve.cut(replace(series, time=series.time + 1), "All")[1] == 0
    assert curve.cut(series, "1D")[1] == 0


def test_other_page_gets_the_strip_only_and_a_broken_card_does_not_silence_the_others(world, caplog):
    class Broken:
        def changes(self, view, tab):
            raise RuntimeError("no")

    makers = (lambda _s: Broken(), kpis.live)
    connection = Connection(world.services, kpis.live(world.services), makers, LagMeter())
    assert (ids.kpi("win"), "children") in connection.changes(tab(world))
    assert caplog.text.count("a card could not be refreshed") == 1
    connection.changes(replace(tab(world), page="settings"))
    assert connection.cards == []


def test_hub_wakes_loops_from_other_threads_and_forgets_closed_ones():
    hub = PushHub()

    async def wait_for_change():
        changed = hub.subscribe()
        threading.Thread(target=hub.notify).start()
        await asyncio.wait_for(changed.wait(), 5)
        return changed

    left_behind = asyncio.run(wait_for_change())
    hub.notify()
    hub.unsubscribe(left_behind)
    assert hub._subscribers == {}


def test_lag_is_what_blocks_the_loop():
    async def block():
        meter = LagMeter(period=0.01)
        meter.ensure()
        await asyncio.sleep(0.005)
        time.sleep(0.08)
        await asyncio.sleep(0.02)
        return meter.worst_ms

    assert asyncio.run(block()) > 40
