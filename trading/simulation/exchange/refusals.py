"""How the exchange says no: HTTP status, Binance's code, Binance's text."""

from __future__ import annotations

from typing import Any


class VenueError(Exception):
    """A refused request as a client of the exchange sees it.

    Parameters
    ----------
    status : int
        HTTP status, 400 for nearly everything.
    code : int
        Binance's error code, negative.
    message : str
        Binance's text, which clients parse.
    data : object
        The two halves of a cancel-replace that failed in part (Binance puts them under `data`), else None.
    """

    def __init__(self, status: int, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data

    def document(self) -> dict[str, Any]:
        """Return the body of the answer."""
        body = {"code": self.code, "msg": self.message}
        return body if self.data is None else body | {"data": self.data}


def refusal(code: int, message: str) -> VenueError:
    """Return an ordinary refusal, HTTP 400."""
    return VenueError(400, code, message)


def filter_failure(name: str) -> VenueError:
    """Return the refusal of a filter."""
    return refusal(-1013, f"Filter failure: {name}")


def refused_order(message: str) -> VenueError:
    """Return the matching engine's refusal of a new order: nothing was executed."""
    return refusal(-2010, message)


INSUFFICIENT = "Account has insufficient balance for requested action."
DUPLICATE = "Duplicate order sent."
WOULD_TRIGGER = "Order would trigger immediately."
WOULD_TAKE = "Order would immediately match and take."
MARKET_CLOSED = "Market is closed."
PRICES_RELATE = "The relationship of the prices for the orders is not correct."
UNKNOWN_ORDER = "Unknown order sent."
NO_SUCH_ORDER = "Order does not exist."

REPORTED_AS = {
    INSUFFICIENT: "INSUFFICIENT_BALANCES", WOULD_TRIGGER: "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    WOULD_TAKE: "WOULD_MATCH_IMMEDIATELY", PRICES_RELATE: "OCO_BAD_PRICES",
}
"""How an executionReport spells a refusal; the others are NONE."""
