"""The page "Models" in a real browser, with a fake port behind it."""

import pytest
from selenium.webdriver.common.keys import Keys

from layouts.models import form
from tests.browser.conftest import DESKTOP, PHONE
from tests.fakes import fake_account
from tests.fakes.fake_learning import FakeLearning

pytestmark = pytest.mark.browser

READY = "return document.querySelector('#md-go') !== null && document.querySelector('#md-body').children.length > 0"
WALK = "return document.querySelectorAll('.md-walk .scatterlayer .trace').length"
WIDTH = "return document.documentElement.scrollWidth"
OPTIONS = "[role=option], .dash-dropdown-option, .dash-options-list-option"
CHAMPION = "BTCUSDT-1h-2024-06-11-7f3a"


class Models:
    """A window on the page."""

    def __init__(self, window, url):
        self.window, self.url = window, url

    def open(self, query=""):
        self.window.driver.get(f"{self.url}models{query}")
        self.window.until(READY)
        return self

    def choose(self, symbol):
        self.window.click("#md-symbol")
        self.window.until(
            """const all = [...document.querySelectorAll(arguments[0])];
            const found = all.find(option => option.innerText.trim() === arguments[1]);
            if (found) found.click();
            return found !== undefined""",
            OPTIONS,
            symbol,
        )
        self.window.until_text("#md-symbol", symbol)
        return self

    def train(self):
        self.window.click("#md-go")
        return self

    def write(self, css, value):
        box = self.window.driver.find_element("css selector", css)
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(value)
        return self

    def clean(self):
        assert self.window.errors() == []
        assert self.window.outside_requests() == set()


@pytest.fixture
def make(fake_world, serve, open_window):
    def make_one(size=DESKTOP, **choices):
        world = fake_world(learning=FakeLearning(**choices))
        page = Models(open_window(size), serve(world.services))
        page.port = world.learning
        return page

    return make_one


def test_the_champion_is_shown_with_what_it_has_to_beat(make):
    page = make().open()
    window = page.window
    window.until(f"{WALK} >= 4")
    assert "CHAMPION, VOTES" in window.text(".md-heading")
    said = window.text(".md-verdict")
    assert "Better than always guessing the majority: 53.1 %" in said and "Following it lost money: −3.4 %" in said
    assert "51.2 %" in window.text(".md-kpis .kpi-majority") and "12,480" in window.text(".md-kpis .kpi-accuracy")
    assert "3,613" in window.text(".md-confusion") and "WATCH" in window.text(".md-drift")
    assert "not better on 500 later bars" in window.text(".panel-md-appointed")
    assert window.run(WIDTH) <= DESKTOP[0]
    window.until("return location.search === arguments[0]", f"?market=BTCUSDT-1h&version={CHAMPION}")
    page.clean()


def test_a_suspected_leak_is_loud_and_its_address_can_be_kept(make):
    page = make().open("?market=BTCUSDT-1h&version=BTCUSDT-1h-2024-06-19-7f3a")
    window = page.window
    for _ in range(2):
        window.until_text(".md-verdict.is-leak", "Suspected leak: accuracy 71.8 %")
        assert window.run("return document.querySelector('.md-verdict').getAttribute('role')") == "alert"
        assert "2024-06-19" in window.text(".md-heading")
        window.driver.refresh()
        window.until(READY)
    page.clean()


def test_a_version_without_a_readable_report_says_so(make):
    page = make().open("?market=BTCUSDT-1h&version=BTCUSDT-1h-2024-06-03-7f3a")
    page.window.until_text("#md-body", "The report of this version cannot be read")
    page.window.until_text(".md-verdict", "forest.skops does not match its hash")
    page.clean()


def test_a_training_shows_its_progress_and_then_its_model(make):
    now = [0.0]
    page = make(seconds=2.0, trained=False, clock=lambda: now[0]).open()
    window = page.window
    window.until_text("#md-body", "No model is trained on BTC/USDT · 1h")
    page.train()
    window.until("return document.querySelector('#md-progress').getBoundingClientRect().height > 0")
    now[0] = 0.9
    window.until_text("#md-stage", "fold")
    assert window.run("return document.querySelector('#md-go').disabled")
    now[0] = 2.0
    window.until_text(".md-heading", "CHAMPION, VOTES")
    window.until(f"{WALK} >= 4")
    window.until("return !document.querySelector('#md-go').disabled")
    assert window.run("return document.querySelector('#md-progress').getBoundingClientRect().height") == 0
    assert "done" in window.text(".panel-md-runs") and window.text("#md-error") == ""
    page.clean()


