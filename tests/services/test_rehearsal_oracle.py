"""Equal ledgers, and every way in which two may differ."""

from dataclasses import replace
from decimal import Decimal

from services.rehearsal.oracle import Oracle, differences
from tests.fakes.fake_cockpit import LEDGER
from trading.domain.rehearsal import DIFFERENT, EQUAL, SETTLING, Ledger, LedgerFill

NAME = "ckabc123-1-1e"


def with_order(**changes):
    return replace(LEDGER, orders={NAME: replace(LEDGER.orders[NAME], **changes)})


def said(exchange, cockpit):
    return [(what, name) for what, name, *_ in differences(exchange, cockpit)]


def test_equal_ledgers_have_no_differences_however_decimals_are_written():
    other = replace(LEDGER, balances={"USDT": Decimal("99329.99500000"), "BTC": Decimal("1.009990"), "ETH": Decimal(0)})
    assert said(other, LEDGER) == []
    assert said(with_order(executed=Decimal("0.010000")), LEDGER) == []


def test_an_order_that_fills_in_parts_works():
    assert said(with_order(status="PARTIALLY_FILLED"), with_order(status="NEW")) == []


def test_a_lost_order_a_wrong_state_and_a_wrong_quantity_are_differences():
    assert said(LEDGER, replace(LEDGER, orders={})) == [("order", NAME)]
    assert said(replace(LEDGER, orders={}), LEDGER) == [("order", NAME)]
    assert said(with_order(status="CANCELED"), LEDGER) == [("order", NAME)]
    assert said(with_order(executed=Decimal("0.02")), LEDGER) == [("order", NAME)]


def test_a_lost_a_doubled_and_a_changed_fill_are_differences():
    again = LedgerFill("BTCUSDT", 4, NAME, "BUY", Decimal("67000.5"), Decimal("0.01"))
    both = replace(LEDGER, fills={**LEDGER.fills, ("BTCUSDT", 4): again})
    assert said(both, LEDGER) == [("fill", "BTCUSDT 4")] == said(LEDGER, both)
    changed = replace(LEDGER, fills={("BTCUSDT", 3): replace(again, trade_id=3, price=Decimal(67_001))})
    assert said(changed, LEDGER) == [("fill", "BTCUSDT 3")]


def test_a_balance_that_is_off_by_the_smallest_unit_is_a_difference():
    off = replace(LEDGER, balances=LEDGER.balances | {"USDT": Decimal("99329.99500001")})
    assert list(differences(off, LEDGER)) == [("balance", "USDT", "99329.99500001", "99329.995")]


def test_what_is_on_its_way_settles_and_what_stays_is_a_difference():
    oracle, empty = Oracle(), Ledger()
    assert oracle.check(LEDGER, LEDGER, 0).state == EQUAL
    assert oracle.check(LEDGER, empty, 3_000).state == SETTLING
    assert oracle.check(LEDGER, empty, 12_999).state == SETTLING
    late = oracle.check(LEDGER, empty, 13_000)
    assert late.state == DIFFERENT and {d.since for d in late.differences} == {3_000}
    assert oracle.check(LEDGER, LEDGER, 16_000).state == EQUAL
    again = oracle.check(LEDGER, empty, 19_000)
    assert again.state == SETTLING and again.n_checks == 6
