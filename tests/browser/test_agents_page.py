"""The page "Agents" in a real browser, with a fake port behind it."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE
from tests.fakes.fake_agents import FakeAgents
from trading.domain.agents import MotherConfig

pytestmark = pytest.mark.browser

WIDTH = "return document.documentElement.scrollWidth"
PRESS = "document.querySelector(`button[aria-label='${arguments[0]}']`).click()"
CARD = "return [...document.querySelectorAll('.ag-card')].find(c => c.innerText.includes(arguments[0])).innerText"
CURVES = "return document.querySelectorAll('.ag-graph .scatterlayer .trace').length"


@pytest.fixture
def page(open_window, serve, fake_world):
    def make(size=DESKTOP, **options):
        world = fake_world()
        world.agents = FakeAgents(**options)
        object.__setattr__(world.services, "agents", world.agents)
        window = open_window(size)
        window.driver.get(serve(world.services) + "agents")
        window.until("return document.querySelector('#ag-cards') !== null")
        return world, window

    return make


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_pause_resume_and_drop_change_the_card_within_moments(page, size):
    world, window = page(size)
    window.run(PRESS, "Pause demo on BTC/USDT")
    window.until_text("#ag-cards", "Resume")
    assert "paused" in window.run(CARD, "BTC/USDT")
    window.run(PRESS, "Resume demo on BTC/USDT")
    window.until("return !document.querySelector('#ag-cards').innerText.includes('Resume')")
    window.run(PRESS, "Drop demo on ETH/USDT")
    window.until("return !document.querySelector('#ag-cards').innerText.includes('ETH/USDT')")
    assert [kind for kind, _ in world.agents.asked] == ["pause", "pause", "drop"]
    assert window.run(WIDTH) <= size[0]
    assert window.errors() == [] and window.outside_requests() == set()


def test_an_added_agent_appears_and_a_second_of_its_kind_is_refused(page):
    world, window = page()
    window.driver.find_element("css selector", "#ag-strategy").send_keys("SMA")
    window.click("#ag-add")
    window.until_text("#ag-cards", "next start")
    window.until_text("#ag-note", "from the next start of the cockpit on")
    window.click("#ag-add")
    window.until_text("#ag-error", "is on BTCUSDT already")
    assert world.agents.asked[0] == ("add", ("BTCUSDT", "1m", "sma-cross"))
    window.run(PRESS, "Pause demo on BTC/USDT")
    window.until_text("#ag-cards", "Resume")
    window.until("return document.querySelector('#ag-error').innerText === ''")
    assert window.errors() == []


def test_a_comparison_is_drawn_with_its_calibration(page):
    world, window = page()
    window.until_text("#ag-study", "Not compared yet")
    window.click("#ag-compare")
    window.until_text("#ag-study", "Equal weight")
    window.until(f"{CURVES} >= 6")
    window.until_text("#ag-study-note", "4,320 bars")
    assert world.agents.asked == [("study", None)]
    assert window.errors() == []


def test_how_mother_ai_ranks_is_saved(page):
    world, window = page()
    window.run("document.querySelector('#ag-ranks input').click()")
    box = window.driver.find_element("css selector", "#ag-top")
    box.clear()
    box.send_keys("2")
    window.click("#ag-save")
    window.until_text(".toasts", "She ranks from the next start on")
    assert world.agents.mother == MotherConfig(ranks=True, top_n=2)
    assert window.errors() == []


def test_without_a_bar_the_page_says_what_is_not_there_yet(page):
    _, window = page(PHONE, stored=False)
    window.until_text("#ag-cards", "no prediction yet")
    window.until_text("#ag-decisions", "No wish to trade so far")
    assert window.run(WIDTH) <= PHONE[0]
    assert window.errors() == []
