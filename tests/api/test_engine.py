"""A whole cockpit behind the API: what a script sends is what the engine does, and what it says no to."""

from dataclasses import replace

import pytest

from services.journal.service import JournalService
from services.runtime import Runtime
from services.session import SessionService
from tests.api.served import Place, problem, served
from tests.fakes.fake_services import FakeWorld
from tests.services.cockpits import whole_cockpit

N_BARS = 600


class ClosedMarket:
    """A feed without candles."""

    def run(self, _post, _cursor, stop):
        stop.wait()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with whole_cockpit(tmp_path_factory.mktemp("cockpit"), N_BARS) as whole:
        whole.start()
        whole.trade()
        world = FakeWorld()
        world.services = replace(world.services, portfolio=whole.portfolio, charts=whole.cockpit.charts,
                                 session=SessionService(whole.engine.bus),
                                 journal=JournalService(whole.database, whole.cockpit.recorder.account))
        runtime = Runtime(whole.engine, ClosedMarket(), whole.portfolio)
        runtime.start()
        try:
            with served(Place(tmp_path_factory.mktemp("api"), world)) as one:
                one.whole = whole
                yield one
        finally:
            runtime.stop()


def state(place):
    return place.get("/api/session").json()


def test_what_is_told_of_the_account_is_the_ledger(place):
    account, portfolio = place.get("/api/portfolio").json(), place.whole.engine.portfolio
    assert int(account["equity"].replace(".", "")) == portfolio.equity()
    trades = place.get("/api/trades?limit=1000").json()
    assert len(trades) == portfolio.n_trades > 0
    assert_profits_agree(place, portfolio)
    bars = place.get("/api/binance/ohlcv?symbol=BTCUSDT&limit=5").json()["bars"]
    assert len(bars) == 5 and bars[-1]["closed"] is True


def assert_profits_agree(place, portfolio):
    told, figures = place.get("/api/profits").json(), place.get("/api/journal/figures").json()
    assert told["n_trades"] == figures["n_trades"] == portfolio.n_trades and told["wins"] == portfolio.n_wins
    assert figures["agrees"] is True
    booked = place.get("/api/journal/trades?limit=1000").json()["trades"]
    seen = {(t["symbol"], t["entry_time"], t["pnl"]) for t in place.get("/api/trades?limit=1000").json()}
    assert {(t["symbol"], t["entry_time"], t["pnl"]) for t in booked} == seen


def test_a_start_on_old_controls_is_refused_and_a_blind_one_takes_the_newest(place):
    assert place.post("/api/pause").json()["accepted"]
    old = state(place)["control_version"]
    assert place.post("/api/start").status_code == 200
    assert state(place)["state"] == "running"
    assert place.post("/api/stop").status_code == 200
    told = problem(place.post("/api/start", {"version": old}), 409)
    assert "out of date" in told["detail"] and state(place)["state"] == "stopped"


def test_a_trade_by_hand_needs_a_position_and_the_risk_engines_yes(place):
    held = {position["symbol"] for position in place.get("/api/portfolio/positions").json()}
    free = next(symbol for symbol in state(place)["symbols"] if symbol not in held)
    for side in ("buy", "sell"):
        told = problem(place.post("/api/trades/execute", {"symbol": free, "side": side}), 409)
        assert "no position is open" in told["detail"]
    problem(place.post("/api/trades/execute", {"symbol": "NOPEUSDT", "side": "sell"}), 409)
    told = problem(place.ask("DELETE", "/api/orders/ck-9-999", place.trade_token), 404)
    assert told["detail"] == "there is no order ck-9-999; GET /api/orders lists them"


def test_the_kill_switch_is_done_once_stays_on_and_only_a_person_re_arms_it(place):
    headers = {"Idempotency-Key": "panic"}
    answers = [place.post("/api/kill", {"reason": "a test"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].json() == answers[1].json()
    told = state(place)
    assert (told["state"], told["kill_reason"]) == ("killed", "a test")
    assert "kill switch is on" in problem(place.post("/api/start"), 409)["detail"]
    assert {place.post(path).status_code for path in ("/api/rearm", "/api/arm")} == {404}
    metrics = place.get("/api/metrics", headers={"Accept": "text/plain"}).text
    assert "\ncockpit_killed 1\n" in metrics


def test_every_trade_leads_to_the_record_that_opened_it_and_odd_keys_lead_nowhere(place):
    for trade in place.get("/api/trades?limit=3").json():
        told = place.get(f"/api/decisions/{trade['decision']}").json()
        assert told["symbol"] == trade["symbol"] and told["outcome"] == "entry"
        assert {"SIGNAL", "RISK", "ORDER", "FILL"} <= {line["stage"] for line in told["lines"]}
    for key in ("BTCUSDT@9999999999999999", "entry:BTCUSDT@0", "@1", "ck-1-1", "BTCUSDT"):
        assert place.get(f"/api/decisions/{key}").status_code in (404, 422), key


def test_the_records_of_every_bar_are_searched_and_odd_questions_find_nothing(place):
    found = place.get("/api/journal/decisions?symbol=btcusdt&outcome=entry&limit=5").json()
    assert found["decisions"] and {d["symbol"] for d in found["decisions"]} == {"BTCUSDT"}
    assert {d["outcome"] for d in found["decisions"]} == {"entry"}
    page = place.get("/api/journal/decisions?limit=3").json()
    after = place.get("/api/journal/decisions", params={"limit": 3, "below": page["next"]}).json()
    keys = [d["key"] for part in (page, after) for d in part["decisions"]]
    assert len(set(keys)) == 6
    for query in ("symbol=XRPUSDT", "text=%25%27%22;--", "start=5&end=4", "outcome=%00", "text=é"):
        answer = place.get(f"/api/journal/decisions?{query}")
        assert answer.status_code in (200, 422) and not answer.json().get("decisions"), query
