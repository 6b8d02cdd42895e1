"""A venue on a loopback socket that knows one API key and tells what it may do."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from trading.binance.wire import forget_wire

ACCOUNT = {"accountType": "SPOT", "canTrade": True, "canWithdraw": True, "uid": 77, "permissions": ["SPOT"],
           "balances": [{"asset": "USDT", "free": "1000.50000000", "locked": "3.00000000"}],
           "commissionRates": {"maker": "0.00100000", "taker": "0.00100000"}}
FEES = {"symbol": "BTCUSDT", "standardCommission": {"maker": "0.00080000", "taker": "0.00090000"},
        "discount": {"enabledForAccount": False, "enabledForSymbol": True, "discountAsset": "BNB", "discount": "0.75"}}
LIMITS = {"ipRestrict": True, "enableWithdrawals": False, "enableReading": True, "enableSpotAndMarginTrading": True}


class KeyServer:
    """Answers ping, time, account, account/commission and /sapi's apiRestrictions; `answers` may be changed."""

    def __init__(self, key: str, secret: str, skew_ms: int = 0) -> None:
        self.key, self.secret, self.skew_ms = key, secret, skew_ms
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            "/api/v3/ping": {}, "/api/v3/account": dict(ACCOUNT), "/api/v3/account/commission": dict(FEES),
            "/sapi/v1/account/apiRestrictions": dict(LIMITS),
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> KeyServer:
        forget_wire(self.url)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, query: str, key: str | None) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/api/v3/time":
            return 200, {"serverTime": int(time.time() * 1000) + self.skew_ms}
        if path not in self.answers:
            return 404, {"code": -1121, "msg": "no such thing"}
        if path != "/api/v3/ping":
            if key != self.key:
                return 401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
            signed, _, signature = query.rpartition("&signature=")
            if hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest() != signature:
                return 400, {"code": -1022, "msg": "Signature for this request is not valid."}
            assert dict(parse_qsl(signed))["timestamp"]
        return 200, self.answers[path]


def _handler(server: KeyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, document = server.answer(parts.path, parts.query, self.headers.get("X-MBX-APIKEY"))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
