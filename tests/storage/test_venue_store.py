"""What was sent to a venue: durable before it leaves, never twice under one name, and only ever forward."""

import sqlite3
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select

from storage import tables
from storage.database import Database
from storage.venue_store import STEPS, WATCHED_MS, SqlVenueStore
from tests.fakes.venue_store import DictVenueStore
from trading.domain.venue import VenueOrder, VenueState
from trading.errors import BrokenInvariant

NOW = 1_760_000_000_000
S = VenueState


def made(client_id: str = "ck000001-1-1e", **changed: object) -> VenueOrder:
    order = VenueOrder(client_id, "ck000001-1", "BTCUSDT", "BUY", "LIMIT", Decimal("0.00123"), NOW,
                       price=Decimal("67123.45"), params={"timeInForce": "IOC", "symbol": "BTCUSDT"})
    return replace(order, **changed)


@pytest.fixture(params=["database", "dictionary"])
def store(request, database):
    makes = {"database": lambda: SqlVenueStore(database, "live", lambda: NOW),
             "dictionary": lambda: DictVenueStore(now=lambda: NOW)}
    return makes[request.param]()


def test_an_order_comes_back_as_it_was(store):
    orders = (made(), made("ck000001-1-1s", kind="STOP_LOSS", side="SELL", list_id="ck000001-1-1l",
                           stop_price=Decimal("123456789012.12345678"), quantity=Decimal("1E+3"), detail="é"))
    store.intend(orders)
    assert [store.find(order.client_id) for order in orders] == list(orders)
    assert store.find("ck000001-1-2e") is None
    assert store.open_orders() == store.of_engine_order("ck000001-1") == list(orders)
    assert store.of_engine_order("ck000001-2") == []


def test_a_client_id_is_never_used_twice_and_the_others_of_its_list_are_not_kept(store):
    store.intend((made(),))
    with pytest.raises(BrokenInvariant, match="used before"):
        store.intend((made("ck000001-9-1e"), made()))
    with pytest.raises(BrokenInvariant, match="used before"):
        store.intend((made("ck000001-9-1e"), made("ck000001-9-1e")))
    assert store.find("ck000001-9-1e") is None
    store.settle((replace(made(), state=S.VOID),))
    with pytest.raises(BrokenInvariant):
        store.intend((made(),))


@pytest.mark.parametrize(("before", "after"), product(S, S))
def test_only_the_steps_of_the_table_can_be_settled(store, before, after):
    store.intend((made(state=before),))
    if after is before or after in STEPS[before]:
        store.settle((made(state=after, executed=Decimal("0.001"), venue_id=7),))
        assert store.find(made().client_id) == made(state=after, executed=Decimal("0.001"), venue_id=7)
    else:
        with pytest.raises(BrokenInvariant, match="cannot become"):
            store.settle((made(state=after),))
        assert store.find(made().client_id).state is before


def test_executed_never_falls_and_a_stranger_cannot_be_settled(store):
    store.intend((made(),))
    store.settle((made(state=S.SENT),))
    store.settle((made(state=S.WORKING, executed=Decimal("0.001")),))
    with pytest.raises(BrokenInvariant, match=r"fell from 0.001 to 0"):
        store.settle((made(state=S.FILLED),))
    with pytest.raises(BrokenInvariant, match="never intended"):
        store.settle((made(state=S.FILLED, executed=Decimal("0.00123")), made("x-1", state=S.WORKING)))
    assert store.find(made().client_id).state is S.WORKING, "all of a settlement or nothing"


def test_several_steps_of_one_order_in_one_settlement_end_with_the_last(store):
    store.intend((made(),))
    store.settle((made(state=S.SENT), made(state=S.WORKING, venue_id=5), made(state=S.FILLED, venue_id=5)))
    assert store.find(made().client_id) == made(state=S.FILLED, venue_id=5)


