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


def books() -> dict[str, Any]:
    """Return one symbol's book."""
    def side(step: float) -> list[list[str]]:
        return [[f"{67_000 + step * (i + 1):.2f}", f"{0.1 * (i + 1):.5f}", "0.05000" if i == 2 else "0"]
                for i in range(10)]

    return {"BTCUSDT": {"bids": side(-0.5), "asks": side(0.5)}}


class State:
    """What the exchange remembers."""

    def __init__(self) -> None:
        self.faults = {name: {"on": False, "count": 0, "settings": {}} for name in KNOWN}
        self.asked: list[dict[str, Any]] = []
        self.extra_fill = False

    def state(self) -> dict[str, Any]:
        """Answer /rehearsal/state."""
        trades = [{"id": i, "symbol": "BTCUSDT", "price": "67000.50", "qty": "0.01000", "time": START + i * 1000,
                   "isBuyerMaker": i % 2 == 0, "ours": i == 3} for i in range(6)]
        return {"time": int(time.time() * 1000), "seed": 7, "speed": 60, "symbols": ["BTCUSDT"], "n_requests": 12,
                "faults": self.faults, "books": books(), "trades": trades}

    def ledger(self) -> dict[str, Any]:
        """Answer /rehearsal/ledger."""
        orders = [{"orderId": 1, "clientOrderId": "ckabc123-1-1e", "symbol": "BTCUSDT", "side": "BUY",
                   "status": "FILLED", "executedQty": "0.01000"}]
        fills = [{"symbol": "BTCUSDT", "id": 3, "orderId": 1, "price": "67000.50", "qty": "0.01000", "isBuyer": True}]
        if self.extra_fill:
            fills.append({**fills[0], "id": 4})
        balances = {"USDT": {"free": "99000.0", "locked": "329.995"}, "BTC": {"free": "1.00999", "locked": "0"}}
        return {"orders": orders, "fills": fills, "balances": balances}

    def log(self) -> dict[str, Any]:
        """Answer /rehearsal/log."""
        rows = [{"time": START + i * 100, "method": "GET", "path": "account", "status": 200, "code": 0, "ms": float(i)}
                for i in range(20)]
        rows.append({"time": START + 3000, "method": "POST", "path": "order", "status": 0, "code": 0, "ms": 5000.0,
                     "fault": "drop_reply"})
        return {"requests": rows}


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
        elif body.get("name") in self.known.faults:
            self.known.faults[body["name"]].update(on=True, count=2, settings={"delay_ms": 500})
            self._answer({})
        else:
            self._answer({"error": f"{body.get('name')} is no fault"}, 400)

    def do_DELETE(self) -> None:
        name = parse_qs(urlsplit(self.path).query).get("name", [None])[0]
        for each in self.known.faults if name is None else [name]:
            self.known.faults[each]["on"] = False
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
