"""From empty to a saved, backtested, running strategy by clicks alone, on the real cockpit and its simulated market."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import free_port
from tests.torture import ROOT

pytestmark = pytest.mark.browser

LIMIT_S = 180
TILE = "#st-tiles .kpi:first-child .kpi-value"
FIGURE = f"return (document.querySelector('{TILE}')?.innerText ?? '').includes('%')"
IS_PAPER = "return document.querySelector('#badges')?.innerText.includes('RUNNING')"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--assets", "BTCUSDT,ETHUSDT",
               "--port", str(port), "--no-browser"]
    environment = os.environ | {"COCKPIT_DATA_DIR": str(tmp_path), "COCKPIT_SIM_HISTORY_DAYS": "20"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}/"
    assert process.stdout is not None
    line = process.stdout.readline()
    while line and address not in line:
        line = process.stdout.readline()
    assert address in line
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def typed(page, css: str, words: str) -> None:
    page.type(css, words, Keys.TAB)


def chosen(page, css: str, value: str) -> None:
    page.run("""const box = document.querySelector(arguments[0]);
        const set = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set;
        set.call(box, arguments[1]); box.dispatchEvent(new Event('change', {bubbles: true}))""", css, value)


def test_from_empty_to_a_saved_backtested_running_strategy_in_under_three_minutes(
        url: str, open_window: Callable, tmp_path: Path) -> None:
    page = open_window()
    page.driver.get(f"{url}strategies")
    page.until("return document.querySelector('#st-builder .st-row') !== null", within=60)
    page.until_text("#st-shelf", "None of your own yet")
    begun = time.monotonic()

    typed(page, ".st-name input", "Dip hunter")
    page.until_text("#st-title", "Dip hunter")
    typed(page, ".st-entry .st-row .st-number input", "35")
    page.until_text("#st-words", "crosses above 35")
    page.click(".st-entry .st-adders .st-add")
    page.until("return document.querySelectorAll('.st-entry .st-row').length === 2")
    page.until("return document.querySelector('.st-entry .st-row.is-open .st-operand') !== null")
    row = ".st-entry .st-row.is-open"
    chosen(page, f"{row} [data-field='left.kind'] select", "price")
    page.until_text("#st-words", "close is below 30")
    chosen(page, f"{row} [data-field='verb'] select", ">")
    chosen(page, f"{row} [data-field='right.kind'] select", "indicator")
    page.until_text("#st-words", "while close is above EMA(50)")
    page.until(FIGURE, within=30)

    page.click("#st-buttons [data-do='save']")
    page.until_text("#st-title", "v1 · saved")
    assert (tmp_path / "strategies" / "BTCUSDT" / "dip-hunter.json").is_file()

    page.click("#st-buttons [data-do='backtest']")
    page.until("return location.pathname === '/backtest' && document.querySelector('#bt-go') !== null")
    page.until_text("#bt-strategy", "Dip hunter")
    page.click("#bt-go")
    page.until("return document.querySelector('#bt-tiles .kpi-value') !== null", within=90)

    page.driver.execute_script("document.querySelector(\".menu a[href='/strategies']\").click()")
    page.until_text("#st-title", "v1 · saved")
    page.click("#st-buttons [data-do='paper']")
    page.until_text("#st-notice", "Dip hunter is in place", within=30)
    page.until_text("#st-shelf", "in use")
    page.driver.execute_script("document.querySelector(\".menu a[href='/']\").click()")
    page.until("return document.querySelector('#auto-start') !== null")
    page.click("#auto-start")
    page.until(IS_PAPER, within=30)
    page.until("return document.querySelector('#signals .why')?.title.includes('Dip hunter')", within=60)
    took = time.monotonic() - begun
    print(f"from empty to running: {took:.0f} s")
    assert took < LIMIT_S
    assert page.errors() == []
    assert page.outside_requests() == set()
