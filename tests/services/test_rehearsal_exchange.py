"""What is watched of the real rehearsal exchange, over its own sockets."""

import pytest

from services.rehearsal.admin import Admin, NoAnswer
from services.rehearsal.catalog import CARDS, SETTINGS
from services.rehearsal.oracle import differences
from services.rehearsal.reading import books_of, faults_of, ledger_of, prints_of, requests_of
from services.rehearsal.watch import Watch
from tests.fakes.fake_cockpit import FakeCockpit
from tests.fakes.rehearsal_exchange import HostedExchange
from trading.domain.rehearsal import Ledger, RehearsalView

TAG = "ckabc123"


@pytest.fixture
def hosted():
    with HostedExchange() as exchange:
        yield exchange


def order(hosted, client_id, **more):
    params = {"symbol": "BTCUSDT", "newClientOrderId": client_id, "side": "BUY", "type": "MARKET",
              "quantity": "0.01000", **more}
    rehearsal = hosted.rehearsal
    return hosted.call(rehearsal.exchange.request, "POST", "order", params, rehearsal.account)


def admin_of(hosted):
    return Admin(hosted.urls["rest"])


def test_every_switch_is_known_thrown_with_the_settings_of_the_page_and_put_back(hosted):
    admin = admin_of(hosted)
    assert all(fault.is_known and not fault.is_on for fault in faults_of(admin.state()))
    for card in CARDS:
        admin.set_fault(card.name, **SETTINGS[card.name])
    on = {fault.card.name: fault for fault in faults_of(admin.state()) if fault.is_on}
    assert len(on) >= len(CARDS) - len([card for card in CARDS if "once" in card.does or "Three" in card.does
                                        or "500" in card.does or "Announces" in card.does])
    assert on["drop_reply"].settings == "rate 0.5"
    admin.clear_fault("drop_reply")
    assert "drop_reply" not in {f.card.name for f in faults_of(admin.state()) if f.is_on}
    admin.clear_fault()
    assert not any(fault.is_on for fault in faults_of(admin.state()))


def test_the_book_shows_our_own_orders_and_the_trades_our_own_fills(hosted):
    hosted.call(hosted.rehearsal.market.paused.add, "BTCUSDT")
    best = books_of(admin_of(hosted).state())[0].bids[0][0]
    order(hosted, f"{TAG}-1-1e", type="LIMIT", price=f"{best:.2f}", timeInForce="GTC", quantity="0.02000")
    order(hosted, f"{TAG}-2-1e")
    state = admin_of(hosted).state()
    book = next(book for book in books_of(state) if book.symbol == "BTCUSDT")
    assert [f"{ours:f}" for price, _, ours in book.bids if price == best] == ["0.02000000"]
    ledger = ledger_of(admin_of(hosted).ledger())
    assert any(one.is_ours for one in prints_of(state, ledger.fills))
    assert [o.status for o in ledger.orders.values()] == ["NEW", "FILLED"]


def test_the_exchange_is_its_own_equal_and_another_hand_is_told_from_ours(hosted):
    before = ledger_of(admin_of(hosted).ledger()).balances
    order(hosted, f"{TAG}-1-1e")
    ours = ledger_of(admin_of(hosted).ledger())
    assert ours.balances["BTC"] > before["BTC"]
    order(hosted, "by-hand", side="SELL", quantity="0.50000")
    theirs = ledger_of(admin_of(hosted).ledger())
    kept = Ledger(ours.orders, ours.fills, {"BTC": ours.balances["BTC"], "USDT": ours.balances["USDT"]}, TAG)
    assert list(differences(theirs, kept)) == []
    assert [d[0] for d in differences(theirs, Ledger(kept.orders, {}, kept.balances, TAG))] == ["fill"]


def test_requests_are_seen_with_what_was_done_to_them(hosted):
    admin = admin_of(hosted)
    hosted.wrong("http_503")
    with pytest.raises(OSError):
        import urllib.request

        urllib.request.urlopen(f"{hosted.urls['rest']}/api/v3/time", timeout=5)
    found = requests_of(admin.log())
    assert [(one.path, one.status, one.fault) for one in found] == [("time", 503, "http_503")]


def test_a_watch_over_an_exchange_under_every_fault_still_sees_everything(hosted):
    for card in CARDS:
        hosted.wrong(card.name)
    seen = Watch(admin_of(hosted), FakeCockpit()).look(RehearsalView())
    assert seen.detail == "" and seen.books and seen.oracle.checked


def test_a_wrong_key_and_a_missing_exchange_are_said_in_words(hosted):
    with pytest.raises(NoAnswer, match="send the account's key"):
        Admin(hosted.urls["rest"], "wrong").state()
    with pytest.raises(NoAnswer, match="does not answer"):
        Admin("http://127.0.0.1:9").state()
