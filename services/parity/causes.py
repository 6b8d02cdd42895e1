"""Why a trade has no partner, and who acted when it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.parity.trips import BY_HAND, Course, Trip
from trading.domain import Decision, OrderStatus

CONTROLS = ("session", "kill_switch", "mode", "armed")
REFUSED = (OrderStatus.REJECTED, OrderStatus.EXPIRED, OrderStatus.CANCELED)
BUSY = ("one_position", "max_positions", "cool_down")
OTHERS = {"denied: market": "market", "denied: venue": "venue"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the sides differ, and what each decided."""

    cause: str
    live: str
    replay: str


def said(decision: Decision | None) -> str:
    """Return a decision in words."""
    return f"{decision.outcome}: {decision.reason}" if decision is not None else "no decision was recorded on this bar"


def acted(trip: Trip, late: Mapping[str, list[int]], step: int) -> str:
    """Return what besides the machine shaped a matched trade; empty when nothing did."""
    if trip.by_hand:
        return "manual"
    begin, end = trip.decided, trip.exits[-1].time
    missed = any(begin - step < time <= end for time in late.get(trip.symbol, ()))
    return "stopped" if missed else ""


def only_live(trip: Trip, live: Course, replay: Course) -> Verdict:
    """Say why the replay did not make a trade that was lived."""
    mine, theirs = live.decision(trip.symbol, trip.decided), replay.decision(trip.symbol, trip.decided)
    cause = "model"
    if trip.by_hand and trip.entries[0].reason in BY_HAND:
        cause = "manual"
    elif theirs is not None and theirs.outcome.removeprefix("denied: ") in BUSY:
        cause = "follows"
    return Verdict(cause, said(mine), _fate(theirs, replay))


def only_replay(trip: Trip, live: Course, replay: Course) -> Verdict:
    """Say why a trade of the replay was not lived."""
    mine, theirs = live.decision(trip.symbol, trip.decided), replay.decision(trip.symbol, trip.decided)
    return Verdict(_reason(mine, live), _fate(mine, live), said(theirs))


def _reason(mine: Decision | None, live: Course) -> str:
    if mine is None:
        return "stopped"
    if mine.outcome in OTHERS:
        return OTHERS[mine.outcome]
    rule = mine.outcome.removeprefix("denied: ")
    if rule in CONTROLS:
        return "stopped"
    order = live.orders.get(mine.client_id)
    if order is not None and order.status in REFUSED and order.filled_lots == 0:
        return "venue"
    return "follows" if rule in BUSY else "model"


def _fate(decision: Decision | None, course: Course) -> str:
    """Return a decision and, where its order came to nothing, what became of that."""
    order = course.orders.get(decision.client_id) if decision is not None else None
    if order is not None and order.status in REFUSED and order.filled_lots == 0:
        return f"{said(decision)}; the order was {order.status.value.lower()}"
    return said(decision)
