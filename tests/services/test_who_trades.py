"""Who decides who trades: the cockpit's strategy, a list of agents, or, in a replay, neither of the page's switches."""

import json

import pytest

import main as root
from services.agents.compose import agent_service
from services.agents.muting import PAUSED, UNLISTED
from services.agents.naming import tell_when_armed
from services.running import open_account
from services.settings import load_settings
from services.strategies import stored_strategies
from storage.database import Database
from tests.services.cockpits import whole_cockpit
from tests.services.test_takeover import FAST, use, with_takeover
from trading.agents.desk import SignalDesk
from trading.agents.quality import signal_quality
from trading.domain import Action, Signal
from trading.errors import AgentsUnreadable, BadInput
from trading.events import CommandAnswered
from trading.feeds.replay import ReplayFeed

BTC = "BTCUSDT|demo"


def settings_of(folder, **changes):
    return load_settings(**({"data_dir": folder, "feed": "sim", "profile": "Aggressive"} | changes))


def service_of(whole, folder):
    return agent_service(settings_of(folder), whole.cockpit)


def write(folder, *strategies, symbol="BTCUSDT", **more):
    agents = [{"symbol": symbol, "timeframe": "1m", "strategy": name} for name in strategies]
    (folder / "agents.json").write_text(json.dumps({"version": 1, "agents": agents, **more}))


def said(whole, symbol, source):
    """Return what a source said, by the reasons that were recorded."""
    return [signal.reason for d in whole.cockpit.history.decisions(5_000) if d.symbol == symbol
            for signal in d.signals if signal.source == source]


class Model:
    """Votes to buy on every bar."""

    name, is_silent, quality = "model", False, signal_quality(0, 0)

    def __init__(self, symbol):
        self.symbol = symbol

    def warm_up(self, candles):
        """Nothing to learn."""

    def on_candle(self, candle):
        return Signal(self.symbol, candle.close_time, "model", Action.BUY, 0.6, "it will rise")


def with_models(whole):
    """Let a model vote on each symbol, as after an appointment."""
    engine, paused = whole.engine, whole.engine.agents.paused
    rules = [agent for agent in engine.agents.agents if agent.name != "model"]
    engine.agents = SignalDesk([*rules, *(Model(symbol) for symbol in whole.cockpit.crew.store.symbols)])
    engine.agents.paused = paused


def test_a_dropped_model_is_silent_now_and_after_the_next_start(tmp_path):
    with whole_cockpit(tmp_path, 20) as whole:
        with_models(whole)
        service = service_of(whole, tmp_path)
        assert "BTCUSDT|model" in [view.config.key for view in service.view().agents]
        service.pause("BTCUSDT|model", True)
        service.drop("BTCUSDT|model")
        states = {view.config.key: view.state for view in service.view().agents}
        assert states["BTCUSDT|model"] == "unlisted" and states["ETHUSDT|model"] in ("running", "silent")
        whole.start()
        whole.trade()
        assert set(said(whole, "BTCUSDT", "model")) == {f"abstains: {UNLISTED}"}
        assert set(said(whole, "ETHUSDT", "model")) == {"it will rise"}
        assert "model" not in {t.opened_by for t in whole.cockpit.history.trades() if t.symbol == "BTCUSDT"}
    with whole_cockpit(tmp_path, 10) as whole:
        assert whole.engine.agents.paused["BTCUSDT", "model"] == UNLISTED
        assert ("ETHUSDT", "model") not in whole.engine.agents.paused


def test_an_added_model_speaks_from_the_next_bar_on(tmp_path):
    write(tmp_path, "demo")
    with whole_cockpit(tmp_path, 10) as whole:
        with_models(whole)
        service = service_of(whole, tmp_path)
        whole.trade()
        assert set(said(whole, "BTCUSDT", "model")) == {f"abstains: {UNLISTED}"}
        service.add("BTCUSDT", "1m", "model")
        assert ("BTCUSDT", "model") not in whole.engine.agents.paused
        whole.feed.n_bars = 10
        whole.trade()
        assert "it will rise" in said(whole, "BTCUSDT", "model")


def test_a_strategy_that_is_named_beside_a_list_of_agents_is_refused(tmp_path):
    write(tmp_path, "demo")
    with whole_cockpit(tmp_path, 10) as whole, pytest.raises(BadInput, match=r"sma-cross .* and .*agents.json both"):
        root.compose(settings_of(tmp_path, strategy="sma-cross"), whole.feed, whole.database, None)


def test_a_list_of_agents_is_named_at_the_start_and_when_orders_are_let_out(tmp_path, capsys):
    write(tmp_path, "demo", "sma-cross")
    with whole_cockpit(tmp_path, 10) as whole:
        assert "agents.json decides who trades: demo on BTCUSDT, sma-cross on BTCUSDT" in capsys.readouterr().err
        tell_when_armed(whole.engine)
        whole.engine.bus.handle(CommandAnswered("n", "arm", False, "no"))
        assert not [line for line in whole.engine.journal.recent if line.kind == "AGENTS"]
        whole.engine.bus.handle(CommandAnswered("n", "arm", True, "yes"))
        (line,) = [line for line in whole.engine.journal.recent if line.kind == "AGENTS"]
        assert line.text == "armed: demo on BTCUSDT, SMA cross on BTCUSDT may buy"


