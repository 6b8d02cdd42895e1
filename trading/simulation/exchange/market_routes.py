"""Calls that need no account: clock, symbols, book, trades, bars, tickers; and the count of orders."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from trading.simulation.exchange import tickers
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.klines import DAY_MS, HOUR_MS, MINUTE_MS, Grid, grid_of, rest_row
from trading.simulation.exchange.limits import Limit, RateLimits
from trading.simulation.exchange.market import Market
from trading.simulation.exchange.market_events import TradeDone
from trading.simulation.exchange.order_counts import OrderCounts
from trading.simulation.exchange.refusals import VenueError, refusal
from trading.simulation.exchange.routes import Call, Route, Routes, Security, Weigher

_BAD_SYMBOL = "Invalid symbol."
_TRADES_A_TAKER = 8
"""More trades than one taker usually makes at one price: so many are looked at for each aggregate asked for."""
_WINDOWS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}
BARS = frozenset({"symbol", "interval", "startTime", "endTime", "timeZone", "limit"})


def market_routes(market: Market, limits: RateLimits, orders: OrderCounts, now: Callable[[], int]) -> Routes:
    """Return the table of calls. `now` is the clock that clients are told."""
    desk = MarketDesk(market, limits, orders, now)

    def row(function: Callable[[Call], Any], weight: int | Weigher, *params: str) -> Route:
        return Route(function, weight, Security.NONE, frozenset(params))

    several = ("symbol", "symbols", "symbolStatus")
    bars = Route(desk.klines, 2, Security.NONE, BARS)
    return {
        ("GET", "ping"): row(lambda call: {}, 1),
        ("GET", "time"): row(desk.time, 1),
        ("GET", "exchangeInfo"): row(desk.exchange_info, 20, *several, "permissions", "showPermissionSets"),
        ("GET", "depth"): row(desk.depth, _depth_weight, "symbol", "limit", "symbolStatus"),
        ("GET", "trades"): row(desk.trades, 25, "symbol", "limit"),
        ("GET", "historicalTrades"): row(desk.trades, 25, "symbol", "limit", "fromId"),
        ("GET", "historicalBlockTrades"): row(desk.block_trades, 25, "symbol", "limit", "fromId"),
        ("GET", "aggTrades"): row(desk.agg_trades, 4, "symbol", "fromId", "startTime", "endTime", "limit"),
        ("GET", "klines"): bars,
        ("GET", "uiKlines"): bars,
        ("GET", "avgPrice"): row(desk.average, 2, "symbol"),
        ("GET", "ticker/24hr"): row(desk.ticker_day, _day_weight, *several, "type"),
        ("GET", "ticker/tradingDay"): row(desk.ticker_trading_day, _window_weight, *several, "type", "timeZone"),
        ("GET", "ticker"): row(desk.ticker_window, _window_weight, *several, "type", "windowSize"),
        ("GET", "ticker/price"): row(desk.price, _one_or_many, *several),
        ("GET", "ticker/bookTicker"): row(desk.book_ticker, _one_or_many, *several),
        ("GET", "executionRules"): row(desk.rules, 2, *several),
        ("GET", "referencePrice"): row(desk.reference, 2, "symbol"),
        ("GET", "referencePrice/calculation"): row(desk.reference, 2, "symbol"),
        ("GET", "rateLimit/order"): Route(desk.order_counts, 40, Security.USER_DATA, frozenset()),
        **{(method, "userDataStream"): row(_gone, 2, "listenKey") for method in ("POST", "PUT", "DELETE")},
    }  # fmt: skip


class MarketDesk:
    """Answers about the market."""

    def __init__(self, market: Market, limits: RateLimits, orders: OrderCounts, now: Callable[[], int]) -> None:
        self._market = market
        self._limits = limits
        self._orders = orders
        self._now = now

    def time(self, call: Call) -> Any:
        """GET time."""
        return {"serverTime": self._now()}

    def exchange_info(self, call: Call) -> Any:
        """GET exchangeInfo, of one, several or all symbols."""
        status = call.params.maybe("symbolStatus")
        documents = [{**call.exchange.symbols[name].document, "status": call.exchange.desk(name).status}
                     for name in _names(call)]
        orders = [Limit("ORDERS", each.interval, each.number, each.limit).document()
                  for each in self._orders.limits]
        return {
            "timezone": "UTC", "serverTime": self._now(), "rateLimits": [*self._limits.documents(), *orders],
            "exchangeFilters": [], "symbols": [d for d in documents if status in (None, d["status"])],
        }  # fmt: skip

    def depth(self, call: Call) -> Any:
        """GET depth."""
        symbol, limit = _symbol(call), call.params.limit(100, 5_000)
        update_id, bids, asks = call.exchange.depth(symbol, limit)
        return {"lastUpdateId": update_id, "bids": bids, "asks": asks}

    def trades(self, call: Call) -> Any:
        """GET trades and historicalTrades."""
        tape, limit = self._market.tapes[_symbol(call)], call.params.limit(500, 1_000)
        first = call.params.maybe_long("fromId")
        chosen = tape.newest(limit) if first is None else [t for t in tape.trades if t.trade_id >= first][:limit]
        return [_trade(trade) for trade in chosen]

    def block_trades(self, call: Call) -> Any:
        """GET historicalBlockTrades: nobody makes any here."""
        _symbol(call)
        return []

    def agg_trades(self, call: Call) -> Any:
        """GET aggTrades: trades of one taker at one price and time, numbered by their first trade."""
        params, limit = call.params, call.params.limit(500, 1_000)
        first, start, end = (params.maybe_long(name) for name in ("fromId", "startTime", "endTime"))
        tape = self._market.tapes[_symbol(call)]
        if (first, start, end) == (None, None, None):
            return aggregated(tape.newest(limit * _TRADES_A_TAKER))[-limit:]
        found = aggregated(list(tape.trades))
        if first is not None:
            return [row for row in found if row["a"] >= first][:limit]
        inside = [row for row in found if (start or 0) <= row["T"] and (end is None or row["T"] <= end)]
        return inside[:limit] if start is not None else inside[-limit:]

    def klines(self, call: Call) -> Any:
        """GET klines and uiKlines: the newest, unless a start is given; the last one may still be forming."""
        params, limit = call.params, call.params.limit(500, 1_000)
        symbol = _symbol(call)
        grid = grid_of(params.text("interval"), zone_ms(params.maybe("timeZone") or "0"))
        start, end = params.maybe_long("startTime"), params.maybe_long("endTime")
        now = call.exchange.now()
        if (start is not None and start > now) or (end is not None and end < 0):
            return []
        start = start if start is None else max(0, start)
        last = now if end is None else min(end, now)
        first = last - (limit + 1) * grid.width_ms if start is None else start
        until = last if start is None else min(last, start + (limit + 1) * grid.width_ms)
        rows = self._market.tapes[symbol].bars(grid, first, until)
        if start is not None and len(rows) < limit and until < last:
            rows = self._market.tapes[symbol].bars(grid, first, last)
        chosen = rows[-limit:] if start is None else rows[:limit]
        return [rest_row(call.exchange.symbols[symbol], row, grid) for row in chosen]

    def average(self, call: Call) -> Any:
        """GET avgPrice."""
        symbol = _symbol(call)
        return {"mins": 5, "price": f"{call.exchange.average_price(symbol):.8f}", "closeTime": call.exchange.now()}

    def ticker_day(self, call: Call) -> Any:
        """GET ticker/24hr."""
        now = call.exchange.now()
        return self._each(call, lambda name: tickers.day(call.exchange, self._market.tapes[name], now))

    def ticker_trading_day(self, call: Call) -> Any:
        """GET ticker/tradingDay."""
        now = call.exchange.now()
        start = Grid("1d", zone_ms(call.params.maybe("timeZone") or "0")).open_time(now)
        return self._each(call, lambda name: tickers.window(self._market.tapes[name], start, now), True)

    def ticker_window(self, call: Call) -> Any:
        """GET ticker, of a rolling window."""
        now, size = call.exchange.now(), call.params.maybe("windowSize") or "1d"
        if not re.fullmatch(r"([1-9]|[1-5][0-9])m|([1-9]|1[0-9]|2[0-3])h|[1-7]d", size):
            raise refusal(-1100, "Illegal characters found in parameter 'windowSize'; legal range is '1m-59m, 1h-23h, "
                                 "1d-7d'.")
        start = now // MINUTE_MS * MINUTE_MS - int(size[:-1]) * _WINDOWS[size[-1]]
        return self._each(call, lambda name: tickers.window(self._market.tapes[name], start, now), True)

    def price(self, call: Call) -> Any:
        """GET ticker/price."""
        return self._each(call, lambda name: {"symbol": name, "price": f"{call.exchange.last_price(name):.8f}"})

    def book_ticker(self, call: Call) -> Any:
        """GET ticker/bookTicker."""
        def one(name: str) -> dict[str, Any]:
            _, bid, ask = tickers.touch(call.exchange, name)
            return {"symbol": name, "bidPrice": bid[0], "bidQty": bid[1], "askPrice": ask[0], "askQty": ask[1]}

        return self._each(call, one)

    def rules(self, call: Call) -> Any:
        """GET executionRules: none are in force here."""
        return {"symbolRules": [{"symbol": name, "rules": []} for name in _names(call)]}

    def reference(self, call: Call) -> Any:
        """GET referencePrice: no symbol has one here."""
        _symbol(call)
        raise refusal(-2043, "This symbol does not have a reference price.")

    def order_counts(self, call: Call) -> Any:
        """GET rateLimit/order."""
        return self._orders.document(call.owner.uid, call.exchange.now())

    def _each(self, call: Call, one: Callable[[str], dict[str, Any]], needs_symbol: bool = False) -> Any:
        if needs_symbol and not {"symbol", "symbols"} & call.params.keys():
            raise refusal(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        kind = call.params.maybe("type") or "FULL"
        if kind not in ("FULL", "MINI"):
            raise refusal(-1139, "Invalid ticker type.")
        found = [tickers.mini(one(name)) if kind == "MINI" else one(name) for name in _names(call)]
        return found[0] if "symbol" in call.params else found


def aggregated(trades: list[TradeDone]) -> list[dict[str, Any]]:
    """Return trades of one taker order at one price and time as one each, in the fields of aggTrades."""
    found: list[dict[str, Any]] = []
    keys: list[tuple[Any, ...]] = []
    for trade in trades:
        key = (taker_of(trade), trade.price, trade.time)
        if keys and keys[-1] == key:
            last = found[-1]
            last["l"], last["_"] = trade.trade_id, last["_"] + trade.quantity
        else:
            keys.append(key)
            found.append({"a": trade.trade_id, "p": f"{trade.price:.8f}", "q": "", "f": trade.trade_id,
                          "l": trade.trade_id, "T": trade.time, "m": trade.buyer_is_maker, "M": True,
                          "_": trade.quantity})
    for row in found:
        row["q"] = f"{row.pop('_'):.8f}"
    return found


def taker_of(trade: TradeDone) -> int:
    """Return the order that took."""
    return trade.seller_order_id if trade.buyer_is_maker else trade.buyer_order_id


def zone_ms(text: str) -> int:
    """Return how far a time zone such as -4 or 05:30 is ahead of UTC."""
    found = re.fullmatch(r"([+-]?)(\d{1,2})(?::(\d{2}))?", text)
    minutes = (int(found[2]) * 60 + int(found[3] or 0)) * (-1 if found[1] == "-" else 1) if found else 10_000
    if not -12 * 60 <= minutes <= 14 * 60:
        raise refusal(-1100, "Illegal characters found in parameter 'timeZone'; legal range is '-12:00..+14:00'.")
    return minutes * MINUTE_MS


def _trade(trade: TradeDone) -> dict[str, Any]:
    return {
        "id": trade.trade_id, "price": f"{trade.price:.8f}", "qty": f"{trade.quantity:.8f}",
        "quoteQty": f"{trade.price * trade.quantity:.8f}", "time": trade.time, "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }  # fmt: skip


def _gone(call: Call) -> Any:
    raise VenueError(410, -1000, "This endpoint has been removed; subscribe on the WebSocket API.")


def _symbol(call: Call) -> str:
    name = call.params.text("symbol")
    return _known(call.exchange, name)


def _known(exchange: Exchange, name: str) -> str:
    if name not in exchange.symbols:
        raise refusal(-1121, _BAD_SYMBOL)
    return name


def _names(call: Call) -> list[str]:
    """Return the symbols asked for: one, a JSON list of several, or all."""
    if "symbol" in call.params:
        if "symbols" in call.params:
            raise refusal(-1128, "Combination of optional parameters invalid.")
        return [_symbol(call)]
    return [_known(call.exchange, name) for name in symbol_list(call.params)] or list(call.exchange.symbols)


def symbol_list(params: Mapping[str, str]) -> list[str]:
    """Return `symbols=["A","B"]`, an empty list when it was not sent."""
    if "symbols" not in params:
        return []
    try:
        names = json.loads(params["symbols"])
    except ValueError:
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise refusal(-1100, "Illegal characters found in parameter 'symbols'; legal range is "
                             "'^\\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\\]$'.")
    return names


def _depth_weight(params: Mapping[str, str]) -> int:
    limit = int(params["limit"]) if params.get("limit", "").isdigit() else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1_000, 50)) if limit <= most), 250)


def _n_symbols(params: Mapping[str, str]) -> int:
    """Return how many symbols are named; 0 for all of them."""
    return 1 if "symbol" in params else params.get("symbols", "").count(",") + ("symbols" in params)


def _day_weight(params: Mapping[str, str]) -> int:
    n = _n_symbols(params)
    return 80 if n == 0 or n > 100 else 40 if n > 20 else 2


def _window_weight(params: Mapping[str, str]) -> int:
    return min(200, 4 * max(1, _n_symbols(params)))


def _one_or_many(params: Mapping[str, str]) -> int:
    return 2 if "symbol" in params else 4
