"""The first page in a real browser, with fake services behind it."""

import pytest

from tests.browser.conftest import PHONE
from tests.fakes import fake_account

pytestmark = pytest.mark.browser

LAST_BAR = "return document.getElementById('price-legend').innerText"
WHOLE_CLOSE = """const right = (node) => node.getBoundingClientRect().right;
return [...document.querySelectorAll('#table-positions button')].some(
    (b) => b.innerText === 'Close' && right(b) > 0 && right(b) <= right(b.closest('.ag-cell')) - 4)"""


@pytest.fixture
def world(fake_world):
    return fake_world()


@pytest.fixture
def page(world, serve, open_window):
    window = open_window()
    window.open(serve(world.services))
    return window


def test_first_load_has_no_console_error_no_outside_request_and_moves(page):
    before = page.run(LAST_BAR)
    page.until("return document.getElementById('price-legend').innerText !== arguments[0]", before)
    assert "PAPER" in page.text("#badges") and "SIMULATED" in page.text("#badges")
    assert page.run("return document.documentElement.scrollWidth") <= 1600
    assert page.driver.title.startswith("(3) ")
    assert page.errors() == []
    assert page.outside_requests() == set()


def test_phone_shows_figures_positions_and_kill_switch_and_is_not_wider_than_the_window(world, serve, open_window):
    window = open_window(PHONE)
    window.open(serve(world.services))
    assert window.run("return document.documentElement.scrollWidth") <= PHONE[0]
    kill, positions, chart = (
        window.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
        for css in ("#kill", "#table-positions", "#price-chart")
    )
    assert kill < positions < chart
    assert positions < PHONE[1]
    window.until(WHOLE_CLOSE)
    assert window.errors() == []


def test_new_timeframe_and_symbol_show_their_own_bars_and_go_on_moving(page):
    page.click("#price-timeframe label:first-of-type, #price-timeframe .form-check:first-child label")
    page.until_text("#price-timeframe .seg-on", "1m")
    page.run("document.activeElement.blur()")
    page.driver.find_element("css selector", "body").send_keys("eth")
    page.until("return document.querySelector('.dash-dropdown-search')?.value.toLowerCase() === 'eth'")
    page.driver.switch_to.active_element.send_keys("\ue007")
    page.until_text("#price-quote", "3,4")
    before = page.until(f"const bar = (() => {{ {LAST_BAR} }})(); return bar.includes('67,') ? '' : bar")
    page.until("return document.getElementById('price-legend').innerText !== arguments[0]", before)
    assert page.errors() == []


def test_start_then_kill_then_rearm_with_a_typed_reason(page, world):
    page.click("#auto-start")
    page.until_text("#badges", "RUNNING")
    page.click("#kill")
    page.until("return document.getElementById('kill-confirm')?.getBoundingClientRect().width > 0")
    page.until("return document.querySelector('.modal.show') !== null")
    page.click("#kill-confirm")
    page.until_text("#kill-strip", "stopped by hand")
    page.until("return document.querySelector('.modal') === null")
    page.click("#rearm")
    page.until_text("#toasts", "Type why")
    page.driver.find_element("css selector", "#rearm-reason").send_keys("checked the feed")
    page.click("#rearm")
    page.until_text("#badges", "STOPPED")
    assert [kind for kind, *_ in world.session.sent] == ["start", "kill", "rearm"]


def test_two_tabs_agree_and_a_button_pressed_twice_is_answered_once(page, world, serve, open_window):
    second = open_window()
    second.open(page.driver.current_url)
    page.click("#auto-start")
    second.until_text("#badges", "RUNNING")
    half = "[...document.querySelectorAll('#table-positions button')].find(b => b.innerText === '½')"
    page.until(f"return {half} !== undefined")
    page.run(f"const b = {half}; b.click(); b.click();")
    page.until_text("#toasts", "close")
    assert [kind for kind, *_ in world.session.sent] == ["start", "close"]


PROPERTY = "return window.dash_component_api.getLayout('price-chart').props[arguments[0]]"
SET = "window.dash_clientside.set_props('price-chart', arguments[0])"


def bar_at(page, index):
    """Return the time of the bar at a place of the chart, None beyond its end."""
    page.run(
        SET,
        {
            "dataAction": {
                "action": "dataByIndex",
                "seriesId": "candles|BTCUSDT|1m",
                "logicalIndex": index,
                "nonce": index,
            }
        },
    )
    found = page.until(
        "const r = window.dash_component_api.getLayout('price-chart').props.dataResult;"
        "return r && r.logicalIndex === arguments[0] && [r.data ? r.data.time : null]",
        index,
    )
    return found[0]


def test_zoom_and_newest_bars_survive_increments_and_a_change_of_the_price_lines(page, monkeypatch):
    page.click("#price-timeframe .form-check:first-child label")
    page.until("return window.dash_component_api.getLayout('price-chart').props.series[0].id === 'candles|BTCUSDT|1m'")
    page.run(SET, {"subscribeVisibleRange": True, "visibleLogicalRange": {"from": 300, "to": 350}})
    page.until("return window.dash_component_api.getLayout('price-chart').props.series[0].priceLines.length === 3")
    sent = len(page.run(PROPERTY, "series")[0]["data"])
    last = page.run(PROPERTY, "series")[0]["data"][-1]["time"]
    newest = "Math.max(...(window.dash_component_api.getLayout('price-chart').props.tick ?? []).map(t => t.bar.time))"
    page.until(f"return {newest} > arguments[0] + 120", last)
    monkeypatch.delitem(fake_account.HELD, "BTCUSDT")
    page.until("return window.dash_component_api.getLayout('price-chart').props.series[0].priceLines.length === 0")
    assert [bar_at(page, sent - 1 + i) for i in range(3)] == [last, last + 60, last + 120]
    seen = page.run(PROPERTY, "visibleLogicalRange")
    assert (round(seen["from"]), round(seen["to"])) == (300, 350)
    assert not [line for line in page.driver.get_log("browser") if "rejected" in line["message"]]


def test_account_without_trades_says_what_to_do(fake_world, serve, open_window):
    window = open_window()
    window.open(serve(fake_world(empty=True).services))
    assert "No open position. Press Start" in window.text("#table-positions-box").replace("\n", " ")
    assert "No vote yet" in window.text("#signals")
    assert "No decision yet" in window.text("#trace")
    assert window.errors() == []


def test_lost_connection_is_shown_and_mends_itself_after_a_restart(world, serve, open_window):
    window = open_window()
    address = serve(world.services)
    window.open(address)
    window.until_text("#updated", "UTC")
    server, thread = serve.running[0]
    server.should_exit = True
    thread.join(10)
    window.until("return document.body.classList.contains('is-stale')")
    serve(world.services, port=int(address.rsplit(":", 1)[1].strip("/")))
    window.until("return !document.body.classList.contains('is-stale')", within=40)
    before = window.run(LAST_BAR)
    window.until("return document.getElementById('price-legend').innerText !== arguments[0]", before)
