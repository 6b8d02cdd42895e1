"""Agents in a whole cockpit: what they say, what a pause does, what Mother AI makes of them."""

from decimal import Decimal

import numpy as np
import pytest

from services.agents.compose import agent_service
from services.agents.muting import PAUSED
from services.agents.study import EQUAL, MOTHER, calibration
from services.settings import load_settings
from services.strategies import find_strategy
from tests.services.cockpits import whole_cockpit
from trading.agents.desk import SignalDesk
from trading.agents.symbol_agent import SymbolAgent
from trading.errors import BadInput
from trading.shadow import Firings

BTC = "BTCUSDT|demo"


def service_of(whole, folder):
    return agent_service(load_settings(data_dir=folder, feed="sim", profile="Aggressive"), whole.cockpit)


def agent(service, key=BTC):
    return next(view for view in service.view().agents if view.config.key == key)


def test_an_agent_says_what_it_would_do_at_which_prices(tmp_path):
    with whole_cockpit(tmp_path, 200) as whole:
        service = service_of(whole, tmp_path)
        assert agent(service).prediction is None
        whole.start()
        whole.trade()
        seen = agent(service)
        said = seen.prediction
        assert (seen.state, said.agent_name) == ("running", "demo")
        assert said.prediction in ("BUY", "SELL", "HOLD") and 0.0 <= said.confidence <= 100.0
        assert said.stop_loss < said.entry_price < said.target_price
        assert seen.reason and seen.time == whole.engine.time
        assert [p.agent_name for p in service.predictions()] == ["demo"] * 4


def test_its_record_is_that_of_its_own_closed_trades(tmp_path):
    with whole_cockpit(tmp_path) as whole:
        service = service_of(whole, tmp_path)
        whole.start()
        whole.trade()
        trades = [trade for trade in whole.cockpit.history.trades() if trade.symbol == "BTCUSDT"]
        seen = agent(service)
        wins = sum(trade.pnl > 0 for trade in trades)
        assert (seen.wins, seen.n_trades) == (wins, len(trades)) and len(trades) > 3
        assert seen.win_rate == wins / len(trades)
        assert seen.shrunk == (wins + 5) / (len(trades) + 10)
        assert seen.pnl == Decimal(sum(trade.pnl for trade in trades)) / 10**8
        assert service_of(whole, tmp_path).view().agents[0].n_trades == len(trades), "the past is read at the start"


def test_a_pause_silences_the_running_engine_and_lasts(tmp_path):
    with whole_cockpit(tmp_path, 300) as whole:
        service = service_of(whole, tmp_path)
        service.pause(BTC, True)
        whole.start()
        whole.trade()
        seen = agent(service)
        assert (seen.state, seen.n_trades) == ("paused", 0)
        assert seen.reason == "abstains: paused by hand"
        assert agent(service, "ETHUSDT|demo").n_trades > 0
    with whole_cockpit(tmp_path, 10) as whole:
        assert whole.engine.agents.paused == {("BTCUSDT", "demo"): PAUSED}


def test_a_strategy_that_was_put_on_paper_since_the_start_can_be_paused(tmp_path):
    with whole_cockpit(tmp_path, 50) as whole:
        service, rules = service_of(whole, tmp_path), find_strategy("ema-cross", tmp_path)
        store = whole.cockpit.crew.store
        whole.engine.agents = SignalDesk([SymbolAgent(rules.for_symbol(symbol)) for symbol in store.symbols])
        store.follow("ema-cross")
        assert agent(service, "BTCUSDT|ema-cross").state == "running" and not service.view().needs_restart
        service.pause("BTCUSDT|ema-cross", True)
        assert whole.engine.agents.paused == {("BTCUSDT", rules.name): PAUSED}
        assert {view.state for view in service.view().agents} == {"paused", "running"}


def test_a_dropped_agent_is_silent_at_once_and_gone_after_the_next_start(tmp_path):
    with whole_cockpit(tmp_path, 100) as whole:
        service = service_of(whole, tmp_path)
        service.drop(BTC)
        assert agent(service).state == "going" and service.view().needs_restart
        whole.start()
        whole.trade()
        assert agent(service).reason == "abstains: dropped, gone at the next start"
    with whole_cockpit(tmp_path, 10) as whole:
        assert ("BTCUSDT", "demo") not in {(a.symbol, a.name) for a in whole.engine.agents.agents}
        assert BTC not in [view.config.key for view in service_of(whole, tmp_path).view().agents]


