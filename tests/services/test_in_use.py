"""A strategy that is in use: not deleted, traded in the version that was put on paper, never replaced by the demo."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from layouts import signals
from services.agents.compose import NOBODY, agent_service
from services.settings import load_settings
from services.strategies import stored_strategies
from services.strategies.compose import strategy_workshop
from services.strategies.takeover import choice_name
from services.strategies.using import Using
from tests.fakes.fake_services import FakeWorld
from tests.services.cockpits import whole_cockpit
from tests.services.test_takeover import FAST, use, with_takeover
from trading.errors import StrategyInUse

REF = "BTCUSDT/fast"
SLOW = FAST | {"entry": {"left": "rsi_5", "op": "<", "right": 10}}


@pytest.fixture
def folder(tmp_path):
    stored_strategies(tmp_path).save("BTCUSDT", "fast", FAST, 0)
    return tmp_path


@contextmanager
def cockpit_with_workshop(folder, n_bars=10):
    with whole_cockpit(folder, n_bars) as whole:
        takeover = with_takeover(whole, folder)
        settings = load_settings(data_dir=folder, feed="sim", profile="Aggressive")
        using = Using(takeover, whole.cockpit, whole.database, stored_strategies(folder))
        yield whole, takeover, strategy_workshop(settings, None, using, whole.portfolio, None)


def on_paper(folder):
    with cockpit_with_workshop(folder) as (whole, _, _):
        assert use(whole, REF).accepted


def rules_of(whole):
    return [agent.strategy for agent in whole.engine.agents.agents if hasattr(agent, "strategy")]


def test_what_trades_is_not_deleted_until_another_one_is_in_place(folder):
    with cockpit_with_workshop(folder) as (whole, _, workshop):
        use(whole, REF)
        with pytest.raises(StrategyInUse, match=f"{REF} was not deleted: .*put another strategy on paper first"):
            workshop.delete("BTCUSDT", "fast")
        use(whole, "demo")
        assert workshop.delete("BTCUSDT", "fast").is_deleted


def test_what_a_paused_agent_follows_is_not_deleted_either(folder):
    on_paper(folder)
    with cockpit_with_workshop(folder) as (whole, _, workshop):
        service = agent_service(load_settings(data_dir=folder, feed="sim"), whole.cockpit)
        for agent in service.view().agents:
            service.pause(agent.config.key, True)
        with pytest.raises(StrategyInUse, match="the next start goes on with it"):
            workshop.delete("BTCUSDT", "fast")


def test_what_a_list_of_agents_names_is_dropped_there_before_it_is_deleted(folder):
    stored_strategies(folder).save("BTCUSDT", "calm", FAST | {"risk": {}}, 0)
    with cockpit_with_workshop(folder) as (whole, _, workshop):
        whole.cockpit.crew.store.add("BTCUSDT", "1m", "calm")
        with pytest.raises(StrategyInUse, match="the page Agents has it"):
            workshop.delete("BTCUSDT", "calm")
        whole.cockpit.crew.store.drop("BTCUSDT|calm")
        assert workshop.delete("BTCUSDT", "calm").is_deleted


@pytest.mark.parametrize("damage", ["deleted", "gone with its versions", "other bars"])
def test_where_the_strategy_on_paper_cannot_be_used_nobody_trades_and_it_is_said(folder, damage, capsys):
    on_paper(folder)
    store = stored_strategies(folder)
    if damage == "deleted":
        store.delete("BTCUSDT", "fast")
    elif damage == "other bars":
        store.save("BTCUSDT", "fast", FAST | {"timeframe": "1h"}, 1)
    else:
        for path in sorted((folder / "strategies" / "BTCUSDT").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    with cockpit_with_workshop(folder, 300) as (whole, _, _):
        if damage == "other bars":
            whole.database.remember(choice_name(whole.cockpit.recorder.account), REF + "@2")
    capsys.readouterr()
    with cockpit_with_workshop(folder, 300) as (whole, takeover, _):
        assert f"{REF}, which was put on paper, " in capsys.readouterr().err
        whole.start()
        whole.trade()
        assert not rules_of(whole) and not whole.cockpit.history.trades() and not whole.portfolio.view().trades
        assert not whole.engine.portfolio.open_symbols()
        assert any("no strategy trades until then" in line.text for line in whole.cockpit.history.lines(None))
        view = agent_service(load_settings(data_dir=folder, feed="sim"), whole.cockpit).view()
        assert {agent.state for agent in view.agents} == {"failed"} and REF in view.notices[0]
        assert use(whole, "demo").accepted and takeover.running == "demo"
        assert {rules.name for rules in rules_of(whole)} == {"demo"}


def test_a_start_goes_on_with_the_version_that_was_put_on_paper(folder, capsys):
    with cockpit_with_workshop(folder) as (whole, _, workshop):
        use(whole, REF)
        assert not workshop.pending("BTCUSDT", "fast")
        workshop.save("BTCUSDT", "fast", SLOW, 1)
        assert "v2 is saved, v1 trades: put it on paper" in workshop.pending("BTCUSDT", "fast")
        assert [line.is_running for line in workshop.history("BTCUSDT", "fast")] == [False, True]
    with cockpit_with_workshop(folder) as (whole, takeover, workshop):
        assert "BTCUSDT/fast: v2 is saved, v1 trades" in capsys.readouterr().err
        assert (whole.cockpit.strategy, takeover.version) == (REF, 1)
        assert workshop.shelf().own[0].note == workshop.pending("BTCUSDT", "fast") != ""
        before = rules_of(whole)[0]
        assert use(whole, REF).accepted and takeover.version == 2
        assert rules_of(whole)[0] != before and not workshop.pending("BTCUSDT", "fast")
    with cockpit_with_workshop(folder) as (whole, takeover, _):
        assert takeover.version == 2 and rules_of(whole)[0] != before


def test_a_newer_version_that_cannot_be_read_leaves_the_one_on_paper(folder):
    on_paper(folder)
    (folder / "strategies" / "BTCUSDT" / "fast.json").write_text("{")
    with cockpit_with_workshop(folder) as (whole, takeover, _):
        assert {rules.name for rules in rules_of(whole)} == {"Fast dips"} and takeover.version == 1


def test_a_choice_from_before_versions_were_noted_is_noted_with_its_newest(folder):
    with cockpit_with_workshop(folder) as (whole, _, _):
        name = choice_name(whole.cockpit.recorder.account)
        whole.database.remember(name, REF)
    with cockpit_with_workshop(folder) as (whole, takeover, _):
        assert whole.database.recall(name) == f"{REF}@1" and takeover.version == 1


def test_an_agent_of_a_list_says_beforehand_and_at_the_start_that_its_version_changes(folder, capsys):
    stored_strategies(folder).save("BTCUSDT", "calm", FAST | {"risk": {}}, 0)
    with cockpit_with_workshop(folder) as (whole, _, _):
        whole.cockpit.crew.store.add("BTCUSDT", "1m", "BTCUSDT/calm")
    with cockpit_with_workshop(folder) as (_, _, workshop):
        workshop.save("BTCUSDT", "calm", SLOW | {"risk": {}}, 1)
        assert workshop.pending("BTCUSDT", "calm").endswith("v2 trades from the next start on")
    capsys.readouterr()
    with cockpit_with_workshop(folder) as (whole, _, _):
        words = "BTCUSDT/calm trades in v2 from this start on, it was v1 at the last one"
        assert words in capsys.readouterr().err
        assert any(words in line.text for line in whole.engine.journal.recent)
        assert words in agent_service(load_settings(data_dir=folder, feed="sim"), whole.cockpit).view().notices


def test_the_cockpit_says_that_nobody_trades():
    view = FakeWorld().services.portfolio.view()
    idle = replace(view, signals=(), session=replace(view.session, strategy=NOBODY))
    assert "No strategy trades" in str(signals.card(idle)) and "No strategy trades" not in str(signals.card(view))
