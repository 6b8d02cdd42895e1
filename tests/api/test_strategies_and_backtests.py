"""Strategies and backtests by script: the store's checks and versions, the queue's answers."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from services.api import backtests
from services.backtests.codec import decoded, encoded
from tests.api.served import Place, problem, served
from tests.fakes.fake_backtests import FakeBacktests
from tests.fakes.fake_services import FakeWorld

DIPS = {"version": 2, "name": "Dips", "symbols": ["BTCUSDT"], "timeframe": "1h",
        "entry": {"left": "rsi_14", "op": "<", "right": 30}, "exit": {"left": "rsi_14", "op": ">", "right": 60}}


@pytest.fixture
def own(tmp_path):
    with served(Place(tmp_path, FakeWorld(backtests=FakeBacktests(seconds=0.1)))) as one:
        yield one


def save(place, name="dips", document=DIPS, **more):
    return place.post("/api/strategies/save", {"symbol": "BTCUSDT", "id": name, "strategy_json": document} | more)


@pytest.mark.parametrize("prefix", ["/api/strategies", "/api/strategy"])
def test_a_strategy_is_saved_listed_changed_and_deleted_under_both_names(own, prefix):
    body = {"symbol": "btcusdt", "id": "BTCUSDT_strategy_dips", "strategy_json": DIPS}
    saved = own.post(f"{prefix}/save", body)
    assert (saved.status_code, saved.json()["ref"], saved.json()["version"]) == (201, "BTCUSDT/dips", 1)
    assert [one["ref"] for one in own.get(f"{prefix}/list").json()] == ["BTCUSDT/dips"]
    assert [one["ref"] for one in own.get(f"{prefix}/BTCUSDT").json()] == ["BTCUSDT/dips"]
    assert own.get(f"{prefix}/btcusdt/dips").json()["strategy_json"] == DIPS
    changed = own.post(f"{prefix}/BTCUSDT/dips", {"strategy_json": DIPS | {"notes": "better"}}, method="PUT")
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert own.get(f"{prefix}/BTCUSDT/dips?version=1").json()["strategy_json"] == DIPS
    assert own.ask("DELETE", f"{prefix}/BTCUSDT/dips", own.trade_token).status_code == 200
    problem(own.get(f"{prefix}/BTCUSDT/dips"), 404)
    assert own.get(f"{prefix}/list").json() == []


def test_a_strategy_comes_as_text_too_and_has_an_id_after_its_name(own):
    told = own.post("/api/strategies/save", {"symbol": "BTCUSDT", "strategy": json.dumps(DIPS | {"name": "Dips 1h!"})})
    assert told.json()["ref"] == "BTCUSDT/dips-1h"
    named = own.post("/api/strategies/save", {"symbol": "BTCUSDT", "strategy_id": "b", "strategy_json": DIPS})
    assert named.json()["ref"] == "BTCUSDT/b"
    told = problem(save(own, "c", '{"version": 2,\n"version": 2}'), 422)
    assert "twice" in told["detail"]
    assert "line 2" in problem(own.post("/api/backtest", question(strategy_json='{"a": 1,\n')), 422)["detail"]
    assert own.post("/api/backtest", question(strategy_json=json.dumps(DIPS))).json()["strategy"] == "Dips"


def test_what_is_not_there_is_a_404_for_every_method(own):
    for path in ("ETHUSDT", "BTCUSDT/none", "BTCUSDT/none/performance"):
        problem(own.get(f"/api/strategies/{path}"), 404)
    problem(own.ask("DELETE", "/api/strategies/BTCUSDT/none", own.trade_token), 404)
    problem(own.post("/api/strategies/BTCUSDT/none", {"strategy_json": DIPS}, method="PUT"), 404)


def test_a_newer_version_is_never_overwritten(own):
    save(own)
    assert "exists already" in problem(save(own, document=DIPS | {"notes": "x"}), 409)["detail"]
    first, stale = {"strategy_json": DIPS | {"notes": "2"}}, {"strategy_json": DIPS | {"notes": "3"}, "edited": 1}
    assert own.post("/api/strategies/BTCUSDT/dips", first, method="PUT").status_code == 200
    problem(own.post("/api/strategies/BTCUSDT/dips", stale, method="PUT"), 409)
    problem(own.ask("DELETE", "/api/strategies/BTCUSDT/dips?edited=1", own.trade_token), 409)
    assert own.get("/api/strategies/BTCUSDT/dips").json()["strategy_json"]["notes"] == "2"


def test_a_strategy_that_is_wrong_is_refused_with_every_mistake(own):
    wrong = DIPS | {"entry": {"left": "emma_20", "op": "<", "right": 3}, "colour": "red"}
    told = problem(save(own, document=wrong), 422)
    assert "emma_20" in json.dumps(told["errors"]) and own.get("/api/strategies/list").json() == []


def test_a_broken_file_is_listed_with_its_mistake_and_given_as_text(own, tmp_path):
    save(own)
    (tmp_path / "strategies" / "BTCUSDT" / "dips.json").write_text('{"version": 2')
    (listed,) = own.get("/api/strategies/list").json()
    assert not listed["is_sound"] and listed["mistakes"][0]["line"] == 1
    told = own.get("/api/strategies/BTCUSDT/dips").json()
    assert (told["strategy_json"], told["text"]) == (None, '{"version": 2')


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fx", "con", "a%00b", "x" * 101, "%ff"])
def test_tricks_with_paths_are_refused(own, name):
    answer = own.get(f"/api/strategies/BTCUSDT/{name}")
    assert answer.status_code in (404, 422) and answer.json()["status"] == answer.status_code
    assert save(own, name).status_code == 422


def test_performance_says_what_the_account_and_the_newest_backtest_saw(own):
    trade = own.world.portfolio.view().trades[0]
    save(own, document=DIPS | {"name": trade.opened_by, "symbols": [trade.symbol]}, symbol=trade.symbol)
    told = own.get(f"/api/strategies/{trade.symbol}/dips/performance").json()
    own_trades = [t for t in own.world.portfolio.view().trades
                  if (t.symbol, t.opened_by) == (trade.symbol, trade.opened_by)]
    assert told["total_trades"] == len(own_trades) > 0
    assert told["average_roi"] == pytest.approx(100 * sum(t.pnl_rate for t in own_trades) / len(own_trades), abs=1e-3)
    assert told["backtest"] is None and told["last_tested"] is None
    own.post("/api/backtest", {"symbol": trade.symbol, "strategy_json": DIPS | {
        "name": trade.opened_by, "symbols": [trade.symbol]}})
    assert own.get(f"/api/strategies/{trade.symbol}/dips/performance").json()["backtest"]["n_trades"] > 0


def question(**more):
    return {"symbol": "BTCUSDT", "strategy_json": DIPS, "start_date": "2023-01-01", "end_date": "2024-01-01"} | more


def test_a_backtest_is_answered_with_balance_totals_and_the_ten_newest_trades(own):
    told = own.post("/api/backtest", question(capital="5000")).json()
    view = own.world.backtests.view(told["key"])
    assert Decimal(told["start_balance"]) == 5000 and view.request.start == 1_672_531_200_000
    assert Decimal(told["final_balance"]) == pytest.approx(Decimal(float(view.curve.equity[-1])), abs=Decimal("1e-6"))
    assert told["n_trades"] == len(view.trades) > 10 == len(told["trades"])
    assert told["trades"][0]["exit_time"] == max(t.exit_time for t in view.trades)
    assert own.get("/api/backtest/results").json() == own.get(f"/api/backtest/results?key={told['key']}").json() == told
    assert own.get("/api/backtest/runs?limit=1").json()[0]["key"] == told["key"]


@pytest.mark.parametrize("units", [123_456_789_012_345_67, 90_071_992_547_409_93, 1])
def test_the_money_of_a_backtest_is_told_to_the_unit_however_much_it_is(own, units):
    view = own.world.backtests.view(own.post("/api/backtest", question(capital="5000")).json()["key"])
    told = backtests.result_of("x", replace(view, end_equity=Decimal(units).scaleb(-8)))
    assert int(Decimal(told.final_balance).scaleb(8)) == units
    assert Decimal(told.total_pnl) == Decimal(units).scaleb(-8) - 5_000
    kept = decoded(encoded(replace(view, end_equity=Decimal(units).scaleb(-8))))
    assert int(kept.end_equity.scaleb(8)) == units


def test_a_backtest_stored_before_its_last_worth_was_kept_is_still_told(own):
    view = own.world.backtests.view(own.post("/api/backtest", question()).json()["key"])
    told = backtests.result_of("x", replace(view, end_equity=None))
    assert float(told.final_balance) == pytest.approx(float(view.curve.equity[-1]), abs=1e-6)


def test_a_backtest_that_takes_longer_is_a_202_with_the_place_of_its_answer(own):
    answer = own.post("/api/backtest", question(wait_s=0, strategy_json=DIPS | {"name": "Takes a minute"}))
    assert answer.status_code == 202 and answer.json()["state"] in ("waiting", "running")
    problem(own.get(answer.headers["location"]), 409)


@pytest.mark.parametrize(("change", "said"), [
    ({"end_date": "2020-01-01", "start_date": None}, "no candles"), ({"start_date": "soon"}, "2024-01-31"),
    ({"strategy_json": {}}, "is missing"), ({"symbol": "nope!"}, "pattern"), ({"profile": "Wild"}, "Balanced"),
    ({"capital": "0"}, "greater than 0"), ({"capital": "1e400"}, "capital"), ({"wait_s": 61}, "60"),
    ({"start_date": -1}, "1970"), ({"more": 1}, "Extra")])
def test_a_question_that_makes_no_sense_is_named(own, change, said):
    assert said in problem(own.post("/api/backtest", question(**change)), 422)["detail"]


def test_a_backtest_that_nobody_asked_is_not_there(own):
    problem(own.get("/api/backtest/results?key=nothing"), 404)
    problem(own.get("/api/backtest/results?key=../x"), 422)
