"""What a replay leaves by the thousand, packed: equity points and quiet decisions, many to a row.

A block of decisions is a JSON header, in which each shape and each text stands once, and a column of little-endian
floats that `unpack_decisions` walks through: a decision's time, shape, reason and price, of each signal its reason,
confidence, score and inputs, and each verdict's detail. What comes back is equal to what went in.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from trading.domain import Action, Decision, EquityPoint, Signal, Verdict

POINT_FIELDS = 4
Block = tuple[str, bytes]


def is_quiet(decision: Decision) -> bool:
    """Return whether a bar's decision led to no order, as nearly all do; what a person asked for is never quiet."""
    return not decision.client_id and (bool(decision.signals) or not decision.verdicts)


def pack_points(points: Iterable[EquityPoint]) -> bytes:
    """Return equity points as rows of four 64-bit integers."""
    flat = chain.from_iterable((p.time, p.equity, p.benchmark, p.drawdown_ppm) for p in points)
    return np.array(array("q", flat)).astype("<i8", copy=False).tobytes()


def unpack_points(body: bytes) -> list[EquityPoint]:
    """Return the equity points of a block."""
    return [EquityPoint(*row) for row in np.frombuffer(body, "<i8").reshape(-1, POINT_FIELDS).tolist()]


def pack_decisions(decisions: Iterable[Decision]) -> Block:
    """Return quiet decisions of one symbol as header and numbers; TypeError when an input is no number."""
    shapes: dict[object, int] = {}
    texts: dict[str, int] = {}
    numbers = array("d")
    for decision in decisions:
        signals = decision.signals
        verdicts = decision.verdicts
        shape = (decision.action, decision.outcome,
                 tuple([(s.source, s.action, tuple(s.votes.items()), tuple(s.inputs)) for s in signals]),
                 tuple([(v.rule, v.passed) for v in verdicts]) if verdicts else ())
        numbers.extend((decision.time, shapes.setdefault(shape, len(shapes)),
                        texts.setdefault(decision.reason, len(texts)), decision.price))
        for s in signals:
            numbers.extend((texts.setdefault(s.reason, len(texts)), s.confidence, s.score, *s.inputs.values()))
        numbers.extend([texts.setdefault(v.detail, len(texts)) for v in verdicts])
    header = json.dumps([list(shapes), list(texts)], separators=(",", ":"))
    return header, np.array(numbers).astype("<f8", copy=False).tobytes()


def unpack_decisions(symbol: str, block: Block) -> list[Decision]:
    """Return the decisions of a block."""
    header, body = block
    shapes, texts = json.loads(header)
    numbers = iter(np.frombuffer(body, "<f8").tolist())
    return [_decision(symbol, int(time), shapes[int(next(numbers))], texts, numbers) for time in numbers]


def _decision(symbol: str, time: int, shape: list[Any], texts: list[str], numbers: Iterator[float]) -> Decision:
    action, outcome, forms, rules = shape
    reason, price = texts[int(next(numbers))], next(numbers)
    signals = tuple([_signal(symbol, time, form, texts, numbers) for form in forms])
    verdicts = tuple([Verdict(rule, passed, texts[int(next(numbers))]) for rule, passed in rules])
    return Decision(symbol, time, price, action, outcome, reason, signals, verdicts)


def _signal(symbol: str, time: int, form: list[Any], texts: list[str], numbers: Iterator[float]) -> Signal:
    source, action, votes, keys = form
    reason, confidence, score = texts[int(next(numbers))], next(numbers), next(numbers)
    inputs = {key: next(numbers) for key in keys}
    return Signal(symbol, time, source, Action(action), confidence, reason, dict(votes), inputs, score)
