"""The rehearsal exchange's core: accounts, books and requests; no socket, no thread, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from trading.simulation.exchange.accounts import Account, Balance, Ledger, Rates, to_units
from trading.simulation.exchange.market_events import MarketEvent, TradeDone
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import VenueError, refusal
from trading.simulation.exchange.routes import SIGNING, Call, Route, Routes, Security
from trading.simulation.exchange.symbols import Document, Symbol, symbol_of

AccountListener = Callable[[Account, dict[str, Any]], None]
MarketListener = Callable[[MarketEvent], None]


class Exchange:
    """A spot exchange that answers as Binance does.

    Deterministic: ids rise by one, time comes from `now` (UTC ms), so the same calls at the same times give the same
    bytes. Listeners are called at the end of the request that caused the event, before it answers; they must not call
    the exchange.

    Parameters
    ----------
    symbols : sequence of mapping
        Symbol documents of exchangeInfo, in Binance's own JSON.
    now : callable
        The exchange's clock, UTC ms.
    rates : Rates
        Commission.
    """

    def __init__(self, symbols: Sequence[Document], now: Callable[[], int], rates: Rates | None = None) -> None:
        self.now = now
        self.rates = rates or Rates()
        self.symbols: dict[str, Symbol] = {each["symbol"]: symbol_of(each) for each in symbols}
        self.accounts: dict[str, Account] = {}
        self.crowd = Account("", "", 0, unlimited=True)
        self.routes: dict[tuple[str, str], Route] = {}
        self.on_account: list[AccountListener] = []
        self.on_market: list[MarketListener] = []

    def open_account(self, key: str, secret: str, balances: Mapping[str, Decimal]) -> Account:
        """Open an account that holds `balances` and return it."""
        account = Account(key, secret, uid=len(self.accounts) + 1, updated=self.now())
        account.balances.update({asset: Balance(to_units(amount)) for asset, amount in balances.items()})
        self.accounts[key] = account
        return account

    def add_routes(self, routes: Routes) -> None:
        """Answer further calls."""
        self.routes.update(routes)

    def route(self, method: str, path: str) -> Route:
        """Return the row of a call.

        Raises
        ------
        VenueError
            404: there is no such path or method.
        """
        found = self.routes.get((method, path))
        if found is None:
            raise VenueError(404, -1000, f"Path /api/v3/{path}, Method {method} is invalid")
        return found

    def request(self, method: str, path: str, params: Mapping[str, str], account: Account | None = None) -> Any:
        """Answer one call as Binance would, ready for JSON.

        The server has checked key, signature and time before; `timestamp`, `recvWindow`, `signature` and `apiKey` may
        still be there.

        Raises
        ------
        VenueError
            The call is refused; nothing changed, but for cancel-replace as its `data` says.
        """
        route = self.route(method, path)
        given = Params({name: value for name, value in params.items() if name not in SIGNING})
        if not given.keys() <= route.params:
            n_known = len(given.keys() & route.params)
            raise refusal(-1104, f"Not all sent parameters were read; read '{n_known}' parameter(s) but was sent "
                                 f"'{len(given)}'.")
        return route.function(Call(self, given, None if route.security is Security.NONE else account))

    def ledger(self, account: Account) -> Ledger:
        """Return an account's books, exact: the oracle for tests."""
        raise refusal(-1020, "This operation is not supported.")

    def deposit(self, account: Account, asset: str, amount: Decimal) -> None:
        """Add money (take it when negative) as a deposit or withdrawal would: a balanceUpdate follows."""
        raise refusal(-1020, "This operation is not supported.")

    def set_status(self, symbol: str, status: str) -> None:
        """Set a symbol's status (TRADING, HALT, BREAK, CANCEL_ONLY ...)."""
        raise refusal(-1020, "This operation is not supported.")

    def add_liquidity(self, symbol: str, is_buy: bool, ticks: int, lots: int) -> int:
        """Place a crowd's LIMIT order, no filter asked; what crosses trades. Return its order id."""
        raise refusal(-1020, "This operation is not supported.")

    def take(self, symbol: str, is_buy: bool, lots: int) -> int:
        """Place a crowd's MARKET order and return the lots it traded."""
        raise refusal(-1020, "This operation is not supported.")

    def remove_liquidity(self, symbol: str, order_id: int) -> bool:
        """Cancel a crowd's order; False when it is over already."""
        raise refusal(-1020, "This operation is not supported.")

    def depth(self, symbol: str, limit: int) -> tuple[int, list[list[str]], list[list[str]]]:
        """Return the book's update id, bids and asks as `[price, quantity]` texts, best first."""
        raise refusal(-1020, "This operation is not supported.")

    def recent_trades(self, symbol: str) -> Sequence[TradeDone]:
        """Return the symbol's newest trades (some thousands), oldest first."""
        raise refusal(-1020, "This operation is not supported.")

    def last_price(self, symbol: str) -> Decimal:
        """Return the price of the last trade, 0 before the first."""
        raise refusal(-1020, "This operation is not supported.")

    def set_last_price(self, symbol: str, price: Decimal) -> None:
        """Give a symbol a last price without a trade, so that filters and stops have one from the start."""
        raise refusal(-1020, "This operation is not supported.")

    def average_price(self, symbol: str, minutes: int = 5) -> Decimal:
        """Return the volume-weighted price of the last minutes' trades, else the last price."""
        raise refusal(-1020, "This operation is not supported.")
