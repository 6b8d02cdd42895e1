"""The walk of a bar, told as scenarios."""

from concurrent.futures import Executor
from dataclasses import replace

import pytest

from tests.trading.bench import BALANCED, MINUTE, START, Bench
from trading.domain import Candle, Candles, Decision, EquityPoint, Fill, JournalLine, Order, Trade
from trading.events import (
    AlertLogged,
    BarFinished,
    CandleClosed,
    DecisionMade,
    FeedStatus,
    OrderFilled,
    OrderPlaced,
    PositionUpdated,
    RiskChecked,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
)


@pytest.fixture
def bench() -> Bench:
    return Bench().warm()


def enter(bench: Bench, symbol: str = "BTCUSDT") -> None:
    bench.candle(symbol, "BUY")
    bench.candle(symbol)
    assert bench.holding(symbol) > 0
    bench.check()


def last_decision(bench: Bench) -> Decision:
    return bench.memory.of(Decision)[-1]


def test_the_walk_from_candle_to_position_happens_in_this_order(bench: Bench) -> None:
    seen = bench.watch(BarFinished, SignalGenerated, RiskChecked, OrderPlaced, DecisionMade, OrderFilled,
                       PositionUpdated)
    bench.candle(say="BUY")
    bench.candle()
    assert [type(event).__name__ for event in seen] == [
        "BarFinished", "SignalGenerated", "RiskChecked", "OrderPlaced", "DecisionMade",
        "OrderFilled", "OrderPlaced", "PositionUpdated", "BarFinished", "SignalGenerated", "DecisionMade",
    ]


def test_a_market_entry_fills_at_the_next_open_with_costs_and_is_protected_in_the_same_bar(bench: Bench) -> None:
    bench.candle(say="BUY")
    assert bench.holding() == 0
    bench.candle(bar=(20_100.0, 20_110.0, 20_095.0, 20_100.0))
    fill = bench.memory.of(Fill)[-1]
    assert fill.price_ticks == 2_010_000 + 503  # 2.5 bps of half spread and slippage, rounded up
    assert fill.time == START + 21 * MINUTE
    protection = bench.orders.protection("BTCUSDT")
    assert protection.lots == bench.holding()
    assert bench.stop() < 20_100 < protection.limit_ticks / 100


def test_entry_and_stop_in_one_bar_lose_on_that_bar(bench: Bench) -> None:
    bench.candle(say="BUY")
    bench.candle(bar=(20_000.0, 20_500.0, 19_000.0, 20_400.0))
    trade = bench.memory.of(Trade)[-1]
    assert trade.closed_because == "stop" and trade.pnl < 0
    assert trade.entry_time < trade.exit_time
    bench.check()


def test_a_stop_that_closes_a_partly_filled_entry_ends_the_rest_of_it() -> None:
    bench = Bench(volume_share=0.1).warm()
    bench.candle(say="BUY")
    bench.candle(volume=0.3)
    stop = bench.stop()
    bench.tick("BTCUSDT", stop - 5, stop - 5, stop - 5, volume=0.0)
    assert bench.holding() == 2_997 and len(bench.orders.working) == 2
    protection, entry = bench.orders.protection("BTCUSDT"), bench.memory.of(Order)[0]
    bench.broker._orders[entry.client_id] = bench.broker._orders.pop(entry.client_id)  # the stop is served first
    bench.candle(bar=(stop - 5, stop - 4, stop - 6, stop - 5), volume=0.29970)
    assert [t.lots for t in bench.memory.of(Trade)] == [protection.lots]
    assert not bench.orders.working and bench.holding() == 0
    bench.check()


def test_a_gap_through_the_stop_is_paid_in_full(bench: Bench) -> None:
    enter(bench)
    stop = bench.stop()
    bench.candle(bar=(stop - 500, stop - 400, stop - 600, stop - 450))
    trade = bench.memory.of(Trade)[-1]
    assert float(trade.exit_price) < stop - 500


