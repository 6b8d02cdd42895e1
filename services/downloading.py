"""Fetch closed candles over Binance's public REST interface into the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from services.rest_calls import Caller, Pace, public_client
from storage.candle_checks import wrong_rows
from storage.candle_store import CandleStore, check_symbol
from trading.domain import Candles
from trading.errors import BadInput, FeedFailed
from trading.folding import Gap, merge, step_ms

PAGE = 1_000  # Binance: klines, limit 1000
FLUSH_BARS = 10_000
MAX_SHOWN_CHARACTERS = 120
# Binance, REST klines: [openTime, o, h, l, c, volume, closeTime, quoteVolume, trades, takerBuyBase, ...].
_POSITIONS = {
    "open_time": 0,
    "open": 1,
    "high": 2,
    "low": 3,
    "close": 4,
    "volume": 5,
    "quote_volume": 7,
    "trades": 8,
    "taker_buy_base": 9,
}


@dataclass(frozen=True, slots=True)
class DownloadReport:
    """What a download of one symbol did. `gaps` are bars that the exchange does not have either."""

    symbol: str
    interval: str
    bars_received: int
    requests: int
    dropped: dict[str, int] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    span: tuple[int, int] | None = None

    def text(self) -> str:
        """Return one line for a person."""
        missing = sum(n for _, n in self.gaps)
        wrong = "".join(f", {n:,} dropped: {kind}" for kind, n in self.dropped.items())
        received = f"{self.bars_received:,} bars received in {self.requests:,} requests"
        return f"{self.symbol} {self.interval}: {received}{wrong}; {missing:,} bars missing at the exchange"


def download(
    store: CandleStore,
    symbols: Sequence[str],
    interval: str,
    start: int,
    end: int | None = None,
    client_factory: Callable[[], Any] = public_client,
    progress: bool = True,
    pace: Pace | None = None,
) -> list[DownloadReport]:
    """Fetch the bars that the store lacks between `start` and `end` (exclusive, ms; None: until now).

    Nothing is remembered but the bars themselves: an interrupted download goes on where the stored bars end, and holes
    among them are asked for again. The bar that is still forming by the exchange's own clock is left out.

    Parameters
    ----------
    store
        Where the bars go.
    symbols, interval
        What to fetch, such as `["BTCUSDT"]` and `"1m"`.
    start, end
        First open time and the one to stop before.
    client_factory
        Makes a python-binance `Client` (`partial(public_client, rest_url)` for another address).
    progress
        Show a bar on standard error, if that is a terminal and it takes over 2 s.
    pace
        How fast to ask and how often to try again.

    Raises
    ------
    FeedFailed
        The exchange cannot be reached, refuses, or answers nonsense; bars received before are stored.
    BadInput
        A symbol or the interval is unknown, or `start` is not before `end`.
    """
    step = step_ms(interval)
    names = [check_symbol(symbol.upper()) for symbol in symbols]
    caller = Caller(client_factory(), pace or Pace())
    now = _server_time(caller)
    last = now // step * step
    end = last if end is None else min(end, last)
    if start >= end:
        raise BadInput(f"nothing to download: start {start} is not before the last closed bar's end {end} (ms)")
    return [_Download(store, caller, (name, interval), progress).run(max(start, 0), end) for name in names]


def _server_time(caller: Caller) -> int:
    answer = caller.call("time", lambda client: client.get_server_time())
    if not isinstance(answer, dict) or not isinstance(answer.get("serverTime"), int):
        raise FeedFailed(f"GET time answered {_shown(answer)}: this is not Binance's interface; check rest_url")
    return int(answer["serverTime"])


class _Download:
    """One symbol's download."""

    def __init__(self, store: CandleStore, caller: Caller, what: tuple[str, str], progress: bool) -> None:
        self._store, self._caller = store, caller
        self._symbol, self._interval = what
        self._progress = progress
        self._step = step_ms(self._interval)
        self._buffer = Candles.empty(*what)
        self._received = 0
        self._dropped: dict[str, int] = {}

    def run(self, start: int, end: int) -> DownloadReport:
        requests = self._caller.requests
        wanted = self._store.gaps(self._symbol, self._interval, start, end)
        with self._bar(sum(n for _, n in wanted)) as bar:
            try:
                for first, n_missing in wanted:
                    self._fill(first, first + n_missing * self._step, bar)
            finally:
                self._flush()
        return DownloadReport(
            self._symbol,
            self._interval,
            self._received,
            self._caller.requests - requests,
            dict(self._dropped),
            tuple(self._store.gaps(self._symbol, self._interval, start, end)),
            self._store.span(self._symbol, self._interval),
        )

    def _fill(self, start: int, end: int, bar: Any) -> None:
        """Page through one hole: the next page starts a millisecond after the last open time received."""
        due = start
        while due < end:
            page = self._page(due if due == start else due - self._step + 1, end)
            reached = end if len(page) == 0 else int(page.open_time[-1]) // self._step * self._step + self._step
            if reached <= due:
                raise FeedFailed(f"{self._symbol}: klines from {due} on came back with earlier bars")
            self._keep(page.between(start, end))
            bar.update((min(reached, end) - due) // self._step)
            due = reached

    def _page(self, start: int, end: int) -> Candles:
        query = {"symbol": self._symbol, "interval": self._interval, "startTime": start, "endTime": end - 1}
        rows = self._caller.call(f"{self._symbol} klines", lambda client: client.get_klines(**query, limit=PAGE))
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) >= 11 for row in rows):
            raise FeedFailed(f"{self._symbol}: klines answered {_shown(rows)} instead of a list of bars")
        return _candles(self._symbol, self._interval, rows)

    def _keep(self, page: Candles) -> None:
        wrong = np.zeros(len(page), np.bool_)
        for kind, found in wrong_rows(page):
            self._dropped |= {kind: self._dropped.get(kind, 0) + int(found.sum())} if found.any() else {}
            wrong |= found
        sound = page.map(lambda column: column[~wrong])
        self._received += len(sound)
        self._buffer = merge(self._buffer, sound)
        if len(self._buffer) >= FLUSH_BARS:
            self._flush()

    def _flush(self) -> None:
        self._store.append(self._buffer)
        self._buffer = Candles.empty(self._symbol, self._interval)

    def _bar(self, n_bars: int) -> Any:
        from tqdm import tqdm

        name = f"{self._symbol} {self._interval}"
        hidden = None if self._progress else True  # None: hidden unless standard error is a terminal
        return tqdm(total=n_bars, desc=name, unit="bar", file=sys.stderr, delay=2, disable=hidden)


def _candles(symbol: str, interval: str, rows: list[Any]) -> Candles:
    try:
        columns = {c: np.array([float(row[at]) for row in rows]) for c, at in _POSITIONS.items()}
        columns |= {c: np.array([int(row[_POSITIONS[c]]) for row in rows], np.int64) for c in ("open_time", "trades")}
    except (TypeError, ValueError, OverflowError) as error:
        raise FeedFailed(f"{symbol}: a bar among the klines is not made of numbers ({error})") from error
    if (np.diff(columns["open_time"]) <= 0).any():
        raise FeedFailed(f"{symbol}: the klines from {rows[0][0]} do not rise in time")
    return Candles(symbol, interval, **columns)


def _shown(answer: Any) -> str:
    return repr(answer)[:MAX_SHOWN_CHARACTERS]


def binance_factory(rest_url: str) -> Callable[[], Any]:
    """Return the `client_factory` for a REST address such as `http://127.0.0.1:8099/api`."""
    return partial(public_client, rest_url)
