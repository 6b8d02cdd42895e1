"""The page "Rehearsal" in a real browser: with a fake port behind it, and once with everything that is real."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import DESKTOP, PHONE, free_port
from tests.fakes.fake_rehearsal import FakeRehearsal
from tests.torture import ROOT
from trading.domain.rehearsal import RehearsalRequest

pytestmark = pytest.mark.browser

READY = "return document.querySelector('#rh-go') !== null && document.querySelector('#rh-symbols') !== null"
VERDICT = "#rh-verdict"
LEVELS = "return document.querySelectorAll('#rh-ladder .rh-level').length"
COMPARED = "return /exchange's: yes|No order yet/.test(document.querySelector(arguments[0])?.innerText ?? '')"
WIDTH = "return document.documentElement.scrollWidth"
HEIGHT = "return document.querySelector(arguments[0]).getBoundingClientRect().height"


class Rehearsal:
    """A window on the page."""

    def __init__(self, window, url, port):
        self.window, self.url, self.port = window, url, port

    def open(self):
        self.window.driver.get(f"{self.url}rehearsal")
        self.window.until(READY)
        return self

    def started(self):
        self.window.click("#rh-go")
        self.window.until(LEVELS)
        return self

    def switch(self, name):
        return self.window.driver.find_element("css selector", f"#rh-fault-{name}")

    def clean(self):
        assert self.window.errors() == []
        assert self.window.outside_requests() == set()


@pytest.fixture
def make(fake_world, serve, open_window):
    def make_one(size=DESKTOP, **choices):
        port = FakeRehearsal(**choices)
        return Rehearsal(open_window(size), serve(fake_world(rehearsal=port).services), port)

    return make_one


def test_a_rehearsal_is_started_watched_and_stopped(make):
    page = make().open()
    window = page.window
    window.until_text(VERDICT, "Rehearse before it costs money.")
    assert window.run("return document.querySelector('#rh-stop').disabled")
    page.started()
    window.until_text(VERDICT, "Ledger equals the exchange's: yes.")
    assert page.port.asked == [RehearsalRequest(("BTCUSDT", "ETHUSDT"))]
    window.until_text("#rh-account", "In quarantine")
    window.until("return document.querySelectorAll('#rh-latency .scatterlayer .trace').length")
    before = window.text("#rh-prints")
    window.until("return document.querySelector('#rh-prints').innerText !== arguments[0]", before)
    assert window.run("return document.querySelector('#rh-go').disabled")
    assert window.run(WIDTH) <= DESKTOP[0]
    window.click("#rh-stop")
    window.until_text(VERDICT, "Stopped.")
    page.clean()


def test_a_switch_is_thrown_by_keyboard_keeps_the_focus_and_is_put_back(make):
    page = make().open().started()
    window = page.window
    window.until("return !document.querySelector('#rh-switches').disabled")
    window.run("document.querySelector('#rh-fault-drop_reply').focus()")
    page.switch("drop_reply").send_keys(Keys.SPACE)
    window.until_text("#rh-fault-drop_reply", "ON")
    window.until_text("#rh-tiles .kpi-rh-faults", "1 on")
    window.until_text("#rh-group-orders", "1 on")
    assert window.run("return document.activeElement.id") == "rh-fault-drop_reply"
    window.run("document.querySelector('#rh-fault-http_503').click()")
    window.until_text("#rh-fault-http_503", "ON")
    assert page.port.on == {"drop_reply", "http_503"}
    window.run("document.querySelector('#rh-clear').click()")
    window.until_text("#rh-fault-drop_reply", "off")
    window.until_text("#rh-tiles .kpi-rh-faults", "0 on")
    page.clean()


def test_a_quarantine_is_released_with_one_click(make):
    page = make().open().started()
    window = page.window
    window.until_text("#rh-account", "In quarantine")
    window.until("return !document.querySelector('#rh-release').disabled")
    window.click("#rh-release")
    window.until("return document.querySelector('#rh-release').disabled")
    assert "In quarantine" not in window.text("#rh-account")
    page.clean()


def test_switches_rest_while_nothing_runs(make):
    page = make().open()
    assert page.window.run("return document.querySelector('#rh-switches').disabled")
    assert not page.switch("drop_reply").is_enabled()
    page.clean()


def test_another_symbol_shows_its_own_book(make):
    page = make().open().started()
    window = page.window
    window.until_text("#rh-ladder", "67,0")
    window.run("document.querySelectorAll('#rh-symbol input')[1].click()")
    window.until_text("#rh-ladder", "3,400")
    window.until("return document.querySelectorAll('#rh-symbol input')[1].checked")
    page.clean()


def test_ledgers_that_differ_are_an_alarm_with_a_list(make):
    page = make(broken=True).open().started()
    page.window.until_text(VERDICT, "Ledger equals the exchange's: no.")
    page.window.until_text("#rh-ledger", "fill BTCUSDT 4711")
    page.clean()


def test_a_start_that_takes_long_can_be_stopped(make):
    page = make(stuck=True).open()
    page.window.click("#rh-go")
    page.window.until_text(VERDICT, "Starting:")
    page.window.until("return !document.querySelector('#rh-stop').disabled")
    page.window.click("#rh-stop")
    page.window.until_text(VERDICT, "Stopped.")
    page.clean()


def test_a_crash_of_the_exchange_is_told_with_its_last_words(make):
    page = make().open().started()
    page.port.fail("the rehearsal exchange ended by itself (exit code 70): the book is crossed")
    page.window.until_text(VERDICT, "The rehearsal failed.")
    assert "the book is crossed" in page.window.text(VERDICT)
    page.window.until("return !document.querySelector('#rh-go').disabled")
    page.clean()


def test_what_is_wrong_is_one_line_beside_the_controls(make):
    page = make().open()
    box = page.window.driver.find_element("css selector", "#rh-speed")
    box.clear()
    box.send_keys("99999")
    page.window.click("#rh-go")
    page.window.until_text("#rh-error", "Speed: enter a number from 0.1 to 10,000")
    assert page.port.asked == []
    page.clean()


def test_stored_candles_offer_their_own_symbols(make):
    page = make().open()
    page.window.run(
        """const box = document.querySelector('#rh-source'); box.value = 'candles';
        box.dispatchEvent(new Event('change', {bubbles: true}))"""
    )
    page.window.until_text("#rh-fold-word", "Stored candles")
    page.started()
    assert page.port.asked[0].source == "candles"
    page.clean()


def test_leaving_the_page_leaves_no_error_behind_and_coming_back_finds_it_running(make):
    page = make().open().started()
    window = page.window
    window.click("a.nav-page[href='/']")
    window.until("return document.querySelector('#price-chart canvas') !== null")
    window.click("a.nav-page[href='/rehearsal']")
    window.until(READY)
    window.until_text(VERDICT, "Ledger equals the exchange's: yes.")
    page.clean()


def test_phone_has_verdict_figures_and_account_first_and_is_not_wider_than_the_window(make):
    page = make(PHONE).open().started()
    window = page.window
    window.until_text(VERDICT, "Ledger equals")
    window.until_text("#rh-account", "Positions")
    assert window.run(WIDTH) <= PHONE[0]
    tops = [window.run("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
            for css in (VERDICT, "#rh-tiles", "#rh-account", "#rh-switches", "#rh-ladder", "#rh-journal")]
    assert tops == sorted(tops)
    window.until("return !document.querySelectorAll('.rh-group')[1].open")
    window.run("document.querySelectorAll('.rh-group > summary')[1].click()")
    window.until("return document.querySelector('#rh-fault-http_503').getBoundingClientRect().height >= 30")
    assert window.run(HEIGHT, "#rh-seed") == 0
    window.click("#rh-fold")
    window.until("return document.querySelector('#rh-seed').getBoundingClientRect().height > 0")
    page.clean()


@pytest.fixture
def dashboard(tmp_path):
    """The real cockpit on the simulated market; return its address and its process."""
    port = free_port()
    command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--assets", "BTCUSDT", "--port",
               str(port), "--no-browser"]
    environment = os.environ | {"COCKPIT_DATA_DIR": str(tmp_path / "data"), "XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        assert str(port) in process.stdout.readline()
        yield f"http://127.0.0.1:{port}/", process
        process.kill()


def is_gone(pid):
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
def test_the_real_cockpit_rehearses_on_the_real_exchange_and_takes_it_along_when_it_is_killed(dashboard, open_window):
    url, process = dashboard
    page = Rehearsal(open_window(), url, None).open()
    window = page.window
    window.click("#rh-go")
    window.until(COMPARED, VERDICT, within=90)
    window.until_text("#rh-state", "ready")
    window.until_text("#rh-journal", "armed")
    window.until("return document.querySelectorAll('#rh-ladder .rh-level').length > 10")
    window.run("document.querySelector('#rh-fault-slow').click()")
    window.until_text("#rh-fault-slow", "struck", within=30)
    window.run("document.querySelector('#rh-fault-slow').click()")
    window.until_text("#rh-fault-slow", "ledgers equal", within=30)
    pid = int(re.search(r"process (\d+)", window.text("#rh-heading")).group(1))
    page.clean()
    process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while not is_gone(pid):
        assert time.monotonic() < deadline, "the exchange outlives the cockpit"
        time.sleep(0.05)
