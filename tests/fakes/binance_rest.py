"""A Binance REST server on a loopback socket, serving candles, that misbehaves when told to."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from trading.binance.wire import forget_wire
from trading.domain import INTERVAL_MS, Candles


@dataclass(frozen=True)
class Answer:
    """One prepared HTTP answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


LIMITED = Answer(429, b'{"code": -1003, "msg": "Too much request weight used."}', {"Retry-After": "7"})
BANNED = Answer(418, b'{"code": -1003, "msg": "Way too much request weight used."}', {"Retry-After": "90000"})
BROKEN = Answer(500, b"<html>Internal error</html>")
FIREWALL = Answer(403, b"<html><body>403 Forbidden</body></html>")
LOGIN_PAGE = Answer(200, b"<html>Welcome to the hotel</html>")
HANG_UP = Answer(hang_up=True)


class BinanceRest:
    """Serves `/api/v3/{ping,time,exchangeInfo,klines}`. `next_answers` are sent first, one a request for klines.

    `weights` are sent one an answer as X-MBX-USED-WEIGHT-1M; `bars` may be changed while it runs.
    """

    def __init__(self, bars: Candles, now: int, exchange_info: dict[str, Any] | None = None) -> None:
        self.bars, self.now, self.exchange_info = bars, now, exchange_info or {"symbols": []}
        self.next_answers: deque[Answer] = deque()
        self.weights: deque[int] = deque()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.with_forming = True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The address for python-binance."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api"

    @property
    def pages(self) -> list[dict[str, str]]:
        """The queries for klines so far."""
        return [query for path, query in self.asked if path == "/api/v3/klines"]

    def __enter__(self) -> BinanceRest:
        self._thread.start()
        forget_wire(self.url)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        """Return what a request gets."""
        self.asked.append((path, query))
        if path == "/api/v3/klines" and self.next_answers:
            return self.next_answers.popleft()
        documents = {
            "/api/v3/ping": lambda: {},
            "/api/v3/time": lambda: {"serverTime": self.now},
            "/api/v3/exchangeInfo": lambda: self.exchange_info,
            "/api/v3/klines": lambda: self._klines(query),
        }
        if path == "/api/v3/klines" and query["symbol"] != self.bars.symbol:
            return Answer(400, b'{"code": -1121, "msg": "Invalid symbol."}')
        if path not in documents:
            return Answer(404, b"")
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weights.popleft())} if self.weights else {}
        return Answer(200, json.dumps(documents[path]()).encode(), headers)

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        step = INTERVAL_MS[self.bars.interval]
        until = self.now + 1 if self.with_forming else self.now // step * step
        end = min(int(query.get("endTime", 10**15)) + 1, until)
        found = self.bars.between(int(query.get("startTime", 0)), end)[: int(query.get("limit", 500))]
        return [_kline(found, row, step) for row in range(len(found))]


def _kline(bars: Candles, row: int, step: int) -> list[Any]:
    c = bars.candle(row)
    prices = [f"{x:.8f}" for x in (c.open, c.high, c.low, c.close, c.volume)]
    return [
        c.open_time,
        *prices,
        c.open_time + step - 1,
        f"{c.quote_volume:.8f}",
        c.trades,
        f"{c.taker_buy_base:.8f}",
        "0",
        "0",
    ]


def _handler(rest: BinanceRest) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            answer = rest.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
            if answer.hang_up:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in {"Date": "Tue, 10 May 2022 00:00:48 GMT", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
