"""The gate before the exchange: keys, signatures, limits and misdeeds. Knows no sockets: any transport may use it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from trading.simulation.exchange import signing
from trading.simulation.exchange.accounts import Account
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.faults import Asked, Faults, Misdeed
from trading.simulation.exchange.limits import Limited, RateLimits, order_retry_s
from trading.simulation.exchange.market_lies import MarketLies
from trading.simulation.exchange.mischief import Mischief
from trading.simulation.exchange.order_counts import OrderCounts
from trading.simulation.exchange.refusals import VenueError, refusal
from trading.simulation.exchange.routes import Route, Security

KEPT_LOG = 2_000
BAD_KEY = "Invalid API-key, IP, or permissions for action."
TIME_KEYS = frozenset({
    "T", "E", "time", "updateTime", "transactTime", "transactionTime", "workingTime", "serverTime", "openTime",
    "closeTime", "trailingTime",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """A REST request as it came: `path` below /api/v3/, query and body undecoded, header names in lower case."""

    method: str
    path: str
    query: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is sent."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """Return the decoded body."""
        return json.loads(self.body)


@dataclass(slots=True)
class Served:
    """One line of the log: when it came (UTC ms), how long it took (ms of the transport's clock), what was done."""

    time: int
    method: str
    path: str
    client_id: str
    status: int = 0
    took_ms: float = 0.0
    faults: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the line ready for JSON."""
        return {"time": self.time, "method": self.method, "path": self.path, "clientOrderId": self.client_id,
                "status": self.status, "tookMs": round(self.took_ms, 3), "faults": list(self.faults)}


@dataclass(frozen=True, slots=True)
class Desk:
    """What a gate guards."""

    exchange: Exchange
    limits: RateLimits
    orders: OrderCounts
    faults: Faults
    lies: MarketLies
    mischief: Mischief


class Gateway:
    """Answers requests as Binance's servers do before and behind the matching engine.

    Parameters
    ----------
    desk : exchange, limits and faults
    settled : called after everything that may have changed the exchange, so that streams go out
    """

    def __init__(self, desk: Desk, settled: Callable[[], None] = lambda: None) -> None:
        self.desk = desk
        self.settled = settled
        self.log: deque[Served] = deque(maxlen=KEPT_LOG)
        self._late: set[asyncio.Task[None]] = set()

    async def serve(self, request: Request) -> Reply | None:
        """Answer a request with whatever is done to it; None: the connection is cut."""
        started = asyncio.get_running_loop().time()
        params = _params_or_none(request)
        asked = Asked(request.method, request.path, params or {})
        misdeed = self.desk.faults.decide(asked)
        line = Served(self.desk.faults.now(), request.method, request.path, _client_id(params or {}),
                      faults=misdeed.names)
        self.log.append(line)
        await _pause(misdeed.before_ms)
        reply = self._carried_out(request, misdeed)
        await _pause(misdeed.after_ms)
        line.took_ms = (asyncio.get_running_loop().time() - started) * 1000
        line.status = 0 if reply is None else reply.status
        return reply

    def answer(self, request: Request, misdeed: Misdeed | None = None) -> Reply:
        """Answer a request truthfully, at once."""
        now, limits = self.desk.faults.now(), self.desk.limits
        extra: dict[str, str] = {}
        try:
            limits.arrive(request.address, now)
            try:
                status, body = 200, self._obey(request, misdeed or Misdeed(), extra)
            finally:
                self.settled()
        except VenueError as error:
            status, body, extra = error.status, error.document(), _retry(error)
        return self._reply(request, status, body, extra)

    def open_socket(self, address: str) -> None:
        """Count a new WebSocket API connection; VenueError when the address is limited."""
        now = self.desk.faults.now()
        self.desk.limits.arrive(address, now)
        self.desk.limits.charge(address, 2, now)

    def meant(self, refusal: VenueError, address: str) -> VenueError:
        """Return a refusal that a fault brought; one that names a time holds until then, whatever is asked."""
        return self.desk.limits.hold(address, refusal) if isinstance(refusal, Limited) else refusal

    def execute(self, asked: Asked, account: Account | None, address: str, misdeed: Misdeed) -> Any:
        """Carry out a call whose signature has been checked; count its weight."""
        desk, now = self.desk, self.desk.faults.now()
        route = desk.exchange.route(asked.method, asked.path)
        weight = route.weigh(asked.params)
        if account is not None and route.orders:
            self._admit(account, route.orders, now)
            desk.orders.add(account.uid, route.orders, now)
        desk.mischief.before(asked, account, misdeed)
        try:
            body = desk.exchange.request(asked.method, asked.path, asked.params, account)
            if route.free_when_done:
                weight = 0
        except VenueError as error:
            if account is not None and not _placed(error):
                desk.orders.add(account.uid, -route.orders, now)
            raise
        finally:
            desk.limits.charge(address, weight, now)
        return desk.lies.klines(asked, desk.faults.answer(asked, body))

    def account_of(self, route: Route, key: str) -> Account | None:
        """Return whose key it is; None for a public call."""
        if route.security is Security.NONE:
            return None
        if not key:
            raise VenueError(401, -2014, "API-key format invalid.")
        account = self.desk.exchange.accounts.get(key)
        if account is None:
            raise VenueError(401, -2015, BAD_KEY)
        return account

    def _carried_out(self, request: Request, misdeed: Misdeed) -> Reply | None:
        reply = None
        if misdeed.late_ms:
            task = asyncio.get_running_loop().create_task(self._later(request, misdeed))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif misdeed.arrives:
            reply = self.answer(request, misdeed)
        if misdeed.cut:
            return None
        if misdeed.body is not None:
            return Reply(misdeed.status, misdeed.body, {"Content-Type": "text/html"})
        if misdeed.refusal is not None:
            error = self.meant(misdeed.refusal, request.address)
            return self._reply(request, error.status, error.document(), _retry(error))
        return reply

    async def _later(self, request: Request, misdeed: Misdeed) -> None:
        await _pause(misdeed.late_ms)
        self.answer(request, misdeed)

    def _obey(self, request: Request, misdeed: Misdeed, extra: dict[str, str]) -> Any:
        params = read_params(request)
        route = self.desk.exchange.route(request.method, request.path)
        account = self.account_of(route, request.headers.get("x-mbx-apikey", ""))
        if account is not None:
            if not params.get("signature"):
                raise signing.missing_signature()
            signing.check_time(params, self.desk.faults.now())
            payload = signing.rest_payload(request.query, request.body)
            signing.check_signature(account.public_key or account.secret, payload, params["signature"])
        asked = Asked(request.method, request.path, params)
        body = self.execute(asked, account, request.address, misdeed)
        if account is not None and route.orders:
            extra.update(self._order_headers(account))
        return body

    def _admit(self, account: Account, n_orders: int, now: int) -> None:
        """Refuse an order that the account's limits have no room for."""
        orders = self.desk.orders
        try:
            orders.admit(account.uid, n_orders, now)
        except VenueError as error:
            retry_s = order_retry_s([limit.span_ms for limit in orders.limits], now)
            raise Limited(429, -1015, error.message, retry_s, now) from None

    def _order_headers(self, account: Account) -> dict[str, str]:
        counts, time = self.desk.orders, self.desk.faults.now()
        return {f"X-MBX-ORDER-COUNT-{limit.number}{limit.interval[0]}": str(counts.used(account.uid, limit, time))
                for limit in counts.limits}

    def _reply(self, request: Request, status: int, body: Any, extra: Mapping[str, str]) -> Reply:
        if request.headers.get("x-mbx-time-unit", "").upper() == "MICROSECOND":
            body = in_microseconds(body)
        headers = self.desk.limits.headers(request.address, self.desk.faults.now())
        return Reply(status, to_json(body), {**headers, **extra, "Content-Type": "application/json;charset=UTF-8"})


def read_params(request: Request) -> dict[str, str]:
    """Return a request's parameters: the query wins over the body; a name twice in one of them is refused."""
    found: dict[str, str] = {}
    for text in (request.body, request.query):
        pairs = parse_qsl(text, keep_blank_values=True)
        if len({name for name, _ in pairs}) < len(pairs):
            raise refusal(-1101, "Duplicate values for a parameter detected.")
        found |= pairs
    return found


def to_json(body: Any) -> str:
    """Return a body as Binance spells JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def in_microseconds(body: Any) -> Any:
    """Return an answer with its times in microseconds; -1 and 0 mean none and stay."""
    if isinstance(body, list):
        if len(body) == 12 and isinstance(body[0], int) and isinstance(body[6], int):
            return [body[0] * 1000, *body[1:6], body[6] * 1000 + 999, *body[7:]]
        return [in_microseconds(each) for each in body]
    if isinstance(body, dict):
        return {name: value * 1000 if name in TIME_KEYS and isinstance(value, int) and value > 0
                else in_microseconds(value) for name, value in body.items()}
    return body


def _params_or_none(request: Request) -> dict[str, str] | None:
    try:
        return read_params(request)
    except VenueError:
        return None


def _placed(error: VenueError) -> bool:
    """Say whether a refused cancel-replace placed its new order all the same."""
    return isinstance(error.data, dict) and error.data.get("newOrderResult") == "SUCCESS"


def _client_id(params: Mapping[str, str]) -> str:
    names = ("newClientOrderId", "listClientOrderId", "origClientOrderId")
    return next((params[name] for name in names if name in params), "")


def _retry(error: VenueError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_s)} if isinstance(error, Limited) else {}


async def _pause(milliseconds: int) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)
