"""A search by the real cockpit on the simulated market, in a real browser: from Start to the page Backtest."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import free_port
from tests.torture import ROOT

pytestmark = pytest.mark.browser

READY = "return document.querySelector('#am-go') !== null && document.querySelector('#am-strategy') !== null"
TRIED = "return +(document.querySelector('#am-tiles .kpi-am-trials .kpi-value')?.innerText ?? '0').replace(/,/g, '')"
CHOOSE = """const box = document.querySelector('#am-search'); box.value = 'evolution';
box.dispatchEvent(new Event('change', {bubbles: true}))"""
VERDICT = ".am-verdict"


class Cockpit:
    """A dashboard process on a folder that can be ended and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--assets", "BTCUSDT", "--port",
                   str(self.port), "--no-browser"]
        environment = os.environ | {"COCKPIT_DATA_DIR": str(self.folder), "COCKPIT_SIM_HISTORY_DAYS": "60"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        assert self.url in self.process.stdout.readline()

    def end(self, how: int) -> None:
        self.process.send_signal(how)
        self.process.wait(timeout=30)


@pytest.fixture
def cockpit(tmp_path: Path) -> Iterator[Cockpit]:
    cockpit = Cockpit(tmp_path)
    cockpit.start()
    yield cockpit
    cockpit.end(signal.SIGKILL)


def test_a_search_is_cancelled_resumed_outlives_a_crash_and_its_champion_is_saved(
        cockpit: Cockpit, open_window: Callable) -> None:
    page = open_window()
    page.driver.get(f"{cockpit.url}automl")
    page.until(READY)
    page.run(CHOOSE)
    page.until_text("#am-strategy", "none")
    budget = page.driver.find_element("css selector", "#am-budget")
    budget.clear()
    budget.send_keys("30000")
    page.click("#am-go")
    page.until("return location.search.startsWith('?study=')", within=30)
    page.until_text("#am-stage", "%")
    page.click("#am-go")
    page.until(f"return ({TRIED.removeprefix('return ')}) >= 100", within=120)
    assert "closed" in page.text("#am-tiles .kpi-am-outside")
    assert len(list((cockpit.folder / "studies").iterdir())) == 1

    page.click("#am-cancel")
    page.until_text(VERDICT, "Cancelled after", within=30)
    kept = page.run(TRIED)
    page.click("#am-resume")
    page.until(f"return ({TRIED.removeprefix('return ')}) > arguments[0]", kept, within=60)

    cockpit.end(signal.SIGKILL)
    cockpit.start()
    page.driver.refresh()
    page.until_text(VERDICT, "Interrupted after", within=30)
    page.errors()  # while it was dead nobody answered
    page.click("#am-resume")
    page.until_text("#am-stage", "%")
    page.driver.refresh()
    page.until(READY)
    page.until_text(VERDICT, "romoted", within=240)
    page.until(f"return ({TRIED.removeprefix('return ')}) === 30000")
    page.until("return document.querySelectorAll('.panel-am-champion .check').length >= 3")
    view = json.loads(next((cockpit.folder / "studies").glob("*/view.json")).read_text())
    assert ("Not promoted" in page.text(VERDICT)) is not view["gate"]["passed"]

    page.click("#am-save")
    page.until_text("#am-saved", "Saved as")
    name = page.text("#am-saved strong").removeprefix("Saved as ").rstrip(". ")
    assert ("(unproven)" in name) is not view["gate"]["passed"]
    page.run("document.querySelector('#am-saved a').click()")
    page.until_text("#bt-strategy", name, within=30)
    assert page.errors() == []
    assert page.outside_requests() == set()
