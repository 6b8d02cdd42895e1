"""What the cockpit there has kept is written as the ledger that the exchange's is compared with."""

from dataclasses import replace
from decimal import Decimal

from services.rehearsal.kept import expected_balances, kept_fills, kept_orders, ledger_of
from services.rehearsal.oracle import differences
from storage.venue_store import SqlVenueStore
from tests.fakes.fake_cockpit import LEDGER
from trading.domain import Fill, Side, SymbolSpec
from trading.domain.venue import VenueOrder, VenueState

ACCOUNT = "live-rehearsal-1"
SPEC = SymbolSpec("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(9000), Decimal(5))


def order(client_id, state, executed="0"):
    return VenueOrder(client_id, "ck-1", "BTCUSDT", "BUY", "LIMIT", Decimal("0.01"), 1, VenueState.INTENT,
                      Decimal(67_000), executed=Decimal(executed)), state


def kept(database, *orders):
    """Take orders through their lives."""
    store = SqlVenueStore(database, ACCOUNT)
    for intent, state in orders:
        store.intend((replace(intent, executed=Decimal(0)),))
        for step in (VenueState.SENT, VenueState.UNKNOWN) if state is VenueState.VOID else (VenueState.SENT,):
            store.settle((replace(intent, state=step, executed=Decimal(0)),))
        store.settle((replace(intent, state=state),))


def test_orders_that_never_arrived_are_not_in_the_ledger(database):
    kept(database, order("a-1e", VenueState.FILLED, "0.01"), order("b-1e", VenueState.VOID),
         order("c-1e", VenueState.REFUSED), order("d-1e", VenueState.WORKING, "0.004"))
    found = {o.client_id: (o.status, o.executed) for o in kept_orders(database, ACCOUNT)}
    assert found == {"a-1e": ("FILLED", Decimal("0.01")), "d-1e": ("NEW", Decimal("0.004"))}
    assert kept_orders(database, "live-rehearsal-2") == ()


def test_what_was_kept_equals_the_exchange_to_the_last_unit(database):
    kept(database, order("ckabc123-1-1e", VenueState.FILLED, "0.01"))
    fill = Fill(3, "ck-1", "BTCUSDT", Side.BUY, 1_000, 6_700_050, 67_000_500_000, 1_000, 0, 1, "entry")
    begun = {"USDT": Decimal(100_000), "BTC": Decimal(1)}
    fills = kept_fills([fill], {"BTCUSDT": SPEC})
    ours = ledger_of(kept_orders(database, ACCOUNT), fills, expected_balances(begun, fills))
    assert list(differences(LEDGER, ours)) == []
    assert [said[0] for said in differences(LEDGER, replace(ours, balances=begun))] == ["balance", "balance"]


def test_a_commission_is_taken_from_what_was_received():
    bought = Fill(3, "ck-1", "BTCUSDT", Side.BUY, 1_000, 6_700_050, 67_000_500_000, 1_000, 0, 1, "entry")
    sold = Fill(4, "ck-2", "BTCUSDT", Side.SELL, 999, 6_700_000, 66_933_000_000, 0, 66_933_000, 2, "stop")
    fills = kept_fills([bought, sold], {"BTCUSDT": SPEC})
    assert [(str(f.commission), f.commission_asset) for f in fills] == [("0.00001000", "BTC"), ("0.66933000", "USDT")]
    assert expected_balances({}, fills) == {"BTC": Decimal("0"), "USDT": Decimal("-1.34433")}
