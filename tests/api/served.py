"""A cockpit with its API on a loopback port, and scripts that knock at it with a token."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

import app as cockpit_app
from services.api.app import make_api, prepare
from services.api.door import Limits
from services.api.parts import ApiParts
from services.keys.tokens import TokenBook
from services.strategies import StrategyStore
from tests.fakes.fake_services import FakeWorld

ENOUGH = 1_000_000
PATIENCE_S = 15.0


class Place:
    """What a served cockpit is made of: a fake world, real tokens and real strategy files in a folder."""

    def __init__(self, folder: Path, world: FakeWorld | None = None, **parts: Any) -> None:
        self.world = world or FakeWorld()
        self.book = TokenBook(folder / "api-tokens.json")
        self.reader, self.read_token = self.book.add("reader", "read")
        self.trader, self.trade_token = self.book.add("trader", "trade")
        self.parts = replace(
            ApiParts(self.world.services, StrategyStore(folder / "strategies"), tokens=self.book,
                     limits=Limits.of(ENOUGH)), **parts)
        self.url = ""

    def ask(self, method: str, path: str, token: str | None = None, **given: Any) -> requests.Response:
        """Ask as a script would."""
        headers = given.pop("headers", {})
        if token is not None:
            headers = {"Authorization": f"Bearer {token}"} | headers
        return requests.request(method, self.url + path, headers=headers, timeout=20, **given)

    def get(self, path: str, **given: Any) -> requests.Response:
        """Ask with the token that may read."""
        return self.ask("GET", path, self.read_token, **given)

    def post(self, path: str, body: Any = None, method: str = "POST", **given: Any) -> requests.Response:
        """Change something with the token that may trade."""
        return self.ask(method, path, self.trade_token, json=body, **given)


@contextmanager
def served(place: Place) -> Iterator[Place]:
    """Serve a place while the block runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    dash = cockpit_app.create_app(place.world.services, api=prepare(make_api(place.parts)))
    server = cockpit_app.web_server(dash, port=port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + PATIENCE_S
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    place.url = f"http://127.0.0.1:{port}"
    try:
        yield place
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S)


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """Return the problem that an answer tells, and see that it is one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    told: dict[str, Any] = answer.json()
    assert told["status"] == status and told["title"] and told["detail"] and told["instance"].startswith("/api")
    return told
