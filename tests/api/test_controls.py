"""Commands through the API: the same as the buttons', done once, refused for the same reasons."""

import asyncio

import pytest

from services.api.problems import Refusal
from services.api.sending import Order, Sender
from tests.api.served import Place, problem, served
from trading.events import CommandAnswered


@pytest.fixture
def own(tmp_path):
    with served(Place(tmp_path)) as one:
        yield one


def sent(place):
    return [(kind, version, arguments) for kind, _, version, arguments in place.world.session.sent]


def test_each_route_sends_the_command_of_its_button(own):
    bought = {"symbol": "btc/usdt", "side": "buy", "version": 1}
    sold = {"symbol": "SOLUSDT", "side": "sell", "rate": 0.5, "entry_time": 7}
    for path, body in (("/api/trades/execute", bought), ("/api/start", None), ("/api/pause", None),
                       ("/api/stop", None), ("/api/flatten", None), ("/api/kill", {"reason": "news"}),
                       ("/api/trades/execute", sold)):
        answer = own.post(path, body)
        assert answer.status_code == 200 and answer.json()["accepted"], answer.text
    assert own.ask("DELETE", "/api/orders/ck-7f3a", own.trade_token).status_code == 200
    assert sent(own) == [
        ("add", 1, {"symbol": "BTCUSDT"}), ("start", 1, {}), ("pause", None, {}), ("stop", None, {}),
        ("flatten", None, {}), ("kill", None, {"reason": "news"}),
        ("close", None, {"symbol": "SOLUSDT", "entry_time": 7, "rate": 0.5}),
        ("cancel", None, {"client_id": "ck-7f3a"})]
    assert own.get("/api/session").json()["state"] == "killed"


def test_a_command_made_on_an_old_version_is_refused_in_the_engines_words(own):
    told = problem(own.post("/api/start", {"version": 0}), 409)
    assert "version 0" in told["detail"]
    assert own.get("/api/session").json()["state"] == "stopped"


def test_a_request_sent_twice_under_one_key_is_done_once_and_answered_alike(own):
    headers = {"Idempotency-Key": "order-1"}
    first, again = (own.post("/api/start", headers=headers) for _ in range(2))
    assert first.json() == again.json() and len(sent(own)) == 1
    told = problem(own.post("/api/stop", headers=headers), 422)
    assert "another request" in told["detail"]
    _, other = own.book.add("other", "trade")
    assert own.ask("POST", "/api/stop", other, headers=headers).status_code == 200, "keys are each token's own"
    assert own.post("/api/pause").json()["nonce"] != own.post("/api/pause").json()["nonce"]


@pytest.mark.parametrize("body", [
    {"symbol": "BTCUSDT"}, {"symbol": "../x", "side": "buy"}, {"symbol": "BTCUSDT", "side": "hold"},
    {"symbol": "BTCUSDT", "side": "sell", "rate": 0}, {"symbol": "BTCUSDT", "side": "sell", "rate": 1.1},
    {"symbol": "BTCUSDT", "side": "buy", "quantity": 3}, [], "buy", None])
def test_a_trade_that_makes_no_sense_is_never_sent(own, body):
    problem(own.post("/api/trades/execute", body), 422)
    assert sent(own) == []


@pytest.mark.parametrize(("body", "reason"), [
    *((body, "through the API") for body in (
        b"", b"{", b"reason=news", b"[" * 50_000, b'{"reason": 7}', b'{"why": 1}', b"\xff", b'{"reason": " "}')),
    (b'{"reason": " news ", "more": 1}', "news"), (b'{"reason": "' + b"x" * 500 + b'"}', "x" * 200),
    (b'{"reason": "a\\ud800"}', "a?")])
def test_the_kill_switch_is_never_refused_for_what_is_sent_with_it(place, body, reason):
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"in a hurry {len(sent(place))}" * 9}
    answer = place.ask("POST", "/api/kill", place.trade_token, data=body, headers=headers)
    assert answer.status_code == 200 and sent(place)[-1] == ("kill", None, {"reason": reason})