def test_the_target_closes_with_a_gain(bench: Bench) -> None:
    enter(bench)
    bench.candle(bar=(20_000.0, 21_000.0, 20_000.0, 20_900.0))
    trade = bench.memory.of(Trade)[-1]
    assert (trade.closed_because, trade.pnl > 0) == ("target", True)
    assert not bench.orders.working


def test_a_sell_signal_closes_and_says_so(bench: Bench) -> None:
    enter(bench)
    bench.candle(say="SELL")
    bench.check()
    bench.candle()
    assert bench.memory.of(Trade)[-1].closed_because == "signal"
    assert bench.holding() == 0 and not bench.orders.working


def test_partial_fills_grow_position_and_protection_together() -> None:
    bench = Bench(volume_share=0.1).warm()
    bench.candle(say="BUY")
    lots = []
    for _ in range(4):
        bench.candle(volume=0.3)
        bench.check()
        lots.append(bench.holding())
    assert lots == sorted(lots) and len(set(lots)) == 4
    assert lots[0] == 2_997  # 0.03 BTC less 0.1 % commission in BTC, in whole lots


def test_later_fills_of_an_entry_share_the_stop_and_target_of_the_first() -> None:
    bench = Bench(volume_share=0.1).warm()
    bench.candle(say="BUY")
    bench.candle(volume=0.3)
    first = bench.orders.protection("BTCUSDT")
    bench.candle(bar=(20_005.0, 20_060.0, 20_000.0, 20_050.0), volume=0.3)
    bench.candle(volume=0.3)
    later = bench.orders.protection("BTCUSDT")
    assert later.lots > first.lots
    assert (later.stop_ticks, later.limit_ticks) == (first.stop_ticks, first.limit_ticks)


def test_a_bar_without_volume_fills_nothing(bench: Bench) -> None:
    bench.candle(say="BUY")
    bench.candle(volume=0.0)
    assert bench.holding() == 0
    bench.candle()
    assert bench.holding() > 0


def test_two_signals_on_one_close_cannot_both_take_the_same_room() -> None:
    bench = Bench(replace(BALANCED, max_position_rate=0.25, max_exposure_rate=0.3)).warm()
    bench.candle("BTCUSDT", "BUY")
    bench.candle("ETHUSDT", "BUY")
    reserved = bench.orders.reserved_units()
    assert reserved <= 0.3 * bench.portfolio.equity()
    first, second = (d for d in bench.memory.of(Decision)[-2:])
    assert first.outcome == "entry"
    assert second.outcome == "entry" and "bounded by exposure" in second.reason


def test_the_limit_of_open_positions_counts_working_entries() -> None:
    bench = Bench(replace(BALANCED, max_positions=1)).warm()
    bench.candle("BTCUSDT", "BUY")
    bench.candle("ETHUSDT", "BUY")
    assert last_decision(bench).outcome == "denied: max_positions"


def test_the_first_denial_wins_and_is_named(bench: Bench) -> None:
    seen = bench.watch(SignalRejected)
    bench.engine.handle(FeedStatus("stale", "silent for 15 s"))
    bench.candle(say="BUY")
    decision = last_decision(bench)
    assert decision.outcome == "denied: market"
    assert [v.rule for v in decision.verdicts] == ["session", "market"]
    assert [event.rule for event in seen] == ["market"]
    assert not bench.orders.working


def test_nothing_is_entered_while_stopped_paused_or_in_signals_mode() -> None:
    bench = Bench().warm()
    for kind, arguments, outcome in [("pause", {}, "session"), ("stop", {}, "session")]:
        bench.press(kind, **arguments)
        bench.candle(say="BUY")
        assert last_decision(bench).outcome == f"denied: {outcome}"
        bench.press("start")
    bench.press("set_mode", mode="signals")
    bench.candle(say="BUY")
    assert last_decision(bench).outcome == "denied: mode"
    assert not bench.memory.of(Order)


