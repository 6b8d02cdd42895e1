"""Clicks on the page "Agents": one service call each, and the answer in words."""

import asyncio

import pytest
from dash import no_update

from callbacks import agents
from layouts import ids
from tests.fakes.fake_agents import FakeAgents
from tests.fakes.fake_services import FakeWorld
from tests.layouts.test_live_cards import texts
from trading.domain.agents import MotherConfig


@pytest.fixture
def world():
    return FakeWorld(agents=FakeAgents())


def words(patch) -> str:
    return str(patch.to_plotly_json())


def test_pause_resume_and_drop_reach_the_service(world):
    for act in ("pause", "resume", "drop"):
        asyncio.run(agents.on_act(world.services, act, "BTCUSDT|demo"))
    assert world.agents.asked == [("pause", ("BTCUSDT|demo", True)), ("pause", ("BTCUSDT|demo", False)),
                                  ("drop", "BTCUSDT|demo")]


def test_a_refused_drop_is_said(world):
    for key in list(world.agents.agents)[1:]:
        world.agents.agents.pop(key)
    told = asyncio.run(agents.on_act(world.services, "drop", next(iter(world.agents.agents))))
    assert "the last agent that follows rules" in words(told)


def test_an_agent_that_does_not_fit_is_refused_beside_the_form(world):
    shown, error = asyncio.run(agents.on_add(world.services, "BTCUSDT", "1m", "demo"))
    assert shown is no_update and error == "demo is on BTCUSDT already"
    shown, error = asyncio.run(agents.on_add(world.services, "BTCUSDT", "1m", "sma-cross"))
    assert "from the next start on" in words(shown) and error == ""


def test_how_mother_ai_ranks_is_kept(world):
    world.agents.mother = MotherConfig(max_correlation=0.4)
    asyncio.run(agents.on_save(world.services, True, (0.5, 0.5, 2, None)))
    assert world.agents.mother == MotherConfig(True, 0.5, 0.5, 2, None, 0.4)


def test_the_list_can_be_given_up(world):
    world.agents.is_own = True
    assert "Follow the cockpit" in texts(agents.page(world.services, {}))
    told = asyncio.run(agents.on_act(world.services, "follow", ""))
    assert world.agents.asked == [("follow", None)] and "cockpit's strategy decides" in words(told)
    assert "Follow the cockpit" not in texts(agents.page(world.services, {}))


def test_what_must_be_known_stands_above_the_agents(world):
    world.agents.notices = ("nobody trades",)
    assert "nobody trades" in texts(agents.page(world.services, {}))


def test_a_tick_tells_what_is_new(world):
    found = asyncio.run(agents.on_tick(world.services, {}))
    assert (ids.AG_CARDS, "children") in found
    assert asyncio.run(agents.on_tick(world.services, found[ids.AG_SEEN, "data"])) == {}


def test_a_broken_roster_is_said_in_the_place_of_the_page(world):
    world.agents.broken = "agents.json: Expecting value: line 1; correct or remove it"
    assert "correct or remove it" in texts(agents.page(world.services, {}))


def test_a_broken_roster_has_a_way_out_by_click(world):
    world.agents.broken = "agents.json: Expecting value: line 1; correct or remove it"
    assert "Follow the cockpit" in texts(agents.page(world.services, {}))
    told = words(asyncio.run(agents.on_act(world.services, "follow", "")))
    assert "could not be read" in told and "stays paused" not in told
    assert "kept as agents.json.broken" in told and "Open this page again" in told
    assert "cannot be read" not in texts(agents.page(world.services, {}))


def test_an_agent_that_was_dropped_and_is_added_again_has_its_say_at_once(world):
    asyncio.run(agents.on_act(world.services, "drop", "BTCUSDT|demo"))
    shown, _ = asyncio.run(agents.on_add(world.services, "BTCUSDT", "1m", "demo"))
    assert "again from its next bar on" in words(shown) and "next start" not in words(shown)
