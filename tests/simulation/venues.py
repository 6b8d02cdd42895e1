"""An exchange with a clock of its own, a customer or two, and short ways to ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from trading.simulation.exchange import Account, Exchange, Rates, VenueError, default_symbols

NOW = 1_700_000_000_000
FUNDS = {"USDT": Decimal(100_000), "BTC": Decimal(10)}


class Venue:
    """An exchange at 100.00 USDT a BTC; `events` are the first account's, `time` is UTC ms and stands still."""

    def __init__(self, rates: Rates | None = None, symbols: list[Mapping[str, Any]] | None = None) -> None:
        self.time = NOW
        self.exchange = Exchange(symbols or default_symbols(), lambda: self.time, rates)
        self.account = self.exchange.open_account("rehearsal", "rehearsal", FUNDS)
        self.other = self.exchange.open_account("other", "other", FUNDS)
        self.events: list[dict[str, Any]] = []
        self.exchange.on_account.append(self._hear)
        self.exchange.set_last_price("BTCUSDT", Decimal(100))

    def _hear(self, account: Account, event: dict[str, Any]) -> None:
        if account is self.account:
            self.events.append(event)

    def ask(self, method: str, path: str, account: Account | None = None, **params: object) -> Any:
        """Ask as the first account, or another; the symbol is BTCUSDT, with `symbol=None` none."""
        sent = {name: str(value) for name, value in ({"symbol": "BTCUSDT"} | params).items() if value is not None}
        return self.exchange.request(method, path, sent, account or self.account)

    def order(self, side: str, kind: str, account: Account | None = None, **params: object) -> Any:
        """Place an order; LIMIT is GTC unless said otherwise."""
        if kind in ("LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"):
            params = {"timeInForce": "GTC"} | params
        return self.ask("POST", "order", account, side=side, type=kind, **params)

    def query(self, order_id: int) -> Any:
        """Return an order of the first account."""
        return self.ask("GET", "order", orderId=order_id)

    def balance(self, asset: str) -> tuple[Decimal, Decimal]:
        """Return free and locked of the first account."""
        return self.account.free(asset), self.account.locked(asset)

    def reports(self) -> Iterator[tuple[str, str]]:
        """Yield execution type and status of each executionReport so far."""
        for event in self.events:
            if event["e"] == "executionReport":
                yield event["x"], event["X"]


def refusal_of(method: Any, *args: Any, **params: Any) -> tuple[int, int, str]:
    """Return status, code and text of the refusal that a call must end in."""
    try:
        answer = method(*args, **params)
    except VenueError as why:
        return why.status, why.code, why.message
    raise AssertionError(f"not refused: {answer}")
