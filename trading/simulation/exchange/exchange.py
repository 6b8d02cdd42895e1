"""The rehearsal exchange's core: accounts, books and requests; no socket, no thread, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from trading.simulation.book_order import BookOrder, Kind
from trading.simulation.exchange.accounts import (
    Account,
    Balance,
    Ledger,
    Rates,
    Transfer,
    to_decimal,
    to_units,
)
from trading.simulation.exchange.answers import queried
from trading.simulation.exchange.commission import Till
from trading.simulation.exchange.desk import Desk
from trading.simulation.exchange.market_events import TradeDone
from trading.simulation.exchange.order_lists import OrderLists
from trading.simulation.exchange.outbox import AccountListener, MarketListener, Outbox
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import INSUFFICIENT, VenueError, refusal, refused_order
from trading.simulation.exchange.registry import Registry
from trading.simulation.exchange.routes import SIGNING, Call, Route, Routes, Security
from trading.simulation.exchange.symbols import Document, Symbol, symbol_of
from trading.simulation.exchange.trading_routes import TRADING_ROUTES
from trading.simulation.exchange.user_events import balance_update


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
        self.routes: dict[tuple[str, str], Route] = dict(TRADING_ROUTES)
        self.registry = Registry()
        self._outbox = Outbox()
        self._till = Till(self.rates, self._bnb_price)
        self.lists = OrderLists(self)
        self.desks = {name: Desk(each, self._outbox, self._till, self.lists.changed)
                      for name, each in self.symbols.items()}
        self._transfers: dict[int, list[Transfer]] = {}
        self._visited: dict[str, Desk] = {}
        self._depth = self._n_client_ids = 0

    @property
    def on_account(self) -> list[AccountListener]:
        """Listeners of account events; append to it."""
        return self._outbox.on_account

    @property
    def on_market(self) -> list[MarketListener]:
        """Listeners of market events; append to it."""
        return self._outbox.on_market

    @property
    def time(self) -> int:
        """Return the time of the present act, UTC ms."""
        return self._outbox.time

    # -- requests

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
        with self.act():
            return route.function(Call(self, given, None if route.security is Security.NONE else account))

    @contextmanager
    def act(self) -> Iterator[None]:
        """Make several acts one: same time, events told together at the end."""
        if not self._depth:
            self._outbox.time = self.now()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                for desk in self._visited.values():
                    desk.end_act()
                self._visited = {}
                self._outbox.flush()

    # -- accounts

    def open_account(self, key: str, secret: str, balances: Mapping[str, Decimal]) -> Account:
        """Open an account that holds `balances` and return it."""
        account = Account(key, secret, uid=len(self.accounts) + 1, updated=self.now())
        account.balances.update({asset: Balance(to_units(amount)) for asset, amount in balances.items()})
        self._transfers[account.uid] = [Transfer(asset, amount, account.updated) for asset, amount in balances.items()]
        self.accounts[key] = account
        return account

    def deposit(self, account: Account, asset: str, amount: Decimal) -> None:
        """Add money, or take it when negative, as a deposit or withdrawal would; a balanceUpdate follows.

        Raises
        ------
        VenueError
            -2010: there is not so much to withdraw.
        """
        with self.act():
            units, balance = to_units(amount), account.balance(asset)
            if balance.free + units < 0:
                raise refused_order(INSUFFICIENT)
            balance.free += units
            self._transfers[account.uid].append(Transfer(asset, amount, self.time))
            self._outbox.touch(account, asset)
            self._outbox.tell(account, balance_update(asset, units, self.time))

    def withdraw(self, account: Account, asset: str, amount: Decimal) -> None:
        """Take money out; a balanceUpdate follows."""
        self.deposit(account, asset, -amount)

    def ledger(self, account: Account) -> Ledger:
        """Return an account's books, exact: the oracle for tests. The first transfers are the opening balances."""
        tickets = [each for name in self.symbols for each in self.registry.orders(account.uid, name)]
        balances = account.balances
        return Ledger(
            {asset: to_decimal(each.free) for asset, each in balances.items()},
            {asset: to_decimal(each.locked) for asset, each in balances.items()},
            tuple(queried(each) for each in tickets),
            tuple(sorted((fill for each in tickets for fill in each.fills), key=lambda f: (f.symbol, f.trade_id))),
            tuple(self._transfers[account.uid]),
        )

    def tell(self, account: Account, event: dict[str, Any]) -> None:
        """Tell an account something at the end of the act."""
        self._outbox.tell(account, event)

    def make_client_id(self) -> str:
        """Return a client id for those who sent none."""
        self._n_client_ids += 1
        return f"auto{self._n_client_ids:018d}"

    # -- markets

    def desk(self, symbol: str) -> Desk:
        """Return a symbol's desk.

        Raises
        ------
        VenueError
            -1121: there is no such symbol.
        """
        found = self.desks.get(symbol)
        if found is None:
            raise refusal(-1121, "Invalid symbol.")
        if self._depth:
            self._visited[symbol] = found
        return found

    def set_status(self, symbol: str, status: str) -> None:
        """Set a symbol's status: TRADING, HALT, BREAK, CANCEL_ONLY, END_OF_DAY."""
        self.desk(symbol).status = status

    def set_price_range(self, symbol: str, lowest: Decimal, highest: Decimal) -> None:
        """Let takers of a symbol trade within the average price times these only; what is left then expires."""
        self.desk(symbol).price_range = to_units(lowest), to_units(highest)

    def add_liquidity(self, symbol: str, is_buy: bool, ticks: int, lots: int) -> int:
        """Place a crowd's LIMIT order, no filter asked; what crosses trades. Return its order id.

        While the symbol does not trade, nothing is placed.
        """
        return self._crowd(symbol, is_buy, Kind.LIMIT, ticks, lots).id

    def take(self, symbol: str, is_buy: bool, lots: int) -> int:
        """Place a crowd's MARKET order and return the lots it traded."""
        return self._crowd(symbol, is_buy, Kind.MARKET, 0, lots).executed

    def remove_liquidity(self, symbol: str, order_id: int) -> bool:
        """Cancel a crowd's order; False when it is over already."""
        with self.act():
            desk = self.desk(symbol)
            return order_id not in desk.open and desk.book.cancel(order_id) is not None

    def depth(self, symbol: str, limit: int) -> tuple[int, list[list[str]], list[list[str]]]:
        """Return the book's update id, bids and asks as `[price, quantity]` texts, best first."""
        return self.desk(symbol).view.depth(limit)

    def recent_trades(self, symbol: str) -> list[TradeDone]:
        """Return the symbol's newest trades (up to 20,000), oldest first."""
        return self.desk(symbol).view.trades()

    def last_price(self, symbol: str) -> Decimal:
        """Return the price of the last trade, 0 before the first."""
        desk = self.desk(symbol)
        return to_decimal(desk.book.last * desk.symbol.tick)

    def set_last_price(self, symbol: str, price: Decimal) -> None:
        """Give a symbol a last price without a trade, so that filters and stops have one from the start."""
        desk = self.desk(symbol)
        desk.book.last = to_units(price) // desk.symbol.tick

    def average_price(self, symbol: str) -> Decimal:
        """Return the volume-weighted price of the last five minutes' trades, else the last price."""
        with self.act():
            return to_decimal(self.desk(symbol).view.average_units())

    def _crowd(self, symbol: str, is_buy: bool, kind: Kind, ticks: int, lots: int) -> BookOrder:
        with self.act():
            desk = self.desk(symbol)
            order = BookOrder(desk.next_order_id(), 0, is_buy, kind, ticks, lots)
            if desk.status == "TRADING":
                desk.book.submit(order)
        return order

    def _bnb_price(self, quote: str) -> int:
        desk = self.desks.get("BNB" + quote)
        return desk.book.last * desk.symbol.tick if desk else 0