def test_a_late_bar_triggers_the_stop_but_never_enters(bench: Bench) -> None:
    bench.candle(say="BUY", live=False)
    assert last_decision(bench).outcome == "denied: market"
    enter(bench)
    stop = bench.stop()
    bench.candle(bar=(stop + 1, stop + 2, stop - 5, stop), live=False)
    assert bench.memory.of(Trade)[-1].closed_because == "stop"


def test_ticks_move_prices_and_stops_but_decide_nothing(bench: Bench) -> None:
    enter(bench)
    n_decisions = len(bench.memory.of(Decision))
    bench.tick("BTCUSDT", 19_999.0, 20_001.0, 20_000.5)
    assert bench.portfolio.marks["BTCUSDT"] == 2_000_050
    stop = bench.stop()
    bench.tick("BTCUSDT", stop - 1, stop + 5, stop)
    assert bench.memory.of(Trade)[-1].closed_because == "stop"
    assert len(bench.memory.of(Decision)) == n_decisions


def test_a_bar_that_ticks_covered_is_not_matched_again(bench: Bench) -> None:
    bench.candle(say="BUY")
    time = START + bench.minute["BTCUSDT"] * MINUTE
    covered = Candle("BTCUSDT", "1m", time, 20_000.0, 20_010.0, 19_000.0, 20_000.0, 50.0)
    bench.engine.handle(CandleClosed(covered, covered_by_ticks=True))
    assert bench.holding() == 0


def test_repeated_and_older_bars_change_nothing(bench: Bench) -> None:
    candle = bench.candle()
    before = bench.saved()
    bench.engine.handle(CandleClosed(candle))
    bench.engine.handle(CandleClosed(replace(candle, open_time=candle.open_time - MINUTE)))
    assert bench.saved() == before


