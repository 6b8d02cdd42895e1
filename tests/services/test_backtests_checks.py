"""Is it real? Each question finds what it is meant to find, and passes what is sound."""

from dataclasses import replace

import numpy as np
import pytest

from services.backtests import checks
from services.backtests.ask import ask
from services.backtests.checks import Case, judge, neighbour_steps, twice
from services.backtests.picture import CHECKS
from services.backtests.replay import replayed
from services.backtests.spread import Hands
from services.backtests.trial import run
from services.strategies import shipped_strategies
from services.worker import Cancelled
from tests.fakes.asked import AGGRESSIVE, asked, bench, loaded, still, waves
from trading.brokers.paper import PaperBroker
from trading.domain.backtests import CostSettings


def case(n_bars: int = 2_000, **changed) -> Case:
    made = bench(waves(n_bars), **changed)
    return Case(asked(**changed), made, run(made), PaperBroker)


def test_every_bar_is_decided_again_without_its_future():
    found = judge("look-ahead", case(), still)
    assert (found.state, found.detail) == ("pass", "2,000 of 2,000")


def test_a_strategy_that_looks_ahead_is_caught_and_named(monkeypatch):
    doubted = case()
    strategy = doubted.bench.strategies[0]
    honest = type(strategy).directions

    def peeking(self, candles, cache=None):
        wished = honest(self, candles, cache)
        wished[50] = 1 if candles.close[-1] > candles.close[50] else -1
        return wished

    monkeypatch.setattr(type(strategy), "directions", peeking)
    found = judge("look-ahead", doubted, still)
    assert found.state == "fail"
    assert "1,999 of 2,000" in found.detail


@pytest.mark.parametrize(("name", "document"), shipped_strategies())
def test_the_engine_gives_the_trades_of_the_kernel(name, document):
    made = bench(waves(1_500), waves(1_500, symbol="ETHUSDT", seed=3), document=document)
    simulation = run(made)
    assert list(simulation.trades) == list(replayed(made, PaperBroker, lambda _: None)), name


def test_an_engine_that_differs_by_a_trade_is_seen(monkeypatch):
    doubted = case()
    lived = list(doubted.simulation.trades)
    wrong = [*lived[:-1], replace(lived[-1], pnl=lived[-1].pnl + 1)]
    monkeypatch.setattr(checks, "replayed", lambda *_: wrong)
    found = judge("engine", doubted, still)
    assert (found.state, found.detail) == ("fail", f"{len(lived) - 1} of {len(lived)}")


def test_long_candles_are_replayed_in_part_and_it_is_said(monkeypatch):
    monkeypatch.setattr(checks, "REPLAYED_BARS", 1_500)
    found = judge("engine", case(), still)
    assert found.state == "pass"
    assert "in the first 1,500 of 2,000 bars" in found.detail


def test_buying_falls_that_come_back_beats_random_entries():
    found = judge("random", case(4_000), still)
    assert found.state == "pass"
    assert float(found.detail.removeprefix("p = ")) <= 0.05


def test_random_entries_keep_the_number_of_entries_and_the_exits():
    doubted = case()
    wished = doubted.bench.strategies[0].directions(doubted.bench.candles[0])
    n_entries = int(np.count_nonzero(doubted.simulation.outcomes[0] == checks._ENTRY))
    drawn = [wishes[0] for wishes in checks._random_wishes(doubted)]
    assert len(drawn) == checks.N_RANDOM >= 200
    for column in drawn[:20]:
        assert np.count_nonzero(column == 1) == n_entries
        assert np.array_equal(column == -1, wished == -1)
    again = [wishes[0] for wishes in checks._random_wishes(doubted)]
    assert all(np.array_equal(one, other) for one, other in zip(drawn, again, strict=True))
    assert not np.array_equal(drawn[0], drawn[1])


