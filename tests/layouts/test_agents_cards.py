"""What the page "Agents" says of each agent and of Mother AI, also while nothing has happened and when it is broken."""

from dataclasses import replace

import pytest

from layouts import ids
from layouts.agents import cards, mother
from layouts.agents import page as layout
from tests.fakes.fake_agents import SYMBOLS, FakeAgents, agent_view
from tests.layouts.test_live_cards import texts
from trading.domain.agents import MotherChoice


def ids_of(component) -> list:
    """Every id below a component."""
    if isinstance(component, list | tuple):
        return [found for each in component for found in ids_of(each)]
    own = getattr(component, "id", None)
    return ([own] if own is not None else []) + ids_of(getattr(component, "children", None) or [])


def test_a_card_says_what_the_agent_says_its_record_and_its_light():
    said = texts(cards.grid((agent_view(0, "BTCUSDT"),)))
    for words in ("BTC/USDT", "BUY", "confidence 42.0 %", "Entry", "Target", "Stop", "42.9 % of 14", "45.8 %",
                  "RSI 28.4 < 30", "green", "Within the band", "Pause", "Drop", "55 of 120"):
        assert words in said, words


def test_an_agent_without_trades_has_no_raw_rate_and_a_shrunk_one():
    said = texts(cards.grid((agent_view(3, "BTCUSDT"),)))
    assert "no trade yet" in said and "50.0 %" in said


@pytest.mark.parametrize("state", cards.STATES)
def test_every_state_has_its_word(state):
    said = texts(cards.grid((replace(agent_view(1, "ETHUSDT"), state=state),)))
    assert cards.STATES[state][0] in said


def test_a_failed_agent_says_why_in_its_place_and_the_others_are_drawn():
    failed = replace(agent_view(1, "ETHUSDT"), state="failed", reason="'lost' is neither a file nor a strategy",
                     prediction=None)
    drawn = cards.grid((failed, agent_view(0, "BTCUSDT")))
    assert "neither a file" in texts(drawn[0]) and "BUY" in texts(drawn[1])


def test_a_paused_agent_can_be_resumed_and_a_dropped_one_has_no_buttons():
    view = agent_view(0, "BTCUSDT")
    paused = replace(view, config=replace(view.config, paused=True), state="paused")
    assert ids.agent_act("resume", "BTCUSDT|demo") in ids_of(cards.grid((paused,)))
    assert ids_of(cards.grid((replace(view, state="going"),))) == []


def test_the_ranking_is_by_score_and_says_who_would_be_chosen():
    view = FakeAgents().view()
    said = texts(mother.ranking(view))
    scores = [f"{agent.score:.3f}" for agent in sorted(view.agents, key=lambda agent: -agent.score)]
    assert [said.index(score) for score in scores] == sorted(said.index(score) for score in scores)
    assert "✓" in said
    words = "score 0.500 but no score has earned money yet"
    passed = MotherChoice("demo", "BTCUSDT", 1, 0.5, False, "min_score", words)
    assert "no score has earned money yet" in texts(mother.ranking(replace(view, choices=(passed,))))


def test_without_a_wish_and_without_a_comparison_the_page_says_so():
    said = texts(layout.page(FakeAgents(stored=False).view()))
    for words in ("no prediction yet", "No wish to trade so far", "Not compared yet", "Nobody wants to buy"):
        assert words in said, words


def test_a_comparison_shows_mother_ai_beside_each_agent_and_equal_weight():
    fake = FakeAgents()
    fake.study()
    said = texts(mother.study(fake.view()))
    for words in ("Mother AI", "Equal weight", "demo · BTCUSDT", "Threshold from the first half", "looks better than"):
        assert words in said, words
    assert "4,320 bars" in mother.studied(fake.found)


def test_a_failed_comparison_says_why():
    assert "12 common bars are stored" in texts(mother.study(replace(
        FakeAgents().view(), study_state="12 common bars are stored, 400 are needed")))


def test_a_tick_sends_only_what_differs():
    fake = FakeAgents()
    first = layout.news(fake.view(), {})
    seen = first[ids.AG_SEEN, "data"]
    assert layout.news(fake.view(), seen) == {}
    fake.pause(f"{SYMBOLS[0]}|demo", True)
    changed = layout.news(fake.view(), seen)
    assert (ids.AG_CARDS, "children") in changed and (ids.AG_DECISIONS, "children") not in changed


def test_an_added_agent_is_said_to_wait_for_the_next_start():
    fake = FakeAgents()
    fake.add("BTCUSDT", "1m", "sma-cross")
    assert "next start" in texts(layout.page(fake.view()))