def test_open_orders_are_those_that_may_fill_and_voids_of_a_day_oldest_first(store):
    names = {state: f"ck000001-{n}-1e" for n, state in enumerate(reversed(S), 1)}
    store.intend(tuple(made(name, state=state) for state, name in names.items()))
    store.intend((made("old-void", state=S.VOID, timestamp=NOW - WATCHED_MS - 1),
                  made("old-unknown", state=S.UNKNOWN, timestamp=NOW - 9 * WATCHED_MS)))
    left = [order.client_id for order in store.open_orders()]
    wanted = [names[s] for s in reversed(S) if s in (S.INTENT, S.SENT, S.UNKNOWN, S.WORKING, S.VOID)]
    assert left == [*wanted, "old-unknown"]


def test_settling_keeps_the_order_of_intent(store):
    names = ["b", "a", "c"]
    store.intend(tuple(made(name) for name in names))
    store.settle((made("a", state=S.SENT),))
    assert [order.client_id for order in store.open_orders()] == names


def test_baseline_is_none_until_it_is_kept_and_replaced_whole(store):
    assert store.baseline() is None
    store.keep_baseline({"BTC": Decimal("0.00000001"), "USDT": Decimal("100000.00000000")})
    store.keep_baseline({"USDT": Decimal("123456789012.12345678"), "ETH": Decimal(0)})
    assert store.baseline() == {"USDT": Decimal("123456789012.12345678"), "ETH": Decimal(0)}
    store.keep_baseline({})
    assert store.baseline() == {}


def test_tag_is_drawn_once_for_an_account_and_fits_a_client_id(store):
    tag = store.tag()
    assert tag == store.tag()
    assert len(tag) == 8 and tag.startswith("ck") and tag.isalnum()


def test_accounts_know_nothing_of_each_other(database):
    mine, theirs = SqlVenueStore(database, "live"), SqlVenueStore(database, "rehearsal")
    mine.intend((made(),))
    mine.keep_baseline({"BTC": Decimal(1)})
    assert (theirs.find(made().client_id), theirs.open_orders(), theirs.baseline()) == (None, [], None)
    assert theirs.tag() != mine.tag()
    theirs.intend((made(),))
    with pytest.raises(BrokenInvariant):
        theirs.settle((made("never"),))


def test_what_is_intended_is_on_the_disk_when_the_call_returns_as_decimal_text(database, tmp_path):
    SqlVenueStore(database, "live").intend((made(quantity=Decimal("1E-8")),))
    with sqlite3.connect(f"file:{tmp_path}/cockpit.db?mode=ro", uri=True) as other:
        row = other.execute("SELECT quantity, typeof(quantity), price, state FROM venue_orders").fetchone()
    other.close()
    assert row == ("0.00000001", "text", "67123.45", "INTENT")


def test_a_database_of_the_release_before_gets_the_tables_and_keeps_its_rows(tmp_path):
    database = Database(tmp_path / "cockpit.db")
    database.open()
    database.remember("kept", "1")
    database.close()
    with sqlite3.connect(tmp_path / "cockpit.db") as old:
        for table in ("venue_orders", "leases", "evidence", "seen_bars", "seen_blocks", "trade_notes",
                      "imported_trades", "commands"):
            old.execute(f"DROP TABLE {table}")
        old.execute("UPDATE alembic_version SET version_num = '0004'")
    old.close()
    again = Database(Path(tmp_path / "cockpit.db"))
    again.open()
    SqlVenueStore(again, "live").intend((made(),))
    assert again.rows(select(tables.facts)) == [{"name": "kept", "value": "1"}]
    assert (tmp_path / "backups" / "before-0009.db").exists()
    again.close()


def test_quarantine_and_the_newest_number_are_kept(store):
    assert store.quarantined() == {} and store.newest_number() == 0
    store.keep_quarantine({"BTCUSDT": "a stop was cancelled by another hand"})
    assert store.quarantined() == {"BTCUSDT": "a stop was cancelled by another hand"}
