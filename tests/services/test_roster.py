"""Agents as configuration: one file, whole or not at all, and what it makes of the engine."""

import json
from dataclasses import replace
from math import inf
from types import SimpleNamespace

import pytest

from services.agents.compose import ranked_crew
from services.agents.engaging import crew_document, crew_of, ranked, ranking_by, ranking_document, ranking_from
from services.agents.muting import PAUSED, UNLISTED
from services.agents.roster import RosterStore
from services.parity.replay import Rules, Scene, play
from services.settings import load_settings
from services.strategies import stored_strategies
from storage.candle_store import CandleStore
from tests.contracts.signal_source import random_candles
from tests.parity.cases import fine
from trading.backtest import Setup
from trading.binance.endpoints import environment_of
from trading.brokers.paper import PaperBroker
from trading.domain.agents import AgentConfig, MotherConfig
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.portfolio import costs_of
from trading.ranking import UNRANKED
from trading.risk import PROFILES

SYMBOLS = ("BTCUSDT", "ETHUSDT")


@pytest.fixture
def store(tmp_path):
    return RosterStore(tmp_path / "agents.json", SYMBOLS, "1m", "")


def test_without_a_file_the_agents_are_the_demo_on_each_symbol_and_nothing_is_written(store):
    roster = store.read()
    assert [agent.key for agent in roster.agents] == ["BTCUSDT|demo", "ETHUSDT|demo"]
    assert not roster.is_own and not store.path.exists()


def test_an_added_agent_is_there_after_a_new_start(store):
    store.add("eth/usdt", "1m", "sma-cross")
    again = RosterStore(store.path, SYMBOLS, "1m", "").read()
    assert [agent.key for agent in again.agents] == ["BTCUSDT|demo", "ETHUSDT|demo", "ETHUSDT|sma-cross"]
    assert again.is_own


def test_a_pause_and_mother_ai_leave_the_agents_to_the_cockpit(store):
    store.pause("BTCUSDT|demo", True)
    store.set_mother(MotherConfig(alpha=0.5))
    roster = RosterStore(store.path, SYMBOLS, "1m", "").read()
    assert not roster.is_own and [agent.paused for agent in roster.agents] == [True, False]
    store.follow("sma-cross")
    assert [(agent.key, agent.paused) for agent in store.read().agents] == [
        ("BTCUSDT|sma-cross", False), ("ETHUSDT|sma-cross", False)]
    assert store.read().mother.alpha == 0.5


def test_the_first_list_has_the_pauses_and_the_models_that_vote(store):
    store.voting = lambda: ("ETHUSDT",)
    store.pause("BTCUSDT|demo", True)
    store.pause("ETHUSDT|model", True)
    store.voting = tuple
    assert "ETHUSDT|model" in [agent.key for agent in store.read().agents], "a paused one is remembered"
    store.add("BTCUSDT", "1m", "ema-cross")
    assert [(agent.key, agent.paused) for agent in store.read().agents] == [
        ("BTCUSDT|demo", True), ("ETHUSDT|demo", False), ("ETHUSDT|model", True), ("BTCUSDT|ema-cross", False)]
    store.follow_cockpit()
    assert not store.read().is_own
    assert {agent.key for agent in store.read().agents if agent.paused} == {"BTCUSDT|demo", "ETHUSDT|model"}


def test_pause_and_drop_change_one_agent_alone(store):
    store.pause("BTCUSDT|demo", True)
    assert [agent.paused for agent in store.read().agents] == [True, False]
    store.drop("BTCUSDT|demo")
    assert [agent.key for agent in store.read().agents] == ["ETHUSDT|demo"]


def test_the_last_agent_with_rules_cannot_be_dropped(store):
    store.add("BTCUSDT", "1m", "model")
    store.drop("BTCUSDT|demo")
    with pytest.raises(BadInput, match="the last agent that follows rules: pause it"):
        store.drop("ETHUSDT|demo")


@pytest.mark.parametrize(("wanted", "words"), [
    (("BTCUSDT", "1m", "demo"), "demo is on BTCUSDT already"),
    (("XRPUSDT", "1m", "demo"), "not among this cockpit's symbols"),
    (("BTCUSDT", "1h", "demo"), "decides on 1m bars, not 1h"),
    (("BTCUSDT", "1m", "../../etc/passwd"), "is not allowed"),
    (("BTCUSDT", "1m", "a/.."), "is not allowed"),
    (("BTCUSDT", "1m", ""), "is not allowed"),
])
def test_an_agent_that_does_not_fit_is_refused_and_nothing_is_lost(store, wanted, words):
    store.pause("BTCUSDT|demo", True)
    before = store.path.read_bytes()
    with pytest.raises(BadInput, match=words):
        store.add(*wanted)
    assert store.path.read_bytes() == before