def test_an_added_agent_waits_for_the_next_start_and_then_runs(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.add("BTCUSDT", "1m", "sma-cross")
        assert agent(service, "BTCUSDT|sma-cross").state == "waiting"
        with pytest.raises(BadInput, match="no-such-rule"):
            service.add("BTCUSDT", "1m", "no-such-rule")
    with whole_cockpit(tmp_path, 50) as whole:
        service = service_of(whole, tmp_path)
        whole.start()
        whole.trade()
        seen = agent(service, "BTCUSDT|sma-cross")
        assert (seen.state, seen.name) == ("running", "SMA cross")
        assert not service.view().needs_restart


def test_mother_ai_ranks_the_next_session_with_a_threshold_from_before_it(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        assert "does not rank" in service.view().ranking
        service.set_mother({"ranks": True})
    with whole_cockpit(tmp_path, 300) as whole:
        service = service_of(whole, tmp_path)
        threshold = whole.cockpit.crew.threshold
        assert threshold.words in service.view().ranking and threshold.n > 10
        assert whole.cockpit.document["ranking"]["min_score"] == threshold.min_score


def test_mother_ai_writes_her_verdict_into_the_record(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service_of(whole, tmp_path).set_mother({"ranks": True, "min_score": 0.2})
    with whole_cockpit(tmp_path, 600) as whole:
        service = service_of(whole, tmp_path)
        whole.start()
        whole.trade()
        entered = [d for d in whole.cockpit.history.decisions(5_000) if d.outcome == "entry"]
        assert entered and all(d.verdicts[0].rule == "rank" for d in entered)
        assert "win rate" in entered[0].verdicts[0].detail
        n = {(t.symbol, t.opened_by) for t in whole.cockpit.history.trades()}
        assert all(whole.engine.mother.record(*who)[1] > 0 for who in n) and n
        assert service.view().decisions


def test_a_broken_agent_is_shown_in_its_place(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service_of(whole, tmp_path).add("BTCUSDT", "1m", "sma-cross")
    text = (tmp_path / "agents.json").read_text().replace("sma-cross", "lost")
    (tmp_path / "agents.json").write_text(text)
    with whole_cockpit(tmp_path, 50) as whole:
        service = service_of(whole, tmp_path)
        whole.start()
        whole.trade()
        broken = agent(service, "BTCUSDT|lost")
        assert broken.state == "failed" and "lost" in broken.reason
        assert agent(service).state == "running"


def test_the_study_judges_on_bars_after_those_it_learnt_from(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.study()
        view = service.view()
        assert view.study_state == "", view.study_state
        study = view.study
        names = [curve.name for curve in study.curves]
        assert names[:2] == [MOTHER, EQUAL] and "demo · BTCUSDT" in names
        assert study.n_bars * 2 == pytest.approx(3 * 1_440, abs=30)
        if study.min_score is None:
            assert study.curves[0].n_trades == 0 and "the best score" in study.threshold
        alone = {curve.name: curve for curve in study.curves}
        mean = (alone["demo · BTCUSDT"].equity + alone["demo · ETHUSDT"].equity) / 2
        assert np.allclose(alone[EQUAL].equity, mean)
        assert study.calibration[BTC] and sum(b.n for b in study.calibration[BTC]) > 20
        assert agent(service).light.n_expected > 20


def test_a_least_score_that_is_set_is_what_the_comparison_says_it_used(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.set_mother({"min_score": 0.01})
        service.study()
        study = service.view().study
        assert study.curves[0].n_trades > 0 and study.min_score == 0.01
        assert study.threshold == "the score 0.01 that is set was used; nothing was learnt"


def test_calibration_counts_firings_by_what_was_said():
    said, gains = np.array([0.46, 0.47, 0.52, 0.53]), np.array([0.1, -0.1, 0.1, 0.1])
    bins = calibration(Firings(np.arange(4), np.arange(4), said, gains))
    assert [(round(b.said, 3), b.right, b.n) for b in bins] == [(0.465, 0.5, 2), (0.525, 1.0, 2)]


def test_a_portfolio_decision_can_be_asked_with_other_limits(tmp_path):
    with whole_cockpit(tmp_path, 400) as whole:
        service = service_of(whole, tmp_path)
        whole.trade()  # stopped: nothing is entered, agents speak all the same
        said = [agent for agent in service.view().agents if agent.prediction and agent.prediction.prediction == "BUY"]
        choices = service.decide(3, 0.0)
        assert len(choices) == len(said)
        assert not any(choice.chosen for choice in service.decide(3, 1.9))


def test_a_light_is_worked_out_anew_only_after_a_trade_or_a_comparison(tmp_path, monkeypatch):
    from services.agents import comparing as module

    asked = []
    real = module.light_of
    monkeypatch.setattr(module, "light_of", lambda *given: asked.append(1) or real(*given))
    with whole_cockpit(tmp_path, 300) as whole:
        service = service_of(whole, tmp_path)
        service.view()
        n = len(asked)
        assert n == len(service.view().agents) == len(asked)
        whole.start()
        whole.trade()
        service.view()
        assert len(asked) > n