def test_a_run_that_loses_money_never_passes_against_random_entries(monkeypatch):
    monkeypatch.setattr(checks, "N_RANDOM", 20)
    losing = case(costs=CostSettings(commission_rate=0.05))
    assert losing.simulation.equity[-1] < losing.bench.setup.capital_units
    monkeypatch.setattr(checks, "random_entry_p_value", lambda *_: 0.001)
    found = judge("random", losing, still)
    assert (found.state, found.detail) == ("warn", "p = 0.001, and the run loses money after costs")


def test_a_run_that_was_stopped_is_compared_with_entries_before_it(monkeypatch):
    monkeypatch.setattr(checks, "N_RANDOM", 3)
    stopped = case(costs=CostSettings(commission_rate=0.05), profile=replace(AGGRESSIVE, max_drawdown_rate=0.05))
    end = stopped.simulation.killed_at
    assert end
    for (wishes,) in checks._random_wishes(stopped):
        assert (wishes == 1).any()
        assert stopped.bench.candles[0].open_time[wishes == 1].max() < end


def test_the_checks_of_a_walk_forward_say_what_they_looked_at():
    request = asked(train_days=40, test_days=15, sweep="rsi.period=6:14:4")
    found = ask(request, loaded(waves(24 * 100)), Hands(1), None, still)
    doubted = checks.case_of(request, found, PaperBroker)
    assert doubted.bench.strategies[0].parameters["rsi.period"].value == found.parameters["rsi.period"]
    assert "the last window's parameters on all candles" in judge("costs", doubted, still).detail
    assert "window" not in judge("look-ahead", doubted, still).detail


def test_doubled_costs_leave_less_of_the_edge():
    doubted = case()
    found = judge("costs", doubted, still)
    assert checks.edge(doubted.simulation) > 0
    after, before = (float(part.strip("% ()")) for part in
                     found.detail.replace(" a trade", "").replace("was ", "").split("(", 1))
    assert after < before
    assert twice(CostSettings()) == CostSettings(0.002, 2.0, 4.0, 0.10)


def test_a_good_mean_trade_is_no_pass_when_the_account_loses(monkeypatch):
    losing = case(costs=CostSettings(commission_rate=0.05))
    monkeypatch.setattr(checks, "edge", lambda _: 0.01)
    found = judge("costs", losing, still)
    assert (found.state, "loses money then" in found.detail) == ("warn", True)


def test_neighbours_are_one_step_away_and_within_the_ranges():
    strategy = bench(waves(100)).strategies[0]
    steps = list(neighbour_steps(strategy))
    assert {"rsi.period": 13} in steps
    assert {"rsi.period": 15} in steps
    assert {"rsi.buy_below": 25} in steps
    at_the_edge = strategy.with_parameters({"rsi.period": 5})
    assert {"rsi.period": 4} not in list(neighbour_steps(at_the_edge))


def test_the_plateau_says_how_much_the_neighbours_keep():
    found = judge("neighbours", case(4_000), still)
    assert "neighbours keep" in found.detail
    assert found.state in ("pass", "warn", "fail")


def test_a_losing_run_has_no_plateau_to_keep():
    losing = case(costs=CostSettings(commission_rate=0.05))
    assert judge("neighbours", losing, still).state == "skipped"


def test_a_run_without_trades_is_not_judged():
    quiet = case(60)
    assert not quiet.simulation.n_trades
    for name in ("engine", "random", "costs", "neighbours"):
        assert judge(name, quiet, still).state == "skipped"


@pytest.mark.parametrize("name", ["look-ahead", "engine", "random", "neighbours"])
def test_a_check_gives_way_when_it_is_told_to(name):
    def stop(_share, _stage):
        raise Cancelled

    with pytest.raises(Cancelled):
        judge(name, case(), stop)


def test_every_question_has_a_title_and_a_reason():
    assert list(CHECKS) == ["look-ahead", "engine", "random", "costs", "neighbours", "trials"]
    assert all(title and why.endswith(".") for title, why in CHECKS.values())
