"""The real cockpit as a process, on the simulated market, in a real browser: from Start to kill and back."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import PHONE, free_port
from tests.torture import ROOT

pytestmark = pytest.mark.browser

ROWS = "return document.querySelectorAll('#table-positions .ag-center-cols-container .ag-row').length"
CLOSE_ONE = """const close = [...document.querySelectorAll('#table-positions button')].find(
    b => b.innerText === 'Close' && !b.disabled);
close?.click();
return close !== undefined || document.querySelector('#table-positions .ag-center-cols-container .ag-row') === null"""


class Cockpit:
    """A dashboard process on a folder, that can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--speed", "120",
                   "--port", str(self.port), "--no-browser"]
        environment = os.environ | {"COCKPIT_DATA_DIR": str(self.folder), "COCKPIT_SIM_HISTORY_DAYS": "5"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        assert self.url in self.process.stdout.readline()

    def end(self, how: int) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def cockpit(tmp_path: Path) -> Iterator[Cockpit]:
    cockpit = Cockpit(tmp_path)
    cockpit.start()
    yield cockpit
    cockpit.end(signal.SIGKILL)


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.+-]", "", text.replace("\u2212", "-")))


def test_start_opens_a_position_within_a_minute_and_close_closes_it(cockpit: Cockpit, open_window: Callable) -> None:
    page = open_window()
    page.open(cockpit.url)
    before = page.text("#price-legend")
    page.until("return document.querySelector('#price-legend').innerText !== arguments[0]", before)
    page.click("#auto-start")
    page.until_text("#badges", "RUNNING")
    page.until(ROWS, within=60)
    page.click("#auto-stop")
    page.until_text("#badges", "STOPPED")
    page.until_text("#kpi-unrealized", "position")
    while n_rows := page.run(ROWS):
        page.until(CLOSE_ONE)
        page.until(f"return ({ROWS.removeprefix('return ')}) < arguments[0]", n_rows, within=30)
    page.until_text("#table-trades-count", "")
    assert number(page.text("#kpi-exposure .kpi-value") or page.text("#kpi-exposure").split("\n")[1]) == 0.0
    assert page.errors() == []
    assert page.outside_requests() == set()


def test_mode_risk_and_positions_survive_reload_and_kill_minus_nine(cockpit: Cockpit, open_window: Callable) -> None:
    page = open_window()
    page.open(cockpit.url)
    before = page.text("#price-legend")
    page.until("return document.querySelector('#price-legend').innerText !== arguments[0]", before)
    choose(page, "#auto-mode", "signals")
    page.until_text("#toasts", "mode is signals")
    choose(page, "#risk-profile", "Conservative")
    page.until("return document.querySelector('#risk-risk_rate').value === '0.5'")
    page.click("#risk-apply")
    page.until_text("#toasts", "risk profile Conservative")
    page.driver.refresh()
    page.until("return document.querySelector('#auto-mode')?.value === 'signals'")
    assert page.run("return document.querySelector('#risk-profile').value") == "Conservative"
    before = page.text("#price-legend")
    page.until("return document.querySelector('#price-legend').innerText !== arguments[0]", before)
    choose(page, "#auto-mode", "paper")
    page.until_text("#toasts", "mode is paper")
    page.click("#auto-start")
    page.until_text("#badges", "RUNNING")
    page.until(ROWS, within=60)
    cockpit.end(signal.SIGKILL)
    page.until("return /reconnecting/i.test(document.body?.innerText ?? '')", within=20)
    cockpit.start()
    page.until("return !/reconnecting/i.test(document.body?.innerText ?? '')", within=40)
    page.until_text("#badges", "RUNNING", within=20)
    page.until("return document.querySelector('#risk-profile')?.value === 'Conservative'")


def test_the_kill_switch_stops_entries_and_needs_a_reason_to_end(cockpit: Cockpit, open_window: Callable) -> None:
    page, other = open_window(), open_window(PHONE)
    page.open(cockpit.url)
    other.open(cockpit.url)
    page.click("#auto-start")
    page.until(ROWS, within=60)
    page.click("#kill")
    page.until("return document.getElementById('kill-confirm')?.getBoundingClientRect().width > 0")
    page.until("return document.querySelector('.modal.show') !== null")
    page.click("#kill-confirm")
    page.until_text("#badges", "KILLED")
    other.until_text("#badges", "KILLED")
    page.until("return document.querySelector('#auto-start').disabled")
    page.until("return document.querySelector('.modal') === null")
    page.driver.find_element("css selector", "#rearm-reason").send_keys("checked by hand")
    page.click("#rearm")
    page.until_text("#badges", "STOPPED")
    other.until_text("#badges", "STOPPED")
    assert other.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert page.errors() == other.errors() == []


def test_figures_agree_between_header_position_and_tiles(cockpit: Cockpit, open_window: Callable) -> None:
    page = open_window()
    page.open(cockpit.url)
    page.click("#auto-start")
    page.until(ROWS, within=60)
    same = """const cell = name => [...document.querySelectorAll(
            `#table-positions .ag-row [col-id="${name}"]`)].map(e => e.innerText);
        const n = t => parseFloat(t.replace('\u2212', '-').replace(/[^0-9.+-]/g, ''));
        const total = cell('pnl').map(n).reduce((a, b) => a + b, 0);
        const tile = n(document.querySelector('#kpi-unrealized').innerText.split('\\n')[1]);
        return Math.abs(total - tile) < 0.011 * (cell('pnl').length + 1)"""
    page.until(same)


def test_health_answers_json_and_the_process_ends_well(cockpit: Cockpit) -> None:
    with urllib.request.urlopen(cockpit.url + "api/health") as answer:
        assert json.load(answer)["status"] == "ok"
    assert cockpit.end(signal.SIGINT) == 0
    cockpit.start()
    assert cockpit.end(signal.SIGTERM) == 0
    cockpit.start()


def choose(page, css: str, value: str) -> None:
    page.run("""const box = document.querySelector(arguments[0]);
        const set = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set;
        set.call(box, arguments[1]); box.dispatchEvent(new Event('change', {bubbles: true}))""", css, value)
