"""The ladder: what each step asks for, counted from the database, and what stands before real money."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import insert

from services.ladder.facts import FAULT, OVERRIDE, PARITY, RECONCILED, facts_of, keep_parity
from services.ladder.gate import LadderGate
from services.ladder.ladder import ladder_of, step_of
from services.ladder.thresholds import DEFAULTS, thresholds
from services.settings import Settings, load_settings
from storage import tables
from storage.database import Database
from storage.evidence import Evidence, EvidenceStore
from trading.domain.live import Ladder
from trading.errors import BadInput

HOUR, DAY = 3_600_000, 86_400_000
LIVE = "live-binance"
GOOD = {"counted": 40, "differing": 0, "mean_abs_bps": 1.0}


def settings(**changed) -> Settings:
    return load_settings(**changed)


def account(database: Database, name: str, days: int = 0, trades: int = 0) -> None:
    """Leave what an account leaves that has traded for some days."""
    trade = {"symbol": "BTCUSDT", "side": "LONG", "quantity": "1", "entry_time": 1, "entry_price": "1", "exit_time": 2,
             "exit_price": "1", "fees": "0", "pnl": "0", "opened_by": "demo", "closed_because": "signal"}
    point = {"equity": "1", "benchmark": "1", "drawdown_ppm": 0}
    with database.write() as connection:
        connection.execute(insert(tables.accounts), [{"account": name, "settings": "{}", "state": "open"}])
        for table, rows in ((tables.trades, [trade | {"account": name, "number": n} for n in range(trades)]),
                            (tables.equity, [point | {"account": name, "time": HOUR * hour + minute}
                                             for hour in range(24 * days) for minute in (1, 60_000)])):
            if rows:
                connection.execute(insert(table), rows)


def prove(database: Database, step: str, name: str) -> None:
    """Leave everything that a step asks for."""
    asked = DEFAULTS[step]
    account(database, name, int(asked["days"]), int(asked["trades"]))
    store = EvidenceStore(database, name)
    store.add(PARITY, GOOD)
    for n in range(int(asked.get("faults", 0))):
        store.add(FAULT, {"name": f"fault {n}", "survived": True})
    for _ in range(int(asked.get("reconciled", 0))):
        store.add(RECONCILED, {"clean": True, "checked": 1, "recovered": 0, "text": ""})


def ladder(database: Database, capital: int = 100, **changed) -> Ladder:
    return ladder_of(database, settings(**changed), LIVE, Decimal(capital))


def step(found: Ladder, key: str):
    return next(each for each in found.steps if each.key == key)


def test_without_any_account_every_proof_says_what_is_missing(database):
    found = ladder(database)
    assert [each.key for each in found.steps] == ["paper", "rehearsal", "small", "full"]
    assert all(proof.missing for each in found.steps for proof in each.proofs)
    assert not any(each.passed for each in found.steps[:-1])


@pytest.mark.parametrize(("key", "name"), [("paper", "paper-binance"), ("rehearsal", "live-rehearsal-ab12"),
                                           ("rehearsal", "live-testnet"), ("small", LIVE)])
def test_a_step_is_passed_by_what_it_asks_for_and_no_other_is(database, key, name):
    prove(database, key, name)
    found = ladder(database)
    assert [each.key for each in found.steps[:-1] if each.passed] == [key]
    assert step(found, key).accounts == (name,) and step(found, key).missing == ()


@pytest.mark.parametrize("name", DEFAULTS["rehearsal"])
def test_one_thing_too_little_keeps_a_step_open_and_is_named(database, name):
    prove(database, "rehearsal", "live-rehearsal-ab12")
    more = {"gap_bps": 0.5}.get(name, DEFAULTS["rehearsal"][name] + 1)
    found = step(ladder(database, ladder={"rehearsal": {name: more}}), "rehearsal")
    assert [proof.key for proof in found.proofs if not proof.passed] == [name]
    assert len(found.missing) == 1


def test_two_minutes_at_midnight_are_no_day(database):
    account(database, "live-rehearsal-1")
    with database.write() as connection:
        connection.execute(insert(tables.equity), [
            {"account": "live-rehearsal-1", "time": DAY + away, "equity": "1", "benchmark": "1", "drawdown_ppm": 0}
            for away in (-60_000, 60_000)])
    assert facts_of(database, "rehearsal").days == 0


def test_days_are_days_of_the_market_and_trades_of_all_its_accounts(database):
    account(database, "live-rehearsal-1", days=2, trades=3)
    account(database, "live-rehearsal-2", days=3, trades=4)
    found = facts_of(database, "rehearsal")
    assert (found.days, found.trades) == (3, 7)


def test_a_comparison_that_found_trouble_begins_the_count_anew(database):
    account(database, LIVE)
    store = EvidenceStore(database, LIVE)
    for clean in (True, True, False, True):
        store.add(RECONCILED, {"clean": clean, "checked": 1, "recovered": 2, "text": ""})
    found = facts_of(database, "small")
    assert found.reconciled == 1 and found.faults == 8


def test_the_simulated_market_stands_in_and_proves_no_prices(database):
    prove(database, "paper", "paper-simulated-7")
    found = step(ladder(database), "paper")
    assert [proof.key for proof in found.proofs if not proof.passed] == ["prices"]
    account(database, "paper-binance")
    assert step(ladder(database), "paper").accounts == ("paper-binance",)


@pytest.mark.parametrize(("name", "capital", "key"), [
    ("paper-binance", 10_000, "paper"), ("paper-simulated-7", 1, "paper"), ("live-rehearsal-x", 10_000, "rehearsal"),
    ("live-demo", 10, "rehearsal"), (LIVE, 500, "small"), (LIVE, 501, "full")])
def test_an_account_and_its_capital_say_on_which_step_it_trades(name, capital, key):
    assert step_of(name, Decimal(capital), Decimal(500)) == key


def gate(database: Database, name: str = LIVE, capital: int = 100) -> LadderGate:
    return LadderGate(database, settings(), name, capital * 10**8, keeper(database))


def keeper(database: Database) -> Callable[[Evidence], None]:
    """Keep a line at once, as the engine's commit does a moment later."""
    return lambda line: EvidenceStore(database, line.account).add(line.kind, line.body)