def test_two_clicks_on_train_are_one_training(make):
    page = make(seconds=3.0).open()
    page.window.run("const go = document.querySelector('#md-go'); go.click(); go.click()")
    page.window.until_text("#md-stage", "%")
    assert len(page.port.asked) == 1
    page.clean()


def test_a_training_is_cancelled_and_begun_again(make):
    page = make(seconds=60.0).open().train()
    window = page.window
    window.until_text("#md-stage", "%")
    window.click("#md-cancel")
    window.until("return document.querySelector('#md-progress').getBoundingClientRect().height === 0")
    window.until_text(".panel-md-runs", "cancelled")
    window.until("return !document.querySelector('#md-go').disabled")
    assert "CHAMPION, VOTES" in window.text(".md-heading")
    page.train()
    window.until("return document.querySelector('#md-progress').getBoundingClientRect().height > 0")
    assert len(page.port.asked) == 2
    page.clean()


def test_a_training_that_outlives_its_page_is_found_again(make):
    page = make(seconds=12.0, trained=False).open().train()
    page.window.until_text("#md-stage", "%")
    page.window.click("a.nav-page[href='/']")
    page.window.until("return document.querySelector('#price-chart canvas') !== null")
    page.window.click("a.nav-page[href='/models']")
    page.window.until(READY)
    page.window.until("return document.querySelector('#md-progress').getBoundingClientRect().height > 0")
    page.window.driver.refresh()
    page.window.until(READY)
    page.window.until_text(".md-heading", "CHAMPION, VOTES", within=40)
    page.clean()


def test_a_failed_training_says_why_in_one_line(make):
    page = make(seconds=0.6).open()
    page.window.click("#md-more-word")
    page.write("#md-set-seed", "13")
    page.window.until_text("#md-more-word", "1 changed")
    page.window.click("#md-more-word")
    page.train()
    page.window.until_text("#md-error", "fold 3 has only rows of one class: choose more bars")
    page.window.until_text(".panel-md-runs", "failed")
    page.clean()


def test_a_wrong_number_is_named_beside_the_controls(make):
    page = make().open()
    page.window.click("#md-scheme-word")
    page.write("#md-folds", "99")
    page.window.until_text("#md-scheme-word", "? folds")
    page.window.click("#md-scheme-word")
    page.train()
    page.window.until_text("#md-error", "Folds: enter a whole number from 2 to 20")
    assert page.port.asked == {}
    page.clean()


def test_another_symbol_shows_its_models_and_back_leads_home(make):
    page = make().open()
    window = page.window
    window.until("return location.search.includes('BTCUSDT')")
    page.choose("ETH/USDT")
    window.until_text("#md-body", "No model is trained on ETH/USDT · 1h")
    window.until("return location.search === '?market=ETHUSDT-1h'")
    window.driver.back()
    window.until_text(".md-heading", "BTC/USDT · 1h")
    page.clean()


def test_a_version_is_put_on_paper_with_a_reason_and_rolled_back_in_one_click(make):
    page = make().open()
    window = page.window
    window.until_text(".md-heading", "2024-06-11")
    window.run("[...document.querySelectorAll('.panel-md-versions .btn-row')][1].click()")
    window.until_text("#md-modal-title", "Use 2024-06-14-7f3a on paper?")
    window.until_text(".modal .md-verdict", "No better than")
    window.click("#md-confirm")
    window.until_text("#md-reason-word", "Write a reason of at least 3 characters")
    assert page.port.champion("BTCUSDT", "1h").id == CHAMPION
    page.write("#md-reason", "to watch it")
    window.run("const go = document.querySelector('#md-confirm'); go.click(); go.click()")
    window.until_text(".md-heading", "2024-06-14")
    window.until_text(".md-heading", "CHAMPION, VOTES")
    window.until_text(".panel-md-appointed", "to watch it")
    window.until_text("#toasts", "2024-06-14-7f3a votes on BTC/USDT · 1h")
    window.until("return document.querySelector('.modal') === null")
    window.click("#md-back")
    window.until_text(".panel-md-appointed", "rolled back")
    window.until_text(".md-heading", "2024-06-11")
    page.clean()


