"""The back door of the rehearsal exchange: state, ledger, switches and strangers' hands. Binance has no such thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from trading.errors import BadInput
from trading.simulation.exchange.accounts import Account, to_text
from trading.simulation.exchange.fault_table import COMMON, FAULTS
from trading.simulation.exchange.gateway import Reply, to_json
from trading.simulation.exchange.refusals import VenueError
from trading.simulation.exchange.rehearsal import Rehearsal

if TYPE_CHECKING:
    from trading.simulation.exchange.server import ExchangeServer

LEVELS = 15
Body = Mapping[str, Any]


class Admin:
    """Routes below /rehearsal; each asks for the account's key in X-MBX-APIKEY, no signature."""

    def __init__(self, rehearsal: Rehearsal, server: ExchangeServer) -> None:
        self._rehearsal = rehearsal
        self._server = server
        self._run = f"{rehearsal.now():x}"
        self._routes: dict[tuple[str, str], Callable[[Account, Body], Any]] = {
            ("GET", "/state"): self._state, ("GET", "/ledger"): self._ledger, ("GET", "/log"): self._log,
            ("GET", "/faults"): self._faults, ("POST", "/faults"): self._set, ("DELETE", "/faults"): self._clear,
            ("POST", "/trade"): self._trade, ("POST", "/price"): self._price, ("POST", "/status"): self._status,
            ("POST", "/deposit"): self._deposit,
        }  # fmt: skip

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; parameters from the query and a JSON body. A web page is turned away, whoever's it is."""
        objection = foreign(request.headers, self._server.host)
        if objection:
            return web.json_response({"error": objection}, status=403)
        reply = self.answer(request.method, request.match_info["rest"], request.headers.get("X-MBX-APIKEY", ""),
                            await _asked(request))
        return web.Response(status=reply.status, text=reply.body, content_type="application/json")

    def answer(self, method: str, path: str, key: str, asked: Body) -> Reply:
        """Answer one request; knows no sockets."""
        account = self._rehearsal.exchange.accounts.get(key)
        if account is None:
            return Reply(401, to_json({"error": "send the account's key in X-MBX-APIKEY"}))
        act = self._routes.get((method, path.rstrip("/")))
        if act is None:
            known = ", ".join(f"{verb} /rehearsal{place}" for verb, place in self._routes)
            return Reply(404, to_json({"error": f"there are {known}"}))
        try:
            return Reply(200, to_json(act(account, asked)))
        except VenueError as error:
            return Reply(error.status, to_json(error.document()))
        except (BadInput, KeyError, ValueError, InvalidOperation) as error:
            return Reply(400, to_json({"error": f"{type(error).__name__}: {error}"}))
        finally:
            self._rehearsal.settled()

    def _state(self, account: Account, asked: Body) -> Any:
        exchange, market = self._rehearsal.exchange, self._rehearsal.market
        symbols = {}
        for name in market.stalls:
            _, bids, asks = exchange.depth(name, LEVELS)
            symbols[name] = {
                "status": exchange.desk(name).status, "price": f"{exchange.last_price(name):.8f}", "bids": bids,
                "asks": asks, "trades": [_trade(t) for t in market.tapes[name].newest(LEVELS)],
            }  # fmt: skip
        return {
            "time": self._rehearsal.now(), "run": self._run, "failed": self._server.failed, "urls": self._server.urls,
            "connections": len(self._server.sockets), "symbols": symbols,
            "balances": {asset: {"free": to_text(b.free), "locked": to_text(b.locked)}
                         for asset, b in account.balances.items()},
            "openOrders": exchange.request("GET", "openOrders", {}, account), **self._faults(account, {}),
        }  # fmt: skip

    def _ledger(self, account: Account, asked: Body) -> Any:
        ledger = self._rehearsal.exchange.ledger(account)
        return {
            "time": self._rehearsal.now(), "free": _texts(ledger.free), "locked": _texts(ledger.locked),
            "orders": list(ledger.orders), "fills": [_plain(asdict(fill)) for fill in ledger.fills],
            "transfers": [_plain(asdict(transfer)) for transfer in ledger.transfers],
        }  # fmt: skip

    def _log(self, account: Account, asked: Body) -> Any:
        since = int(asked.get("since", 0))
        return {"requests": [line.document() for line in self._rehearsal.gateway.log if line.time >= since]}

    def _faults(self, account: Account, asked: Body) -> Any:
        faults = self._rehearsal.faults
        return {"faults": faults.view(), "struck": dict(faults.struck)} if asked.get("short") else {
            "faults": faults.view(), "struck": dict(faults.struck),
            "known": [{"name": f.name, "group": f.group, "words": f.words, "promise": f.promise, "rows": list(f.rows),
                       "settings": COMMON | dict(f.settings)} for f in FAULTS.values()],
        }  # fmt: skip

    def _set(self, account: Account, asked: Body) -> Any:
        faults = self._rehearsal.faults
        if "every" in asked:
            faults.schedule(float(asked["every"]), tuple(asked.get("names", ())))
        if "name" in asked:
            settings = {k: v for k, v in asked.items() if k not in ("name", "every", "names")}
            faults.set(str(asked["name"]), **settings)
        return self._faults(account, {"short": True})

    def _clear(self, account: Account, asked: Body) -> Any:
        name = str(asked["name"]) if asked.get("name") else None
        self._rehearsal.faults.clear(name)
        if name is None:
            self._rehearsal.gateway.desk.limits.forgive()
        return self._faults(account, {"short": True})

    def _trade(self, account: Account, asked: Body) -> Any:
        return self._rehearsal.mischief.trade(account, asked["symbol"], asked["side"], str(asked["quantity"]))

    def _price(self, account: Account, asked: Body) -> Any:
        market, symbol = self._rehearsal.market, asked["symbol"]
        market.move(symbol, Decimal(str(asked["price"])))
        return {"symbol": symbol, "price": f"{market.price(symbol):.8f}"}

    def _status(self, account: Account, asked: Body) -> Any:
        self._rehearsal.market.set_status(asked["symbol"], asked["status"])
        return {"symbol": asked["symbol"], "status": asked["status"]}

    def _deposit(self, account: Account, asked: Body) -> Any:
        self._rehearsal.exchange.deposit(account, asked["asset"], Decimal(str(asked["amount"])))
        return {"asset": asked["asset"], "free": to_text(account.balance(asked["asset"]).free)}


def foreign(headers: Mapping[str, str], address: str) -> str:
    """Return why a request does not come from a program that means this server, "" when it does.

    The key is known to everybody: what keeps web pages out is that a browser names their Origin, and a name of theirs
    that was made to point here in Host.
    """
    if "Origin" in headers:
        return "web pages have no business at the back door"
    host = _name_in(headers.get("Host", ""))
    if host == "localhost" or (host and host == address.lower()) or _is_loopback(host):
        return ""
    return f"{host or 'nothing'} is no name of this server: use 127.0.0.1 or localhost"


def _name_in(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _asked(request: web.Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(request.query)
    if request.can_read_body:
        try:
            body = await request.json()
        except ValueError:
            body = None
        if isinstance(body, dict):
            found |= body
    return found


def _trade(trade: Any) -> dict[str, Any]:
    return {"id": trade.trade_id, "price": f"{trade.price:.8f}", "qty": f"{trade.quantity:.8f}", "time": trade.time,
            "isBuyerMaker": trade.buyer_is_maker}


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {asset: f"{amount:.8f}" for asset, amount in amounts.items()}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in fields.items()}
