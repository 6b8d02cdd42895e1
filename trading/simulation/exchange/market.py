"""The market around the books: the crowd quotes round a price path, trades along it, and makes room for misdeeds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.klines import CLOSE, LOTS, Tape
from trading.simulation.exchange.market_events import MarketEvent, TradeDone
from trading.simulation.exchange.paths import Point, PricePath
from trading.simulation.exchange.symbols import Symbol, units_of

_DEPTH_SEEN = 5_000


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """How the crowd behaves.

    Parameters
    ----------
    speed : market seconds a second of the exchange's clock
    seed : draws what quotes and trades are made of
    n_levels : quotes a side
    gap_bps, spread_bps : distance between quotes, and between best bid and best ask, of the price
    points_a_step : if more points of the path are due at once, only so many are traded
    """

    speed: float = 1.0
    seed: int = 7
    n_levels: int = 12
    gap_bps: float = 1.0
    spread_bps: float = 0.5
    points_a_step: int = 4


@dataclass(slots=True)
class Side:
    """The crowd's quotes on one side: order id by price in ticks."""

    quotes: dict[int, int] = field(default_factory=dict)


class Stall:
    """The crowd in one symbol."""

    def __init__(self, exchange: Exchange, symbol: Symbol, settings: MarketSettings, lots: int) -> None:
        self.symbol = symbol
        self.ticks = 0
        self._exchange = exchange
        self._settings = settings
        self._dice = random.Random(f"{settings.seed}/{symbol.name}")
        self._usual = max(1, lots)
        self._bids, self._asks = Side(), Side()
        self._eaten: set[int] = set()

    def heard(self, trade: TradeDone) -> None:
        """Remember which quotes were hit, so that they are renewed."""
        self._eaten |= {trade.buyer_order_id, trade.seller_order_id}

    def go(self, ticks: int, lots: int) -> None:
        """Trade to a price: all that rests on the way is filled, then `lots` at the price itself."""
        is_buy = ticks > self.ticks or (ticks == self.ticks and self._dice.random() < 0.5)
        facing = self._asks if is_buy else self._bids
        for price in [p for p in facing.quotes if (p < ticks if is_buy else p > ticks)]:
            self._withdraw(facing, price)
        self._quote(facing, not is_buy, ticks, lots + self._draw(0))
        self._sweep(is_buy, ticks, lots)
        self.ticks = ticks
        self.renew(is_buy)

    def renew(self, rose: bool) -> None:
        """Quote around the price: the side that was traded at stands there, the other a spread away."""
        spread = max(1, round(self.ticks * self._settings.spread_bps / 10_000))
        best_bid, best_ask = (self.ticks - spread, self.ticks) if rose else (self.ticks, self.ticks + spread)
        self._arrange(self._bids, True, best_bid)
        self._arrange(self._asks, False, best_ask)
        self._eaten.clear()

    def thin(self, is_buy: bool, lots: int) -> None:
        """Leave a coming order only `lots` to trade with: all quotes but so much at the best price are withdrawn."""
        side = self._asks if is_buy else self._bids
        best = (min if is_buy else max)(side.quotes, default=self.ticks)
        for price in list(side.quotes):
            self._withdraw(side, price)
        if lots:
            self._quote(side, not is_buy, max(1, best), lots)

    def _sweep(self, is_buy: bool, ticks: int, lots: int) -> None:
        """Take everything that others offer on the way to a price, and some of what stands at it."""
        between, looked_at = 0, 2
        while looked_at <= _DEPTH_SEEN:
            _, bids, asks = self._exchange.depth(self.symbol.name, looked_at)
            levels = [self._on_grid(*level) for level in (asks if is_buy else bids)]
            on_the_way = [lots for price, lots in levels if (price < ticks if is_buy else price > ticks)]
            between, looked_at = sum(on_the_way), looked_at * 16
            if len(on_the_way) < len(levels) or not levels:
                break
        order = self._exchange.add_liquidity(self.symbol.name, is_buy, ticks, between + lots)
        self._exchange.remove_liquidity(self.symbol.name, order)

    def _on_grid(self, price: str, quantity: str) -> tuple[int, int]:
        return units_of(price) // self.symbol.tick, units_of(quantity) // self.symbol.lot

    def _arrange(self, side: Side, is_bid: bool, best: int) -> None:
        gap = max(1, round(best * self._settings.gap_bps / 10_000))
        first = (best // gap - (best % gap == 0)) * gap if is_bid else (best // gap + 1) * gap
        step = -gap if is_bid else gap
        wanted = [best, *(first + n * step for n in range(self._settings.n_levels - 1))]
        for price in [p for p, order in side.quotes.items() if p not in wanted or order in self._eaten]:
            self._withdraw(side, price)
        for level, price in enumerate(wanted):
            if price > 0 and price not in side.quotes:
                self._quote(side, is_bid, price, self._draw(level))

    def _draw(self, level: int) -> int:
        return max(1, int(self._usual * 5 * (0.5 + self._dice.random()) * (1 + level / 4)))

    def _quote(self, side: Side, is_bid: bool, price: int, lots: int) -> None:
        if price in side.quotes:
            self._withdraw(side, price)
        side.quotes[price] = self._exchange.add_liquidity(self.symbol.name, is_bid, price, lots)

    def _withdraw(self, side: Side, price: int) -> None:
        self._exchange.remove_liquidity(self.symbol.name, side.quotes.pop(price))


class Market:
    """Every symbol's crowd on one price path. Nothing happens by itself: `step` moves it to the exchange's time.

    The same path, seed and steps give the same trades. Bars are folded from the trades on the exchange's own clock.
    """

    def __init__(self, exchange: Exchange, path: PricePath, settings: MarketSettings | None = None) -> None:
        self.settings = settings or MarketSettings()
        self.exchange = exchange
        self.tapes = {name: Tape(symbol) for name, symbol in exchange.symbols.items()}
        self.paused: set[str] = set()
        self._path = path
        self._points: Iterator[tuple[int, list[Point]]] | None = None
        self._next: tuple[int, list[Point]] = (0, [])
        self._start = 0
        self._scale: dict[str, Fraction] = {}
        self.stalls: dict[str, Stall] = {}
        exchange.on_market.append(self._heard)

    def open(self, now: int) -> None:
        """Lay the past in, and quote around its last price."""
        self._start = now
        for name in self._path.symbols:
            symbol = self.exchange.symbols[name]
            rows = self._path.history(symbol, now)
            self.tapes[name].load(rows)
            minutes = max(1, int((rows[-1, 0] - rows[0, 0]) // 60_000))
            stall = Stall(self.exchange, symbol, self.settings, int(rows[:, LOTS].sum()) // (minutes * 60))
            stall.ticks = int(rows[-1, CLOSE])
            self.exchange.set_last_price(name, Decimal(stall.ticks * symbol.tick).scaleb(-8))
            self.stalls[name] = stall
            stall.renew(True)
        self._points = self._path.points(self.exchange.symbols)
        self._next = next(self._points)
        self.roll(now)

    def step(self, now: int) -> None:
        """Trade along the path up to now."""
        if self._points is None:
            self.open(now)
        assert self._points is not None
        until = (now - self._start) * self.settings.speed
        due: dict[str, list[tuple[int, int]]] = {}
        while self._next[0] <= until:
            for name, ticks, lots in self._next[1]:
                due.setdefault(name, []).append((ticks, lots))
            self._next = next(self._points)
        for name, points in due.items():
            if name not in self.paused and self.tapes[name].trading:
                for ticks, lots in thinned(points, self.settings.points_a_step):
                    self.stalls[name].go(self._scaled(name, ticks), lots)
        self.roll(now)

    def roll(self, now: int) -> None:
        """Begin the bars that hold now."""
        for tape in self.tapes.values():
            tape.roll(now)

    def move(self, symbol: str, price: Decimal) -> None:
        """Trade to a price by hand; the path goes on from there."""
        stall = self.stalls[symbol]
        ticks = max(1, int(price.scaleb(8)) // stall.symbol.tick)
        before = stall.ticks
        stall.go(ticks, 1)
        scale = self._scale.get(symbol, Fraction(1)) * Fraction(ticks, before)
        self._scale[symbol] = scale.limit_denominator(10**9)

    def touch(self, symbol: str, ticks: int, lots: int = 1) -> None:
        """Let a price be traded for a moment and come back: what rests or waits there is filled or triggered."""
        stall = self.stalls[symbol]
        before = stall.ticks
        stall.go(ticks, lots)
        stall.go(before, 1)

    def set_status(self, symbol: str, status: str) -> None:
        """Halt a symbol or let it trade again; while it stands still no bars are made."""
        self.exchange.set_status(symbol, status)
        self.tapes[symbol].trading = status == "TRADING"

    def price(self, symbol: str) -> Decimal:
        """Return where the path stands."""
        stall = self.stalls[symbol]
        return Decimal(stall.ticks * stall.symbol.tick).scaleb(-8)

    def _scaled(self, symbol: str, ticks: int) -> int:
        return max(1, int(ticks * self._scale.get(symbol, 1)))

    def _heard(self, event: MarketEvent) -> None:
        if isinstance(event, TradeDone):
            self.tapes[event.symbol].add(event)
            if event.symbol in self.stalls:
                self.stalls[event.symbol].heard(event)


def thinned(points: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return at most `most` (4 or more) points with the same first, last, highest and lowest price and all the lots."""
    if len(points) <= most:
        return points
    prices = [ticks for ticks, _ in points]
    kept = sorted({0, len(points) - 1, prices.index(max(prices)), prices.index(min(prices))})
    found = []
    for n, k in enumerate(kept):
        begin = 0 if n == 0 else kept[n - 1] + 1
        found.append((prices[k], max(1, sum(lots for _, lots in points[begin : k + 1]))))
    return found
