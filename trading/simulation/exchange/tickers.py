"""What a window of trading comes to: 24 hours, the trading day, or any other."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.accounts import to_text
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.klines import (
    CLOSE,
    DAY_MS,
    FIRST_ID,
    HIGH,
    LAST_ID,
    LOTS,
    LOW,
    MINUTE_MS,
    OPEN,
    OPEN_TIME,
    QUOTE,
    TRADES,
    Tape,
    quote_text,
)

EMPTY = ["0.00000000", "0.00000000"]


def touch(exchange: Exchange, symbol: str) -> tuple[int, list[str], list[str]]:
    """Return the book's update id, best bid and best ask as `[price, quantity]`; zeros where there is none."""
    update_id, bids, asks = exchange.depth(symbol, 1)
    return update_id, bids[0] if bids else EMPTY, asks[0] if asks else EMPTY


def window(tape: Tape, start: int, now: int) -> dict[str, Any]:
    """Return the statistics of trading from `start` to now, in REST's names; without what the book shows."""
    symbol = tape.symbol
    row = tape.since(start)
    bar = [int(v) for v in row] if row is not None else [start, *[tape.close] * 4, 0, 0, 0, 0, 0, -1, -1]
    change = bar[CLOSE] - bar[OPEN]
    percent = change * 100_000 // bar[OPEN] if bar[OPEN] else 0
    average = bar[QUOTE] // bar[LOTS] if bar[LOTS] else 0
    sign = "-" if percent < 0 else ""
    return {
        "symbol": symbol.name, "priceChange": to_text(change * symbol.tick),
        "priceChangePercent": f"{sign}{abs(percent) // 1000}.{abs(percent) % 1000:03d}",
        "weightedAvgPrice": symbol.price_text(average), "openPrice": symbol.price_text(bar[OPEN]),
        "highPrice": symbol.price_text(bar[HIGH]), "lowPrice": symbol.price_text(bar[LOW]),
        "lastPrice": symbol.price_text(bar[CLOSE]), "volume": symbol.quantity_text(bar[LOTS]),
        "quoteVolume": quote_text(symbol, bar[QUOTE]), "openTime": max(start, bar[OPEN_TIME]), "closeTime": now,
        "firstId": bar[FIRST_ID], "lastId": bar[LAST_ID], "count": bar[TRADES],
    }  # fmt: skip


def day(exchange: Exchange, tape: Tape, now: int) -> dict[str, Any]:
    """Return ticker/24hr of one symbol."""
    start = now // MINUTE_MS * MINUTE_MS - DAY_MS
    found = window(tape, start, now)
    _, bid, ask = touch(exchange, tape.symbol.name)
    return found | {
        "prevClosePrice": found["openPrice"], "lastQty": tape.symbol.quantity_text(tape.last_quantity),
        "bidPrice": bid[0], "bidQty": bid[1], "askPrice": ask[0], "askQty": ask[1],
    }


MINI = ("symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume", "openTime", "closeTime",
        "firstId", "lastId", "count")


def mini(full: dict[str, Any]) -> dict[str, Any]:
    """Return the MINI form of a ticker."""
    return {name: full[name] for name in MINI}


def mini_event(full: dict[str, Any], now: int) -> dict[str, Any]:
    """Return a ticker as the miniTicker stream writes it."""
    return {"e": "24hrMiniTicker", "E": now, "s": full["symbol"], "c": full["lastPrice"], "o": full["openPrice"],
            "h": full["highPrice"], "l": full["lowPrice"], "v": full["volume"], "q": full["quoteVolume"]}


def event(full: dict[str, Any], now: int, kind: str = "24hrTicker") -> dict[str, Any]:
    """Return a ticker as its stream writes it; a rolling window's has no fields of the book."""
    found = mini_event(full, now) | {
        "e": kind, "p": full["priceChange"], "P": full["priceChangePercent"], "w": full["weightedAvgPrice"],
        "O": full["openTime"], "C": full["closeTime"], "F": full["firstId"], "L": full["lastId"], "n": full["count"],
    }  # fmt: skip
    if "bidPrice" not in full:
        return found
    return found | {"x": full["prevClosePrice"], "Q": full["lastQty"], "b": full["bidPrice"], "B": full["bidQty"],
                    "a": full["askPrice"], "A": full["askQty"]}
