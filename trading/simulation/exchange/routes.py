"""The table of what can be asked for: one row a REST call, the weights of Binance's documentation beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from trading.simulation.exchange.refusals import refusal

if TYPE_CHECKING:
    from trading.simulation.exchange.accounts import Account
    from trading.simulation.exchange.exchange import Exchange
    from trading.simulation.exchange.params import Params

Weigher = Callable[[Mapping[str, str]], int]


class Security(StrEnum):
    """Whose call it is: NONE needs no key, the others are signed."""

    NONE = "NONE"
    TRADE = "TRADE"
    USER_DATA = "USER_DATA"


@dataclass(frozen=True, slots=True)
class Call:
    """One request as a route's function gets it: parameters checked for their names, account None when public."""

    exchange: Exchange
    params: Params
    account: Account | None

    @property
    def owner(self) -> Account:
        """Return the account of a signed call."""
        if self.account is None:
            raise refusal(-2014, "API-key format invalid.")
        return self.account


@dataclass(frozen=True, slots=True)
class Route:
    """One row: what answers, what it weighs, whose it is, which parameters it knows.

    `free_when_done`: since 2026-04-02 successful placements and cancels weigh 0. `orders`: how much of the ORDERS
    limits a success takes.
    """

    function: Callable[[Call], Any]
    weight: int | Weigher
    security: Security
    params: frozenset[str]
    free_when_done: bool = False
    orders: int = 0

    def weigh(self, params: Mapping[str, str]) -> int:
        """Return the documented weight of a call with these parameters."""
        return self.weight if isinstance(self.weight, int) else self.weight(params)


Routes = Mapping[tuple[str, str], Route]
"""By (method, path below /api/v3/), for example ("POST", "order/cancelReplace")."""

SIGNING = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})
"""Parameters of signed calls that the server has checked before: allowed on each, read by none."""
