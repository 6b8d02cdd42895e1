"""The page "AutoML" in a real browser, with a fake port behind it."""

import pytest

from tests.browser.conftest import DESKTOP, PHONE
from tests.fakes.fake_studies import FakeStudies

pytestmark = pytest.mark.browser

READY = "return document.querySelector('#am-go') !== null && document.querySelector('#am-strategy') !== null"
POINTS = "return document.querySelectorAll('#am-pareto .scatterlayer .trace').length"
ROWS = "return document.querySelectorAll('#am-table .ag-center-cols-container .ag-row').length"
NO_SCROLL = "return document.documentElement.scrollWidth"
VERDICT = ".am-verdict"
PROGRESS = "return document.querySelector('#am-progress').getBoundingClientRect().height"


class Hand:
    """A clock that is moved by hand: a search goes as far as a test wants, however busy the machine is."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class AutoML:
    """A window on the page."""

    def __init__(self, window, url):
        self.window, self.url = window, url

    def open(self, query=""):
        self.window.driver.get(f"{self.url}automl{query}")
        self.window.until(READY)
        return self

    def search(self, kind):
        self.window.run(
            """const box = document.querySelector('#am-search'); box.value = arguments[0];
            box.dispatchEvent(new Event('change', {bubbles: true}))""",
            kind,
        )
        return self

    def type(self, css, value):
        box = self.window.driver.find_element("css selector", css)
        box.clear()
        box.send_keys(str(value))
        return self

    def start(self):
        self.window.click("#am-go")
        return self

    def begun(self):
        self.start().window.until_text("#am-stage", "%")
        return self

    def drawn(self):
        self.window.until(POINTS)
        self.window.until(ROWS)
        return self

    def clean(self):
        assert self.window.errors() == []
        assert self.window.outside_requests() == set()


@pytest.fixture
def make(fake_world, serve, open_window):
    def make_one(size=DESKTOP, **choices):
        clock = Hand()
        world = fake_world(studies=FakeStudies(seconds=10.0, clock=clock, **choices))
        page = AutoML(open_window(size), serve(world.services))
        page.clock = clock
        page.port = world.studies
        return page

    return make_one


def test_a_search_fills_up_while_it_runs_and_ends_with_what_the_gate_said(make):
    page = make().open()
    page.window.until_text("#am-body", "Search honestly")
    page.type("#am-seed", 9).begun()
    window = page.window
    page.clock.now = 4.0
    window.until_text("#am-stage", "40 % · generation 12 of 40, island 2 · 80 of 200 candidates · 1,200 a minute")
    window.until_text("#am-stage", "about 0 m 06 s left")
    page.drawn()
    assert "closed" in window.text("#am-tiles .kpi-am-outside")
    assert "opened once" in window.text("#am-body")
    before = window.text("#am-count")
    page.clock.now = 8.0
    window.until("return document.querySelector('#am-count').innerText !== arguments[0]", before)
    page.clock.now = 10.0
    window.until_text(VERDICT, "Not promoted: 2 of 3 questions failed.")
    assert "No: deflated Sharpe 0.310 (needs 0.95)" in window.text(VERDICT)
    window.until(f"{PROGRESS} === 0")
    assert window.text("#am-tiles .kpi-am-gate").split("\n")[1:] == ["1 of 3", "not promoted"]
    assert window.run("return document.querySelectorAll('.panel-am-champion .is-fail').length") == 2
    assert "90 candidates" in window.text(".am-three")
    assert window.run(NO_SCROLL) <= DESKTOP[0]
    page.clean()


def test_a_passed_gate_says_promoted(make):
    page = make().open("?study=passed").drawn()
    assert page.window.text(VERDICT).replace("\n", " ").startswith("✓ Promoted.")
    assert page.window.text("#am-save") == "Save as strategy"
    page.clean()


def test_start_twice_is_one_study(make):
    page = make().open()
    n_before = len(page.port.asked)
    button = page.window.driver.find_element("css selector", "#am-go")
    button.click()
    page.window.until("return !document.querySelector('#am-go').disabled")
    page.window.until_text("#am-stage", "%")
    button.click()
    page.window.until("return !document.querySelector('#am-go').disabled")
    assert len(page.port.asked) == n_before + 1
    page.clean()


def test_cancel_keeps_what_was_tried_and_resume_goes_on(make):
    page = make().open().begun()
    page.clock.now = 5.0
    page.drawn()
    window = page.window
    window.click("#am-cancel")
    window.until_text(VERDICT, "Cancelled after")
    window.until(f"{PROGRESS} === 0")
    window.until(ROWS)
    kept = int(window.text("#am-tiles .kpi-am-trials .kpi-value"))
    window.click("#am-resume")
    window.until_text(VERDICT, "Searching.")
    page.clock.now = 7.0
    window.until("return +document.querySelector('#am-tiles .kpi-am-trials .kpi-value').innerText > arguments[0]", kept)
    page.clean()


def test_a_search_that_outlives_its_page_is_found_again(make):
    page = make().open().begun()
    page.window.until("return location.search.startsWith('?study=')")
    page.window.driver.refresh()
    page.window.until_text("#am-stage", "%")
    page.clock.now = 10.0
    page.window.until_text(VERDICT, "Not promoted")
    page.clean()


def test_leaving_the_page_while_it_searches_leaves_no_error_behind(make):
    page = make().open().begun()
    page.clock.now = 5.0
    page.drawn()
    page.window.click("a.nav-page[href='/']")
    page.window.until("return document.querySelector('#price-chart canvas') !== null")
    page.clock.now = 6.0
    before = page.window.text("#price-legend")
    page.window.until("return document.querySelector('#price-legend').innerText !== arguments[0]", before)
    page.window.click("a.nav-page[href='/automl']")
    page.window.until(READY)
    page.clean()


def test_an_interrupted_search_can_be_resumed_with_one_click(make):
    page = make().open("?study=cut").drawn()
    page.window.until_text(VERDICT, "Interrupted after 2,000 of 5,000 candidates")
    page.window.click("#am-resume")
    page.window.until_text(VERDICT, "Searching.")
    page.clock.now = 10.0
    page.window.until_text(VERDICT, "Promoted.")
    page.clean()


def test_a_click_on_a_candidate_opens_its_rule(make):
    page = make().open("?study=denied").drawn()
    window = page.window
    window.run("""document.querySelector("#am-table .ag-row[row-index='2'] .ag-cell").click()""")
    window.until_text("#am-candidate-body", "crosses above 28.5")
    number = window.text("#am-table .ag-row[row-index='2'] .ag-cell[col-id='number']")
    assert f"Candidate {number}" in window.text("#am-candidate-title")
    page.clean()


def test_a_saved_champion_that_was_not_promoted_is_called_unproven(make):
    page = make().open("?study=denied").drawn()
    window = page.window
    window.click("#am-save")
    window.until_text("#am-saved", "(unproven)")
    assert "--strategy" in window.text("#am-saved code")
    window.click("#am-saved a")
    window.until_text("#bt-strategy", "RSI reversion")
    page.clean()


def test_another_kind_of_search_changes_what_is_asked(make):
    page = make().open().search("evolution")
    window = page.window
    window.until_text("#am-strategy", "none: from scratch")
    window.until_text("#am-more-word", "2 × 60")
    window.click("#am-more-word")
    window.until("return document.querySelector('#am-islands').getBoundingClientRect().height > 0")
    page.type("#am-islands", 3)
    window.until_text("#am-more-word", "3 × 60")
    page.type("#am-budget", 700).start()
    window.until_text("#am-heading", "Evolve rules")
    asked = list(page.port.asked.values())[-1]
    assert (asked.search, asked.strategy, asked.islands, asked.budget) == ("evolution", "", 3, 700)
    page.clean()


def test_a_model_search_shows_settings_and_nothing_to_save(make):
    page = make().open("?study=model").drawn()
    assert "train one with them" in page.window.text("#am-champion")
    assert page.window.run("return document.querySelector('#am-save')") is None
    page.clean()


def test_what_is_wrong_is_one_line_beside_the_controls(make):
    page = make().open().type("#am-holdout", 99).start()
    page.window.until_text("#am-error", "Untouched: enter a share of the candles from 5 to 80 %")
    page.clean()


def test_a_failed_search_says_why(make):
    page = make().open("?study=broken")
    page.window.until_text(VERDICT, "only 90 bars between the dates")
    page.clean()


def test_an_unknown_address_and_a_house_without_candles_say_what_to_do(make):
    page = make().open("?study=nonsense")
    page.window.until_text("#am-body", "This study is not here")
    page.clean()
    bare = make(stored=False).open()
    bare.window.until_text("#am-body", "--mode download")
    assert bare.window.run("return document.querySelector('#am-go').disabled")
    bare.clean()


def test_phone_is_not_wider_than_the_window(make):
    page = make(PHONE).open("?study=denied").drawn()
    window = page.window
    assert window.run(NO_SCROLL) <= PHONE[0]
    window.click("#am-fold")
    window.until("return document.querySelector('#am-symbols').getBoundingClientRect().height > 0")
    tops = [window.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
            for css in (VERDICT, "#am-tiles", "#am-pareto", "#am-champion", "#am-table", "#am-studies")]
    assert tops == sorted(tops)
    page.clean()