def test_silence_takes_the_vote_after_a_question(make):
    page = make().open()
    window = page.window
    window.click("#md-silence")
    window.until_text("#md-modal-title", "Take its vote away?")
    window.click("#md-close")
    window.until("return document.querySelector('.modal') === null")
    assert page.port.champion("BTCUSDT", "1h").id == CHAMPION
    window.click("#md-silence")
    window.until_text("#md-modal-title", "Take its vote away?")
    page.write("#md-reason", "news day")
    window.click("#md-confirm")
    window.until_text(".md-heading", "CHAMPION, SILENT")
    window.until_text("#toasts", "No model votes on BTC/USDT · 1h")
    assert "Keep fresh" not in window.text("#toasts") and "silenced" in window.text(".panel-md-appointed")
    assert not page.port.champion("BTCUSDT", "1h").votes
    assert window.run("return document.querySelector('#md-silence').disabled")
    window.click(".md-tools .btn-line")
    window.until_text("#md-modal-title", "Use 2024-06-11-7f3a on paper?")
    page.write("#md-reason", "news are over")
    window.click("#md-confirm")
    window.until_text(".md-heading", "CHAMPION, VOTES")
    page.clean()


def test_keep_fresh_is_remembered(make):
    page = make().open()
    page.window.run("document.querySelector('#md-fresh input').click()")
    page.window.until_text("#toasts", "Keep fresh: off")
    assert not page.port.is_kept_fresh("BTCUSDT", "1h")
    page.window.driver.refresh()
    page.window.until(READY)
    assert page.window.run("return document.querySelector('#md-fresh input').checked") is False
    page.clean()


def test_what_the_schedule_trained_meanwhile_is_listed_and_the_shown_version_stays(make):
    page = make(seconds=0.2).open("?market=BTCUSDT-1h")
    page.window.until_text(".md-heading", "2024-06-11")
    choices = form.Choices(page.port.markets(), fake_account.PROFILES, page.port.costs())
    page.port.start(form.request_of(form.first(choices, ("BTCUSDT", "1h")), choices), "schedule")
    page.window.until_text(".panel-md-versions", "6 versions", within=20)
    assert "2024-06-11" in page.window.text(".md-heading")
    page.clean()


def test_answers_that_take_longer_than_the_ticks_still_arrive(make):
    page = make(seconds=1.5, call_s=0.7).open().train()
    page.window.until_text(".panel-md-versions", "6 versions", within=20)
    page.clean()


def test_without_candles_the_page_says_how_to_get_them(make):
    page = make(stored=False).open()
    assert "--mode download" in page.window.text("#md-body")
    assert page.window.run("return document.querySelector('#md-go').disabled")
    page.clean()


def test_phone_folds_the_choices_and_is_not_wider_than_the_window(make):
    page = make(PHONE).open()
    window = page.window
    height = "return document.querySelector('#md-symbol').getBoundingClientRect().height"
    window.until(f"{height} === 0")
    assert "BTC/USDT · 1h · Next bar" in window.text("#md-fold")
    window.click("#md-fold")
    window.until(f"{height} > 0")
    window.click("#md-fold")
    assert window.run(WIDTH) <= PHONE[0]
    tops = [
        window.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
        for css in (".md-verdict", ".md-kpis", ".md-walk", ".md-calibration", ".md-importance", ".md-drift")
    ]
    assert tops == sorted(tops) and tops[0] < PHONE[1]
    page.clean()


def test_the_first_page_names_who_votes_and_leads_here(make):
    page = make()
    page.window.open(page.url)
    page.window.until_text("#ml", "53.1 %")
    for words in ("majority 51.2 %", "agreement 100 %", "RSI 14", "ETH/USDT"):
        assert words in page.window.text("#ml")
    assert page.window.run("return document.querySelectorAll('[id^=md-]').length") == 0
    page.window.click("#ml a")
    page.window.until(READY)
    page.clean()


def test_every_control_is_reached_by_the_keyboard(make):
    page = make().open()
    reached = set()
    for _ in range(24):
        page.window.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(
            page.window.run(
                "return document.activeElement.closest('.field')?.querySelector('label').innerText "
                "|| document.activeElement.id"
            )
        )
    wanted = {"Symbol", "Timeframe", "Label", "Walk-forward", "From", "To", "Advanced"}
    assert wanted | {"md-go", "md-back", "md-silence"} <= reached
