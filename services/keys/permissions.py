"""What an API key may do, in figures for a script and in lines for a person."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trading.errors import BadInput

BURN = "switch it off at the venue (Dashboard, Fees, 'Use BNB for fees'): the ledger counts fees in what is received"


class KeyRefused(BadInput):
    """A key that a venue does not accept."""


class NotAsked(BadInput):
    """A venue that could not be asked what a key may do."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the venue said of a key; None where it was not asked or has no answer (testnet and demo have no /sapi)."""

    venue: str
    account_type: str
    can_trade: bool
    can_withdraw: bool | None
    is_bound: bool | None
    discount: bool | None
    maker: str
    taker: str
    clock_offset_ms: float
    source: str

    def document(self) -> dict[str, Any]:
        """Return JSON values; no part of the key is among them."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return what a person should know, warnings last."""
        yes_no = {True: "yes", False: "no", None: "not told"}
        lines = [
            f"venue                {self.venue} ({self.account_type})",
            f"key from             {self.source}",
            f"may trade            {yes_no[self.can_trade]}",
            f"may withdraw         {yes_no[self.can_withdraw]}",
            f"bound to an address  {yes_no[self.is_bound]}",
            f"commission           maker {self.maker}, taker {self.taker}",
            f"clock                {self.clock_offset_ms:+.0f} ms against the venue's",
        ]
        return lines + [f"warning: {text}" for text in self.warnings()]

    def warnings(self) -> list[str]:
        """Return what is unwise or will not work."""
        found = []
        if not self.can_trade:
            found.append("this key may not trade: allow spot trading for it at the venue")
        if self.can_withdraw:
            found.append("this key may withdraw: whoever steals it takes everything; make one without withdrawals")
        if self.is_bound is False:
            found.append("this key works from any address: bind it to this computer's")
        if self.discount:
            found.append(f"fees are paid in BNB: {BURN}")
        return found
