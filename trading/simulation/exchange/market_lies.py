"""Untrue prices: what market data looks like while something is wrong with it. Sockets are not known here."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from trading.simulation.exchange.accounts import to_text
from trading.simulation.exchange.faults import Asked, Faults
from trading.simulation.exchange.symbols import units_of

ZERO = "0.00000000"
_PRICES = {"kline": ("o", "h", "l", "c"), "trade": ("p",), "aggTrade": ("p",), "24hrMiniTicker": ("c",),
           "24hrTicker": ("c", "b", "a")}  # fmt: skip
_BOOK = ("b", "a")
BAD_FRAMES = ("{", "", "null", "[]", '{"e":"kline"}', '{"e":"kline","k":{"o":"NaN","c":"x"}}', "\x00", '"text"',
              '{"stream":5,"data":[]}', '{"e":"trade","p":-1,"q":null}')
Frame = Mapping[str, Any]


class MarketLies:
    """Changes frames and bars on their way out."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._held: dict[str, Frame] = {}
        self._revised: dict[tuple[str, str, int], float] = {}

    def frames(self, stream: str, frame: Frame) -> list[tuple[int, Frame]]:
        """Return what goes out in place of a frame, each with a delay in ms."""
        symbol = stream.partition("@")[0]
        if self._faults.on("ws_mute", symbol):
            return []
        frame = self._mispriced(symbol, frame)
        return self._kline(symbol, stream, frame) if frame.get("e") == "kline" else [(0, frame)]

    def bad_frame(self) -> str | None:
        """Return a broken frame to be sent before a good one, now and then."""
        return self._faults.pick(BAD_FRAMES) if self._faults.strikes("ws_garbage") else None

    def klines(self, asked: Asked, rows: Any) -> Any:
        """Return REST's bars as they are told."""
        if not asked.is_in("klines"):
            return rows
        symbol, interval = asked.params.get("symbol", ""), asked.params.get("interval", "")
        stale, gap = self._faults.on("stale", symbol), self._faults.on("gap", symbol)
        if stale:
            rows = [row for row in rows if row[0] <= stale.since]
        if gap:
            rows = [row for row in rows if row[0] <= gap.since or row is rows[-1]]
        return [self._as_revised(symbol, interval, row) for row in rows]

    def _mispriced(self, symbol: str, frame: Frame) -> Frame:
        names = _PRICES.get(str(frame.get("e")), _BOOK if "u" in frame and "e" not in frame else ())
        if not names:
            return frame
        if self._faults.strikes("price_zero", symbol):
            return _changed(frame, dict.fromkeys(names, ZERO))
        spike = self._faults.strikes("spike", symbol)
        if spike:
            part, factor = frame.get("k", frame), spike.number("factor")
            wrong = {n: _times(part[n], factor) for n in names if n in ("c", "p", *_BOOK)}
            return _changed(frame, wrong | (_stretched(part, wrong["c"]) if "k" in frame else {}))
        return frame

    def _kline(self, symbol: str, stream: str, frame: Frame) -> list[tuple[int, Frame]]:
        if self._faults.strikes("stale", symbol):
            held = self._held.setdefault(stream, frame)
            return [(0, {**held, "E": frame["E"]})]
        self._held.pop(stream, None)
        bar = frame["k"]
        gap = self._faults.on("gap", symbol)
        if gap and bar["T"] >= gap.since and self._faults.strikes("gap", symbol):
            return []
        revise = self._faults.strikes("revise", symbol) if bar["x"] else None
        if not revise:
            return [(0, frame)]
        factor = 1 + revise.number("bps") / 10_000
        self._revised[bar["s"], bar["i"], bar["t"]] = factor
        close = _times(bar["c"], factor)
        changes = {"c": close, **_stretched(bar, close)}
        return [(0, frame), (int(revise.number("delay_ms")), _changed(frame, changes))]

    def _as_revised(self, symbol: str, interval: str, row: list[Any]) -> list[Any]:
        factor = self._revised.get((symbol, interval, row[0]))
        if factor is None:
            return row
        close = _times(row[4], factor)
        return [*row[:2], max(row[2], close, key=units_of), min(row[3], close, key=units_of), close, *row[5:]]


def _changed(frame: Frame, changes: Mapping[str, str]) -> Frame:
    found = copy.deepcopy(dict(frame))
    found.get("k", found).update(changes)
    return found


def _stretched(bar: Mapping[str, Any], close: str) -> dict[str, str]:
    """Return the range of a bar that holds another close, too."""
    return {"h": max(bar["h"], close, key=units_of), "l": min(bar["l"], close, key=units_of)}


def _times(price: str, factor: float) -> str:
    """Return a price changed by a factor, on the two decimals that every symbol here has at least."""
    return to_text(round(units_of(price) * factor / 1e6) * 1_000_000)
