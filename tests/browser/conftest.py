"""Fixtures for tests with a real browser: a served application, and Chromium windows of a chosen size."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-prefers-reduced-motion",  # a dialog that still slides is missed by a click
)
DESKTOP, PHONE = (1600, 1100), (390, 844)


class Window:
    """A browser window and what a person would see in it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, url):
        self.driver.get(url)
        self.until("return document.querySelector('#price-chart canvas') !== null")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, script, *arguments, within=15.0):
        """Wait until a script answers with something true, and return that; it may fail while things are drawn."""
        from selenium.common.exceptions import JavascriptException

        deadline, trouble = time.monotonic() + within, None
        while time.monotonic() < deadline:
            try:
                found, trouble = self.run(script, *arguments), None
            except JavascriptException as error:
                found, trouble = None, error
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"after {within} s still not: {script} {arguments}") from trouble

    def text(self, css):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def until_text(self, css, words, within=15.0):
        self.until(
            "return (document.querySelector(arguments[0])?.innerText ?? '').includes(arguments[1])",
            css,
            words,
            within=within,
        )

    def click(self, css, within=15.0):
        """Click on what is there now, as soon as it can be clicked."""
        self._with(css, lambda element: element.click(), within)

    def type(self, css, *keys, within=15.0):
        """Replace what a field holds."""
        from selenium.webdriver.common.keys import Keys

        self._with(css, lambda element: element.send_keys(Keys.CONTROL, "a", Keys.NULL, *keys), within)

    def _with(self, css, act, within):
        """Act on an element: a page may draw it anew between its being found and that, or cover it for a moment."""
        from selenium.common.exceptions import (
            ElementClickInterceptedException,
            ElementNotInteractableException,
            NoSuchElementException,
            StaleElementReferenceException,
        )

        passing = (ElementClickInterceptedException, ElementNotInteractableException, NoSuchElementException,
                   StaleElementReferenceException)
        deadline = time.monotonic() + within
        while True:
            try:
                return act(self.driver.find_element("css selector", css))
            except passing:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def errors(self):
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def outside_requests(self):
        """Addresses beyond this machine that the page asked for."""
        found = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            url = message.get("params", {}).get("request", {}).get("url", "")
            split = urlsplit(url)
            if split.scheme in ("http", "https", "ws", "wss") and split.hostname not in ("127.0.0.1", "localhost"):
                found.add(url)
        return found


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium; without it or its driver the test is skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found or not shutil.which("chromedriver"):
        assert not os.environ.get("CI"), "CI must have chromium and chromedriver"
        pytest.skip("needs chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)")
    return found


@pytest.fixture
def open_window(chromium: str) -> Iterator[Callable[..., Window]]:
    """Open windows; all are closed at the end."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options

    drivers = []

    def open_one(size=DESKTOP) -> Window:
        options = Options()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--window-size={size[0]},{size[1]}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options)
        drivers.append(driver)
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return Window(driver)

    yield open_one
    for driver in drivers:
        driver.quit()


def free_port() -> int:
    """Return a port that nobody listens on, below those that clients are given: a retry could connect to itself."""
    for port in range(20_000 + os.getpid() * 97 % 9_000, 32_000):
        with socket.socket() as listener:
            if listener.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no free port from 20000 to 32000")


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serve bundles of services in threads; return the address."""
    import app

    running = []

    def serve_one(services, port: int | None = None) -> str:
        port = port or free_port()
        server = app.web_server(app.create_app(services), port=port)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        running.append((server, thread))
        deadline = time.monotonic() + 15
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        return f"http://127.0.0.1:{port}/"

    serve_one.running = running
    yield serve_one
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def fake_world() -> Iterator[Callable[..., object]]:
    """Make fake worlds that move; all stand still at the end."""
    from tests.fakes.fake_services import FakeWorld

    worlds = []

    def make(**choices):
        world = FakeWorld(**choices).run()
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.stop()
