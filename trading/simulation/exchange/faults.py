"""Decides who is wronged and how; knows no sockets, so that every transport can use it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trading.errors import BadInput
from trading.simulation.exchange.fault_table import COMMON, FAULTS, Value
from trading.simulation.exchange.limits import Limited
from trading.simulation.exchange.refusals import NO_SUCH_ORDER, WOULD_TRIGGER, VenueError, refusal, refused_order

HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
GARBAGE = ("[]", "null", '"error"', "", "{", '{"code":', HTML.format("502 Bad Gateway"), "[[1,2],3]", "\x00\xff", "NaN")
BRIEF_S = 3.0
_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as faults see it; `path` below /api/v3/."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def is_in(self, where: str) -> bool:
        """Say whether it belongs to a class of requests."""
        places = self.method == "POST" and self.path.startswith(("order", "sor/order")) and "test" not in self.path
        types = [value for name, value in self.params.items() if name.lower().endswith("type")]
        return {
            "any": True, "orders": places,
            "cancels": self.method == "DELETE" or self.path == "order/cancelReplace",
            "queries": self.method == "GET" and self.path in ("order", "openOrders", "allOrders", "orderList",
                                                              "openOrderList", "allOrderList"),
            "stops": places and any(kind in _STOPS for kind in types),
            "klines": self.path in ("klines", "uiKlines"),
        }.get(where, False)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misdeed:
    """What is done to one request.

    Parameters
    ----------
    names : the faults that struck
    before_ms, after_ms : waits before it is carried out, and between that and the answer
    arrives : whether it is carried out
    late_ms : carried out so much later than answered (0: before the answer)
    cut : the connection is cut instead of an answer
    refusal : answered instead of the truth
    body, status : likewise, a body that is no JSON object of Binance's
    """

    names: tuple[str, ...] = ()
    before_ms: int = 0
    after_ms: int = 0
    arrives: bool = True
    late_ms: int = 0
    cut: bool = False
    refusal: VenueError | None = None
    body: str | None = None
    status: int = 200

    @property
    def ends(self) -> bool:
        """Whether the answer is settled: no further fault is asked."""
        return self.cut or self.refusal is not None or self.body is not None


@dataclass(slots=True)
class Switch:
    """A fault that is on: its settings, when it ends by itself (UTC ms, 0 never), how often it struck."""

    name: str
    settings: dict[str, Value]
    since: int
    until: int
    struck: int = 0
    due: int = 0

    def number(self, key: str) -> float:
        """Return a numeric setting."""
        return float(self.settings.get(key, 0.0))

    def text(self, key: str) -> str:
        """Return a setting as text."""
        return str(self.settings.get(key, ""))

    def is_over(self, now: int) -> bool:
        """Whether it struck as often, or as long, as it should."""
        count = self.number("count")
        return bool(self.until and now >= self.until) or bool(count and self.struck >= count)


class Faults:
    """The switches. Same seed, same questions in the same order: same misdeeds.

    Parameters
    ----------
    seed : draws who is struck
    wall : the true clock, UTC ms
    """

    def __init__(self, seed: int, wall: Callable[[], int]) -> None:
        self._dice = random.Random(seed)
        self._wall = wall
        self._on: dict[str, Switch] = {}
        self._every_ms = 0
        self._next = 0
        self._chosen: tuple[str, ...] = ()
        self.changed: list[Callable[[Switch, bool], None]] = []
        self.struck: dict[str, int] = {}

    def now(self) -> int:
        """Return the clock that clients are told and judged by: the true one and the skew."""
        switch = self.on("skew")
        return self._wall() + (int(switch.number("ms")) if switch else 0)

    def set(self, name: str, **settings: Value) -> Switch:
        """Switch a fault on, in place of what it was.

        Raises
        ------
        BadInput
            There is no such fault or setting.
        """
        if name not in FAULTS:
            raise BadInput(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        known = COMMON | dict(FAULTS[name].settings)
        self.clear(name)
        now = self._wall()
        wanted = known | {key: _typed(name, key, value, known) for key, value in settings.items()}
        seconds = float(wanted["seconds"])
        switch = self._on[name] = Switch(name, wanted, now, now + int(seconds * 1000) if seconds else 0)
        self._tell(switch, True)
        return switch

    def clear(self, name: str | None = None) -> None:
        """Switch a fault off; without a name all of them and the schedule."""
        for each in [name] if name else list(self._on):
            switch = self._on.pop(each, None)
            if switch:
                self._tell(switch, False)
        if name is None:
            self._every_ms = 0

    def schedule(self, every_s: float, names: tuple[str, ...] = ()) -> None:
        """Let one fault (of those named, else of all) strike for some seconds, every so many seconds; 0 ends it."""
        self._every_ms = int(every_s * 1000)
        self._next = self._wall() + self._every_ms
        self._chosen = names or tuple(name for name in FAULTS if name not in ("http_418", "http_403", "withdrawals"))

    def tick(self) -> None:
        """Switch off what is over, and on what the schedule brings."""
        now = self._wall()
        for switch in list(self._on.values()):
            if switch.is_over(now):
                self.clear(switch.name)
        if self._every_ms and now >= self._next:
            self._next += self._every_ms
            self.set(self._dice.choice(self._chosen), seconds=BRIEF_S)

    def on(self, name: str, symbol: str = "") -> Switch | None:
        """Return a fault's switch while it is on (and about this symbol)."""
        switch = self._on.get(name)
        if switch is None or switch.is_over(self._wall()):
            return None
        about = switch.text("symbol").upper()
        return switch if not about or not symbol or about == symbol.upper() else None

    def strikes(self, name: str, symbol: str = "") -> Switch | None:
        """Draw whether a fault strikes now; count it."""
        switch = self.on(name, symbol)
        if switch is None or self._dice.random() >= switch.number("rate"):
            return None
        switch.struck += 1
        self.struck[name] = self.struck.get(name, 0) + 1
        return switch

    def pulses(self, name: str) -> Switch | None:
        """Draw whether a fault that comes in beats strikes now: at once, then every `every_s`."""
        switch, now = self.on(name), self._wall()
        if switch is None or now < switch.due:
            return None
        switch.due = now + int(1000 * max(0.1, switch.number("every_s") or 5.0))
        return self.strikes(name)

    def decide(self, asked: Asked) -> Misdeed:
        """Return what is done to a request."""
        misdeed = Misdeed()
        for name, act in _ACTS.items():
            if misdeed.ends or not self._concerns(name, asked):
                continue
            switch = self.strikes(name, asked.params.get("symbol", ""))
            if switch:
                misdeed = act(replace(misdeed, names=(*misdeed.names, name)), switch, self)
        return misdeed

    def answer(self, asked: Asked, body: Any) -> Any:
        """Return a truthful answer as this client gets to see it.

        Raises
        ------
        VenueError
            -2013, where an order is hidden.
        """
        if self.on("order_404") and asked.is_in("queries"):
            return self._hidden(asked, body, "order_404", 0)
        lag = self.on("query_lag")
        if lag and asked.is_in("queries"):
            return self._hidden(asked, body, "query_lag", self._wall() - int(lag.number("delay_ms")))
        return body

    def view(self) -> list[dict[str, Any]]:
        """Return every switch that is on, ready for JSON."""
        return [{"name": s.name, "since": s.since, "until": s.until, "struck": s.struck, "settings": dict(s.settings)}
                for s in self._on.values()]

    def chance(self, probability: float) -> bool:
        """Throw the dice."""
        return self._dice.random() < probability

    def pick(self, among: tuple[str, ...]) -> str:
        """Draw one of several."""
        return self._dice.choice(among)

    def _concerns(self, name: str, asked: Asked) -> bool:
        switch = self._on.get(name)
        if switch is None:
            return False
        paths = switch.text("paths")
        if paths:
            return any(part in f"{asked.method} {asked.path}" for part in paths.split("+"))
        return asked.is_in(FAULTS[name].where)

    def _hidden(self, asked: Asked, body: Any, name: str, since: int) -> Any:
        """Hide orders that were placed at or after `since`."""
        def is_hidden(order: Any) -> bool:
            placed = order.get("time", order.get("transactionTime", 0))
            return placed >= since and self.strikes(name, order.get("symbol", "")) is not None

        if isinstance(body, list):
            return [order for order in body if not is_hidden(order)]
        if isinstance(body, dict) and is_hidden(body):
            raise refusal(-2013, NO_SUCH_ORDER)
        return body

    def _tell(self, switch: Switch, is_on: bool) -> None:
        for listener in self.changed:
            listener(switch, is_on)