@pytest.mark.parametrize("text", [
    "{", "[]", '{"version": 2}', '{"version": 1, "agents": 3}', '{"version": 1, "agents": [{"symbol": 3}]}',
    '{"version": 1, "agents": [{"symbol": "A", "timeframe": "1m", "strategy": "demo", "paused": "no"}]}',
    '{"version": 1, "paused": "BTCUSDT|demo"}', '{"version": 1, "paused": [3]}',
    '{"version": 1, "mother": {"alpha": -1}}', '{"version": 1, "mother": {"alpha": "1"}}',
    '{"version": 1, "mother": {"top_n": 1.5}}', '{"version": 1, "mother": {"gamma": 1}}', "\udc00",
])
def test_a_broken_file_is_named_and_left_alone(store, text):
    store.path.write_bytes(text.encode("utf-8", "surrogatepass"))
    before = store.path.read_bytes()
    with pytest.raises(BadInput, match=r"agents\.json"):
        store.read()
    with pytest.raises(BadInput, match=r"agents\.json"):
        store.add("BTCUSDT", "1m", "sma-cross")
    assert store.path.read_bytes() == before


def test_an_unknown_agent_is_refused_with_those_that_there_are(store):
    with pytest.raises(BadInput, match=r"no agent 'X\|y'; there are BTCUSDT\|demo"):
        store.pause("X|y", True)


def test_one_agent_that_cannot_run_does_not_hide_the_others(store, tmp_path):
    store.add("BTCUSDT", "1m", "no-such-thing")
    crew = crew_of(store, tmp_path)
    assert [agent.key for agent, _ in crew.engaged.rules] == ["BTCUSDT|demo", "ETHUSDT|demo"]
    assert "no-such-thing" in crew.engaged.errors["BTCUSDT|no-such-thing"]


def test_paused_agents_are_told_to_the_engine_by_symbol_and_name(store, tmp_path):
    store.add("BTCUSDT", "1m", "model")
    store.pause("BTCUSDT|model", True)
    store.pause("ETHUSDT|demo", True)
    assert crew_of(store, tmp_path).paused == {("BTCUSDT", "model"): PAUSED, ("ETHUSDT", "demo"): PAUSED,
                                               ("ETHUSDT", "model"): UNLISTED}


def setup_of(seeds=(1, 2)):
    candles = {symbol: random_candles(3_000, seed, symbol) for seed, symbol in zip(seeds, SYMBOLS, strict=True)}
    profile = replace(PROFILES[1], max_drawdown_rate=0.9, daily_loss_rate=0.9)
    return Setup({s: fine(s) for s in SYMBOLS}, 10**12, costs_of(CostSettings()), profile), candles


def test_the_threshold_is_learnt_from_the_bars_before_the_start(store, tmp_path):
    setup, candles = setup_of()
    store.set_mother(MotherConfig(ranks=True))
    crew = ranked(crew_of(store, tmp_path), setup, candles.__getitem__)
    assert crew.threshold.n > 100
    assert crew.threshold.min_score is None, "costs eat a random walk"
    assert crew.ranking.min_score == inf


def test_the_threshold_says_whom_it_was_learnt_without(store, tmp_path):
    setup, candles = setup_of()
    store.set_mother(MotherConfig(ranks=True))
    alone = ranked(crew_of(store, tmp_path), setup, candles.__getitem__).threshold
    assert alone.words.endswith("; learnt without the votes of models")
    store.add("BTCUSDT", "1m", "sma-cross")
    both = ranked(crew_of(store, tmp_path), setup, candles.__getitem__).threshold
    assert both.n == alone.n
    assert both.words.endswith("of models and without SMA cross on BTCUSDT: it takes one agent a symbol")
    store.pause("BTCUSDT|demo", True)
    speaking = ranked(crew_of(store, tmp_path), setup, candles.__getitem__).threshold
    assert speaking.n != alone.n and "without demo on BTCUSDT" in speaking.words


def test_a_threshold_at_a_venue_is_learnt_from_its_own_prices(store, tmp_path):
    _, candles = setup_of()
    store.set_mother(MotherConfig(ranks=True))
    settings = load_settings(data_dir=tmp_path, assets=SYMBOLS)
    for each in candles.values():
        CandleStore(tmp_path / "candles-testnet").append(each)
    feed = SimpleNamespace(symbols=SYMBOLS, badge="TESTNET", interval="1m", specs=lambda: {s: fine(s) for s in SYMBOLS})
    account = SimpleNamespace(name="live-testnet", environment=environment_of("testnet", ""))
    crew = crew_of(store, tmp_path)
    assert ranked_crew(crew, settings, feed, (PROFILES[1], account)).threshold.n > 0
    assert ranked_crew(crew, settings, feed, (PROFILES[1], None)).threshold.n == 0


def test_a_fixed_threshold_is_taken_as_it_is(store, tmp_path):
    setup, _ = setup_of()
    store.set_mother(MotherConfig(ranks=True, min_score=0.6, top_n=2, alpha=0.5, beta=0.5))
    crew = ranked(crew_of(store, tmp_path), setup, lambda symbol: pytest.fail("no bars are needed"))
    assert (crew.ranking.top_n, crew.ranking.min_score, crew.ranking.mother.weights.alpha) == (2, 0.6, 0.5)