NASTY = (b"[" * 50_000, b'{"a":' * 50_000, b"NaN", b'{"symbol": "\\ud800", "id": "a", "strategy_json": {}}',
         b'{"symbol": "BTCUSDT", "id": "a", "strategy_json": {"x": NaN, "\\ud800": 1}}', b"1" * 10_000, b"\xff\xfe{}",
         b'{"symbol": "BTCUSDT", "id": "a", "strategy_json": {"version": 2, "name": "\\ud800", "symbols": ["BTCUSDT"], '
         b'"entry": {"left": "close", "op": ">", "right": 1e999}, "exit": {"left": "close", "op": "<", "right": 0}}}')


@pytest.mark.parametrize("body", NASTY, ids=range(len(NASTY)))
@pytest.mark.parametrize("path", ["strategies/save", "backtest", "trades/execute", "binance/connect"])
def test_bodies_that_no_person_writes_are_problems_and_break_nothing(place, path, body):
    headers = {"Content-Type": "application/json"}
    answer = place.ask("POST", f"/api/{path}", place.trade_token, data=body, headers=headers)
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


class Engine:
    """Answers with what it is told to; `None` is silence until its patience is over."""

    def __init__(self, *answers):
        self.answers, self.asked, self.versions = list(answers), [], []

    async def send(self, kind, nonce, version=None, **arguments):
        self.asked.append(nonce)
        self.versions.append(version)
        await asyncio.sleep(0)
        accepted, detail, now = self.answers.pop(0)
        return CommandAnswered(nonce, kind, accepted, detail, now)


def refused(sender, *asked):
    with pytest.raises(Refusal) as caught:
        asyncio.run(sender.send(*asked))
    return caught.value.status, caught.value.detail


def test_no_answer_is_an_unknown_outcome_and_may_be_asked_again_under_its_key():
    engine = Engine((False, "the engine has not answered", 0), (False, "this command was handled already", 5))
    sender = Sender(engine, lambda: 7)
    status, detail = refused(sender, "t", "k", Order("add"))
    assert status == 504 and "without doing it twice" in detail
    assert refused(sender, "t", "k", Order("add")) == (409, "add: this command was handled already")
    assert engine.asked == ["api:t:k", "api:t:k"]


def test_what_adds_risk_is_sent_with_the_newest_version_unless_another_is_named():
    engine = Engine((True, "done", 7), (True, "done", 7), (True, "done", 7))
    sender = Sender(engine, lambda: 7)
    for order in (Order("add"), Order("add", 3), Order("stop")):
        asyncio.run(sender.send("t", None, order))
    assert engine.versions == [7, 3, None]


def test_an_answer_comes_when_the_picture_knows_of_it_and_counts_before():
    shown = [7]
    engine = Engine((True, "done", 8), (True, "done", 9))
    sender = Sender(engine, lambda: shown[0])

    async def both():
        waiting = asyncio.ensure_future(sender.send("t", None, Order("start")))
        await asyncio.sleep(0.05)
        was_done = waiting.done()
        again = asyncio.ensure_future(sender.send("t", None, Order("start")))
        await asyncio.sleep(0.05)
        shown[0] = 9
        await asyncio.gather(waiting, again)
        return was_done

    assert asyncio.run(both()) is False and engine.versions == [7, 8]


def test_a_refusal_is_an_answer_too_and_is_given_again():
    engine = Engine((False, "no position is open", 3))
    sender = Sender(engine, lambda: 7)
    assert refused(sender, "t", "k", Order("add")) == refused(sender, "t", "k", Order("add"))
    assert len(engine.asked) == 1


def test_the_kill_switch_is_never_refused_for_its_key():
    engine = Engine((True, "stopped", 7), (True, "killed", 8), (True, "killed", 8))
    sender = Sender(engine, lambda: 8)
    asyncio.run(sender.send("t", "k", Order("stop")))
    assert asyncio.run(sender.send("t", "k", Order("kill"))).detail == "killed"

    async def both():
        return await asyncio.gather(sender.send("t", "other", Order("stop")), sender.send("t", "other", Order("kill")))

    engine.answers.append((True, "stopped", 9))
    assert all(answer.accepted for answer in asyncio.run(both()))
    assert len(set(engine.asked)) == 4


def test_the_same_request_while_it_is_on_its_way_is_not_sent_again():
    engine = Engine((True, "done", 7))
    sender = Sender(engine, lambda: 7)

    async def both():
        return await asyncio.gather(*(sender.send("t", "k", Order("stop")) for _ in range(2)), return_exceptions=True)

    first, second = asyncio.run(both())
    assert first.accepted and second.status == 409 and len(engine.asked) == 1
