"""The whole rehearsal exchange but for sockets: a server drives it by the wall clock, a simulation by a virtual one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.simulation.exchange.account_stream import AccountStream
from trading.simulation.exchange.accounts import Account, Rates
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.faults import Faults
from trading.simulation.exchange.gateway import Desk, Gateway
from trading.simulation.exchange.limits import DEFAULT_LIMITS, Limit, RateLimits
from trading.simulation.exchange.market import Market, MarketSettings
from trading.simulation.exchange.market_lies import MarketLies
from trading.simulation.exchange.market_routes import market_routes
from trading.simulation.exchange.mischief import Mischief
from trading.simulation.exchange.order_counts import LIMITS as ORDER_LIMITS
from trading.simulation.exchange.order_counts import OrderCounts, OrderLimit
from trading.simulation.exchange.paths import PricePath
from trading.simulation.exchange.streams import StreamHub
from trading.simulation.exchange.symbols import default_symbols

KEY = "rehearsal"
"""Key and secret of the account that is there from the start."""
FUNDS = {"USDT": Decimal(100_000), "BTC": Decimal(1), "ETH": Decimal(10), "SOL": Decimal(100), "BNB": Decimal(10)}


@dataclass(frozen=True)
class Terms:
    """What an exchange starts with.

    Parameters
    ----------
    symbols : documents of exchangeInfo
    funds : what the account `rehearsal` holds
    rates : commission
    limits, order_limits : rate limits of an address, and of an account's orders
    market : how the crowd behaves
    seed : draws who is struck by faults
    """

    symbols: Sequence[Mapping[str, Any]] = field(default_factory=default_symbols)
    funds: Mapping[str, Decimal] = field(default_factory=lambda: dict(FUNDS))
    rates: Rates = field(default_factory=Rates)
    limits: tuple[Limit, ...] = DEFAULT_LIMITS
    order_limits: tuple[OrderLimit, ...] = ORDER_LIMITS
    market: MarketSettings = field(default_factory=MarketSettings)
    seed: int = 7


class Rehearsal:
    """Exchange, market, faults, gate and streams, put together.

    `drive(now)` has to be called often (the server does ten times a second): it lets the market trade, faults come and
    go, and sends what is due. Requests go through `gateway`, listeners through `streams` and `accounts`.
    """

    def __init__(self, path: PricePath, now: Callable[[], int], terms: Terms | None = None) -> None:
        terms = terms or Terms()
        self.now = now
        self.faults = Faults(terms.seed, now)
        self.exchange = Exchange(terms.symbols, now, terms.rates)
        self.market = Market(self.exchange, path, terms.market)
        limits = RateLimits(terms.limits)
        orders = OrderCounts(terms.order_limits)
        self.exchange.add_routes(market_routes(self.market, limits, orders, self.faults.now))
        self.lies = MarketLies(self.faults)
        self.mischief = Mischief(self.exchange, self.market, self.faults)
        self.streams = StreamHub(self.market, self.lies)
        self.accounts = AccountStream(self.exchange, self.faults, orders)
        desk = Desk(self.exchange, limits, orders, self.faults, self.lies, self.mischief)
        self.gateway = Gateway(desk, self.settled)
        self.market.open(now())
        self.account: Account = self.exchange.open_account(KEY, KEY, terms.funds)

    def drive(self) -> None:
        """Bring everything up to now."""
        now = self.now()
        self.faults.tick()
        self.mischief.tick()
        self.market.step(now)
        self.streams.tick(now)
        self.accounts.tick(now)

    def settled(self) -> None:
        """Tell everybody what the last act did."""
        self.accounts.settled()
        self.streams.settled()
