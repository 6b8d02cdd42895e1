"""Who comes in: nobody without a token, readers may not change anything, and nobody may ask too often."""

import json
import logging
import socket
from pathlib import Path

import pytest

from services.api.door import Limits
from services.guard import MAX_BODY_BYTES
from tests.api.served import ENOUGH, Place, problem, served

OPEN = {("get", "/api/health"), ("get", "/api/openapi.json")}
FILLED = {"symbol": "BTCUSDT", "name": "dips", "client_id": "ck-1-7", "key": "BTCUSDT@1"}


def operations(place):
    document = place.ask("GET", "/api/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def filled(path):
    for name, value in FILLED.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, path
    return path


def test_every_operation_of_the_document_asks_for_a_token_but_two(place):
    found = list(operations(place))
    assert len(found) > 25 and {(method, path) for method, path, _ in found} > OPEN
    for method, path, operation in found:
        answer = place.ask(method.upper(), filled(path), json={})
        if (method, path) in OPEN:
            assert (answer.status_code, operation["security"]) == (200, [])
        else:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "--mode keys token add" in problem(answer, 401)["detail"]


@pytest.mark.parametrize("token", ["", "x", "cockpit_00000000_" + "A" * 43, "cockpit_zzzzzzzz_short", "é", "a b"])
def test_a_token_that_is_not_known_is_none(place, token):
    problem(place.ask("GET", "/api/orders", headers={"Authorization": f"Bearer {token}".encode()}), 401)


def test_half_a_token_another_scheme_and_a_token_elsewhere_are_none(place):
    real = place.trade_token
    for headers, path in (({"Authorization": f"Bearer {real[:-1]}"}, "/api/orders"),
                          ({"Authorization": f"Basic {real}"}, "/api/orders"), ({"X-Token": real}, "/api/orders"),
                          ({}, f"/api/orders?token={real}"), ({"Cookie": f"token={real}"}, "/api/orders")):
        problem(place.ask("GET", path, headers=headers), 401)
    assert place.ask("GET", "/api/orders", real).status_code == 200


def test_a_body_that_is_no_json_is_not_even_read_without_a_token(place):
    problem(place.ask("POST", "/api/trades/execute", data="{"), 401)
    problem(place.ask("POST", "/api/trades/execute", place.trade_token, data="{"), 422)


@pytest.mark.parametrize(("token", "status"), [("", 401), ("cockpit_00000000_" + "A" * 43, 401), ("read", 403)])
def test_who_may_not_come_in_is_answered_before_a_byte_of_the_body_is_sent(place, token, status):
    token = place.read_token if token == "read" else token
    host = place.url.removeprefix("http://")
    head = (f"POST /api/trades/execute HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n")
    with socket.create_connection(host.split(":"), timeout=10) as knocking:
        knocking.sendall(head.encode())
        assert knocking.recv(4_096).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_token_that_may_read_changes_nothing(place):
    sent = len(place.world.session.sent)
    for method, path, _ in operations(place):
        if method != "get":
            told = problem(place.ask(method.upper(), filled(path), place.read_token, json={}), 403)
            assert "--scope trade" in told["detail"]
    assert len(place.world.session.sent) == sent


def test_no_get_changes_anything(place, tmp_path):
    def state():
        view = place.world.portfolio.view().session
        return view, len(place.world.session.sent), place.parts.strategies.list(deleted=True)

    before = state()
    for method, path, _ in operations(place):
        if method == "get":
            for token in (place.read_token, place.trade_token):
                assert place.ask("GET", filled(path), token, params={"symbol": "BTCUSDT"}).status_code < 500
    assert state() == before


def test_a_route_that_there_is_not_is_a_404_and_a_wrong_method_a_405(place):
    assert "/api/nothing" in problem(place.get("/api/nothing"), 404)["detail"]
    wrong = place.post("/api/orders", {})
    problem(wrong, 405)
    assert "GET" in wrong.headers["allow"]
    problem(place.get("/api/kill"), 405)
    problem(place.get("/api/orders/"), 404)


def test_a_body_above_the_limit_is_a_413_problem(place):
    problem(place.ask("POST", "/api/kill", place.trade_token, data=b"x" * (MAX_BODY_BYTES + 1)), 413)


def test_what_is_wrong_with_a_body_is_named_by_place_and_never_repeated(place):
    secret = {"symbol": {"CANARY": 1}, "side": "hold", "more": "CANARY"}
    told = problem(place.post("/api/trades/execute", secret), 422)
    assert {one["place"] for one in told["errors"]} == {"body.symbol", "body.side", "body.more"}
    assert "CANARY" not in json.dumps(told)


def test_what_breaks_inside_is_a_500_that_tells_nothing(place, monkeypatch):
    def broken():
        raise RuntimeError("CANARY")

    monkeypatch.setattr(place.world.portfolio, "view", broken)
    answer = place.get("/api/portfolio")
    assert "CANARY" not in problem(answer, 500)["detail"]


def test_a_token_that_is_made_counts_at_once_and_one_that_is_withdrawn_no_more(place):
    _, text = place.book.add("late", "read")
    assert place.ask("GET", "/api/session", text).status_code == 200
    assert next(t for t in place.book.tokens() if t.name == "late").last_used is not None
    place.book.revoke("late")
    problem(place.ask("GET", "/api/session", text), 401)


def test_who_asks_too_often_is_told_when_to_come_back_and_may_still_kill(tmp_path):
    with served(Place(tmp_path, limits=Limits.of(60))) as place:  # ten at once, then one a second
        answers = [place.ask("GET", "/api/session", place.trade_token) for _ in range(14)]
        assert [a.status_code for a in answers[:10]] == [200] * 10
        assert problem(answers[-1], 429) and 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert place.get("/api/session").status_code == 200, "another token has its own share"
        assert place.post("/api/kill", {"reason": "too loud"}).status_code == 200


def test_who_knocks_without_a_token_is_slowed_down_and_locks_nobody_out(tmp_path):
    with served(Place(tmp_path, limits=Limits.of(60))) as place:
        answers = [place.ask("GET", "/api/session", "wrong") for _ in range(14)]
        assert [a.status_code for a in answers[:10]] == [401] * 10 and problem(answers[-1], 429)
        assert place.ask("GET", "/api/openapi.json").status_code == 429
        assert place.get("/api/session").status_code == 200
        assert place.ask("GET", "/api/health").json() == {"status": "ok"}


def test_a_file_of_tokens_that_cannot_be_read_lets_nobody_in(tmp_path):
    with served(Place(tmp_path)) as place:
        (tmp_path / "api-tokens.json").write_text("{")
        problem(place.get("/api/session"), 503)


PAGE = "https://my.page"


def test_other_pages_may_not_ask_unless_they_are_listed(tmp_path):
    (tmp_path / "a").mkdir()
    with served(Place(tmp_path / "a")) as place:
        for headers in ({"Origin": PAGE}, {"Sec-Fetch-Site": "cross-site"}):
            assert place.get("/api/session", headers=headers).status_code == 403
        assert place.ask("OPTIONS", "/api/session", headers=asking()).status_code == 403
    (tmp_path / "b").mkdir()
    with served(Place(tmp_path / "b", origins=(PAGE,))) as place:
        allowed = place.ask("OPTIONS", "/api/session", headers=asking())
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
        answer = place.get("/api/session", headers={"Origin": PAGE, "Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PAGE)
        assert "access-control-allow-credentials" not in answer.headers
        assert place.get("/api/session", headers={"Origin": "https://evil.page"}).status_code == 403
        assert place.ask("POST", "/_dash-update-component", headers={"Origin": PAGE}).status_code == 403


def asking():
    return {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


def test_no_token_is_ever_in_a_log_a_page_or_an_answer(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with served(Place(tmp_path, limits=Limits.of(ENOUGH))) as place:
        secrets = [text.split("_", 2)[2] for text in (place.read_token, place.trade_token)]
        paths = ("/api/session", "/api/nothing", "/api/metrics", "/", "/api/orders?x=1")
        said = [place.get(path).text for path in paths]
        said += [place.post("/api/trades/execute", {"symbol": 1}).text, place.post("/api/kill", {}).text]
        said += [place.ask("GET", "/_dash-layout").text]
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "reader" in written
    for secret in secrets:
        assert not [text for text in (*said, caplog.text, written) if secret in text]
    assert Path(tmp_path / "api-tokens.json").stat().st_mode & 0o777 == 0o600
