"""Grids of parameters: `rsi.period=5:30:1,rsi.buy_below=20:40:5`, or what a strategy's own ranges allow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any

from trading.errors import BadInput

MAX_COMBINATIONS = 200_000
MAX_CANDIDATES = 400
MAX_VALUES = 7
MAX_NUMBER = Decimal(10) ** 12
_EXAMPLE = "rsi.period=5:30:1,rsi.buy_below=20:40:5"
_AXIS = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)=([^,=]+)")


@dataclass(frozen=True, slots=True)
class Grid:
    """Values of each parameter; combinations are counted with the last parameter running fastest."""

    names: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    def __len__(self) -> int:
        return prod(len(axis) for axis in self.values)

    def combination(self, index: int) -> dict[str, float]:
        """Return the parameters of a combination."""
        found = {}
        for name, axis in zip(reversed(self.names), reversed(self.values), strict=True):
            index, row = divmod(index, len(axis))
            found[name] = axis[row]
        return {name: found[name] for name in self.names}


def parse_grid(text: str) -> Grid:
    """Return the grid of a text.

    Raises
    ------
    BadInput
        It is not of the form `name=low:high:step,...`, names a parameter twice, or has too many combinations.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    matches = [_AXIS.fullmatch(part) for part in parts]
    wrong = [part for part, match in zip(parts, matches, strict=True) if not match]
    if wrong or not parts:
        raise BadInput(f"sweep {(wrong or [text])[0]!r} is not understood; write {_EXAMPLE}")
    axes = {match[1]: _axis(match[1], match[2]) for match in matches if match}
    if len(axes) < len(parts):
        raise BadInput(f"sweep {text!r} names a parameter twice; give each once")
    grid = Grid(tuple(axes), tuple(axes.values()))
    if len(grid) > MAX_COMBINATIONS:
        raise BadInput(f"the sweep has {len(grid):,} combinations, at most {MAX_COMBINATIONS:,} run; take larger steps")
    return grid


def _axis(name: str, text: str) -> tuple[float, ...]:
    try:
        numbers = [Decimal(part) for part in text.split(":")]
    except InvalidOperation:
        raise BadInput(f"sweep {name}={text}: not a number; write {name}=LOW:HIGH:STEP") from None
    if not all(number.is_finite() for number in numbers) or len(numbers) not in (1, 2, 3):
        raise BadInput(f"sweep {name}={text}: write {name}=LOW:HIGH:STEP")
    if not all(-MAX_NUMBER <= number <= MAX_NUMBER for number in numbers):
        raise BadInput(f"sweep {name}={text}: numbers above {MAX_NUMBER:.0e} are not swept; write smaller ones")
    low, high = numbers[0], numbers[min(1, len(numbers) - 1)]
    step = numbers[2] if len(numbers) == 3 else Decimal(1)
    if step <= 0 or high < low:
        raise BadInput(f"sweep {name}={text}: the step must be above 0 and the second number not below the first")
    if high - low >= MAX_COMBINATIONS * step:
        raise BadInput(f"sweep {name}={text}: over {MAX_COMBINATIONS:,} values are too many; take a larger step")
    return tuple(float(low + step * row) for row in range(int((high - low) / step) + 1))


def own_grid(parameters: Mapping[str, Any], limit: int = MAX_CANDIDATES) -> Grid:
    """Return a grid over a strategy's own ranges, thinned evenly to 7 values each and `limit` combinations.

    Raises
    ------
    BadInput
        The strategy names no parameter with a range, or too many.
    """
    counts = {name: _count(p) for name, p in parameters.items() if p.step and p.high > p.low}
    if not counts:
        raise BadInput("the strategy names no parameter with a range; say what to choose from, such as "
                       "--sweep rsi.period=7:28:7")
    if 2 ** len(counts) > limit:
        raise BadInput(f"the strategy has {len(counts)} parameters with ranges, too many to search at once; say which "
                       "with --sweep, such as --sweep rsi.period=7:28:7")
    most = 2
    while prod(min(count, most + 1) for count in counts.values()) <= limit and most < MAX_VALUES:
        most += 1
    return Grid(tuple(counts), tuple(_values(parameters[name], count, most) for name, count in counts.items()))


def _count(parameter: Any) -> int:
    """Return how many steps fit into a range, without taking them."""
    low, high, step = _numbers(parameter)
    return int((high - low) / step) + 1


def _values(parameter: Any, count: int, most: int) -> tuple[float, ...]:
    low, high, step = _numbers(parameter)
    rows = range(count) if count <= most else ((row * (count - 1) * 2 + most - 1) // (2 * most - 2)
                                              for row in range(most))
    return tuple(float(min(low + step * row, high)) for row in rows)


def _numbers(parameter: Any) -> tuple[Decimal, ...]:
    return tuple(Decimal(str(getattr(parameter, name))) for name in ("low", "high", "step"))