def parse_fault(text: str) -> tuple[str, dict[str, Value]]:
    """Read NAME[:key=value,...].

    Raises
    ------
    BadInput
        It is not of that form.
    """
    name, _, rest = text.partition(":")
    settings: dict[str, Value] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise BadInput(f"--fault {text!r}: {part!r} is no setting; write {name}:key=value,key=value")
        settings[key.strip()] = value.strip()
    return name.strip(), settings


def _typed(name: str, key: str, value: Value, known: Mapping[str, Value]) -> Value:
    if key not in known:
        raise BadInput(f"fault {name} has no setting {key!r}; it has {', '.join(known)}")
    if isinstance(known[key], str):
        return str(value)
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise BadInput(f"fault {name}: {key} is {value!r}, not a number") from None
    if key == "rate" and not 0 <= number <= 1:
        raise BadInput(f"fault {name}: rate is {value}; give 0 to 1")
    return number


Act = Callable[[Misdeed, Switch, Faults], Misdeed]


def _drop_request(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, arrives=False, cut=True)


def _drop_reply(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, cut=True)


def _late_accept(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, cut=True, late_ms=max(1, int(switch.number("delay_ms"))))


def _timeout(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    said = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    return replace(misdeed, arrives=faults.chance(switch.number("executed")), refusal=VenueError(504, -1007, said))


def _wait(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return replace(misdeed, after_ms=misdeed.after_ms + int(switch.number("delay_ms")))


def _garbage(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    status = int(faults.pick(("200", "400", "502")))
    return replace(misdeed, arrives=faults.chance(switch.number("executed")), body=faults.pick(GARBAGE), status=status)


def _page(status: int, title: str) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        return replace(misdeed, arrives=False, body=HTML.format(title), status=status)

    return act


def _limited(status: int) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        now, retry_s = faults.now(), int(switch.number("retry_s"))
        said = ("Too much request weight used; current limit is 6000 request weight per 1 MINUTE." if status == 429
                else f"Way too much request weight used; IP banned until {now + retry_s * 1000}.")
        return replace(misdeed, arrives=False, refusal=Limited(status, -1003, said, retry_s, now))

    return act


def _refuse(message: str) -> Act:
    def act(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
        return replace(misdeed, arrives=False, refusal=refused_order(message))

    return act


def _strike(misdeed: Misdeed, switch: Switch, faults: Faults) -> Misdeed:
    return misdeed


_ACTS: dict[str, Act] = {
    "dns_down": _drop_request, "http_down": _drop_request, "slow": _wait, "http_403": _page(403, "403 Forbidden"),
    "http_418": _limited(418), "http_429": _limited(429), "http_503": _page(503, "503 Service Unavailable"),
    "drop_request": _drop_request, "stop_reject": _refuse(WOULD_TRIGGER),
    "reject": _refuse("This action is disabled on this account."), "partial": _strike, "fill_on_cancel": _strike,
    "timeout_1007": _timeout, "garbage": _garbage, "hang": _wait, "late_accept": _late_accept,
    "drop_reply": _drop_reply,
}  # fmt: skip
"""What is done to requests, in the order in which it is asked; an answer once settled stays."""
