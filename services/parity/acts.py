"""What people and restarts did to an account, read from its log and its orders, to be done again in the replay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

from services.parity.account import Recorded
from services.parity.replay import Act
from trading.domain import JournalLine, Order, OrderStatus, OrderType, RiskProfile, Side
from trading.domain.parity import Circumstance

REPLAYS = ("replay-", "screen-replay-")
PLAIN = ("start", "pause", "stop", "flatten", "kill")
PROFILE = re.compile(r"risk profile (?P<name>.*?): (?P<values>.*)")


def acts_of(account: Recorded) -> list[Act]:
    """Return the acts in the order in which they were done."""
    found = [act for line in account.lines for act in _of_line(line)]
    found += _by_orders(account)
    found += [Act(start.body["time"], "start") for start in account.starts[1:] if start.body["session"] == "running"]
    return sorted(found, key=lambda act: act.time)


def session_at_start(account: Recorded) -> tuple[str, str]:
    """Return the state of the controls and the mode with which the account began."""
    if account.starts:
        first = account.starts[0].body
        return first["session"], first["mode"]
    by_hand = any(line.text.startswith("start: auto-trading started") for line in _commands(account.lines))
    return ("stopped" if by_hand else "running"), "paper"


def asked_inline(account: Recorded) -> bool:
    """Return whether advice was acted on before the next symbol's bar of the same moment, as replays do."""
    return bool(account.starts[0].body["inline"]) if account.starts else account.account.startswith(REPLAYS)


def circumstances_of(account: Recorded, step: int) -> list[Circumstance]:
    """Return everything besides the rules that shaped the account, oldest first."""
    found = [Circumstance(line.time, "command", line.text) for line in _commands(account.lines)]
    found += [Circumstance(line.time, "kill", line.text) for line in account.lines if line.kind == "KILL"]
    found += [Circumstance(start.body["time"], "start", f"the cockpit started, version {start.body['version']}")
              for start in account.starts]
    found += [Circumstance(time, "held back", f"{symbol} {text}")
              for (symbol, time), text in account.held_back.items()]
    found += list(_stops(account, step))
    return sorted(found, key=lambda each: each.time)


def _commands(lines: Sequence[JournalLine]) -> list[JournalLine]:
    """Return the commands that were accepted."""
    return [line for line in lines if line.kind == "COMMAND" and line.tone != "warn"]


def _of_line(line: JournalLine) -> Iterator[Act]:
    """Read a line of the log; closes and adds are read from their orders, which say how much."""
    kind, _, detail = line.text.partition(": ")
    if line.kind != "COMMAND" or line.tone == "warn":
        return
    if kind in PLAIN:
        yield Act(line.time, kind)
    elif kind == "set_mode":
        yield Act(line.time, kind, {"mode": detail.rpartition(" ")[2]})
    elif kind == "rearm":
        yield Act(line.time, kind, {"reason": "as recorded"})
    elif kind == "set_risk" and (read := PROFILE.match(detail)):
        yield Act(line.time, kind, {"profile": _profile(read["name"], read["values"])})


def _profile(name: str, values: str) -> RiskProfile:
    said = dict(pair.rsplit(" ", 1) for pair in values.split(", "))
    return RiskProfile(name, **{f.name: _number(said[f.name]) for f in fields(RiskProfile)[1:] if f.name in said})


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() and "." not in text else value


def _by_orders(account: Recorded) -> list[Act]:
    """Return closes and additions by hand; a close takes the part of the position that it took."""
    found: list[Act] = []
    for order in account.course.orders.values():
        if order.source == "manual" and order.reason == "add":
            found.append(Act(order.time, "add", {"symbol": order.symbol}))
        elif order.reason == "manual" and order.status is not OrderStatus.REJECTED:
            found.append(Act(order.time, "close", {"symbol": order.symbol, "rate": _part(account, order)}))
    return found


def _part(account: Recorded, order: Order) -> float:
    """Return which part of what was held an order sold."""
    spec = account.specs[order.symbol]
    lot_atoms = int(spec.lot_size * 10**8)
    atoms = 0
    for fill in account.course.fills:
        if fill.symbol == order.symbol and fill.time <= order.time:
            atoms += fill.lots * lot_atoms - fill.fee_atoms if fill.side is Side.BUY else -fill.lots * lot_atoms
    leaving = sum(o.remaining_lots for o in account.course.orders.values()
                  if o.symbol == order.symbol and o.side is Side.SELL and o.type is not OrderType.OCO
                  and o.time < order.time and o.status.is_open)
    held = atoms // lot_atoms - leaving
    return min(1.0, order.lots / held) if held > 0 else 1.0


def _stops(account: Recorded, step: int) -> Iterator[Circumstance]:
    """Yield each stretch of bars that only filled a gap: the cockpit did not run, or had no connection."""
    for symbol, bars in account.seen.items():
        first = previous = None
        n = 0
        for bar in [*(bar for bar in bars if not bar.live), None]:
            if first is not None and (bar is None or bar.open_time != previous + step):
                yield Circumstance(first, "stopped", f"{symbol}: {n} bar{'s' * (n != 1)} came late; nothing was "
                                                     "entered on them, stops and targets were minded")
                first, n = None, 0
            if bar is not None:
                first, previous, n = (bar.open_time if first is None else first), bar.open_time, n + 1
