"""Walk-forward: windows, choices made on training alone, and one unbroken account out of sample."""

from dataclasses import replace

import numpy as np
import pytest

from services.backtests.ask import ask
from services.backtests.rows import Stretch, run_rows
from services.backtests.spread import Hands
from services.backtests.trial import decisions_of, directions_of
from services.backtests.walk import DAY_MS, walk, windows_of
from tests.fakes.asked import asked, loaded, still, waves, work
from trading.domain.backtests import CostSettings
from trading.errors import BadInput

SWEEP = "rsi.period=6:14:4,rsi.buy_below=25:40:15"


def walked(n_bars: int = 24 * 100):
    candles = waves(n_bars)
    windows = windows_of([candles], 40, 15)
    asked_work = replace(work(SWEEP, candles), windows=windows)
    rows = run_rows(asked_work, 0, len(asked_work.grid))
    return asked_work, rows, walk(asked_work, rows)


def test_windows_follow_one_another_and_the_last_may_be_short():
    candles = waves(24 * 100)
    windows = windows_of([candles], 40, 15)
    first = int(candles.open_time[0])
    assert [(w[0] - first) // DAY_MS for w in windows] == [0, 15, 30, 45]
    assert all(w[1] - w[0] == 40 * DAY_MS for w in windows)
    assert [(w[2] - w[1]) // DAY_MS for w in windows] == [15, 15, 15, 15]
    assert [(w[2] - w[1]) // DAY_MS for w in windows_of([waves(24 * 97)], 40, 15)] == [15, 15, 15, 12]


def test_too_few_candles_say_how_many_there_are():
    with pytest.raises(BadInput, match="span 10 days"):
        windows_of([waves(240)], 40, 15)


def test_each_window_takes_what_was_best_in_its_training():
    asked_work, rows, found = walked()
    for number, window in enumerate(found.windows):
        best = int(np.nanargmax(rows.train[:, number]))
        assert window.parameters == asked_work.grid.combination(best)
        assert window.train_sharpe == rows.train[best, number]


def test_training_does_not_see_the_test_part():
    """Other prices after a window's training leave its choice as it was."""
    candles = waves(24 * 100)
    windows = windows_of([candles], 40, 15)[:1]
    cut = int(np.searchsorted(candles.open_time, windows[0][1]))
    other = waves(24 * 100, seed=9)
    mixed = candles[:cut].then(other[cut:])
    trained = [run_rows(replace(work(SWEEP, c), windows=windows), 0, 6).train for c in (candles, mixed)]
    assert np.array_equal(*trained, equal_nan=True)


def test_the_account_goes_on_from_window_to_window():
    asked_work, _, found = walked()
    money = asked_work.bench.setup.capital_units
    for window in found.windows:
        last = int(np.searchsorted(found.run.time, window.test_end)) - 1
        assert found.run.equity[last] / money - 1 == pytest.approx(window.test_return, abs=1e-12)
        money = int(found.run.equity[last])
    assert len(np.unique(found.run.time)) == len(found.run.time)
    assert np.all(np.diff(found.run.time) == 3_600_000)
    assert found.run.time[0] == found.windows[0].test_start + 3_600_000 - 1


def test_every_window_ends_flat_and_its_trades_add_up():
    asked_work, _, found = walked()
    gain = int(found.run.equity[-1]) - asked_work.bench.setup.capital_units
    assert found.run.n_trades == len(found.run.trades) == len(found.run.trade_columns) > 10
    assert [trade.number for trade in found.run.trades] == list(range(1, found.run.n_trades + 1))
    leftover = sum(trade.pnl for trade in found.run.trades) - gain
    assert abs(leftover) < 1e-4 * asked_work.bench.setup.capital_units  # fractions of a lot stay behind
    assert not found.run.open_symbols
    assert sum(found.run.decisions.values()) == len(found.run.time)


def test_bars_that_warm_the_atr_up_are_not_traded():
    candles = waves(24 * 60)
    bench = work(SWEEP, candles).bench
    start = int(candles.open_time[700])
    stretch = Stretch.of(bench, start, int(candles.open_time[900]))
    wishes = stretch.wishes(directions_of(bench))
    assert len(wishes[0]) == 450
    assert not wishes[0][:250].any()
    assert wishes[0][250:].any()


def test_a_walk_forward_answers_with_windows_and_how_much_is_left():
    request = asked(train_days=40, test_days=15, sweep=SWEEP)
    found = ask(request, loaded(waves(24 * 100)), Hands(1), None, still)
    assert len(found.view.windows) == 4 == found.view.figures["n_windows"]
    assert found.view.figures["oos_ratio"] is not None
    assert found.view.curve.time[0] >= found.view.windows[0].test_start
    assert len(found.trials) == 6
    assert found.parameters == dict(found.view.windows[-1].parameters)


def test_a_last_window_that_is_short_and_windows_that_were_stopped_are_told():
    stopping = replace(asked().profile, max_drawdown_rate=0.05)
    request = asked(train_days=40, test_days=15, sweep=SWEEP, profile=stopping, costs=CostSettings(0.05))
    found = ask(request, loaded(waves(24 * 97)), Hands(1), None, still)
    notes = " ".join(found.view.notes)
    assert "4 windows of 15 days (the last one 12 days)" in notes
    assert "a real account would have been stopped for good" in notes
    assert "drawdown counted anew" in notes


def test_windows_that_begin_before_the_strategy_is_warm_say_so():
    request = asked(train_days=1, test_days=5, sweep="rsi.period=30")
    found = ask(request, loaded(waves(24 * 20)), Hands(1), None, still)
    decisions = decisions_of(found.bench, found.simulation)
    cold = int(np.count_nonzero(~found.bench.with_parameters({"rsi.period": 30}).strategies[0].ready(
        found.bench.candles[0])))
    assert decisions["warming up"] == cold - 24 > 0
    assert sum(decisions.values()) == len(found.simulation.time)


def test_without_a_sweep_the_strategys_own_ranges_are_searched():
    document = {**asked().document}
    document["parameters"] = {name: {**p, "low": p["value"], "high": p["value"]}
                              for name, p in document["parameters"].items()}
    document["parameters"]["rsi.period"] = {"value": 14, "low": 10, "high": 14, "step": 4}
    found = ask(asked(document=document, train_days=40, test_days=15), loaded(waves(24 * 100)), Hands(1), None, still)
    assert len(found.trials) == 2


def test_several_symbols_walk_together():
    candles = [waves(24 * 80, symbol=symbol, seed=seed) for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT"))]
    request = asked(("BTCUSDT", "ETHUSDT"), train_days=40, test_days=20, sweep="rsi.period=6:14:8")
    found = ask(request, loaded(*candles), Hands(1), None, still)
    assert {trade.symbol for trade in found.simulation.trades} == {"BTCUSDT", "ETHUSDT"}
