"""Binance's kline frames and rows read as bars; whatever cannot be a bar is refused with a reason."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading.binance import answers
from trading.domain import INTERVAL_MS, Candle
from trading.errors import BadCandles

MOST_TRADES = 2**53
"""Beyond it a count is no whole number any more, and no archive holds it."""


class BadFrame(BadCandles):
    """A frame or row that is no bar of ours; the message says why."""


@dataclass(frozen=True, slots=True)
class Kline:
    """One update of a bar: as far as it has formed, or closed. `time` is UTC ms of the event, within the bar.

    `heard` is when its frame arrived, in seconds of the monotonic clock.
    """

    candle: Candle
    closed: bool
    time: int
    heard: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A parsed frame, and when it arrived in seconds of the monotonic clock."""

    frame: Any
    at: float


def heard(text: str | bytes) -> Heard:
    """Parse a frame in the moment it arrives."""
    at = time.monotonic()
    return Heard(decode(text), at)


def decode(text: str | bytes) -> Any:
    """Parse JSON; text that is none becomes a frame of type `garbage` (python-binance would end its reader)."""
    try:
        return answers.decode(text)
    except ValueError:
        return {"e": "garbage", "text": str(text)[:200]}


def payload_of(frame: Any) -> Mapping[str, Any]:
    """Take a combined stream's frame out of its wrapping.

    Raises
    ------
    BadFrame
        If it is no object.
    """
    inner = frame.get("data", frame) if isinstance(frame, Mapping) else frame
    if not isinstance(inner, Mapping):
        raise BadFrame("not an object")
    return inner


def kline_of(payload: Mapping[str, Any], symbols: Sequence[str], interval: str) -> Kline:
    """Read a kline event.

    Raises
    ------
    BadFrame
        If it is another event, of another symbol or interval, or holds no valid bar.
    """
    if payload.get("e") != "kline":
        raise BadFrame("garbage" if payload.get("e") == "garbage" else "unknown event")
    if payload.get("s") not in symbols:
        raise BadFrame("wrong symbol")
    bar = payload.get("k")
    if not isinstance(bar, Mapping) or bar.get("i") != interval or bar.get("s") != payload["s"]:
        raise BadFrame("wrong bar")
    values = (bar.get(key) for key in ("t", "o", "h", "l", "c", "v", "q", "n", "V"))
    candle = _candle(payload["s"], interval, values)
    closed, time = bar.get("x"), payload.get("E")
    if not isinstance(closed, bool) or not isinstance(time, int):
        raise BadFrame("wrong type")
    return Kline(candle, closed, min(max(time, candle.open_time), candle.close_time))


def candle_of(row: Any, symbol: str, interval: str) -> Candle:
    """Read one row of GET /klines.

    Raises
    ------
    BadFrame
        If it is no valid bar.
    """
    if not isinstance(row, list) or len(row) < 10:
        raise BadFrame("not a row")
    return _candle(symbol, interval, (*row[:6], row[7], row[8], row[9]))


def _candle(symbol: str, interval: str, values: Any) -> Candle:
    open_time, *amounts = values
    try:
        o, h, low, c, volume, quote, trades, taker = (float(a) for a in amounts)
    except (TypeError, ValueError) as wrong:
        raise BadFrame("not a number") from wrong
    if not isinstance(open_time, int) or open_time <= 0 or open_time % INTERVAL_MS[interval]:
        raise BadFrame("open time off the grid")
    if not all(map(math.isfinite, (o, h, low, c, volume, quote, trades, taker))):
        raise BadFrame("not finite")
    if trades > MOST_TRADES:
        raise BadFrame("too many trades")
    if min(o, h, low, c) <= 0 or min(volume, quote, trades, taker) < 0:
        raise BadFrame("price not above zero or volume below it")
    if not low <= min(o, c) <= max(o, c) <= h:
        raise BadFrame("range does not hold open and close")
    return Candle(symbol, interval, open_time, o, h, low, c, volume, quote, int(trades), taker)
