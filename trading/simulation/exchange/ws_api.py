"""The WebSocket API: the calls of REST by other names, log-on, and the account's events on the same connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from trading.simulation.exchange import signing
from trading.simulation.exchange.account_stream import AccountStream, Event, Subscription
from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.faults import Asked, Misdeed
from trading.simulation.exchange.gateway import BAD_KEY, Gateway, in_microseconds, to_json
from trading.simulation.exchange.limits import Limited
from trading.simulation.exchange.refusals import VenueError, refusal
from trading.simulation.exchange.routes import Security

METHODS: dict[str, tuple[str, str]] = {
    "ping": ("GET", "ping"), "time": ("GET", "time"), "exchangeInfo": ("GET", "exchangeInfo"),
    "depth": ("GET", "depth"), "trades.recent": ("GET", "trades"), "trades.historical": ("GET", "historicalTrades"),
    "trades.aggregate": ("GET", "aggTrades"), "klines": ("GET", "klines"), "uiKlines": ("GET", "uiKlines"),
    "avgPrice": ("GET", "avgPrice"), "ticker.24hr": ("GET", "ticker/24hr"),
    "ticker.tradingDay": ("GET", "ticker/tradingDay"), "ticker": ("GET", "ticker"),
    "ticker.price": ("GET", "ticker/price"), "ticker.book": ("GET", "ticker/bookTicker"),
    "order.place": ("POST", "order"), "order.test": ("POST", "order/test"), "order.status": ("GET", "order"),
    "order.cancel": ("DELETE", "order"), "order.cancelReplace": ("POST", "order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", "order/amend/keepPriority"), "order.amendments": ("GET", "order/amendments"),
    "openOrders.status": ("GET", "openOrders"), "openOrders.cancelAll": ("DELETE", "openOrders"),
    "orderList.place.oco": ("POST", "orderList/oco"), "orderList.place.oto": ("POST", "orderList/oto"),
    "orderList.place.otoco": ("POST", "orderList/otoco"), "orderList.place.opo": ("POST", "orderList/opo"),
    "orderList.place.opoco": ("POST", "orderList/opoco"), "orderList.status": ("GET", "orderList"),
    "orderList.cancel": ("DELETE", "orderList"), "openOrderLists.status": ("GET", "openOrderList"),
    "sor.order.place": ("POST", "sor/order"), "sor.order.test": ("POST", "sor/order/test"),
    "account.status": ("GET", "account"), "account.commission": ("GET", "account/commission"),
    "account.rateLimits.orders": ("GET", "rateLimit/order"), "allOrders": ("GET", "allOrders"),
    "allOrderLists": ("GET", "allOrderList"), "myTrades": ("GET", "myTrades"), "myFilters": ("GET", "myFilters"),
    "myPreventedMatches": ("GET", "myPreventedMatches"), "myAllocations": ("GET", "myAllocations"),
}  # fmt: skip
"""REST's method and path of each call."""
MAX_SUBSCRIPTIONS = 65_535
_OPTIONS = frozenset({"returnRateLimits"})
_NOT_LOGGED_ON = "There is no authenticated session on this connection."


