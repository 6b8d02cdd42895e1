"""Compares the cockpit's ledger with the exchange's, which is never wrong."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from trading.domain.rehearsal import DIFFERENT, EQUAL, SETTLING, Difference, Ledger, LedgerFill, LedgerOrder, OracleView

SETTLED_MS = 10_000  # a lost answer is settled within recvWindow + 5 s
N_SHOWN = 50
ABSENT = "not there"
WORKING, PARTLY = "NEW", "PARTIALLY_FILLED"
Said = tuple[str, str, str, str]  # what, name, exchange, cockpit


class Oracle:
    """Remembers since when the two disagree: what is on its way is no difference yet."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], int] = {}
        self._n_checks = 0

    def check(self, exchange: Ledger, cockpit: Ledger, now: int) -> OracleView:
        """Compare orders, fills and balances; a difference counts once it stands for ten seconds."""
        found = list(differences(exchange, cockpit))
        self._since = {(what, name): self._since.get((what, name), now) for what, name, *_ in found}
        self._n_checks += 1
        shown = tuple(Difference(*said, self._since[said[0], said[1]]) for said in found[:N_SHOWN])
        state = EQUAL if not found else SETTLING
        if any(now - since >= SETTLED_MS for since in self._since.values()):
            state = DIFFERENT
        return OracleView(state, now, len(exchange.orders), len(exchange.fills), len(exchange.balances),
                          self._n_checks, shown)


def differences(exchange: Ledger, cockpit: Ledger) -> Iterator[Said]:
    """Yield what one side says and the other does not."""
    for name in sorted({*exchange.orders, *cockpit.orders}):
        theirs, ours = _order(exchange.orders.get(name)), _order(cockpit.orders.get(name))
        if theirs != ours:
            yield "order", name, theirs, ours
    for symbol, trade_id in sorted({*exchange.fills, *cockpit.fills}):
        theirs = _fill(exchange.fills.get((symbol, trade_id)))
        ours = _fill(cockpit.fills.get((symbol, trade_id)))
        if theirs != ours:
            yield "fill", f"{symbol} {trade_id}", theirs, ours
    for asset in sorted({*exchange.balances, *cockpit.balances}):
        held, known = (side.balances.get(asset, Decimal(0)) for side in (exchange, cockpit))
        if held != known:
            yield "balance", asset, f"{held.normalize():f}", f"{known.normalize():f}"


def _order(order: LedgerOrder | None) -> str:
    """Write an order's state; one that fills in parts is one that works."""
    if order is None:
        return ABSENT
    status = WORKING if order.status == PARTLY else order.status
    return f"{order.side} {order.symbol} {status}, {order.executed.normalize():f} filled"


def _fill(fill: LedgerFill | None) -> str:
    if fill is None:
        return ABSENT
    return f"{fill.side} {fill.quantity.normalize():f} at {fill.price.normalize():f}"
