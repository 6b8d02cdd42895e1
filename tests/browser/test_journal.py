"""The page "Journal" in a real browser, with a fake port behind it."""

import json

import pytest

from tests.browser.conftest import DESKTOP, PHONE
from tests.services.test_journal_logs import GOOD

pytestmark = pytest.mark.browser

WIDTH = "return document.documentElement.scrollWidth"
ROWS = "return document.querySelectorAll('#jr-trades .ag-center-cols-container .ag-row').length"
RECORDS = "return document.querySelectorAll('#jr-decisions .ag-center-cols-container .ag-row').length"
DAYS = "return document.querySelectorAll('button.jr-day').length"
SEE = "document.querySelector(arguments[0]).scrollIntoView({block: 'center', behavior: 'instant'})"
CELL = "#jr-trades .ag-center-cols-container .ag-row[row-index='0'] [col-id='result']"


def opened(window, url, query=""):
    window.driver.get(f"{url}journal{query}")
    window.until(DAYS)
    window.until(ROWS)
    return window


def press(window, css):
    window.run(SEE, css)
    window.click(css)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_figures_calendar_and_trades_are_there_and_fit(open_window, serve, fake_world, size):
    world = fake_world()
    window = opened(open_window(size), serve(world.services))
    window.until_text("#jr-tiles", "✓ agrees")
    window.until_text("#jr-count", "1–100 of 140 trades")
    assert window.run(WIDTH) <= size[0]
    assert window.errors() == [] and window.outside_requests() == set()


def test_a_day_of_the_calendar_lists_its_trades_and_clear_shows_all_again(open_window, serve, fake_world):
    world = fake_world()
    window = opened(open_window(), serve(world.services))
    world.stop()  # a tick may take a press along
    day = world.journal.figures().groups["day"][-1]
    press(window, "button.jr-day.has:last-of-type")
    window.until("return document.querySelector('#jr-filter-start').value !== ''")
    chosen = window.run("return document.querySelector('#jr-filter-start').value")
    n = next(each.n_trades for each in world.journal.figures().groups["day"] if each.name == chosen)
    window.until_text("#jr-count", f"of {n} trade")
    assert day.n_trades and window.run("return document.querySelector('#jr-filter-end').value") == chosen
    press(window, "#jr-clear")
    window.until_text("#jr-count", "of 140 trades")
    press(window, "#jr-older")
    window.until_text("#jr-count", "101–140")
    assert window.errors() == []


def test_a_trade_opens_with_its_record_and_keeps_what_is_written(open_window, serve, fake_world):
    world = fake_world()
    url = serve(world.services)
    window = opened(open_window(), url)
    press(window, CELL)
    window.until_text("#jr-drawer-body", "Why it was opened")
    window.until_text("#jr-drawer-body", "closed at 42,000.00")
    note, tags = (window.driver.find_element("css selector", css) for css in ("#jr-note", "#jr-tags"))
    note.send_keys("=too early")
    tags.send_keys("news, fast")
    window.click("#jr-save")
    window.until_text("#jr-saved", "saved")
    ((key, written),) = world.journal.notes.items()
    assert written == ("=too early", ("news", "fast"))
    opened(window, url, f"?trade={key}")
    window.until("return document.querySelector('#jr-note')?.value === '=too early'")
    window.until("return [...document.querySelector('#jr-filter-tag').options].some(o => o.value === 'news')")
    assert window.errors() == []


def test_decisions_are_searched_turned_and_opened(open_window, serve, fake_world):
    world = fake_world()
    window = opened(open_window(), serve(world.services))
    world.stop()  # a tick may take a press along
    window.run("document.querySelector('#jr-tab input[value=decisions], #jr-tab input:not(:checked)').click()")
    window.until(RECORDS)
    window.until_text("#jr-count", "100 records")
    press(window, "#jr-older")
    window.until_text("#jr-count", "30 records")
    press(window, "#jr-newer")
    window.until_text("#jr-count", "100 records")
    window.driver.find_element("css selector", "#jr-filter-text").send_keys("RSI 77 ")
    window.until_text("#jr-count", "1 record ·")
    window.until(f"{RECORDS} === 1")
    press(window, "#jr-decisions .ag-center-cols-container .ag-row [col-id='reason']")
    window.until_text("#jr-drawer-body", "RSI 77")
    assert window.run("return document.querySelector('#jr-notes').className").endswith("hidden")
    assert window.errors() == []


