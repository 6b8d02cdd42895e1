"""Equal ledgers, and every way in which two may differ."""

from dataclasses import replace
from decimal import Decimal

from services.rehearsal.oracle import Oracle, differences
from tests.fakes.fake_cockpit import LEDGER
from trading.domain.rehearsal import DIFFERENT, EQUAL, SETTLING, Ledger, LedgerFill, LedgerOrder

NAME = "ckabc123-1-1e"


def with_order(**changes):
    return replace(LEDGER, orders={NAME: replace(LEDGER.orders[NAME], **changes)})


def said(exchange, cockpit):
    return [(what, name) for what, name, *_ in differences(exchange, cockpit)]


def test_equal_ledgers_have_no_differences_however_decimals_are_written():
    other = replace(LEDGER, balances={"USDT": Decimal("99329.99500000"), "BTC": Decimal("1.009990"), "ETH": Decimal(0)})
    assert said(other, LEDGER) == []
    assert said(with_order(executed=Decimal("0.010000")), LEDGER) == []


def test_assets_that_are_not_traded_are_nobodys_business_but_those_of_fills_are():
    rich = replace(LEDGER, balances=LEDGER.balances | {"SOL": Decimal(100)})
    assert said(rich, LEDGER) == []
    assert said(LEDGER, replace(LEDGER, balances={})) == [("balance", "BTC"), ("balance", "USDT")]


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


HAND = LedgerFill("BTCUSDT", 9, "by-hand", "SELL", Decimal(67_000), Decimal("0.5"), Decimal("33.5"), "USDT")


def with_other_hand():
    """The exchange after somebody else sold half a bitcoin."""
    orders = LEDGER.orders | {"by-hand": LedgerOrder("by-hand", "BTCUSDT", "SELL", "FILLED", Decimal("0.5"))}
    moved = {"BTC": LEDGER.balances["BTC"] - Decimal("0.5"), "USDT": LEDGER.balances["USDT"] + Decimal("33466.5")}
    return replace(LEDGER, orders=orders, fills=LEDGER.fills | {("BTCUSDT", 9): HAND}, balances=moved)


def test_what_other_hands_did_is_left_out_whether_the_cockpit_has_counted_it_or_not():
    ours = replace(LEDGER, tag="ckabc123")
    assert said(with_other_hand(), ours) == []
    assert said(with_other_hand(), replace(ours, balances=with_other_hand().balances)) == []
    assert Oracle().check(with_other_hand(), ours, 0).n_others == 1


def test_a_balance_that_other_hands_do_not_explain_is_a_difference():
    ours = replace(LEDGER, tag="ckabc123", balances=LEDGER.balances | {"BTC": Decimal("1.2")})
    assert said(with_other_hand(), ours) == [("balance", "BTC")]


def test_states_that_the_cockpit_does_not_tell_apart_are_equal():
    for word, ours in (("PENDING_NEW", "NEW"), ("EXPIRED_IN_MATCH", "EXPIRED"), ("PENDING_CANCEL", "NEW")):
        assert said(with_order(status=word), with_order(status=ours)) == []
