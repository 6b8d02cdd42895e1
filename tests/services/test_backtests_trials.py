"""Trials are counted by the system itself: once a parameter set, across restarts, on whatever stretch of the data."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.backtests.ask import ask
from services.backtests.codec import decoded, encoded
from services.backtests.keeper import Keeper, leave_behind
from services.backtests.lineage import ground_of, lineage_of, parameters_hash
from services.backtests.spread import Hands
from services.strategies import shipped_strategies
from storage.backtest_store import BacktestStore
from storage.database import Database
from tests.fakes.asked import AGGRESSIVE, asked, loaded, still, waves
from trading.domain.backtests import CostSettings
from trading.portfolio import costs_of


@pytest.fixture
def folder(tmp_path: Path):
    return tmp_path


def keeper_of(folder: Path) -> Keeper:
    database = Database(folder / "cockpit.db")
    database.open()
    return Keeper(BacktestStore(database), folder / "backtests")


def answered(candles=None, **changed):
    return ask(asked(**changed), loaded(candles if candles is not None else waves(900)), Hands(1), None, still)


def counted(keeper: Keeper, found) -> float:
    return keeper.view(found.view.key).figures["n_trials"]


def named(document, profile=AGGRESSIVE) -> str:
    return parameters_hash(document, profile, costs_of(CostSettings()))


def entered(keeper: Keeper, **changed):
    found = answered(**changed)
    keeper.enter(found.outcome("q", ""))
    return found


def test_the_same_parameters_count_once_and_others_add_up(folder):
    keeper = keeper_of(folder)
    assert counted(keeper, entered(keeper)) == 1
    assert counted(keeper, entered(keeper)) == 1
    assert counted(keeper, entered(keeper, sweep="rsi.period=12:16:2")) == 3
    assert counted(keeper, entered(keeper, sweep="rsi.period=12:20:2")) == 5


def test_counts_survive_a_restart(folder):
    entered(keeper_of(folder), sweep="rsi.period=10:14:2")
    again = keeper_of(folder)
    assert counted(again, entered(again)) == 3


def test_each_overlapping_window_and_each_cost_setting_is_a_trial(folder):
    keeper = keeper_of(folder)
    for first in range(5):
        found = entered(keeper, candles=waves(900)[24 * first:])
    assert counted(keeper, found) == 5
    assert counted(keeper, entered(keeper, candles=waves(900)[24:])) == 5
    for rate in (0.0002, 0.0004):
        found = entered(keeper, costs=CostSettings(commission_rate=rate))
    assert counted(keeper, found) == 7


def test_candles_apart_in_time_are_other_ground(folder):
    keeper = keeper_of(folder)
    entered(keeper, candles=waves(900)[:400])
    assert counted(keeper, entered(keeper, candles=waves(900)[400:])) == 1


def test_some_of_the_symbols_are_the_same_ground(folder):
    keeper = keeper_of(folder)
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    bars = {symbol: waves(900, symbol=symbol, seed=seed) for seed, symbol in enumerate(symbols)}

    def tried(*chosen: str) -> float:
        found = ask(asked(chosen), loaded(*(bars[symbol] for symbol in chosen)), Hands(1), None, still)
        keeper.enter(found.outcome("q", ""))
        return counted(keeper, found)

    assert [tried("BTCUSDT", "ETHUSDT"), tried("BTCUSDT"), tried("ETHUSDT"), tried("SOLUSDT")] == [1, 2, 2, 1]


def test_another_market_or_rule_counts_by_itself(folder):
    keeper = keeper_of(folder)
    entered(keeper, sweep="rsi.period=10:14:2")
    assert counted(keeper, entered(keeper, candles=waves(300, "4h"), interval="4h")) == 1
    other = dict(shipped_strategies())["sma-cross"]
    assert counted(keeper, entered(keeper, document=other)) == 1


def test_more_trials_leave_less_of_a_sharpe_ratio(folder):
    keeper = keeper_of(folder)
    first = entered(keeper)
    before = keeper.view(first.view.key).figures["deflated_sharpe"]
    entered(keeper, sweep="rsi.period=6:24:2,rsi.buy_below=20:45:5")
    after = keeper.view(first.view.key)
    assert after.figures["deflated_sharpe"] < before
    assert "trials counted" in after.checks[-1].detail


def test_trials_left_by_another_process_are_counted_once(folder):
    keeper = keeper_of(folder)
    elsewhere = answered(sweep="rsi.period=10:12:1")
    leave_behind(folder / "backtests", elsewhere.trials)
    assert counted(keeper, entered(keeper)) == 4
    assert counted(keeper, entered(keeper)) == 4
    assert list((folder / "backtests").iterdir()) == []


def test_a_torn_line_is_left_out_and_the_rest_is_counted(folder):
    keeper = keeper_of(folder)
    elsewhere = answered(sweep="rsi.period=10:12:1")
    leave_behind(folder / "backtests", elsewhere.trials)
    (spool,) = (folder / "backtests").iterdir()
    whole = spool.read_text().splitlines()
    torn = [whole[0], whole[1][:40] + "}", "[]", '{"lineage": 3}', "\x00", whole[2]]
    (folder / "backtests" / "pending-trials.jsonl").write_text("\n".join(torn))
    spool.unlink()
    assert counted(keeper, entered(keeper)) == 3
    assert list((folder / "backtests").iterdir()) == []


def test_thresholds_are_the_same_idea_and_rules_are_not():
    document = asked().document
    moved = {**document, "name": "another", "notes": "other words", "symbols": ["ETHUSDT"],
             "parameters": {**document["parameters"], "rsi.period": {"value": 9, "low": 1, "high": 10, "step": 1}}}
    assert lineage_of(document) == lineage_of(moved)
    assert named(document) != named(moved)
    assert lineage_of(document) != lineage_of({**document, "exit": document["entry"]})
    lines = {lineage_of(document) for _, document in shipped_strategies()}
    assert len(lines) == len(shipped_strategies())


def test_ranges_and_names_change_no_parameter_set_but_exits_do():
    document = asked().document
    wider = {**document, "name": "x", "parameters": {n: {**p, "high": p["high"] * 2}
                                                     for n, p in document["parameters"].items()}}
    assert named(document) == named(wider)
    other = replace(AGGRESSIVE, name="renamed")
    assert named(document) == named(document, other)
    assert named(document) != named(document, replace(AGGRESSIVE, stop_atr=9.0))


def test_the_ground_names_the_candles():
    candles = waves(100)
    ground = ground_of(asked().document, (candles,), {"BTCUSDT": "abc"})
    assert (ground.market, ground.first, ground.last) == (
        "BTCUSDT 1h", int(candles.open_time[0]), int(candles.open_time[-1]))


def test_the_same_question_has_the_same_key_and_bytes_and_other_ones_have_others():
    one, two = answered(), answered()
    assert one.view.key == two.view.key
    assert encoded(one.view) == encoded(two.view)
    others = [answered(candles=waves(901)), answered(capital=asked().capital * 2), answered(sweep="rsi.period=12:14:2"),
              answered(document=dict(shipped_strategies())["sma-cross"])]
    assert len({one.view.key, *(found.view.key for found in others)}) == 5
    changed = [sorted(n for n in one.view.hashes if one.view.hashes[n] != found.view.hashes[n]) for found in others]
    assert changed == [["candles"], ["settings"], ["settings"], ["strategy"]]


@pytest.mark.parametrize("changed", [{}, {"sweep": "rsi.period=12:14:1"},
                                     {"sweep": "rsi.period=12:14:2", "train_days": 10, "test_days": 5}])
def test_a_stored_view_comes_back_as_it_went(changed):
    view = answered(**changed).view
    back = decoded(encoded(view))
    assert encoded(back) == encoded(view)
    assert back.trades == view.trades
    assert back.request == view.request
    assert (back.months, back.windows, back.costs, back.notes) == (view.months, view.windows, view.costs, view.notes)


def test_runs_are_listed_newest_first(folder):
    keeper = keeper_of(folder)
    keys = [entered(keeper).view.key, entered(keeper, sweep="rsi.period=12:14:2").view.key]
    assert {run.key for run in keeper.runs()} == set(keys)
    times = [run.created for run in keeper.runs()]
    assert times == sorted(times, reverse=True)
