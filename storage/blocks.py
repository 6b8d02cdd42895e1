"""What a replay or an old day leaves by the thousand, packed: equity points and quiet decisions, many to a row.

A block of decisions is a JSON header, in which each shape and each text stands once, and a column of little-endian
floats that `unpack_decisions` walks through: a decision's time, shape, reason and price, of each signal its reason,
confidence, score and inputs, and each verdict's detail. What comes back is equal to what went in. The blocks of old
days are squeezed too (`squeezed`): a header that does not begin with a bracket is zlib in base64, its numbers are LZMA.
"""

from __future__ import annotations

import base64
import json
import lzma
import zlib
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np

from trading.domain import Action, Decision, EquityPoint, Signal, Verdict

POINT_FIELDS = 4
Block = tuple[str, bytes]


def is_quiet(decision: Decision) -> bool:
    """Return whether a bar's decision led to no order, as nearly all do; what a person asked for is never quiet."""
    return not decision.client_id and (bool(decision.signals) or not decision.verdicts)


class PointBlock:
    """Equity points, four 64-bit integers each; of several at one time the last one counts."""

    def __init__(self) -> None:
        self._flat = array("q")
        self.first = self.last = 0

    def __len__(self) -> int:
        return len(self._flat) // POINT_FIELDS

    def add(self, point: EquityPoint) -> None:
        """Take a point in."""
        time, flat = point.time, self._flat
        if not flat:
            self.first = self.last = time
        elif time > self.last:
            self.last = time
        elif time == self.last:
            del flat[-POINT_FIELDS:]
        else:
            self.first = min(self.first, time)
        flat.extend((time, point.equity, point.benchmark, point.drawdown_ppm))

    def body(self) -> bytes:
        """Return what `unpack_points` reads."""
        return np.array(self._flat).astype("<i8", copy=False).tobytes()


def unpack_points(body: bytes) -> list[EquityPoint]:
    """Return the equity points of a block."""
    return [EquityPoint(*row) for row in np.frombuffer(body, "<i8").reshape(-1, POINT_FIELDS).tolist()]


class DecisionBlock:
    """Quiet decisions of one symbol. They are packed as they come, so that a long batch keeps no objects alive."""

    def __init__(self) -> None:
        self._shapes: dict[object, int] = {}
        self._texts: dict[str, int] = {}
        self._numbers = array("d")
        self.first = self.last = 0

    def add(self, decision: Decision) -> bool:
        """Take a decision in; False, and nothing is changed, when one of its inputs is no number."""
        n_before = len(self._numbers)
        try:
            self._add(decision)
        except TypeError:
            del self._numbers[n_before:]
            return False
        self.first, self.last = self.first if n_before else decision.time, decision.time
        return True

    def _add(self, decision: Decision) -> None:
        shapes, texts, numbers = self._shapes, self._texts, self._numbers
        signals, verdicts = decision.signals, decision.verdicts
        shape = (decision.action, decision.outcome,
                 tuple([(s.source, s.action, tuple(s.votes.items()), tuple(s.inputs)) for s in signals]),
                 tuple([(v.rule, v.passed) for v in verdicts]) if verdicts else ())
        numbers.extend((decision.time, shapes.setdefault(shape, len(shapes)),
                        texts.setdefault(decision.reason, len(texts)), decision.price))
        for s in signals:
            numbers.extend((texts.setdefault(s.reason, len(texts)), s.confidence, s.score, *s.inputs.values()))
        for v in verdicts:
            numbers.append(texts.setdefault(v.detail, len(texts)))

    def body(self) -> Block:
        """Return what `unpack_decisions` reads: header and numbers."""
        header = json.dumps([list(self._shapes), list(self._texts)], separators=(",", ":"))
        return header, np.array(self._numbers).astype("<f8", copy=False).tobytes()


def squeezed(block: Block) -> Block:
    """Return a block in a third of its bytes; `unpack_decisions` reads it as well."""
    header, body = block
    return base64.b64encode(zlib.compress(header.encode())).decode(), lzma.compress(body)


def header_text(header: str) -> str:
    """Return a block's header as JSON: all that is said in the block stands in it."""
    return header if header.startswith("[") else zlib.decompress(base64.b64decode(header)).decode()


def header_words(header: str) -> tuple[set[str], list[str]]:
    """Return the outcomes and the texts that occur in a block."""
    shapes, texts = json.loads(header_text(header))
    return {shape[1] for shape in shapes}, texts


def unpack_decisions(symbol: str, block: Block) -> list[Decision]:
    """Return the decisions of a block."""
    header, body = block
    shapes, texts = json.loads(header_text(header))
    body = body if header.startswith("[") else lzma.decompress(body)
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
