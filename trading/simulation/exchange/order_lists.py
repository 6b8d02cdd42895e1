"""Order lists: what one order's fate does to the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.answers import cancelled
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.refusals import VenueError
from trading.simulation.exchange.tickets import Status, Ticket
from trading.simulation.exchange.user_events import list_status

if TYPE_CHECKING:
    from trading.simulation.exchange.exchange import Exchange

Answer = dict[str, Any]


@dataclass(slots=True)
class OrderList:
    """One list. `working` comes first (None in an OCO), `pair` are the legs after it; of two only one will trade.

    `by_fill`: the pair's quantity is what the working order brought in. `leader` is the leg of a pair that was filled,
    set free or ended first. Times UTC ms.
    """

    id: int
    client_id: str
    desk: Desk
    account: Account
    working: Ticket | None
    pair: list[Ticket]
    created: int
    by_fill: bool = False
    updated: int = 0
    leader: Ticket | None = None
    is_done: bool = False
    legs: list[Ticket] = field(init=False)

    def __post_init__(self) -> None:
        self.legs = ([self.working] if self.working else []) + self.pair
        self.updated = self.created

    def document(self, kind: str = "") -> Answer:
        """Return the list as Binance describes it; `kind` is the type of status when it is not the usual one."""
        return {
            "orderListId": self.id, "contingencyType": "OTO" if self.working else "OCO",
            "listStatusType": kind or ("ALL_DONE" if self.is_done else "EXEC_STARTED"),
            "listOrderStatus": "ALL_DONE" if self.is_done else "EXECUTING", "listClientOrderId": self.client_id,
            "transactionTime": self.updated, "symbol": self.desk.symbol.name,
            "orders": [{"symbol": self.desk.symbol.name, "orderId": each.id, "clientOrderId": each.client_id}
                       for each in self.legs],
        }


class OrderLists:
    """All order lists of an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._lists: list[OrderList] = []

    def of(self, account: Account) -> list[OrderList]:
        """Return an account's lists, oldest first."""
        return [each for each in self._lists if each.account is account]

    def new(self, client_id: str | None, working: Ticket | None, pair: list[Ticket], by_fill: bool) -> OrderList:
        """Start a list of a working order (None in an OCO) and those after it, which have their ids already."""
        desk = self._exchange.desk(pair[0].symbol.name)
        name = client_id or self._exchange.make_client_id()
        made = OrderList(len(self._lists), name, desk, pair[0].account, working, pair, self._exchange.time, by_fill)
        for each in made.legs:
            each.list_id = made.id
        self._lists.append(made)
        self._tell(made)
        return made

    def changed(self, ticket: Ticket, what: str) -> None:
        """Let the other legs follow when one traded, was set free or ended."""
        found = self._lists[ticket.list_id]
        if what == "CANCELED" or found.is_done:
            return
        if ticket is found.working:
            if ticket.status is Status.FILLED:
                self._release(found)
            elif not ticket.is_open:
                self._expire(found, found.pair, "OTO_PHASE_ONE_EXPIRED")
        elif found.working is None or found.working.status is Status.FILLED:
            found.leader = found.leader or ticket
            if found.leader is ticket:
                self._expire(found, [each for each in found.pair if each is not ticket], "OCO_TRIGGER")
        self._finish(found)

    def cancel(self, list_id: int, name: str) -> Answer:
        """Cancel what is open of a list under the cancel's client id, and answer as Binance does."""
        found = self._lists[list_id]
        gone = [each for each in found.legs if each.is_open]
        for each in gone:
            found.desk.cancel(each, name)
        self._finish(found)
        reports = [cancelled(each, name, self._exchange.time) for each in gone]
        return found.document() | {"orderReports": reports}

    def updated(self, list_id: int) -> Answer:
        """Tell that a leg's name changed, and return the list in short."""
        found = self._lists[list_id]
        self._tell(found, "UPDATED")
        skipped = ("listStatusType", "transactionTime")
        return {name: value for name, value in found.document().items() if name not in skipped}

    def _release(self, found: OrderList) -> None:
        """Let the legs after a filled working order become real ones; when they cannot, all of them expire."""
        desk = found.desk
        if found.by_fill:
            lots = _brought_in(found)
            for each in found.pair:
                each.quantity = each.left = lots
        try:
            for each in found.pair:
                desk.vet_price(each)
                if not each.quantity:
                    raise VenueError(400, -1013, "Invalid quantity.")
            desk.lock(*found.pair)
        except VenueError:
            found.leader = found.working
            self._expire(found, found.pair, "REJECTED")
            return
        for each in sorted(found.pair, key=lambda leg: not leg.waits):
            desk.release(each)

    def _expire(self, found: OrderList, legs: list[Ticket], reason: str) -> None:
        for each in legs:
            if each.is_open:
                found.desk.expire(each, reason)

    def _finish(self, found: OrderList) -> None:
        if not found.is_done and not any(each.is_open for each in found.legs):
            found.is_done, found.updated = True, self._exchange.time
            self._tell(found)

    def _tell(self, found: OrderList, kind: str = "") -> None:
        self._exchange.tell(found.account, list_status(found.document(kind), self._exchange.time))


def _brought_in(found: OrderList) -> int:
    """Return the lots that a working BUY left in the account: net of commission in base, rounded down."""
    working = found.working
    if working is None:
        return 0
    base = found.desk.symbol.base
    net = sum(each.quantity - (each.commission if each.commission_asset == base else 0) for each in working.fills)
    return int(net * 100_000_000) // found.desk.symbol.lot