@pytest.mark.parametrize("bad", [0.0, -5.0, float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
def test_impossible_prices_never_trade_and_never_value_a_position(bench: Bench, field: str, bad: float) -> None:
    if field == "volume" and bad == 0.0:
        return
    enter(bench)
    before = bench.saved()["portfolio"]
    time = START + bench.minute["BTCUSDT"] * MINUTE
    candle = replace(Candle("BTCUSDT", "1m", time, 20_000.0, 20_010.0, 19_990.0, 20_000.0, 5.0), **{field: bad})
    bench.engine.handle(CandleClosed(candle))
    assert bench.saved()["portfolio"] == before
    bench.candle()
    bench.check()


def test_an_agent_that_raises_abstains_and_hides_nobody() -> None:
    bench = Bench(n_agents=2).warm()
    bench.scripts[0].fails = True
    bench.candle(say="BUY")
    decision = last_decision(bench)
    assert decision.outcome == "entry"
    assert decision.signals[0].reason == "abstains: ValueError: no idea"
    assert decision.signals[1].action == "BUY"


def test_a_conflict_of_agents_is_a_hold() -> None:
    bench = Bench(n_agents=2).warm()
    time = START + bench.minute["BTCUSDT"] * MINUTE
    bench.scripts[0].next, bench.scripts[1].next = "BUY", "SELL"
    bench.engine.handle(CandleClosed(Candle("BTCUSDT", "1m", time, 20_000.0, 20_010.0, 19_990.0, 20_000.0, 9.0)))
    assert last_decision(bench).outcome == "hold"


def test_a_trailing_stop_only_rises() -> None:
    bench = Bench(replace(BALANCED, trail_atr=1.0, target_atr=0.0)).warm()
    enter(bench)
    stops = [bench.stop()]
    for close in (20_040.0, 20_090.0, 20_080.0, 20_095.0):
        bench.candle(bar=(close - 2, close + 2, close - 5, close))
        if bench.holding() == 0:
            break
        stops.append(bench.stop())
        assert bench.orders.protection("BTCUSDT").stop_ticks == bench.portfolio.holdings["BTCUSDT"].stop_ticks
    assert stops == sorted(stops) and stops[-1] > stops[0]
    bench.check()


def test_the_drawdown_trips_the_kill_switch_once_and_for_good() -> None:
    bench = Bench(replace(BALANCED, max_drawdown_rate=0.001, daily_loss_rate=1.0)).warm()
    enter(bench)
    bench.candle(bar=(19_900.0, 19_900.0, 19_000.0, 19_100.0))
    assert bench.session.state == "killed"
    n_orders = len({o.client_id for o in bench.memory.of(Order)})
    for _ in range(5):
        bench.candle(say="BUY")
    assert last_decision(bench).outcome == "denied: kill_switch"
    assert len({o.client_id for o in bench.memory.of(Order)}) == n_orders
    kills = [line for line in bench.memory.of(JournalLine) if line.kind == "KILL"]
    assert len(kills) == 1


def test_the_daily_loss_limit_ends_with_the_utc_day() -> None:
    bench = Bench(replace(BALANCED, daily_loss_rate=0.001, max_drawdown_rate=0.9)).warm()
    enter(bench)
    bench.candle(bar=(19_900.0, 19_900.0, 19_000.0, 19_900.0))
    bench.candle(say="BUY")
    assert last_decision(bench).outcome == "denied: daily_loss"
    minutes_left = (86_400_000 - START % 86_400_000) // MINUTE
    bench.minute["BTCUSDT"] = minutes_left + 1
    bench.candle(say="BUY")
    assert last_decision(bench).outcome == "entry"


def test_a_flood_of_entries_is_slowed_down() -> None:
    bench = Bench(replace(BALANCED, risk_rate=0.0001, max_position_rate=1.0)).warm()
    enter(bench)
    answers = []
    for _ in range(12):
        answers.append(bench.press("add", symbol="BTCUSDT"))
        bench.tick("BTCUSDT", 19_999.0, 20_001.0, 20_000.0)
        bench.check()
    assert [a.accepted for a in answers] == [True] * 10 + [False] * 2
    assert answers[-1].detail == "order_rate: 10 of 10 a minute"


def test_every_bar_leaves_a_decision_and_an_equity_point(bench: Bench) -> None:
    n_bars = 40
    assert len(bench.memory.of(Decision)) == n_bars
    assert len(bench.memory.of(EquityPoint)) == n_bars
    assert sum(bench.engine.outcomes.values()) == n_bars


def test_a_bar_that_comes_long_after_others_leaves_no_worth_in_the_past(bench: Bench) -> None:
    for _ in range(10):
        bench.candle("BTCUSDT")
    n_points = len(bench.memory.of(EquityPoint))
    for _ in range(10):
        bench.candle("ETHUSDT", live=False)
    late = bench.memory.of(EquityPoint)[n_points:]
    assert [point.time for point in late] == [START + bench.minute["BTCUSDT"] * MINUTE - 1]


def test_a_trade_is_announced_once(bench: Bench) -> None:
    seen = bench.watch(TradeClosed)
    enter(bench)
    bench.candle(say="SELL")
    bench.candle()
    bench.candle()
    assert len(seen) == 1 == bench.portfolio.n_trades


def test_a_restored_engine_goes_on_like_the_one_that_never_stopped(bench: Bench) -> None:
    bench.candle(say="BUY")
    bench.candle(volume=0.5)
    other = Bench()
    other.engine.restore(bench.saved())
    other.minute, other.price = dict(bench.minute), dict(bench.price)
    for symbol in bench.minute:
        rows = [Candle(symbol, "1m", START + n * MINUTE, p, p + 10, p - 10, p, 100.0)
                for p in (bench.price[symbol],) for n in range(bench.minute[symbol])]
        other.engine.warm_up(Candles.of(rows))
    other.engine.handle(FeedStatus("live"))
    for each in (bench, other):
        for say in ("HOLD", "SELL", "HOLD", "BUY", "HOLD"):
            each.candle(say=say, volume=0.5)
    assert other.saved()["portfolio"] == bench.saved()["portfolio"]
    assert other.saved()["orders"] == bench.saved()["orders"]


def test_after_missing_bars_of_a_live_market_entries_wait_for_whole_ones(bench: Bench) -> None:
    bench.minute["BTCUSDT"] += 3
    bench.candle(say="BUY", covered=True)
    assert last_decision(bench).reason.endswith("bars are missing: waiting for whole ones")
    for _ in range(13):
        bench.candle(covered=True)
    bench.candle(say="BUY", covered=True)
    assert last_decision(bench).outcome == "entry"


def test_late_advice_does_not_sell(bench: Bench) -> None:
    enter(bench)
    bench.candle(say="SELL", live=False)
    assert last_decision(bench).outcome == "denied: market"
    assert bench.holding() > 0
    bench.check()


def test_an_order_never_meets_trading_that_began_before_it(bench: Bench) -> None:
    enter(bench)
    bench.tick("BTCUSDT", 20_000.0, 20_001.0, 20_000.0)
    bench.press("close", symbol="BTCUSDT")
    held, time = bench.holding(), START + bench.minute["BTCUSDT"] * MINUTE
    whole = Candle("BTCUSDT", "1m", time, 20_005.0, 20_010.0, 19_999.0, 20_000.0, 50.0)
    bench.engine.handle(CandleClosed(whole))
    assert bench.holding() == held
    bench.minute["BTCUSDT"] += 1
    bench.candle()
    assert bench.holding() == 0


def test_a_repeated_fill_changes_nothing_and_is_said(bench: Bench) -> None:
    bench.candle(say="BUY")
    bench.candle(volume=0.5)
    fill = bench.memory.of(Fill)[-1]
    before = bench.saved()["portfolio"], bench.saved()["orders"]
    bench.engine.handle(OrderFilled(fill, False))
    assert (bench.saved()["portfolio"], bench.saved()["orders"]) == before
    assert "repeated fill" in bench.memory.of(JournalLine)[-1].text


class Swallowing(Executor):
    """A thread that dies before it answers."""

    def submit(self, *_: object, **__: object) -> None:
        return None


def test_a_snapshot_knows_whose_advice_was_asked_and_not_heard(bench: Bench) -> None:
    assert bench.saved()["asked"] == {}
    bench.engine.agents._executor = Swallowing()
    candle = bench.candle("ETHUSDT")
    assert bench.saved()["asked"] == {"ETHUSDT": candle.open_time}


def test_advice_that_a_crash_swallowed_is_asked_for_again_and_recorded() -> None:
    bench = Bench().warm()
    candle = bench.candle()
    saved = bench.saved() | {"asked": {"BTCUSDT": candle.open_time}}
    again = Bench()
    again.engine.restore(saved)
    rows = [Candle("BTCUSDT", "1m", START + n * MINUTE, 2e4, 2e4 + 10, 2e4 - 10, 2e4, 100.0) for n in range(21)]
    again.engine.warm_up(Candles.of(rows))
    assert again.scripts[0].n_seen == 20
    again.scripts[0].next = "BUY"
    again.engine.catch_up()
    decision = again.memory.of(Decision)[-1]
    assert (decision.time, decision.outcome) == (candle.close_time, "denied: market")
    assert again.scripts[0].n_seen == 21
    assert again.engine.asked == {}


def test_protection_that_the_venue_refuses_is_an_alert_not_a_loop() -> None:
    bench = Bench().warm()
    market = bench.portfolio.markets["BTCUSDT"]
    bench.candle(say="BUY")
    bench.portfolio.markets["BTCUSDT"] = market._replace(min_lots=10_000)
    alerts = bench.watch(AlertLogged)
    bench.candle(volume=0.3)
    assert [alert.text.startswith("BTC/USDT is not protected") for alert in alerts] == [True]
    assert bench.holding() > 0
    bench.portfolio.markets["BTCUSDT"] = market
    bench.candle()
    bench.check()