def test_an_agent_with_other_risk_settings_is_refused_and_the_field_is_named(tmp_path):
    stored_strategies(tmp_path).save("BTCUSDT", "fast", FAST, 0)
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        with pytest.raises(BadInput, match=r"stop_atr is 3.5 here and 2.5 \(the profile's\) there"):
            service.add("BTCUSDT", "1m", "BTCUSDT/fast")
        with pytest.raises(BadInput, match="rank differs"):
            service.add("BTCUSDT", "1m", "momentum-rotation")
        assert not (tmp_path / "agents.json").exists()
    write(tmp_path, "demo", "BTCUSDT/fast")
    with whole_cockpit(tmp_path, 10) as whole:
        states = {view.config.key: view.state for view in service_of(whole, tmp_path).view().agents}
        assert states == {BTC: "running", "BTCUSDT|BTCUSDT/fast": "failed"}


@pytest.mark.parametrize("strategies", [("lost",), ()])
def test_a_list_that_cannot_run_does_not_keep_positions_from_being_managed(tmp_path, capsys, strategies):
    with whole_cockpit(tmp_path, 20) as whole:
        whole.start()
        for _ in range(100):
            whole.trade()
            if whole.engine.portfolio.open_symbols():
                break
        held = whole.engine.portfolio.open_symbols()
        assert held
    write(tmp_path, *strategies)
    with whole_cockpit(tmp_path, 3_000) as whole:
        assert "No agent that follows rules can run" in capsys.readouterr().err
        view = service_of(whole, tmp_path).view()
        assert any("No agent that follows rules can run" in notice for notice in view.notices)
        assert whole.cockpit.document["strategy"]["name"] == "no agent" and whole.cockpit.document["agents"] == []
        whole.start()
        whole.trade()
        assert not whole.engine.portfolio.open_symbols(), "stop and target end what is held"
        sold = {trade.symbol for trade in whole.cockpit.history.trades(len(held))}
        assert sold == set(held)


def test_a_file_that_cannot_be_read_lets_nobody_trade_and_says_so(tmp_path, capsys):
    (tmp_path / "agents.json").write_text("{")
    with whole_cockpit(tmp_path, 10) as whole:
        assert "correct or remove it" in capsys.readouterr().err
        assert set(whole.engine.agents.paused.values()) == {UNLISTED}
        assert {agent.name for agent in whole.engine.agents.agents} == {"model"}
        with pytest.raises(BadInput, match=r"correct or remove it.* rules buy nothing"):
            service_of(whole, tmp_path).view()
    assert (tmp_path / "agents.json").read_text() == "{"


def test_what_is_taken_out_of_the_file_by_hand_is_shown_as_what_still_trades(tmp_path):
    write(tmp_path, "demo", "sma-cross")
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        write(tmp_path, "demo")
        assert {view.config.strategy: view.state for view in service.view().agents} == {
            "demo": "running", "sma-cross": "leaving"}
        service.pause(BTC, True)
        assert {view.config.strategy: view.state for view in service.view().agents} == {
            "demo": "paused", "sma-cross": "going"}


def test_a_replay_neither_obeys_nor_changes_the_list(tmp_path):
    write(tmp_path, "lost", symbol="XRPUSDT")
    before = (tmp_path / "agents.json").read_bytes()
    with whole_cockpit(tmp_path, 10) as whole:
        candles, specs = whole.feed.history("ETHUSDT", None)[:300], whole.feed.specs()
    database = Database(tmp_path / "replay.db")
    database.open()
    try:
        feed = ReplayFeed([candles], {"ETHUSDT": specs["ETHUSDT"]}, 0.0)
        settings = settings_of(tmp_path, strategy="sma-cross")
        cockpit = root.compose(settings, feed, database, None)
        open_account(cockpit)
        service = agent_service(settings, cockpit)
        (seen,) = service.view().agents
        assert (seen.config.key, seen.state, seen.name) == ("ETHUSDT|sma-cross", "running", "SMA cross")
        assert "candles and settings alone" in service.view().notices[0] and not service.view().needs_restart
        for refused in (lambda: service.add("ETHUSDT", "1m", "demo"), lambda: service.pause(seen.config.key, True),
                        lambda: service.drop(seen.config.key), lambda: service.set_mother({"ranks": True}),
                        service.follow_cockpit):
            with pytest.raises(BadInput, match="candles and settings alone"):
                refused()
        assert cockpit.engine.agents.paused == {}
    finally:
        database.close()
    assert (tmp_path / "agents.json").read_bytes() == before


