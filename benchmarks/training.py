"""What a training costs the screen: round trips of callbacks while nothing runs and while a model is trained."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.rows import Row
from benchmarks.screen import chromium
from tests.browser.conftest import free_port
from tests.browser.install import find_browser

ROOT = Path(__file__).resolve().parents[1]
ROUND_TRIPS = 400
PAUSE_S = 0.02  # a busy person, not a load test
PATIENCE_S = 120.0
LISTEN = """
window.asked = {};
const plain = window.fetch;
window.fetch = function (url, options) {
  if (String(url).includes("_dash-update-component") && options && options.body) {
    try { window.asked[JSON.parse(options.body).output] = options.body; } catch (error) { /* not a callback */ }
  }
  return plain.apply(this, arguments);
};
"""

CHOOSE = """
const box = document.querySelector('#md-interval');
Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(box, '5m');
box.dispatchEvent(new Event('change', { bubbles: true }));
"""


def run() -> list[Row]:
    """Serve a cockpit in a process of its own, and ask it the same before and during a training."""
    if find_browser() is None:
        return [Row("callbacks while training", "not measured", "no Chromium found")]
    with served() as url, chromium() as browser:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
        bodies = recorded(browser, url)
        idle = {name: round_trips(url, body) for name, body in bodies.items()}
        browser.get(f"{url}models?market=BTCUSDT-1m")
        until(browser, "return document.querySelector('#md-go') !== null")
        browser.execute_script("document.querySelector('#md-go').click()")
        until(browser, "return document.querySelector('#md-stage').innerText.includes('window')")
        busy = {name: round_trips(url, body) for name, body in bodies.items()}
        still = browser.execute_script("return document.querySelector('#md-stage').innerText")
    return [_row(name, idle[name], busy[name], still) for name in bodies]


def _row(name: str, idle: np.ndarray, busy: np.ndarray, still: str) -> Row:
    before, during = (float(np.percentile(taken, 95)) for taken in (idle, busy))
    note = (f"median {np.median(idle):.1f} ms and {np.median(busy):.1f} ms, longest {idle.max():.0f} and "
            f"{busy.max():.0f} ms, {ROUND_TRIPS} round trips each; the training was at {still}")
    return Row(f"{name}, p95 while a model is trained", f"{during:.1f} ms", note, f"{before:.1f} ms idle",
               f"{during / before:.2f}")


@contextmanager
def served() -> Iterator[str]:
    """Start a cockpit on the simulated market."""
    port = free_port()
    with TemporaryDirectory() as folder:
        environment = os.environ | {"COCKPIT_DATA_DIR": folder, "COCKPIT_SIM_HISTORY_DAYS": "12"}
        command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--port", str(port),
                   "--no-browser"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(30)


def recorded(browser: Any, url: str) -> dict[str, str]:
    """Return what the browser itself asks for each of the callbacks."""
    browser.get(f"{url}models?market=BTCUSDT-1m")
    until(browser, "return document.querySelector('#md-interval') !== null")
    browser.execute_script(CHOOSE)
    found = {"a market on the page Models": _asked(browser, "md-interval.options")}
    browser.get(url)
    until(browser, "return document.querySelector('#equity-range input') !== null")
    time.sleep(2.0)
    browser.execute_script("document.querySelectorAll('#equity-range input')[1].click()")
    found["a range of the equity curve"] = _asked(browser, "equity-graph.figure")
    return found


def _asked(browser: Any, output: str) -> str:
    script = "return Object.entries(window.asked).filter(([k]) => k.includes(arguments[0])).map(([, v]) => v)[0] ?? ''"
    return str(until(browser, script, output))


def until(browser: Any, script: str, *arguments: Any) -> Any:
    """Wait until a script answers with something true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := browser.execute_script(script, *arguments)):
        if time.monotonic() > deadline:
            raise TimeoutError(script)
        time.sleep(0.1)
    return found


def round_trips(url: str, body: str) -> np.ndarray:
    """Return how many ms each of many equal questions took."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=60)
    headers = {"Content-Type": "application/json", "Origin": url.rstrip("/"), "Accept": "application/json"}
    taken = []
    for _ in range(ROUND_TRIPS):
        begun = time.perf_counter()
        connection.request("POST", "/_dash-update-component", body, headers)
        answer = connection.getresponse()
        content = answer.read()
        taken.append((time.perf_counter() - begun) * 1000)
        if answer.status not in (200, 204):
            raise RuntimeError(f"{answer.status}: {content[:200]!r} for {json.loads(body)['output']}")
        time.sleep(PAUSE_S)
    connection.close()
    return np.array(taken)
