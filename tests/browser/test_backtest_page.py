"""The page "Backtest" in a real browser, with a fake port behind it."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import DESKTOP, PHONE
from tests.fakes.fake_backtests import FakeBacktests

pytestmark = pytest.mark.browser

READY = (
    "return document.querySelector('#bt-go') !== null && document.querySelector('#bt-start input, #bt-start') !== null"
)
CURVES = "return document.querySelectorAll('#bt-curves .scatterlayer .trace').length"
ROWS = "return document.querySelectorAll('#bt-trades .ag-center-cols-container .ag-row').length"
NO_SCROLL = "return document.documentElement.scrollWidth"
OPTIONS = "[role=option], .dash-dropdown-option, .dash-options-list-option"
TITLE = "#bt-body .empty strong"


class Backtest:
    """A window on the page."""

    def __init__(self, window, url):
        self.window, self.url = window, url

    def open(self, query=""):
        self.window.driver.get(f"{self.url}backtest{query}")
        self.window.until(READY)
        return self

    def choose(self, strategy):
        self.window.click("#bt-strategy")
        self.window.until(
            """const all = [...document.querySelectorAll(arguments[0])];
            const found = all.find(option => option.innerText.trim() === arguments[1]);
            if (found) found.click();
            return found !== undefined""",
            OPTIONS,
            strategy,
        )
        self.window.until_text("#bt-strategy", strategy)
        return self

    def run(self):
        self.window.click("#bt-go")
        return self

    def finished(self):
        self.window.until(CURVES)
        self.window.until(ROWS)
        return self

    def clean(self):
        assert self.window.errors() == []
        assert self.window.outside_requests() == set()


@pytest.fixture
def make(fake_world, serve, open_window):
    def make_one(size=DESKTOP, **choices):
        world = fake_world(backtests=FakeBacktests(**choices))
        page = Backtest(open_window(size), serve(world.services))
        page.port = world.backtests
        return page

    return make_one


def test_run_shows_the_result_its_seconds_and_the_checks_that_fill_up(make):
    page = make(check_s=1.0).open()
    page.window.until_text("#bt-body", "Would this have worked?")
    page.run().finished()
    window = page.window
    assert window.text("#bt-go") == "▶ Run · 0.21 s"
    assert "Deflated Sharpe" in window.text("#bt-tiles") and "37 trials counted" in window.text("#bt-tiles")
    window.until_text("#bt-checks", "of 6 answered")
    window.until_text("#bt-checks", "1 of 6 failed")
    assert window.run("return document.querySelectorAll('#bt-checks .is-pass').length") == 4
    assert window.run(NO_SCROLL) <= DESKTOP[0]
    window.until("return !document.body.classList.contains('is-stale')")
    page.clean()


def test_another_strategy_dims_the_result_until_run_or_the_old_choice(make):
    page = make().open().run().finished()
    window = page.window
    window.until_text("#bt-heading", "RSI reversion")
    assert window.text("#bt-changed") == ""
    page.choose("SMA cross")
    window.until_text("#bt-changed", "press Run")
    window.until("return getComputedStyle(document.querySelector('#bt-body')).opacity < 0.9")
    assert "RSI reversion" in window.text("#bt-heading")
    page.run()
    window.until_text("#bt-heading", "SMA cross")
    window.until("return document.querySelector('#bt-changed').innerText === ''")
    page.clean()


def test_reload_and_a_second_tab_show_the_same_run_and_its_question(make, open_window):
    page = make().open().choose("SMA cross").run().finished()
    page.window.until("return location.search.startsWith('?run=')")
    address, figure = page.window.driver.current_url, page.window.text("#bt-tiles .kpi-return .kpi-value")
    page.window.driver.refresh()
    page.finished()
    second = open_window()
    second.driver.get(address)
    second.until(CURVES)
    for window in (page.window, second):
        assert window.text("#bt-tiles .kpi-return .kpi-value") == figure
        assert "SMA cross" in window.text("#bt-strategy")
    page.clean()


def test_back_leads_to_the_run_before(make):
    page = make().open().run().finished()
    page.window.until("return location.search.startsWith('?run=')")
    first = page.window.driver.current_url
    page.choose("SMA cross").run()
    page.window.until("return location.href !== arguments[0]", first)
    page.window.driver.back()
    page.window.until_text("#bt-strategy", "RSI reversion")
    page.finished()
    assert page.window.driver.current_url == first


def test_a_long_run_shows_its_progress_and_can_be_cancelled(make):
    page = make().open().choose("Takes a minute").run()
    window = page.window
    window.until("return document.querySelector('#bt-progress').getBoundingClientRect().height > 0")
    window.until_text("#bt-stage", "%")
    assert window.run("return document.querySelector('#bt-go').disabled")
    before = window.text("#bt-stage")
    window.until("return document.querySelector('#bt-stage').innerText !== arguments[0]", before)
    window.click("#bt-cancel")
    window.until_text("#bt-body", "Cancelled")
    window.until("return !document.querySelector('#bt-go').disabled")
    assert window.run("return document.querySelector('#bt-progress').getBoundingClientRect().height") == 0
    page.clean()


def test_a_run_that_outlives_its_page_is_found_again(make):
    page = make(seconds=3.0).open().run()
    page.window.until_text("#bt-stage", "%")
    page.window.until("return location.search.startsWith('?run=')")
    page.window.driver.refresh()
    page.window.until_text("#bt-stage", "%")
    page.finished()
    page.clean()


def test_answers_that_take_longer_than_the_ticks_still_arrive(make):
    page = make(seconds=1.5, view_s=0.7, check_s=0.5).open().run()
    page.finished()
    page.window.until_text("#bt-checks", "1 of 6 failed")
    page.clean()


def test_the_checks_of_a_second_run_fill_up_as_well(make):
    page = make(check_s=0.3).open().run().finished()
    page.window.until_text("#bt-checks", "1 of 6 failed")
    page.window.until("return location.search.startsWith('?run=')")
    first = page.window.driver.current_url
    page.choose("SMA cross").run()
    page.window.until("return location.href !== arguments[0]", first)
    page.window.until_text("#bt-checks", "1 of 6 failed")
    page.clean()


def test_leaving_the_page_while_it_computes_leaves_no_error_behind(make):
    page = make(seconds=2.0).open().run()
    page.window.until_text("#bt-stage", "%")
    page.window.click("a.nav-page[href='/']")
    page.window.until("return document.querySelector('#price-chart canvas') !== null")
    before = page.window.text("#price-legend")
    page.window.until("return document.querySelector('#price-legend').innerText !== arguments[0]", before)
    page.window.click("a.nav-page[href='/backtest']")
    page.window.until(READY)
    page.clean()


def test_an_error_is_one_line_beside_the_controls(make):
    page = make().open().choose("Breaks at half").run()
    page.window.until_text("#bt-error", "candles contradict each other at 2023-03-12 04:00")
    page.window.until_text(TITLE, "This run has no result")
    page.choose("SMA cross").run().finished()
    assert page.window.text("#bt-error") == ""
    page.clean()


def test_a_run_without_trades_says_why(make):
    page = make().open().choose("Never trades").run()
    page.window.until_text("#bt-pane-trades", "No trade was made")
    page.window.until_text("#bt-pane-trades", "never met in 21,767 bars")
    assert "no trade" in page.window.text("#bt-tiles .kpi-win")
    page.clean()


def test_without_candles_the_page_says_how_to_get_them(make):
    page = make(stored=False).open()
    assert "--mode download" in page.window.text("#bt-body") and "--mode import" in page.window.text("#bt-body")
    assert page.window.run("return document.querySelector('#bt-go').disabled")
    page.clean()


def test_the_sweep_dialog_counts_its_runs_and_draws_a_plateau(make):
    page = make().open()
    window = page.window
    window.click("#bt-sweep")
    window.until("return document.querySelector('.modal.show') !== null")
    window.until_text("#bt-sweep-note", "26 × 11 = 286 runs")
    box = window.driver.find_element("css selector", "#bt-sweep-x-step")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    window.until("return document.querySelector('#bt-sweep-go').disabled")
    box.send_keys("5")
    window.until_text("#bt-sweep-note", "6 × 11 = 66 runs")
    window.until("return !document.querySelector('#bt-sweep-go').disabled")
    window.click("#bt-sweep-go")
    page.finished()
    window.until("return document.querySelector('.bt-plateau .heatmaplayer image') !== null")
    window.until_text(".panel-plateau", "chosen")
    window.until_text("#bt-tiles", "PBO 0.18")
    window.until("return document.querySelector('.modal') === null")
    page.clean()


def test_a_click_on_a_trade_opens_its_chart(make):
    page = make().open("?run=past0").finished()
    window = page.window
    window.click("#bt-trades .ag-center-cols-container .ag-row[row-index='2'] .ag-cell")
    window.until_text("#bt-trade-title", "Trade 162")
    window.until("return document.querySelector('.trade-chart canvas') !== null")
    window.until("return document.querySelector('.trade-chart canvas').getBoundingClientRect().width > 600")
    assert "Closed because" in window.text("#bt-trade-body")
    window.click("#bt-trade-next")
    window.until_text("#bt-trade-title", "Trade 163")
    window.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    window.until("return document.querySelector('.modal') === null")
    window.click("#bt-trades .ag-center-cols-container .ag-row[row-index='4'] .ag-cell")
    window.until_text("#bt-trade-title", "Trade 160")
    page.clean()


def test_the_space_key_opens_the_trade_that_has_the_focus(make):
    page = make().open("?run=past0").finished()
    cell = "document.querySelector('#bt-trades .ag-center-cols-container .ag-row[row-index=\\'3\\'] .ag-cell')"
    page.window.run(f"{cell}.focus()")
    page.window.driver.switch_to.active_element.send_keys(Keys.SPACE)
    page.window.until_text("#bt-trade-title", "Trade 161")
    page.clean()


def test_tabs_log_and_comparison_change_what_is_drawn(make):
    page = make().open("?run=past0").finished()
    window = page.window
    n = window.run(CURVES)
    window.run("document.querySelector('#bt-compare input').click()")
    window.until(f"{CURVES} === arguments[0]", n + 1)
    window.until_text("#bt-compare-word", "Compare 1")
    window.run("document.querySelector('#bt-log input').click()")
    window.until("return document.querySelector('#bt-curves .js-plotly-plot').layout.yaxis.type === 'log'")
    for tab, words in (
        ("costs", "of the capital"),
        ("distribution", "median"),
        ("windows", "whole period at once"),
        ("settings", "Hash of candles"),
    ):
        window.run("document.querySelector(`#bt-tabs input[value=${arguments[0]}]`).click()", tab)
        window.until_text(f"#bt-pane-{tab}", words)
    page.clean()


def test_files_are_saved_by_the_browser_itself(make, tmp_path):
    page = make().open("?run=past0").finished()
    window = page.window
    window.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    window.click("#bt-save")
    window.click("#bt-csv")
    saved = tmp_path / "backtest-past0.html"
    for _ in range(100):
        if saved.exists() and (tmp_path / "backtest-past0-trades.csv").exists():
            break
        window.run("return new Promise(done => setTimeout(done, 100))")
    assert (tmp_path / "backtest-past0-trades.csv").read_text().count("\n") == 165
    window.driver.get(saved.as_uri())
    assert window.text("h1").startswith("RSI reversion")
    page.clean()


def test_costs_and_mode_are_written_on_what_opens_them(make):
    page = make().open()
    window = page.window
    window.click("#bt-costs-word")
    box = window.driver.find_element("css selector", "#bt-cost-slippage_bps")
    box.clear()
    box.send_keys("7")
    window.until_text("#bt-costs-word", "0.10 % + 7 bp")
    window.click("#bt-mode-word")
    window.run("document.querySelector('#bt-mode input[value=walk]').click()")
    window.until_text("#bt-mode-word", "Walk-forward 180/30")
    page.run().finished()
    window.run("document.querySelector('#bt-tabs input[value=windows]').click()")
    window.until_text("#bt-pane-windows", "2022-06-30")
    assert next(iter(page.port.asked.values()))[0].costs.slippage_bps == 7
    page.clean()


def test_phone_folds_the_choices_and_is_not_wider_than_the_window(make):
    page = make(PHONE).open()
    window = page.window
    height = "return document.querySelector('#bt-symbols').getBoundingClientRect().height"
    window.until(f"{height} === 0")
    assert "RSI reversion · BTC/USDT, ETH/USDT · 1h" in window.text("#bt-fold")
    window.click("#bt-fold")
    window.until(f"{height} > 0")
    assert window.run("return document.querySelector('#bt-fold').getAttribute('aria-expanded')") == "true"
    window.click("#bt-fold")
    page.run().finished()
    assert window.run(NO_SCROLL) <= PHONE[0]
    tiles, equity, checks = (
        window.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
        for css in ("#bt-tiles", "#bt-curves", "#bt-checks")
    )
    assert tiles < equity < checks and tiles < PHONE[1]
    assert window.run("return document.querySelector('#bt-checks').getBoundingClientRect().height") > 100
    page.clean()


def test_the_first_page_carries_nothing_of_this_one(make):
    page = make()
    page.window.open(page.url)
    assert page.window.run("return document.querySelectorAll('[id^=bt-]').length") == 0
    page.clean()


def test_every_control_is_reached_by_the_keyboard(make):
    page = make().open()
    reached = set()
    body = page.window.driver.find_element("css selector", "body")
    for _ in range(30):
        (page.window.driver.switch_to.active_element or body).send_keys(Keys.TAB)
        reached.add(
            page.window.run(
                "return document.activeElement.closest('.field')?.querySelector('label').innerText "
                "|| document.activeElement.id"
            )
        )
    wanted = {
        "Strategy",
        "Symbols",
        "Timeframe",
        "From",
        "To",
        "Costs",
        "Capital",
        "Risk profile",
        "Mode",
        "bt-go",
        "bt-sweep",
    }
    assert wanted <= reached