def test_invented_money_is_never_asked_for_a_proof(database):
    assert [gate(database, name, 10_000)({}) for name in ("live-rehearsal-1", "live-testnet", "live-demo")] == [""] * 3


def test_real_money_needs_every_step_below_from_paper_up(database):
    assert "Paper: " in gate(database)({}) and "Rehearsal: " in gate(database)({})
    prove(database, "rehearsal", "live-rehearsal-1")
    assert "Paper: " in gate(database)({}) and "Rehearsal: " not in gate(database)({})
    prove(database, "paper", "paper-binance")
    assert gate(database)({}) == ""
    assert "Live, small: " in gate(database, capital=1_000)({})
    prove(database, "small", LIVE)
    assert gate(database, capital=1_000)({}) == ""


def test_a_reason_opens_the_gate_and_is_kept_with_what_was_missing(database):
    assert "reason" in gate(database)({"reason": "because"})
    assert gate(database)({"reason": "  rehearsed elsewhere for a month  "}) == ""
    (line,) = EvidenceStore(database, LIVE).of(OVERRIDE)
    assert (line.body["step"], line.body["reason"]) == ("small", "rehearsed elsewhere for a month")
    assert line.body["missing"]
    assert ladder(database).overrides[0].reason == "rehearsed elsewhere for a month"
    assert "not proven" in gate(database)({}), "a reason counts for one start only"


def test_evidence_is_added_and_never_replaced(database):
    store = EvidenceStore(database, LIVE, now=lambda: 5)
    for n in range(3):
        store.add(OVERRIDE, {"n": n})
    assert [(line.time, line.body["n"]) for line in store.of(OVERRIDE)] == [(5, 0), (6, 1), (7, 2)]


def test_the_settings_change_a_threshold_and_a_mistyped_one_is_refused():
    assert thresholds({"paper": {"days": 3}})["paper"] == DEFAULTS["paper"] | {"days": 3}
    for wrong, said in (({"papr": {"days": 3}}, "did you mean paper"), ({"paper": {"day": 3}}, "did you mean days"),
                        ({"small": {"trades": -1}}, "ladder.small.trades is -1")):
        with pytest.raises(BadInput, match=said):
            thresholds(wrong)


def test_the_environment_changes_a_threshold(monkeypatch, database):
    monkeypatch.setenv("COCKPIT_LADDER", json.dumps({"paper": {"days": 2}}))
    assert settings().ladder == {"paper": {"days": 2.0}}


def test_the_same_parity_is_kept_once(database, tmp_path):
    from tests.services.lived import ACCOUNT, Life, lived

    with lived(tmp_path / "lived", Life(120)) as (own, compare):
        report = compare()
        assert [keep_parity(own, report), keep_parity(own, report)] == [True, False]
        (line,) = EvidenceStore(own, ACCOUNT).of(PARITY)
    assert line.body["counted"] == len(report.lines) and line.body["mean_abs_bps"] == 0.0