def test_log_is_imported_marked_and_removed_and_a_dirty_one_is_refused(open_window, serve, fake_world, tmp_path):
    world = fake_world()
    window = opened(open_window(), serve(world.services))
    for name, record in (("BTCUSDT_trades.json", GOOD), ("dirty.json", {"symbol": "?"})):
        (tmp_path / name).write_text(json.dumps([record]))
    upload = window.driver.find_element("css selector", "#jr-upload input[type=file]")
    upload.send_keys(str(tmp_path / "BTCUSDT_trades.json"))
    window.until_text("#jr-imports", "BTCUSDT_trades.json · 1 trade")
    window.until_text("#jr-count", "of 141 trades")
    window.until_text("#jr-tiles", "✓ agrees")
    window.driver.find_element("css selector", "#jr-upload input[type=file]").send_keys(str(tmp_path / "dirty.json"))
    window.until_text(".toasts", "trade 1: symbol '?'")
    press(window, "#jr-imports button")
    window.until_text("#jr-count", "of 140 trades")
    assert not world.journal.imported and window.errors() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_empty_journal_says_what_will_be_here(open_window, serve, fake_world, size):
    world = fake_world(empty=True)
    window = open_window(size)
    window.driver.get(serve(world.services) + "journal")
    window.until_text("#jr-calendar", "No finished trade")
    window.until_text("#jr-empty", "No trade here")
    assert window.run(WIDTH) <= size[0] and window.errors() == []


def test_trouble_is_said_in_place_and_is_over_by_itself(open_window, serve, fake_world):
    world = fake_world()
    window = opened(open_window(), serve(world.services))
    world.journal.trouble = "cockpit.db cannot be read: locked"
    window.run("document.querySelectorAll('#jr-range input')[1].click()")
    window.until_text("#jr-calendar", "cockpit.db cannot be read: locked")
    press(window, "#jr-clear")
    world.journal.trouble = ""
    window.run("document.querySelectorAll('#jr-range input')[4].click()")
    window.until(DAYS)
    assert window.errors() == []


def test_a_log_that_is_too_large_is_refused_in_words_and_not_passed_over(open_window, serve, fake_world, tmp_path):
    world = fake_world()
    window = opened(open_window(), serve(world.services))
    large = tmp_path / "year_trades.json"
    large.write_text(json.dumps([GOOD | {"notes": "x" * 1_500_000}]))
    window.driver.find_element("css selector", "#jr-upload input[type=file]").send_keys(str(large))
    window.until_text("#toasts", "year_trades.json has 1.5 MB, 1.4 MB are taken at most")
    assert not world.journal.imported and window.errors() == []


def test_a_note_that_is_not_saved_waits_while_another_row_is_opened(open_window, serve, fake_world):
    window = opened(open_window(), serve(fake_world().services))
    row = "#jr-trades .ag-center-cols-container .ag-row[row-index='{}'] [col-id='result']"
    press(window, row.format(0))
    window.until("return document.querySelector('.jr-drawer.show #jr-note') !== null")
    window.driver.find_element("css selector", "#jr-note").send_keys("half a thought")
    window.until("return document.querySelector('#jr-note').value === 'half a thought'")
    window.run("document.querySelector(arguments[0]).click()", row.format(1))
    window.until("return document.querySelector('#jr-note').value === ''")
    window.run("document.querySelector(arguments[0]).click()", row.format(0))
    window.until("return document.querySelector('#jr-note').value === 'half a thought'")
    window.until_text("#jr-saved", "not saved yet")
