"""The real cockpit in a real browser: a model is trained, put on paper by hand, and votes on the first page."""

import json
import time
import urllib.request

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.test_cockpit_flow import Cockpit

pytestmark = pytest.mark.browser

HIDDEN = "return document.querySelector('#md-progress').className.includes('hidden')"
PATIENCE_S = 150


@pytest.fixture
def cockpit(tmp_path):
    cockpit = Cockpit(tmp_path)
    cockpit.start()
    yield cockpit
    cockpit.end(9)


def write(page, css, value):
    box = page.driver.find_element("css selector", css)
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    box.send_keys(value)


def small(page, cockpit):
    """Choose a model that is trained in seconds."""
    page.driver.get(f"{cockpit.url}models?market=BTCUSDT-1m")
    page.until("return document.querySelector('#md-go') !== null")
    page.click("#md-scheme-word")
    write(page, "#md-folds", "2")
    page.click("#md-scheme-word")
    page.click("#md-more-word")
    write(page, "#md-set-trees", "20")
    write(page, "#md-set-rounds", "20")
    page.until_text("#md-more-word", "2 changed")
    page.click("#md-more-word")


def models_of(cockpit):
    folder = cockpit.folder / "models" / "BTCUSDT-1m"
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def test_a_model_is_cancelled_trained_put_on_paper_and_votes(cockpit, open_window):
    page = open_window()
    small(page, cockpit)
    page.run("const go = document.querySelector('#md-go'); go.click(); go.click()")
    page.until_text("#md-stage", "%")
    page.until_text("#md-stage", "window", within=PATIENCE_S)
    page.click("#md-cancel")
    page.until(HIDDEN)
    page.until_text(".panel-md-runs", "cancelled")
    assert models_of(cockpit) == []
    page.until("return !document.querySelector('#md-go').disabled")
    page.click("#md-go")
    page.until_text("#md-stage", "window", within=PATIENCE_S)
    page.driver.get(f"{cockpit.url}backtest")
    page.until("return document.querySelector('#bt-go') !== null")
    begun = time.monotonic()
    with urllib.request.urlopen(f"{cockpit.url}api/health", timeout=5) as answer:
        assert json.load(answer) == {"status": "ok"}
    assert time.monotonic() - begun < 5
    page.click("a.nav-page[href='/models']")
    page.until("return document.querySelector('.md-kpis') !== null", within=PATIENCE_S)
    page.until(HIDDEN, within=PATIENCE_S)
    page.until("return document.querySelectorAll('.md-walk .scatterlayer .trace').length >= 4")
    version = models_of(cockpit)[0].name
    assert len(models_of(cockpit)) == 1
    page.until("return location.search === arguments[0]", f"?market=BTCUSDT-1m&version={version}")
    page.driver.refresh()
    page.until_text(".md-heading", version.removeprefix("BTCUSDT-1m-"))
    if "CHAMPION" not in page.text(".md-heading"):
        page.run("document.querySelector('.panel-md-versions .btn-row').click()")
        page.until_text("#md-modal-title", "on paper?")
        write(page, "#md-reason", "to see it vote")
        page.click("#md-confirm")
    page.until_text(".md-heading", "CHAMPION, VOTES")
    page.until("return !document.querySelector('.panel-md-drift').innerText.includes('Not checked')", within=60)
    page.driver.get(cockpit.url)
    page.until_text("#ml", "voting", within=60)
    page.until_text("#ml", "agreement")
    assert page.errors() == []
    assert page.outside_requests() == set()


def test_a_cockpit_killed_in_the_middle_of_a_training_leaves_no_model_and_says_so(cockpit, open_window):
    page = open_window()
    small(page, cockpit)
    page.click("#md-go")
    page.until_text("#md-stage", "window", within=PATIENCE_S)
    cockpit.end(9)
    cockpit.start()
    page.driver.get(f"{cockpit.url}models?market=BTCUSDT-1m")
    page.until_text(".panel-md-runs", "interrupted by a restart")
    assert models_of(cockpit) == []
    assert page.run(HIDDEN) and not page.run("return document.querySelector('#md-go').disabled")
