"""The guard over real sockets: who is refused, how, and with which headers."""

import asyncio
import contextlib
import json
import socket
import threading
import time

import pytest
import requests
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import app as cockpit_app
from services.guard import MAX_BODY_BYTES
from tests.fakes.fake_services import FakeWorld

SOCKET_PATH = "/_dash-ws-callback"
CALL_PATH = "/_dash-update-component"
HEADERS = ("Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy")


class Served:
    """A cockpit on a loopback port, and the ways to knock at it."""

    def __init__(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.host = f"127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"http://{self.host}"
        self.app = cockpit_app.create_app(FakeWorld().services)
        self.server = cockpit_app.web_server(self.app, port=int(self.host.split(":")[1]))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def start(self):
        self.thread.start()
        deadline = time.monotonic() + 15
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.02)

    def get(self, path="/", **headers):
        return requests.get(self.url + path, headers=headers, timeout=5)

    def post(self, path=CALL_PATH, body=b"{}", **headers):
        return requests.post(
            self.url + path, data=body, headers={"Content-Type": "application/json"} | headers, timeout=5
        )

    def call(self, body=None, **headers):
        """Call the callback that a click on a table's tab calls."""
        return self.post(body=json.dumps(tab_click() if body is None else body), **({"Origin": self.url} | headers))


def tab_click():
    names = ("positions", "orders", "trades", "log")
    output = ".." + "...".join(f"table-{n}-pane.className" for n in names) + ".."
    outputs = [{"id": f"table-{n}-pane", "property": "className"} for n in names]
    inputs = [{"id": "table-tabs", "property": "value", "value": "log"}]
    return {"output": output, "outputs": outputs, "inputs": inputs, "changedPropIds": ["table-tabs.value"], "state": []}


@pytest.fixture(scope="module")
def served():
    one = Served()
    one.start()
    yield one
    one.server.should_exit = True
    one.thread.join(10)


def test_own_page_may_call_a_callback(served):
    answer = served.call()
    assert answer.status_code == 200
    assert answer.json()["response"]["table-log-pane"]["className"] == "table-pane"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.0.9", ""])
def test_forged_host_is_refused_with_400(served, host):
    assert served.get(Host=host).status_code == 400
    assert served.call(Host=host, Origin=f"http://{host}").status_code == 400


def test_localhost_is_a_host_and_configured_names_are_too():
    app = cockpit_app.create_app(FakeWorld().services, hosts=["cockpit.lan"])
    trusted = next(m for m in app.server.user_middleware if "TrustedHost" in m.cls.__name__)
    assert trusted.kwargs["allowed_hosts"] == ["127.0.0.1", "localhost", "cockpit.lan"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", "file://", "", "http://[x"]
)
def test_foreign_origin_may_not_post(served, origin):
    assert served.call(Origin=origin).status_code == 403


def test_missing_origin_may_not_post(served):
    assert served.post(body=json.dumps(tab_click())).status_code == 403


def test_a_script_without_an_origin_gets_to_the_api_only_which_asks_for_a_token(served):
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eA=="}):
        answer = served.post("/api/anything", **header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert served.post(body=json.dumps(tab_click()), Authorization="Bearer x").status_code == 403
    assert served.post("/api/anything", Authorization="Bearer x", Origin="http://evil.example").status_code == 403


def test_cross_site_fetch_is_refused_but_a_followed_link_is_not(served):
    assert served.call(**{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert served.call(**{"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert (
        served.get("/_dash-layout", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}).status_code == 403
    )
    assert served.get("/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_body_above_the_limit_is_refused_with_413(served):
    assert served.post(body=b"x" * (MAX_BODY_BYTES + 1), Origin=served.url).status_code == 413


def test_body_without_a_declared_length_is_counted(served):
    def chunks():
        for _ in range(MAX_BODY_BYTES // 100_000 + 1):
            yield b"x" * 100_000

    with contextlib.suppress(requests.ConnectionError):  # the server may hang up before all was sent
        assert served.post(body=chunks(), Origin=served.url).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "{}",
        "[" * 50_000,
        '{"output": 7}',
        '{"output": "nothing.here", "inputs": []}',
        json.dumps(tab_click() | {"inputs": 3}),
        json.dumps(tab_click() | {"inputs": [3]}),
        json.dumps(tab_click() | {"outputs": "x"}),
        json.dumps(tab_click() | {"changedPropIds": [{}]}),
    ],
)
def test_callback_call_that_makes_no_sense_is_answered_with_400(served, body):
    assert served.post(body=body.encode(), Origin=served.url).status_code == 400


def test_every_answer_carries_the_security_headers(served):
    answers = [
        served.get(),
        served.get("/api/health"),
        served.get("/api/nothing"),
        served.get("/assets/cockpit.js"),
        served.call(),
        served.get(Host="evil.example"),
        served.call(Origin="null"),
        served.post(body=b"{", Origin=served.url),
        served.post(body=b"x" * (MAX_BODY_BYTES + 1), Origin=served.url),
    ]
    assert [a.status_code for a in answers] == [200, 200, 401, 200, 200, 400, 403, 400, 413]
    for answer in answers:
        assert all(answer.headers.get(name) for name in HEADERS), answer.url
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_policy_allows_exactly_the_inline_scripts_of_the_page(served):
    policy = served.get().headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert served.app.csp_hashes() and all(h in scripts for h in served.app.csp_hashes())
    assert "unsafe" not in scripts


def test_unknown_api_path_is_401_without_a_token_and_health_is_open(served):
    for path in ("/api/nothing", "/api/a/b/c", "/api/", "/api"):
        answer = served.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    health = served.get("/api/health")
    assert (health.json(), health.headers["content-type"]) == ({"status": "ok"}, "application/json")


def knock(served, **headers):
    """Open a WebSocket; return 101 or the status of the refusal."""

    async def attempt():
        origin = headers.pop("Origin", None)
        try:
            async with connect(
                f"ws://{served.host}{SOCKET_PATH}", origin=origin, additional_headers=headers, open_timeout=5
            ) as ws:
                await ws.send('{"type": "heartbeat"}')
                await asyncio.wait_for(ws.recv(), 5)
                return 101
        except InvalidStatus as refused:
            assert all(refused.response.headers.get(name) for name in HEADERS)
            return refused.response.status_code

    return asyncio.run(attempt())


def test_websocket_is_open_to_the_own_page_only(served):
    assert knock(served, Origin=served.url) == 101
    for origin in ("http://evil.example", "null", None):
        assert knock(served, Origin=origin) == 403
    assert knock(served, Origin=served.url, **{"Sec-Fetch-Site": "cross-site"}) == 403


def test_websocket_message_above_the_limit_closes_the_connection(served):
    async def flood():
        async with connect(f"ws://{served.host}{SOCKET_PATH}", origin=served.url) as ws:
            await ws.send("x" * (cockpit_app.MAX_MESSAGE_BYTES + 1))
            await asyncio.wait_for(ws.recv(), 5)

    with pytest.raises(ConnectionClosed):
        asyncio.run(flood())
    assert served.get("/api/health").status_code == 200
