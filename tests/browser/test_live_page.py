"""The page "Live" in a real browser, with a fake port behind it."""

from dataclasses import replace

import pytest

from tests.browser.conftest import DESKTOP, PHONE
from tests.fakes.fake_live import READY, TROUBLED

pytestmark = pytest.mark.browser

SHOWN = "return getComputedStyle(document.querySelector(arguments[0])).display !== 'none'"
WIDTH = "return document.documentElement.scrollWidth"
ROWS = "return document.querySelectorAll('#lv-trades .ag-center-cols-container .ag-row').length"


def opened(window, url):
    window.driver.get(url + "live")
    window.until("return document.querySelector('#lv-compare') !== null")
    return window


@pytest.fixture
def live_world(fake_world):
    def make(status=None, here="paper"):
        world = fake_world()
        world.live.here = here
        if status is not None:
            world.portfolio.trade_at(status)
        return world

    return make


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_paper_shows_the_way_and_compares_on_a_click(open_window, serve, live_world, size):
    world = live_world()
    window = opened(open_window(size), serve(world.services))
    window.until_text("#lv-way", "--venue rehearsal")
    assert not window.run(SHOWN, "#lv-form")
    window.run("document.querySelector('#lv-compare').scrollIntoView({block: 'center', behavior: 'instant'})")
    window.click("#lv-compare")
    window.until(ROWS)
    window.until_text("#lv-tiles", "-1.80 bps".replace("-", "−"))
    window.until_text("#lv-alone", "only replayed")
    assert world.live.n_compared == 1
    assert window.run(WIDTH) <= size[0]
    assert window.errors() == [] and window.outside_requests() == set()


@pytest.mark.parametrize("width", [1600, 1500])
def test_a_warning_leaves_the_menu_whole_in_one_line(open_window, serve, live_world, width):
    world = live_world(replace(TROUBLED, badge="REHEARSAL"))
    world.portfolio.session = replace(world.portfolio.session, armed=True)
    world.portfolio.refresh()
    window = opened(open_window((width, 900)), serve(world.services))
    window.until("return document.querySelectorAll('.badge-word').length >= 4")
    assert window.run("const m = document.querySelector('.menu'); return m.scrollWidth - m.clientWidth") <= 0
    assert window.run("return document.querySelector('.topbar').clientHeight") < 60
    assert window.run(WIDTH) <= width


def test_the_typed_word_lets_entries_out_and_disarm_takes_them_back(open_window, serve, live_world):
    world = live_world(READY, "small")
    window = opened(open_window(), serve(world.services))
    window.until_text("#lv-strip", "not armed")
    word = window.driver.find_element("css selector", "#lv-word")
    word.send_keys("live")
    window.click("#lv-arm")
    window.until_text(".toasts", "Type the word LIVE")
    assert world.session.sent == []
    word.clear()
    word.send_keys("LIVE")
    window.driver.find_element("css selector", "#lv-reason").send_keys("rehearsed elsewhere")
    window.click("#lv-arm")
    window.until_text("#lv-strip", "LIVE, armed")
    kind, _, version, arguments = world.session.sent[-1]
    assert (kind, arguments) == ("arm", {"word": "LIVE", "reason": "rehearsed elsewhere"}) and version is not None
    window.until("return !document.querySelector('#lv-disarm').disabled")
    window.click("#lv-disarm")
    window.until_text("#lv-strip", "not armed")
    assert window.errors() == []


def test_what_is_typed_survives_the_ticks_and_the_keyboard_reaches_the_button(open_window, serve, live_world):
    from selenium.webdriver.common.keys import Keys

    world = live_world(READY, "small")
    window = opened(open_window(), serve(world.services))
    reason = window.driver.find_element("css selector", "#lv-reason")
    reason.send_keys("a reason that is long enough")
    before = window.text("#lv-tiles")
    world.portfolio.venue = TROUBLED
    window.until("return document.querySelector('#lv-tiles').innerText !== arguments[0]", before)
    assert reason.get_attribute("value") == "a reason that is long enough"
    reason.send_keys(Keys.TAB)
    window.driver.switch_to.active_element.send_keys("LIVE", Keys.TAB, Keys.ENTER)
    window.until_text("#lv-strip", "LIVE, degraded")
    window.until("return !document.querySelector('#lv-disarm').disabled")
    assert world.session.sent[-1][0] == "arm"


def test_a_quarantine_is_released_by_its_button(open_window, serve, live_world):
    world = live_world(TROUBLED, "small")
    window = opened(open_window(), serve(world.services))
    window.until_text("#lv-venue", "In quarantine")
    window.click("#lv-venue .lv-quarantine button")
    window.until_text(".toasts", "Release BTCUSDT")
    assert world.live.released == ["BTCUSDT"]
