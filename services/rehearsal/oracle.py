"""Compares the cockpit's ledger with the exchange's, which is never wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from trading.domain import split_symbol
from trading.domain.rehearsal import DIFFERENT, EQUAL, SETTLING, Difference, Ledger, LedgerFill, LedgerOrder, OracleView

SETTLED_MS = 10_000  # a lost answer is settled within recvWindow + 5 s
N_SHOWN = 50
ABSENT = "not there"
WORDS = {"PARTIALLY_FILLED": "NEW", "PENDING_NEW": "NEW", "PENDING_CANCEL": "NEW", "EXPIRED_IN_MATCH": "EXPIRED"}
"""What the cockpit does not tell apart."""
NOTHING = Decimal(0)
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
        ours = our_part(exchange, cockpit.tag)
        shown = tuple(Difference(*said, self._since[said[0], said[1]]) for said in found[:N_SHOWN])
        state = EQUAL if not found else SETTLING
        if any(now - since >= SETTLED_MS for since in self._since.values()):
            state = DIFFERENT
        return OracleView(state, now, len(ours.orders), len(ours.fills), len(cockpit.balances), self._n_checks,
                          len(exchange.orders) - len(ours.orders), shown)


def our_part(exchange: Ledger, tag: str) -> Ledger:
    """Return the exchange's ledger without orders and fills of other hands."""
    return replace(exchange, orders={k: o for k, o in exchange.orders.items() if k.startswith(tag)},
                   fills={k: f for k, f in exchange.fills.items() if f.client_id.startswith(tag)})


def differences(exchange: Ledger, cockpit: Ledger) -> Iterator[Said]:
    """Yield what one side says and the other does not."""
    ours = our_part(exchange, cockpit.tag)
    for name in sorted({*ours.orders, *cockpit.orders}):
        told, kept = _order(ours.orders.get(name)), _order(cockpit.orders.get(name))
        if told != kept:
            yield "order", name, told, kept
    for key in sorted({*ours.fills, *cockpit.fills}):
        told, kept = _fill(ours.fills.get(key)), _fill(cockpit.fills.get(key))
        if told != kept:
            yield "fill", f"{key[0]} {key[1]}", told, kept
    yield from _balances(exchange, ours, cockpit.balances)


def _balances(exchange: Ledger, ours: Ledger, expected: Mapping[str, Decimal]) -> Iterator[Said]:
    """Compare totals of what is traded; what other hands did may be counted as theirs already, or not yet."""
    others = effect(fill for key, fill in exchange.fills.items() if key not in ours.fills)
    for asset in sorted({*expected, *effect(ours.fills.values())}):
        held, known = exchange.balances.get(asset, NOTHING), expected.get(asset, NOTHING)
        if known not in (held, held - others.get(asset, NOTHING)):
            yield "balance", asset, _plain(held), _plain(known)


def effect(fills: Iterable[LedgerFill]) -> dict[str, Decimal]:
    """Return by how much executions changed each asset."""
    found: dict[str, Decimal] = {}

    def book(asset: str, amount: Decimal) -> None:
        found[asset] = found.get(asset, NOTHING) + amount

    for fill in fills:
        base, quote = split_symbol(fill.symbol)
        sign = 1 if fill.side == "BUY" else -1
        book(base, sign * fill.quantity)
        book(quote, -sign * fill.quantity * fill.price)
        book(fill.commission_asset, -fill.commission)
    return found


def _order(order: LedgerOrder | None) -> str:
    """Write an order's state; one that fills in parts is one that works."""
    if order is None:
        return ABSENT
    return f"{order.side} {order.symbol} {WORDS.get(order.status, order.status)}, {_plain(order.executed)} filled"


def _fill(fill: LedgerFill | None) -> str:
    if fill is None:
        return ABSENT
    return f"{fill.side} {_plain(fill.quantity)} at {_plain(fill.price)}"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
