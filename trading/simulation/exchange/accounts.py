"""What an account holds: free and locked, in whole units of 1e-8 of each asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

UNITS = 100_000_000


def to_units(amount: Decimal) -> int:
    """Return an amount in units of 1e-8.

    Raises
    ------
    ValueError
        It has more than eight decimals.
    """
    scaled = amount * UNITS
    if scaled != int(scaled):
        raise ValueError(f"{amount} has more than eight decimals: round it to 0.00000001")
    return int(scaled)


def to_decimal(units: int) -> Decimal:
    """Return units of 1e-8 as an exact decimal with eight places."""
    return Decimal(units).scaleb(-8)


def to_text(units: int) -> str:
    """Return units of 1e-8 as Binance writes amounts: eight decimals, no exponent."""
    sign = "-" if units < 0 else ""
    whole, part = divmod(abs(units), UNITS)
    return f"{sign}{whole}.{part:08d}"


@dataclass(slots=True)
class Balance:
    """One asset, in units of 1e-8: what may be spent, and what open orders hold."""

    free: int = 0
    locked: int = 0


@dataclass(slots=True)
class Account:
    """One customer. `bnb_discount`: commission in BNB as long as enough is there. Times UTC ms.

    The crowd is an account `unlimited`: it owns whatever it offers, and nothing is recorded of it.
    """

    key: str
    secret: str
    uid: int
    balances: dict[str, Balance] = field(default_factory=dict)
    bnb_discount: bool = False
    unlimited: bool = False
    public_key: str = ""
    can_trade: bool = True
    updated: int = 0

    def balance(self, asset: str) -> Balance:
        """Return an asset's balance, made when it was not there."""
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def free(self, asset: str) -> Decimal:
        """Return what may be spent of an asset."""
        return to_decimal(self.balance(asset).free)

    def locked(self, asset: str) -> Decimal:
        """Return what open orders hold of an asset."""
        return to_decimal(self.balance(asset).locked)


@dataclass(frozen=True, slots=True)
class Rates:
    """Commission as fractions of what is received; `bnb_discount` is what of it is paid when paid in BNB."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    bnb_discount: Decimal = Decimal("0.75")


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money that came (positive) or went otherwise than by trading; `time` UTC ms."""

    asset: str
    amount: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class LedgerFill:
    """One side of a trade in the account's books; `time` UTC ms, `quote` is price times quantity."""

    symbol: str
    trade_id: int
    order_id: int
    client_id: str
    side: str
    price: Decimal
    quantity: Decimal
    quote: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """All there is to know of an account: the oracle a client's own books are compared with.

    `orders` are documents as GET order answers them, oldest first; `free` and `locked` by asset.
    """

    free: Mapping[str, Decimal]
    locked: Mapping[str, Decimal]
    orders: tuple[Mapping[str, Any], ...]
    fills: tuple[LedgerFill, ...]
    transfers: tuple[Transfer, ...]
