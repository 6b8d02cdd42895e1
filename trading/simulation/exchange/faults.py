"""Decides who is wronged and how; knows no sockets, so that every transport can use it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from trading.errors import BadInput
from trading.simulation.exchange.fault_acts import ACTS
from trading.simulation.exchange.fault_table import COMMON, FAULTS, Value
from trading.simulation.exchange.misdeeds import Asked, Misdeed, Switch
from trading.simulation.exchange.refusals import NO_SUCH_ORDER, refusal

__all__ = ["Asked", "Faults", "Misdeed", "Switch", "parse_fault"]

BRIEF_S = 3.0


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
        for name, act in ACTS.items():
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
