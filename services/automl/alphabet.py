"""What conditions may be about: families of numbers by kind, so that only what can be compared is compared.

`level` swings in a known range and is compared with a number in it, `sign` swings around 0, `price` is in units of the
price, `volume` in units of the volume; a `pair` are two outputs of one indicator.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from trading.errors import BadInput
from trading.indicators import INDICATORS, format_key, parse_key
from trading.strategies.tree import PRICES

Node = Any
"""A part of a strategy document: an object, a list, a key or a number. Never changed in place."""

PERIODS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 55, 64, 72, 84, 100, 120, 144,
           168, 200)
MULTIPLES = (1.0, 1.5, 2.0, 2.5, 3.0)
TIMES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
EXTREME_BARS = (5, 10, 20, 30, 40, 55, 80, 120, 200)
ABOVE, BELOW = (">", "crosses_above"), ("<", "crosses_below")
OPERATORS = ABOVE + BELOW
MIRRORED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "crosses_above": "crosses_below",
            "crosses_below": "crosses_above"}


@dataclass(frozen=True, slots=True)
class Family:
    """An indicator's output with what its whole parameters may be (`low` to `high` of `PERIODS`).

    `floor`, `ceiling` and `step` bound the number that a `level` or a `sign` is compared with.
    """

    indicator: str
    output: str
    kind: str
    low: int = 2
    high: int = 60
    floor: float = 0.0
    ceiling: float = 0.0
    step: float = 0.0

    def draw(self, rng: Random) -> str:
        """Return the key of a member with parameters in range."""
        if len(INDICATORS[self.indicator].parameters) > 2:
            return format_key(self.indicator, {}, self.output)
        values = {p.name: self._parameter(p, rng) for p in INDICATORS[self.indicator].parameters}
        return format_key(self.indicator, values, self.output)

    def _parameter(self, parameter: Any, rng: Random) -> float:
        if not parameter.whole:
            return rng.choice(MULTIPLES) if parameter.name == "multiple" else float(parameter.default)
        return rng.choice([n for n in PERIODS if max(self.low, parameter.low) <= n <= self.high])


def _several(kind: str, names: str, *numbers: float) -> tuple[Family, ...]:
    rows = (name.partition(".") for name in names.split())
    return tuple(Family(name, output or INDICATORS[name].primary, kind, *numbers)  # type: ignore[arg-type]
                 for name, _, output in rows)


FAMILIES = (
    *_several("level", "rsi mfi stoch.k", 2, 60, 5, 95, 5),
    *_several("level", "adx", 5, 40, 10, 50, 5),
    *_several("level", "williams", 2, 60, -95, -5, 5),
    *_several("level", "cci", 5, 60, -200, 200, 25),
    *_several("level", "bb_width.percent donchian.percent", 5, 100, 0, 1, 0.1),
    *_several("level", "aroon.up aroon.down", 5, 60, 10, 90, 10),
    *_several("level", "ulcer", 5, 60, 0.5, 10, 0.5),
    *_several("sign", "bar_return log_return", 1, 1, -3, 3, 0.25),
    *_several("sign", "roc", 1, 168, -10, 10, 0.5),
    *_several("sign", "cmf", 5, 60, -0.3, 0.3, 0.05),
    *_several("sign", "aroon.difference", 5, 60, -80, 80, 20),
    *_several("sign", "macd.line macd.histogram ppo.line ppo.histogram ao tsi", 2, 60),
    *_several("sign", "trix dpo force eom vortex.difference", 2, 60),
    *_several("price", "sma ema wma kama rolling_vwap", 2, 200),
    *_several("price", "bb.upper bb.middle bb.lower keltner.upper keltner.lower", 5, 100),
    *_several("price", "psar"),
    *_several("volume", "volume_sma", 5, 100),
)
PAIRS = (("adx", "plus_di", "minus_di"), ("macd", "line", "signal"), ("stoch", "k", "d"), ("vortex", "plus", "minus"),
         ("aroon", "up", "down"))
BY_OUTPUT = {(one.indicator, one.output): one for one in FAMILIES}
KINDS = ("level", "sign", "price", "volume")
OF_KIND = {kind: tuple(one for one in FAMILIES if one.kind == kind) for kind in KINDS}


@lru_cache(maxsize=8192)
def family_of(word: str) -> Family | None:
    """Return the family of a key, None for one that is not bred."""
    if word in PRICES:
        return None
    try:
        name, _, output = parse_key(word)
    except BadInput:
        return None
    return BY_OUTPUT.get((name, output))


def kind_of(operand: Node) -> str | None:
    """Return the kind of an operand; None for a number, or one whose kind is not known."""
    if isinstance(operand, str):
        if operand in PRICES:
            return "volume" if operand == "volume" else "price"
        found = family_of(operand)
        return found.kind if found else None
    if isinstance(operand, dict):
        column = operand.get("highest") or operand.get("lowest") or operand.get("price")
        if column:
            return "volume" if column == "volume" else "price"
        return "volume" if operand.get("indicator") == "volume_sma" else None
    return None


def draw_price(rng: Random) -> Node:
    """Return what a price can be compared with."""
    if rng.random() < 0.25:
        kind, column = rng.choice((("highest", "high"), ("lowest", "low")))
        return {kind: column, "bars": rng.choice(EXTREME_BARS), "ago": 1}
    return rng.choice(OF_KIND["price"]).draw(rng)


def draw_volume(rng: Random) -> Node:
    """Return what a volume can be compared with: a multiple of its average."""
    times = rng.choice(TIMES)
    word = OF_KIND["volume"][0].draw(rng)
    if times == 1.0:
        return word
    return {"indicator": "volume_sma", "parameters": {"period": int(word.rpartition("_")[2])}, "output": "volume_sma",
            "times": times}


def draw_number(family: Family, rng: Random) -> float:
    """Return a number that a member can be compared with."""
    if not family.step or (family.kind == "sign" and rng.random() < 0.5):
        return 0
    return on_grid(family, rng.uniform(family.floor, family.ceiling))


def on_grid(family: Family, value: float) -> float:
    """Return the nearest number of the family's grid."""
    if not family.step:
        return 0
    value = min(family.ceiling, max(family.floor, round(value / family.step) * family.step))
    return plain(round(value, 6))


def plain(value: float) -> float:
    """Return a whole number as one, as documents write it."""
    return int(value) if value == int(value) else value