class Session:
    """One connection of the WebSocket API.

    Parameters
    ----------
    gateway, accounts : where calls go and events come from
    send : takes a text frame
    """

    def __init__(self, gateway: Gateway, accounts: AccountStream, send: Callable[[str], None]) -> None:
        self._gateway = gateway
        self._accounts = accounts
        self._send = send
        self._account: Account | None = None
        self._logged_on_at = 0
        self._subscriptions: dict[int, Subscription] = {}
        self._n_subscribed = 0
        self.connected_at = gateway.desk.faults.now()
        self.in_microseconds = False
        self.return_limits = True
        self.address = "127.0.0.1"

    @property
    def listens(self) -> bool:
        """Whether an account's events come here."""
        return bool(self._subscriptions)

    async def handle(self, text: str) -> bool:
        """Answer one message; False: the connection is to be cut."""
        try:
            asked = json.loads(text)
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            self._answer(None, refusal(-1135, "Invalid JSON Request"), {})
            return True
        params = asked.get("params") or {}
        if not isinstance(params, dict):
            self._answer(asked.get("id"), refusal(-1135, "Invalid 'params' in JSON request; expected an object."), {})
            return True
        return await self._wronged(asked, params)

    def announce_shutdown(self) -> None:
        """Say that the connection will end."""
        self._say({"event": {"e": "serverShutdown", "E": self._gateway.desk.faults.now()}})

    def close(self) -> None:
        """End every subscription."""
        for number in list(self._subscriptions):
            self._accounts.unsubscribe(self._subscriptions.pop(number))

    async def _wronged(self, asked: dict[str, Any], params: dict[str, Any]) -> bool:
        """Do to the call what the faults want, then answer it, or not."""
        method, path = METHODS.get(asked["method"], ("", ""))
        told = Asked(method, path, {name: signing.written(value) for name, value in params.items()})
        misdeed = self._gateway.desk.faults.decide(told) if path else Misdeed()
        result: Any = None
        if misdeed.late_ms:
            asyncio.get_running_loop().call_later(misdeed.late_ms / 1000, self._obeyed, asked, params, misdeed)
        elif misdeed.arrives:
            result = self._obeyed(asked, params, misdeed)
        if misdeed.after_ms:
            await asyncio.sleep(misdeed.after_ms / 1000)
        if misdeed.cut:
            return False
        if misdeed.body is not None:
            self._send(misdeed.body)
        else:
            refusal = misdeed.refusal and self._gateway.meant(misdeed.refusal, self.address)
            self._answer(asked.get("id"), refusal or result, params)
        return True

    def _obeyed(self, asked: dict[str, Any], params: dict[str, Any], misdeed: Misdeed) -> Any:
        """Return the result of a call, or the VenueError it met."""
        gateway = self._gateway
        try:
            gateway.desk.limits.arrive(self.address, gateway.desk.faults.now())
            try:
                return self._obey(asked["method"], params, misdeed)
            finally:
                gateway.settled()
        except VenueError as error:
            return error

    def _obey(self, method: str, params: dict[str, Any], misdeed: Misdeed) -> Any:
        own = _OWN.get(method)
        if own is not None:
            return own(self, params)
        if method not in METHODS:
            raise refusal(-1020, f"Unsupported method: {method}.")
        verb, path = METHODS[method]
        route = self._gateway.desk.exchange.route(verb, path)
        account = None if route.security is Security.NONE else self._owner(params)
        told = {name: _text(value) for name, value in params.items() if name not in _OPTIONS}
        return self._gateway.execute(Asked(verb, path, told), account, self.address, misdeed)

    def _owner(self, params: Mapping[str, Any]) -> Account:
        """Return who signed a call, or who logged on before it."""
        if self._account is not None and "apiKey" not in params and "signature" not in params:
            signing.check_time({"timestamp": signing.written(params["timestamp"])} if "timestamp" in params else
                               {"timestamp": str(self._gateway.desk.faults.now())}, self._gateway.desk.faults.now())
            return self._account
        return self._signer(params)

    def _signer(self, params: Mapping[str, Any]) -> Account:
        key = params.get("apiKey")
        if not isinstance(key, str) or not key:
            raise VenueError(401, -2014, "API-key format invalid.")
        account = self._gateway.desk.exchange.accounts.get(key)
        if account is None:
            raise VenueError(401, -2015, BAD_KEY)
        if not params.get("signature"):
            raise signing.missing_signature()
        signing.check_time({name: signing.written(value) for name, value in params.items()},
                           self._gateway.desk.faults.now())
        signing.check_socket_signature(account.public_key or account.secret, params)
        return account

    def _log_on(self, params: dict[str, Any]) -> Any:
        account = self._signer(params)
        if not signing.is_ed25519(account.public_key or account.secret):
            raise refusal(-4056, "HMAC_SHA256 API key is not supported.")
        self._account, self._logged_on_at = account, self._gateway.desk.faults.now()
        return self._status(params)

    def _log_out(self, params: dict[str, Any]) -> Any:
        self._account = None
        return self._status(params)

    def _status(self, params: dict[str, Any]) -> Any:
        return {
            "apiKey": self._account.key if self._account else None,
            "authorizedSince": self._logged_on_at if self._account else None, "connectedSince": self.connected_at,
            "returnRateLimits": self.return_limits, "serverTime": self._gateway.desk.faults.now(),
            "userDataStream": self.listens,
        }  # fmt: skip

    def _list(self, params: dict[str, Any]) -> Any:
        return [{"subscriptionId": number, "expirationTimestamp": None} for number in self._subscriptions]

    def _subscribe(self, params: dict[str, Any]) -> Any:
        if self._account is None:
            raise VenueError(401, -2015, _NOT_LOGGED_ON)
        return self._listen_to(self._account)

    def _subscribe_signed(self, params: dict[str, Any]) -> Any:
        return self._listen_to(self._signer(params))

    def _listen_to(self, account: Account) -> Any:
        if any(each.account is account for each in self._subscriptions.values()):
            raise refusal(-2035, "User data stream subscription is already active.")
        if self._n_subscribed >= MAX_SUBSCRIPTIONS:
            raise refusal(-2042, "Too many subscriptions on this connection.")
        number = self._n_subscribed
        self._n_subscribed += 1
        self._subscriptions[number] = self._accounts.subscribe(
            account, lambda event: self._say({"subscriptionId": number, "event": event}))
        return {"subscriptionId": number}

    def _unsubscribe(self, params: dict[str, Any]) -> Any:
        wanted = [params["subscriptionId"]] if "subscriptionId" in params else list(self._subscriptions)
        if not wanted or not all(isinstance(n, int) and n in self._subscriptions for n in wanted):
            raise refusal(-2036, "User data stream subscription is not active.")
        for number in wanted:
            self._accounts.unsubscribe(self._subscriptions.pop(number))
        return {}

    def _gone(self, params: dict[str, Any]) -> Any:
        raise VenueError(410, -1000, "This method has been removed; use userDataStream.subscribe.signature.")

    def _answer(self, number: Any, result: Any, params: Mapping[str, Any]) -> None:
        if isinstance(result, VenueError):
            told: dict[str, Any] = {"id": number, "status": result.status, "error": _error(result)}
        else:
            told = {"id": number, "status": 200, "result": result}
        if self.return_limits and params.get("returnRateLimits", True):
            told["rateLimits"] = self._gateway.desk.limits.weight_counts(self.address, self._gateway.desk.faults.now())
        self._say(told)

    def _say(self, document: Event) -> None:
        self._send(to_json(in_microseconds(document) if self.in_microseconds else document))


_OWN: dict[str, Callable[[Session, dict[str, Any]], Any]] = {
    "session.logon": Session._log_on, "session.logout": Session._log_out, "session.status": Session._status,
    "session.subscriptions": Session._list, "userDataStream.subscribe": Session._subscribe,
    "userDataStream.subscribe.signature": Session._subscribe_signed,
    "userDataStream.unsubscribe": Session._unsubscribe, "userDataStream.start": Session._gone,
    "userDataStream.ping": Session._gone, "userDataStream.stop": Session._gone,
}  # fmt: skip


def _error(error: VenueError) -> dict[str, Any]:
    document = error.document()
    if isinstance(error, Limited):
        document["data"] = {"serverTime": error.retry_at - error.retry_s * 1000, "retryAfter": error.retry_at}
    return document


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, list) else signing.written(value)
