"""The journal by script: pages, notes, decisions, figures, logs out and in."""

import json
from decimal import Decimal

import pytest

from tests.api.served import Place, problem, served


@pytest.fixture
def own(tmp_path):
    with served(Place(tmp_path)) as one:
        yield one


def test_trades_come_by_page_and_filter_and_each_is_found_by_its_key(place):
    first = place.get("/api/journal/trades?limit=5").json()
    assert len(first["trades"]) == 5 and first["n_matching"] == 140
    second = place.get("/api/journal/trades?limit=5&offset=5").json()
    assert first["trades"][-1]["exit_time"] >= second["trades"][0]["exit_time"]
    lost = place.get("/api/journal/trades?result=loss&symbol=eth/usdt&limit=1000").json()
    assert lost["n_matching"] == len(lost["trades"]) > 0
    assert {(t["symbol"], t["result"]) for t in lost["trades"]} == {("ETHUSDT", "loss")}
    one = first["trades"][0]
    assert place.get(f"/api/journal/trades/{one['key']}").json() == one
    problem(place.get("/api/journal/trades/none"), 404)
    for query in ("limit=0", "result=maybe", "offset=-1", "more=1", "start=x"):
        problem(place.get(f"/api/journal/trades?{query}"), 422)


def test_a_note_is_kept_and_found_again(own):
    key = own.get("/api/journal/trades?limit=1").json()["trades"][0]["key"]
    kept = own.post(f"/api/journal/trades/{key}/note", {"text": "early", "tags": ["fomo"]}, method="PUT").json()
    assert (kept["note"], kept["tags"]) == ("early", ["fomo"])
    assert [t["key"] for t in own.get("/api/journal/trades?tag=fomo").json()["trades"]] == [key]
    problem(own.post("/api/journal/trades/none/note", {"text": "x"}, method="PUT"), 404)
    problem(own.post(f"/api/journal/trades/{key}/note", {"text": "x", "tags": ["y"] * 21}, method="PUT"), 422)


def test_pages_of_decisions_follow_each_other_without_a_gap(place):
    seen, below = [], ""
    while True:
        page = place.get("/api/journal/decisions", params={"limit": 50, "below": below}).json()
        seen += [one["time"] for one in page["decisions"]]
        if page["next"] is None:
            break
        below = page["next"]
    assert len(seen) == len(set(seen)) == 130 and seen == sorted(seen, reverse=True)
    for wrong in ("x", "[1]", '[1, "a", "b", 3]', '["1", "a", "b", "c"]', "[" * 300, '[1e999, "a", "b", "c"]'):
        problem(place.get("/api/journal/decisions", params={"below": wrong}), 422)


def test_figures_are_the_sums_of_the_trades(place):
    told = place.get("/api/journal/figures").json()
    trades = place.get("/api/journal/trades?limit=1000").json()["trades"]
    assert Decimal(told["pnl"]) == sum(Decimal(t["pnl"]) for t in trades)
    for group, slices in told["groups"].items():
        assert sum(Decimal(s["pnl"]) for s in slices) == Decimal(told["pnl"]), group
    middle = trades[70]["exit_time"]
    parts = [place.get(f"/api/journal/figures?{query}={middle}").json() for query in ("end", "start")]
    assert sum(Decimal(p["pnl"]) for p in parts) == Decimal(told["pnl"])
    tracked = place.get("/api/journal/summary").json()
    assert tracked["total_trades"] == told["n_trades"] == len(trades)
    assert place.get("/api/journal/summary?agent=nobody").json()["total_trades"] == 0


def test_a_log_that_goes_out_comes_in_again_and_is_removed_by_its_name(own):
    answer = own.get("/api/journal/log?symbol=BTCUSDT")
    assert 'filename="BTCUSDT_trades.json"' in answer.headers["content-disposition"]
    assert len(json.loads(answer.text)) > 10
    taken = own.ask("POST", "/api/journal/log?name=old.json", own.trade_token, data=answer.content)
    assert taken.json()["n_new"] == len(json.loads(answer.text))
    assert own.get("/api/journal/trades?origin=imported").json()["n_matching"] == taken.json()["n_new"]
    gone = own.ask("DELETE", "/api/journal/log?name=old.json", own.trade_token)
    assert gone.json()["n_known"] == taken.json()["n_new"]
    problem(own.ask("DELETE", "/api/journal/log?name=old.json", own.trade_token), 404)
    assert own.get("/api/journal/trades?origin=imported").json()["n_matching"] == 0


@pytest.mark.parametrize("content", [b"{", b"[{}]", b"7", b"\xff", b'[{"symbol": "BTCUSDT"}]'])
def test_a_log_that_is_wrong_is_refused_whole(own, content):
    problem(own.ask("POST", "/api/journal/log?name=x.json", own.trade_token, data=content), 422)
    assert own.get("/api/journal/trades?origin=imported").json()["n_matching"] == 0


def test_whatever_comes_in_every_route_answers_afterwards(own):
    half = "\\ud800"
    odd = (f'{{"symbol": "BTCUSDT", "entry_time": 1706702400, "exit_time": 1706702401, "notes": "{half}", "agent": '
           f'"{half}", "tags": ["{half}"], "indicators_used": {{"{half}": 1e308, "b": "{half}"}}, "own{half}": '
           f'["{half}"], "strategy_name": "{half}", "closed_because": "{half}", "pnl": "1e-60", '
           '"entry_price": "1e-12", "exit_price": "1", "confidence": 1e-300}')
    taken = own.ask("POST", "/api/journal/log?name=odd.json", own.trade_token, data=f"[{odd}]")
    assert taken.json() == {"name": "odd.json", "n_new": 1, "n_known": 0}
    told = own.get("/api/journal/trades?origin=imported").json()["trades"][0]
    assert told["note"] == "?" and told["pnl"].startswith("0.000") and told["roi_rate"] > 1e11
    for route in (f"trades/{told['key']}", "trades", "figures", "summary", "log?origin=imported", "decisions"):
        assert own.get(f"/api/journal/{route}").status_code == 200, route
    again = own.get("/api/journal/log?origin=imported").content
    assert own.ask("POST", "/api/journal/log?name=again.json", own.trade_token, data=again).status_code == 200
    for wrong in ('"entry_price": "1e-999999"', '"entry_price": "1e-300"', '"quantity": "1e-999999"', '"roi": 1e999',
                  '"indicators_used": {"a": 1e999}', '"any": -1e999', '"entry_time": 1e999'):
        log = f"[{odd[:-1]}, {wrong}}}]"
        problem(own.ask("POST", "/api/journal/log?name=x.json", own.trade_token, data=log), 422)


def test_a_journal_that_cannot_be_read_is_a_503(own):
    own.world.journal.trouble = "the file is locked"
    assert "locked" in problem(own.get("/api/journal/trades"), 503)["detail"]