def test_mother_ai_ranks_only_when_asked_to(store, tmp_path):
    setup, candles = setup_of()
    assert ranked(crew_of(store, tmp_path), setup, candles.__getitem__).ranking is None


@pytest.mark.parametrize("least", [None, 0.55])
def test_a_ranking_survives_the_record_of_a_start(least):
    ranking = ranking_by(MotherConfig(ranks=True, top_n=3, alpha=0.7, max_correlation=0.8), least)
    assert ranking_from(json.loads(json.dumps(ranking_document(ranking), allow_nan=False))) == ranking


def test_a_record_names_the_rules_of_each_agent_once_somebody_chose_them(store, tmp_path):
    assert crew_document(crew_of(store, tmp_path)) == {}
    store.add("BTCUSDT", "1m", "sma-cross")
    document = crew_document(crew_of(store, tmp_path))
    assert [(agent["symbol"], agent["rules"]["name"]) for agent in document["agents"]] == [
        ("BTCUSDT", "demo"), ("ETHUSDT", "demo"), ("BTCUSDT", "SMA cross")]


def test_the_record_of_a_start_without_agents_can_be_replayed(store, tmp_path):
    store.path.write_text('{"version": 1, "agents": []}')
    document = json.loads(json.dumps(crew_document(crew_of(store, tmp_path))))
    assert document["agents"] == [] and ranking_from(document["ranking"]) == UNRANKED
    setup, candles = setup_of()
    rules = Rules((), setup.profile, setup.costs, ranking_from(document["ranking"]))
    scene = Scene(setup.specs, setup.capital_units, [(0, rules)], (), frozenset(), {})
    earlier = [each[:300] for each in candles.values()]
    course = play(scene, earlier, [each[300:600] for each in candles.values()], PaperBroker)
    assert course.fills == []


def test_agents_equal_in_symbol_and_name_are_not_mixed_up(store, tmp_path):
    body = {"version": 1, "agents": [vars_of("demo"), vars_of("demo")]}
    store.path.write_text(json.dumps(body))
    assert "is called 'demo' too" in next(iter(crew_of(store, tmp_path).engaged.errors.values()))


def vars_of(strategy):
    agent = AgentConfig("BTCUSDT", "1m", strategy)
    return {"symbol": agent.symbol, "timeframe": agent.timeframe, "strategy": agent.strategy}


@pytest.mark.parametrize(("text", "words"), [
    ('"agents": [{"symbol": "BTCUSDT", "timeframe": "1m", "strategy": "demo", "paused": "yes"}]',
     r"agents\[0\].paused: 'yes' is not allowed; use true or false"),
    ('"agents": [{"symbol": "BTCUSDT", "timeframe": "1m", "strategy": "demo", "size": 1}]',
     r"agents\[0\].size is not known"),
    ('"mother": {"alpha": 0, "beta": 0}', "mother.alpha and mother.beta are both 0; one of them must be above 0;"),
    ('"mother": {"alpha": -1}', "mother.alpha: -1 is not allowed; use a number from 0 to 1"),
    ('"mother": {"beta": 1e308}', r"mother.beta: 1e\+308 is not allowed; use a number from 0 to 1"),
    ('"mother": {"alpha": null}', "mother.alpha: no number was given; use one from 0 to 1"),
    ('"mother": {"top_n": 1.5}', "mother.top_n: 1.5 is not allowed; use a whole number"),
    ('"mother": {"ranks": "yes"}', "mother.ranks: 'yes' is not allowed; use true or false")])
def test_the_one_that_is_wrong_is_named_with_what_is_allowed(store, text, words):
    store.path.write_text(f'{{"version": 1, {text}}}')
    with pytest.raises(BadInput, match=words):
        store.read()


def test_a_file_that_cannot_be_read_is_set_aside_and_nothing_is_lost(store):
    for n, broken in enumerate(("{", "[")):
        store.path.write_text(broken)
        name = store.follow_cockpit()
        assert name == ("agents.json.broken" if n == 0 else "agents.json.broken-1")
        assert store.path.with_name(name).read_text() == broken and not store.read().is_own
    assert store.follow_cockpit() == ""


def test_risk_settings_are_compared_with_the_profile_filled_in(store, tmp_path):
    shelf = stored_strategies(tmp_path)
    for name, stop in (("same", PROFILES[1].stop_atr), ("wider", 4.0)):
        shelf.save("BTCUSDT", name, {
            "version": 2, "name": name, "symbols": ["BTCUSDT"], "entry": {"left": "rsi_14", "op": "<", "right": 30},
            "exit": {"left": "rsi_14", "op": ">", "right": 60}, "risk": {"stop_atr": stop}}, 0)
        store.add("BTCUSDT", "1m", f"BTCUSDT/{name}")
    errors = crew_of(store, tmp_path, profile=PROFILES[1]).engaged.errors
    assert list(errors) == ["BTCUSDT|BTCUSDT/wider"]
    assert "stop_atr is 4 here and 2 (the profile's) there" in errors["BTCUSDT|BTCUSDT/wider"]
    assert len(crew_of(store, tmp_path, profile=PROFILES[2]).engaged.errors) == 2, "other profile, other stop"
