"""What the cards make of the account."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from layouts import arming, autotrade, curves, header, ids, kpis, ml, signals, tables, trace
from layouts import price_series as ps
from tests.fakes.fake_account import PROFILES
from tests.fakes.fake_market import LINES
from tests.fakes.fake_services import FakeWorld
from trading.domain import Candles, SignalQuality
from trading.domain.venue import VenueStatus


@pytest.fixture(scope="module")
def world():
    return FakeWorld()


@pytest.fixture
def view(world):
    return world.portfolio.view()


@pytest.fixture(scope="module")
def empty():
    return FakeWorld(empty=True).portfolio.view()


def test_simulated_prices_and_the_broker_are_named(view):
    words = [badge.children for badge in header.badges(view)]
    assert words == ["SIMULATED", "PAPER", "STOPPED"]
    live = replace(view, feed=replace(view.feed, badge="BINANCE", name="Binance", speed=1.0, latency_ms=38.4))
    assert [badge.children for badge in header.badges(live)] == ["PAPER", "STOPPED"]
    assert header.feed_state(live.feed)[1].children == "Binance · 38 ms"
    assert header.feed_state(view.feed)[1].children == "Simulated · 60×"


def test_a_venue_is_named_with_whether_it_is_armed_and_with_what_is_wrong(view):
    session, ready = replace(view.session, broker="LIVE", armed=False), VenueStatus("LIVE", "ready")
    outside = replace(view, session=session, venue=ready)
    assert [badge.children for badge in header.badges(outside)] == ["SIMULATED", "LIVE · DISARMED", "STOPPED"]
    armed = replace(outside, session=replace(session, armed=True), venue=replace(ready, state="degraded"))
    assert [badge.children for badge in header.badges(armed)][1:3] == ["LIVE · ARMED", "DEGRADED"]
    halted = replace(armed, venue=replace(armed.venue, quarantined=(("BTCUSDT", "a stranger's order"),)))
    badge = header.badges(halted)[2]
    assert (badge.children, badge.title) == ("1 HALTED", "BTCUSDT: a stranger's order")


def test_the_word_is_asked_for_only_where_orders_leave_and_says_what_may_be_lost(view):
    assert "hidden" in arming.live(view)[ids.ARM_ROW, "className"]
    account = replace(view.account, equity=Decimal(9_000), day_pnl=Decimal(-1_000), drawdown_rate=-0.1)
    outside = replace(view, session=replace(view.session, broker="LIVE", armed=False), account=account)
    told = arming.live(outside)
    assert "hidden" not in told[ids.ARM_ROW, "className"] and not told[ids.ARM, "disabled"]
    words = told[ids.ARM_NOTE, "children"]
    assert "LIVE: entries wait" in words and "9,000.00 USDT" in words and "−300.00" in words and "−1,000.00" in words
    killed = replace(outside, session=replace(outside.session, state="killed"))
    assert arming.live(killed)[ids.ARM, "disabled"] and arming.live(killed)[ids.DISARM, "disabled"]


def test_figures_that_are_not_known_yet_are_not_invented(empty):
    for key in ("win", "sharpe"):
        assert kpis.TILES[key][1](empty).value == "–"
    assert "No model is trained" in str(ml.inside(empty))


def test_loss_fills_the_bar_of_its_limit_and_a_gain_leaves_it_empty(view):
    half = replace(view, account=replace(view.account, day_pnl_rate=-0.015))
    assert kpis.day_pnl(half).used == pytest.approx(0.5)
    assert kpis.day_pnl(view).used == 0


@pytest.mark.parametrize(
    ("low", "high", "words"), [(0.51, 0.6, "better"), (0.4, 0.49, "worse"), (0.45, 0.6, "not told")]
)
def test_verdict_on_signals_follows_the_interval(low, high, words):
    assert words in ml.verdict(SignalQuality(100, 50, 0.5, low, high))


def test_the_vote_of_a_model_is_marked_with_its_version(view):
    rule, model = view.signals[0], view.models[0]
    said = replace(rule, symbol=model.symbol, strategy=signals.MODEL)
    assert f"model {model.version.rpartition('-')[2][:6]}" in str(signals.row(said, view.models))
    assert "vote-model" not in str(signals.row(rule, view.models))


def test_waiting_time_is_that_of_a_person_not_of_the_replay(view):
    due = replace(view.signals[0], next_time=view.feed.time + 3_600_000)
    assert signals.next_decision((due,), view.feed) == "in 1 m 00 s (candle close)"
    assert signals.next_decision((due,), replace(view.feed, state="ended")) == "–"


def test_profile_survives_the_form_and_its_name_follows_the_numbers():
    for profile in PROFILES:
        assert autotrade.profile_of(profile.name, autotrade.figures(profile), PROFILES[1]) == profile
        assert autotrade.name_of(autotrade.figures(profile), PROFILES) == profile.name
    assert autotrade.name_of(autotrade.figures(PROFILES[0]) | {"risk_rate": 0.7}, PROFILES) == "Own"


@pytest.mark.parametrize("wrong", [None, 0, 1000])
def test_number_outside_its_bounds_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="Risk/trade: enter a number from"):
        autotrade.profile_of("Own", autotrade.figures(PROFILES[1]) | {"risk_rate": wrong}, PROFILES[1])


def test_what_the_risk_form_does_not_show_stays_as_it_is() -> None:
    active = replace(PROFILES[1], breakeven_atr=1.0, time_stop_bars=48, cool_down_bars=3)
    read = autotrade.profile_of("Own", autotrade.figures(PROFILES[0]), active)
    assert (read.breakeven_atr, read.time_stop_bars, read.cool_down_bars) == (1.0, 48, 3)
    assert read.risk_rate == PROFILES[0].risk_rate


def test_lines_of_one_indicator_are_switched_together():
    groups = ps.groups(LINES)
    assert groups["bb_20_2"] == "Bollinger 20 2" and groups["ema_12"] == "EMA 12" and groups["adx_14"] == "ADX 14"
    assert ps.lines_of(["macd_12_26_9"], LINES) == tuple(k for k in LINES if k.startswith("macd"))
    assert ps.panes(ps.lines_of(["rsi_14", "ema_12", "macd_12_26_9"], LINES)) == ["rsi", "macd"]


def test_series_are_named_by_symbol_and_timeframe_and_increments_hit_them(world):
    chart = world.services.charts.chart("ETHUSDT", "5m", 50, ("ema_12", "rsi_14"))
    series = {s["id"]: s for s in ps.all_series(chart, LINES, [], [])}
    ticks = ps.ticks(ps.since(chart, int(chart.candles.open_time[-2])))
    assert (
        {t["id"] for t in ticks}
        == set(series)
        == {f"{n}|ETHUSDT|5m" for n in ("candles", "volume", "ema_12", "rsi_14")}
    )
    assert len(ticks) == 2 * len(series)
    assert ticks[-1]["bar"] == series[ticks[-1]["id"]]["data"][-1]
    assert ps.all_series(replace(chart, candles=Candles.empty("ETHUSDT", "5m"), lines={}), LINES, [], []) == []


def test_markers_lie_on_bars_and_price_lines_belong_to_the_symbol(world, view):
    fills = world.portfolio.fills("BTCUSDT")
    found = ps.markers(fills, "1h", 0)
    assert len(found) == len(fills) and all(m["time"] % 3600 == 0 for m in found)
    assert ps.markers(fills, "1h", fills[-1].time + 3_600_000) == []
    assert [line["title"].split()[0] for line in ps.price_lines(view.positions, "BTCUSDT")] == [
        "TARGET",
        "ENTRY",
        "STOP",
    ]
    assert ps.price_lines(view.positions, "ETHUSDT") == []


def test_rows_travel_only_when_they_change(view):
    before = {r["id"]: r for r in tables.rows(view, "positions")}
    assert tables.transaction(before, list(before.values())) is None
    changed = [
        dict(r, pnl=r["pnl"] + 1) if r["id"] == "BTCUSDT" else r for r in before.values() if r["id"] != "SOLUSDT"
    ]
    moved = tables.transaction(before, [*changed, {"id": "NEW"}])
    assert [r["id"] for r in moved["add"]] == ["NEW"]
    assert [r["id"] for r in moved["update"]] == ["BTCUSDT"] and moved["remove"] == [{"id": "SOLUSDT"}]


def test_empty_account_is_told_the_next_step(empty):
    words = str(tables.emptiness(empty))
    assert "Press Start: Demo: EMA trend with RSI trades by itself." in words
    own = replace(empty, session=replace(empty.session, strategy="Sunday dips"))
    assert "Press Start: Sunday dips trades by itself." in str(tables.emptiness(own))
    killed = replace(empty, session=replace(empty.session, state="killed"))
    assert "Re-arm" in str(tables.emptiness(killed))


def test_drawdown_says_its_deepest_and_from_where_it_counts(view, world):
    series = replace(world.portfolio.series(), drawdown=np.array([0.0, -0.025, 0.0, -0.0062]))
    account = replace(view.account, drawdown_rate=-0.0062, max_drawdown_rate=-0.0323)
    before = replace(view, account=account)
    assert curves.drawdown_note(before, series) == "max −2.50 % · now −0.62 %"
    assert "re-arm" not in kpis.drawdown(before).note
    after = replace(view, account=replace(account, is_rearmed=True))
    assert curves.drawdown_note(after, series) == "max −3.23 % · now −0.62 % since re-arm"
    assert kpis.drawdown(after).note.startswith("since re-arm") and "−3.23 %" in kpis.drawdown(after).title


def test_curves_are_cut_to_the_range_and_plain_numbers(world):
    series = world.portfolio.series()
    day = curves.within(series, "1D")
    assert 0 < len(day.time) < len(series.time) and day.time[-1] - day.time[0] <= curves.DAY_MS
    figure = curves.equity_figure(day)
    assert isinstance(figure["data"][0]["y"], list)
    assert curves.numbers([1.0, float("nan")]) == [1.0, None]
    assert curves.equity_figure(curves.within(FakeWorld(empty=True).portfolio.series(), "All"))["data"] == []


def test_decision_is_summed_up_by_its_reason(view):
    bought = view.decisions[0]
    assert trace.summary(bought).startswith("0.0450 @")
    lines = (
        ("SIGNAL", "BUY", "good"),
        ("OUTCOME", "denied: session · auto-trading is stopped", "bad"),
        ("ORDER", "ck-1", "plain"),
    )
    denied = replace(bought, outcome="denied: session", lines=lines)
    assert (trace.outcome_word(denied), trace.outcome_tone(denied)) == ("denied", "down")
    assert trace.summary(denied) == "session · auto-trading is stopped"
