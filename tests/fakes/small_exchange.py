"""A small exchange that has only the pages a rehearsal watches: `python tests/fakes/small_exchange.py --port N`.

`--silent` never answers, `--dies-with WORDS` ends at once; POST /rehearsal/crash ends it later.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KNOWN = ("drop_reply", "http_503", "ws_mute", "external_trade")
START = 1_790_000_000_000


def market() -> dict[str, Any]:
    """Return one symbol's book and trades."""
    def side(step: float) -> list[list[str]]:
        return [[f"{67_000 + step * (i + 1):.8f}", f"{0.1 * (i + 1):.8f}"] for i in range(15)]

    trades = [{"id": i, "price": "67000.50000000", "qty": "0.01000000", "time": START + i * 1000,
               "isBuyerMaker": i % 2 == 0} for i in range(6)]
    return {"status": "TRADING", "price": "67000.00000000", "bids": side(-0.5), "asks": side(0.5), "trades": trades}


class State:
    """What the exchange remembers."""

    def __init__(self) -> None:
        self.on: dict[str, dict[str, Any]] = {}
        self.struck: dict[str, int] = {}
        self.extra_fill = False

    def state(self) -> dict[str, Any]:
        """Answer /rehearsal/state."""
        target = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT_MAKER", "status": "PARTIALLY_FILLED",
                  "price": "67001.50000000", "origQty": "0.06000000", "executedQty": "0.01000000"}
        stop = target | {"type": "STOP_LOSS_LIMIT", "status": "NEW"}
        known = [{"name": name, "settings": {"rate": 1.0}} for name in KNOWN]
        return {"time": int(time.time() * 1000), "symbols": {"BTCUSDT": market()}, "openOrders": [target, stop],
                "faults": list(self.on.values()), "struck": self.struck, "known": known}

    def ledger(self) -> dict[str, Any]:
        """Answer /rehearsal/ledger."""
        orders = [{"clientOrderId": "ckabc123-1-1e", "symbol": "BTCUSDT", "side": "BUY", "status": "FILLED",
                   "executedQty": "0.01000000"}]
        fill = {"symbol": "BTCUSDT", "trade_id": 3, "order_id": 1, "client_id": "ckabc123-1-1e", "side": "BUY",
                "price": "67000.5", "quantity": "0.01", "quote": "670.005", "commission": "0.00001",
                "commission_asset": "BTC", "time": START, "is_maker": False}
        fills = [fill, {**fill, "trade_id": 4}] if self.extra_fill else [fill]
        return {"free": {"USDT": "99000.00000000", "BTC": "1.00999000"}, "locked": {"USDT": "329.99500000"},
                "orders": orders, "fills": fills, "transfers": []}

    def log(self) -> dict[str, Any]:
        """Answer /rehearsal/log."""
        rows = [{"time": START + i * 100, "method": "GET", "path": "account", "clientOrderId": "", "status": 200,
                 "tookMs": float(i), "faults": []} for i in range(20)]
        lost = {"method": "POST", "path": "order", "status": 0, "tookMs": 5000.0, "faults": ["drop_reply"]}
        served = {"method": "GET", "path": "time", "status": 0, "tookMs": 0.0, "faults": []}
        return {"requests": [*rows, lost | {"time": START + 3000}, served | {"time": START + 3001}]}


class Handler(BaseHTTPRequestHandler):
    """Answers the pages."""

    known: State

    def _answer(self, body: Any, status: int = 200) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.removeprefix("/rehearsal/")
        if self.headers.get("X-MBX-APIKEY") != "rehearsal":
            self._answer({"error": "the key is wrong"}, 401)
        elif name in ("state", "ledger", "log"):
            self._answer(getattr(self.known, name)())
        else:
            self._answer({"error": f"there is no {name}"}, 404)

    def do_POST(self) -> None:
        name = urlsplit(self.path).path.removeprefix("/rehearsal/")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        if name == "crash":
            print("error: the book is crossed", flush=True)
            os._exit(70)
        if name == "fill":
            self.known.extra_fill = True
            self._answer({})
        elif body.get("name") in KNOWN:
            name = body.pop("name")
            self.known.on[name] = {"name": name, "settings": {"rate": 1.0, **body}}
            self.known.struck[name] = 2
            self._answer({})
        else:
            self._answer({"error": f"{body.get('name')} is no fault"}, 400)

    def do_DELETE(self) -> None:
        name = parse_qs(urlsplit(self.path).query).get("name", [None])[0]
        for each in list(self.known.on) if name is None else [name]:
            self.known.on.pop(each, None)
        self._answer({})

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--dies-with")
    chosen = parser.parse_args()
    if chosen.dies_with:
        print(f"error: {chosen.dies_with}", file=sys.stderr)
        sys.exit(2)
    if chosen.silent:
        time.sleep(600)
    Handler.known = State()
    server = ThreadingHTTPServer(("127.0.0.1", chosen.port), Handler)
    print(f"listening on {chosen.port}")
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
