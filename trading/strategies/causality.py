"""Does a strategy look ahead, and how long until it has forgotten where it began?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trading.domain import Candles, FloatArray
from trading.strategies.columns import ColdView
from trading.strategies.plan import Plan, cells_of
from trading.strategies.ruling import DIRECTIONS, directions_of
from trading.strategies.sources import Cell
from trading.strategies.strategy import RuleStrategy
from trading.strategies.tree import Compare, Series, Trend, leaves

N_STARTS = 8
Watch = Callable[[range], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Lie:
    """The first bar on which the columns say something else than a pass that cannot see later bars.

    `field` is the operand's place in the document, or `direction` when every operand agrees.
    """

    row: int
    field: str
    array_value: float
    stream_value: float

    def __str__(self) -> str:
        seen = f"{self.array_value!r} in columns, {self.stream_value!r} without its future"
        return f"{self.field} on bar {self.row}: {seen}"


def first_lie(strategy: RuleStrategy, candles: Candles, watched: Watch = iter) -> Lie | None:
    """Compare every number and decision of the columns with one pass in which later bars do not exist yet.

    Equality is to the bit. Of several fields that differ on the same bar the first in the document is named.
    `watched` is handed the rows and gives them back one by one: a place for a progress bar.
    """
    plan, view = strategy.plan, ColdView(candles)
    numbers, directions = _streamed(strategy, candles, watched)
    pairs: list[tuple[str, Any, Any]] = [(path, view.now(cell), numbers[:, plan.cells[cell]])
                                         for path, cell in fields(plan)]
    pairs.append(("direction", directions_of(plan, view), directions))
    rows = [_first_difference(said, seen) for _, said, seen in pairs]
    row = min(rows)
    path, said, seen = pairs[rows.index(row)]
    return None if row == len(candles) else Lie(row, path, said[row].item(), seen[row].item())


def fields(plan: Plan) -> Iterator[tuple[str, Cell]]:
    """Give the place in the document and the number of every operand."""
    for name, tree in (("entry", plan.entry), ("exit", plan.exit)):
        for where, leaf in leaves(tree, name):
            if isinstance(leaf, Trend):
                yield f"{where}.{'rising' if leaf.sign > 0 else 'falling'}", cells_of(leaf)[0]
            elif isinstance(leaf, Compare):
                for side, operand in (("left", leaf.left), ("right", leaf.right)):
                    if isinstance(operand, Series):
                        yield f"{where}.{side}", Cell(operand)
    if plan.rank is not None:
        yield "rank.by", Cell(plan.rank)


def settled_after(strategy: RuleStrategy, candles: Candles, n_starts: int = N_STARTS) -> int:
    """Return after how many bars a start in the middle of the history decides as if it had seen all of it.

    The largest of `n_starts` starts spread over the first half, each judged on all bars that follow.
    """
    whole = strategy.directions(candles)
    starts = np.unique(np.linspace(0, len(candles) // 2, n_starts + 1).astype(int)[1:])
    apart = (np.flatnonzero(strategy.directions(candles[start:]) != whole[start:]) for start in starts.tolist())
    return max((int(rows[-1]) + 1 for rows in apart if len(rows)), default=0)


def _streamed(strategy: RuleStrategy, candles: Candles, watched: Watch) -> tuple[FloatArray, NDArray[np.int8]]:
    stream, n_cells = strategy.stream(), len(strategy.plan.cells)
    numbers, directions = np.empty((len(candles), n_cells)), np.empty(len(candles), np.int8)
    for row in watched(range(len(candles))):
        directions[row] = DIRECTIONS[stream.push(candles.candle(row)).action]
        numbers[row] = stream.tracks.now[:n_cells]
    return numbers, directions


def _first_difference(one: NDArray[np.generic], other: NDArray[np.generic]) -> int:
    """Return the first row on which two columns are neither equal nor both NaN, or how many rows there are."""
    rows = np.flatnonzero((one != other) & ((one == one) | (other == other)))  # noqa: PLR0124 (NaN is unlike itself)
    return int(rows[0]) if len(rows) else len(one)
