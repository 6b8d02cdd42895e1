"""Names of market streams, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.klines import WIDTH_MS

_SHAPES = {
    "event": r"(?P<kind>trade|aggTrade|bookTicker|miniTicker|ticker|avgPrice|referencePrice|blockTrade)",
    "kline": r"kline_(?P<interval>\w+?)(?:@(?P<zone>[+-]\d\d:\d\d))?",
    "rolling": r"ticker_(?P<window>1h|4h|1d)",
    "depth": r"depth(?P<levels>5|10|20)?(?:@(?P<pace>100|1000)ms)?",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream's name, taken apart. `symbol` is in capitals, empty for all symbols."""

    name: str
    symbol: str
    kind: str
    detail: str = ""
    pace_ms: int = 0
    zone: str = "0"


def stream_of(name: str, exchange: Exchange) -> Stream | None:
    """Return a stream, None for a name that there is not: Binance accepts those and never sends anything."""
    if name == "!miniTicker@arr":
        return Stream(name, "", "miniTicker", pace_ms=1_000)
    rolling = re.fullmatch(r"!ticker_(1h|4h|1d)@arr", name)
    if rolling:
        return Stream(name, "", "rolling", rolling[1], 1_000)
    head, _, tail = name.partition("@")
    symbol = head.upper()
    if symbol not in exchange.symbols or head != head.lower():
        return None
    for shape, pattern in _SHAPES.items():
        found = re.fullmatch(pattern, tail)
        if found:
            return _shaped(name, symbol, shape, found.groupdict())
    return None


def _shaped(name: str, symbol: str, shape: str, parts: dict[str, str | None]) -> Stream | None:
    if shape == "event":
        kind = str(parts["kind"])
        return Stream(name, symbol, kind, pace_ms=1_000 if kind in ("miniTicker", "ticker", "avgPrice") else 0)
    if shape == "kline":
        interval = str(parts["interval"])
        if interval not in WIDTH_MS:
            return None
        return Stream(name, symbol, "kline", interval, 1_000 if interval == "1s" else 2_000, parts["zone"] or "0")
    if shape == "rolling":
        return Stream(name, symbol, "rolling", str(parts["window"]), 1_000)
    levels = parts["levels"]
    return Stream(name, symbol, "levels" if levels else "depth", levels or "", int(parts["pace"] or 1_000))