def test_pausing_and_mother_ai_leave_put_on_paper_as_it_is(tmp_path):
    stored_strategies(tmp_path).save("BTCUSDT", "fast", FAST, 0)
    with whole_cockpit(tmp_path, 200) as whole:
        takeover, service = with_takeover(whole, tmp_path), service_of(whole, tmp_path)
        service.pause(BTC, True)
        service.set_mother({"alpha": 0.5})
        assert not service.view().is_own
        assert use(whole, "BTCUSDT/fast").accepted and takeover.running == "BTCUSDT/fast"
        states = {view.config.key: view.state for view in service.view().agents}
        assert states["BTCUSDT|BTCUSDT/fast"] == "running" and BTC not in states
        service.pause("BTCUSDT|BTCUSDT/fast", True)
        assert whole.engine.agents.paused == {("BTCUSDT", "Fast dips"): PAUSED}
        use(whole, "demo")
        assert whole.engine.agents.paused == {}, "the new one was not paused"
    with whole_cockpit(tmp_path, 10) as whole:
        assert whole.cockpit.crew.roster.mother.alpha == 0.5


def test_a_list_of_agents_can_be_given_up_again(tmp_path):
    stored_strategies(tmp_path).save("BTCUSDT", "fast", FAST, 0)
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.drop(BTC)
        assert service.view().is_own
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        assert "Follow the cockpit" in use_refused(whole, tmp_path)
        service.follow_cockpit()
        assert not service.view().is_own and service.view().needs_restart
        states = {view.config.symbol: view.state for view in service.view().agents}
        assert states == {"BTCUSDT": "waiting", "ETHUSDT": "running", "SOLUSDT": "running", "BNBUSDT": "running"}
    with whole_cockpit(tmp_path, 10) as whole:
        takeover = with_takeover(whole, tmp_path)
        assert use(whole, "BTCUSDT/fast").accepted and takeover.running == "BTCUSDT/fast"


def use_refused(whole, folder) -> str:
    with_takeover(whole, folder)
    answered = use(whole, "BTCUSDT/any")
    assert not answered.accepted
    return answered.detail


def test_mother_ai_is_named_where_she_keeps_a_strategy_from_being_put_on_paper(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service_of(whole, tmp_path).set_mother({"ranks": True, "min_score": 0.3})
    with whole_cockpit(tmp_path, 10) as whole:
        assert "Mother AI ranks this session" in use_refused(whole, tmp_path)


def test_what_the_form_of_mother_ai_does_not_show_stays(tmp_path):
    write(tmp_path, "demo", mother={"max_correlation": 0.4, "top_n": 3})
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.set_mother({"ranks": True, "top_n": 2})
        mother = service.view().mother
        assert (mother.ranks, mother.top_n, mother.max_correlation) == (True, 2, 0.4)


def test_what_trades_is_what_is_marked(tmp_path):
    stored_strategies(tmp_path).save("BTCUSDT", "calm", FAST | {"risk": {}}, 0)
    write(tmp_path, "BTCUSDT/calm", "sma-cross")
    with whole_cockpit(tmp_path, 10) as whole:
        takeover, service = with_takeover(whole, tmp_path), service_of(whole, tmp_path)
        assert set(takeover.speaking()) == {"BTCUSDT/calm", "sma-cross"}
        service.pause("BTCUSDT|BTCUSDT/calm", True)
        assert set(takeover.speaking()) == {"sma-cross"}


def test_a_rehearsal_of_a_named_strategy_trades_that_strategy(tmp_path):
    write(tmp_path, "demo")
    with whole_cockpit(tmp_path, 10) as whole:
        from services.agents.compose import crew_for, has_own_roster

        there = replace_venue(settings_of(tmp_path, strategy="sma-cross"))
        assert has_own_roster(there)
        crew = crew_for(there, whole.feed, ("BTCUSDT",))
        assert [rules.name for _, rules in crew.engaged.rules] == ["SMA cross"] and crew.paused == {}
        with pytest.raises(BadInput, match="rehearsal"):
            crew.store.pause(BTC, True)


def replace_venue(settings):
    return settings.model_copy(update={"venue": "rehearsal"})


def test_an_agent_that_is_added_again_after_a_drop_speaks_at_once(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        service.drop(BTC)
        assert ("BTCUSDT", "demo") in whole.engine.agents.paused
        assert service.is_asked(service.add("BTCUSDT", "1m", "demo"))
        assert ("BTCUSDT", "demo") not in whole.engine.agents.paused
        assert not service.is_asked(service.add("BTCUSDT", "1m", "sma-cross"))


def test_a_list_that_is_broken_while_the_cockpit_runs_is_told_by_its_own_kind_of_error(tmp_path):
    with whole_cockpit(tmp_path, 10) as whole:
        service = service_of(whole, tmp_path)
        (tmp_path / "agents.json").write_text("{")
        for ask in (service.view, service.predictions, service.decide):
            with pytest.raises(AgentsUnreadable, match=r"agents.json: .*correct or remove it"):
                ask()
        assert service.follow_cockpit() == "agents.json.broken" and service.view().agents
