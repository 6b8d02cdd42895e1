"""The life of an order: intent before sending, forward only, never more than was ordered."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from storage import tables
from storage.database import Database
from storage.recorder import SqlRecorder
from tests.contracts.broker import NOW, PLENTY, SYMBOL, buy, protection, sell
from tests.storage.test_decision_of_an_order import intended
from tests.trading.bench import SPECS, Memory
from trading.domain import Fill, Order, OrderStatus, Side
from trading.errors import BrokenInvariant
from trading.events import OrderEnded, OrderFilled, OrderPlaced
from trading.orders import OrderManager

S = OrderStatus
LEGAL = {
    S.INTENT: {S.WORKING, S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.REJECTED, S.EXPIRED},
    S.WORKING: {S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED},
    S.PARTIALLY_FILLED: {S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED},
    S.FILLED: set(),
    S.CANCELED: set(),
    S.REJECTED: set(),
    S.EXPIRED: set(),
}


class SilentBroker:
    """A venue outside our transaction that takes orders and says nothing."""

    badge, is_external = "SILENT", True

    def __init__(self, on_place=lambda order: None) -> None:
        self.on_place = on_place
        self.placed: list[Order] = []
        self.amended: list[Order] = []
        self.cancelled: list[str] = []

    def now(self) -> int:
        return 0

    def is_far(self, symbol: str, price_ticks: int) -> bool:
        return False

    doubts = is_far

    def place(self, order: Order) -> None:
        self.on_place(order)
        self.placed.append(order)

    def amend(self, order: Order) -> None:
        self.amended.append(order)

    def cancel(self, client_id: str, time: int) -> None:
        self.cancelled.append(client_id)


@pytest.fixture
def manager() -> OrderManager:
    return OrderManager(SilentBroker(), Memory(), "t")


def fill(client_id: str = "t-1", lots: int = 10, quote: int = 1_000, side: Side = Side.BUY) -> Fill:
    return Fill(1, client_id, SYMBOL, side, lots, 2_000_000, quote, 0, 0, NOW, "entry")


def move(manager: OrderManager, status: OrderStatus) -> None:
    """Let the venue say what would bring the order into a state."""
    if status is S.WORKING:
        manager.on_placed(OrderPlaced(manager.working["t-1"]))
    elif status in (S.PARTIALLY_FILLED, S.FILLED):
        manager.on_filled(OrderFilled(fill(lots=1), status is S.FILLED))
    else:
        manager.on_ended(OrderEnded("t-1", SYMBOL, status.value, NOW, ""))


@pytest.mark.parametrize("target", list(S), ids=str)
@pytest.mark.parametrize("start", list(S), ids=str)
def test_orders_move_forward_only(manager, start, target):
    order = replace(buy(), status=start)
    manager.working["t-1"] = order
    if target in LEGAL[start]:
        assert manager._move(order, target).status is target
        assert ("t-1" in manager.working) is target.is_open
        assert ([o.client_id for o in manager.ended] == ["t-1"]) is not target.is_open
    else:
        with pytest.raises(BrokenInvariant, match=f"t-1: {start} cannot become {target}"):
            manager._move(order, target)
        assert manager.working == {"t-1": order} and not manager.ended


@pytest.mark.parametrize("target", [S.PARTIALLY_FILLED, S.FILLED, S.CANCELED, S.EXPIRED], ids=str)
@pytest.mark.parametrize("start", [S.INTENT, S.WORKING, S.PARTIALLY_FILLED], ids=str)
def test_what_the_venue_says_moves_the_order(manager, start, target):
    manager.submit(buy())
    if start is not S.INTENT:
        move(manager, start)
    move(manager, target)
    known = manager.working.get("t-1") or manager.ended[-1]
    assert known.status is target
    assert manager._recorder.of(Order)[-1] == known


def test_rejection_after_acceptance_is_a_broken_invariant(manager):
    manager.submit(buy())
    move(manager, S.WORKING)
    with pytest.raises(BrokenInvariant, match="WORKING cannot become REJECTED"):
        move(manager, S.REJECTED)


def test_acceptance_that_trails_the_fill_changes_nothing(manager):
    manager.submit(buy())
    move(manager, S.PARTIALLY_FILLED)
    before = manager.working["t-1"]
    move(manager, S.WORKING)
    assert manager.working["t-1"] is before


def test_overfill_is_a_broken_invariant(manager):
    manager.submit(buy(lots=10))
    manager.on_filled(OrderFilled(fill(lots=7), False))
    with pytest.raises(BrokenInvariant, match="fill of 4 lots, only 3 remain"):
        manager.on_filled(OrderFilled(fill(lots=4), True))
    assert manager.working["t-1"].filled_lots == 7


def test_fill_of_an_unknown_or_ended_order_is_a_broken_invariant(manager):
    with pytest.raises(BrokenInvariant, match="belongs to no order: t-1"):
        manager.on_filled(OrderFilled(fill(), True))
    manager.submit(buy(lots=10))
    manager.on_filled(OrderFilled(fill(), True))
    with pytest.raises(BrokenInvariant, match="belongs to no order: t-1"):
        manager.on_filled(OrderFilled(fill(), True))


def test_fill_beyond_the_budget_is_a_broken_invariant(manager):
    manager.submit(buy(budget_units=1_000))
    with pytest.raises(BrokenInvariant, match="fill of 1001 units, 1000 reserved"):
        manager.on_filled(OrderFilled(fill(quote=1_001), False))


def test_reservation_shrinks_with_each_fill_and_ends_with_the_order(manager):
    manager.submit(buy(lots=100))
    manager.submit(buy("t-2", symbol="ETHUSDT", budget_units=500))
    assert manager.reserved_units() == PLENTY + 500
    manager.on_filled(OrderFilled(fill(quote=300), False))
    assert (manager.reserved_units(SYMBOL), manager.reserved_units()) == (PLENTY - 300, PLENTY + 200)
    move(manager, S.CANCELED)
    assert manager.reserved_units() == 500


def test_end_of_an_unknown_order_is_ignored(manager):
    assert manager.on_ended(OrderEnded("t-77", SYMBOL, "CANCELED", NOW, "")) is None


def test_ids_rise_survive_a_restart_and_fit_the_venue(manager):
    first = [manager.next_id() for _ in range(3)]
    again = OrderManager(SilentBroker(), Memory(), "t")
    again.restore(manager.snapshot())
    assert [*first, again.next_id()] == ["t-1", "t-2", "t-3", "t-4"]


def test_working_orders_survive_a_restart(manager):
    manager.submit(buy())
    manager.submit(protection())
    manager.submit(sell())
    move(manager, S.PARTIALLY_FILLED)
    again = OrderManager(SilentBroker(), Memory(), "t")
    again.restore(manager.snapshot())
    assert again.working == manager.working
    assert again.protection(SYMBOL).client_id == "t-3" and len(again.of(SYMBOL, Side.SELL)) == 2


# --- intent before sending -----------------------------------------------------------------------------------

class PowerCut(BaseException):
    """The machine goes away: nothing of this process runs on."""


def stored(path: Path, client_id: str) -> dict | None:
    """Read the order as another process would: from the file, on its own connection."""
    other = Database(path)
    found = other.rows(select(tables.orders).where(tables.orders.c.client_id == client_id))
    other.close()
    return found[0] if found else None


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "cockpit.db"


@pytest.fixture
def database(path):
    database = Database(path)
    database.open()
    yield database
    database.close()


def test_intent_is_in_the_database_once_that_at_the_venue_is(database, path):
    seen = []

    def leave(order: Order) -> None:
        intended(database, order)
        seen.append(stored(path, order.client_id))

    manager = OrderManager(SilentBroker(leave), SqlRecorder(database, "live", SPECS, batch=1_000), "t")
    manager.submit(buy())
    assert [(row["client_id"], row["status"], row["quantity"]) for row in seen] == [("t-1", "INTENT", "0.00100")]


def test_intent_of_a_sale_is_in_the_database_before_anything_is_done_for_it(database, path):
    seen = []
    broker = SilentBroker(lambda order: seen.append(stored(path, order.client_id)))
    manager = OrderManager(broker, SqlRecorder(database, "live", SPECS, batch=1_000), "t")
    manager.submit(sell())
    assert [row["status"] for row in seen] == ["INTENT"]


def test_crash_between_intent_and_sending_leaves_the_intent(database, path):
    def cut(order: Order) -> None:
        intended(database, order)
        raise PowerCut

    broker = SilentBroker(cut)
    manager = OrderManager(broker, SqlRecorder(database, "live", SPECS, batch=1_000), "t")
    with pytest.raises(PowerCut):
        manager.submit(buy())
    assert broker.placed == [] and stored(path, "t-1")["status"] == "INTENT"


def test_order_is_never_sent_when_its_intent_cannot_be_written(database):
    broker = SilentBroker()
    recorder = SqlRecorder(database, "live", SPECS)
    manager = OrderManager(broker, recorder, "t")
    database.close()
    recorder._database = None
    with pytest.raises(AttributeError):
        manager.submit(buy())
    assert broker.placed == []


def test_venue_inside_the_process_needs_no_commit_of_its_own(database, path):
    broker = SilentBroker()
    broker.is_external = False
    manager = OrderManager(broker, SqlRecorder(database, "paper", SPECS), "t")
    manager.submit(buy())
    assert [order.client_id for order in broker.placed] == ["t-1"] and stored(path, "t-1") is None
