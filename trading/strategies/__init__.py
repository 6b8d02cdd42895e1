"""Strategies: frozen rules that turn indicator values into an action and say why."""

from trading.strategies.ruling import ACTIONS, DIRECTIONS, RuleStream, Ruling
from trading.strategies.strategy import Rank, RuleStrategy, Tunable, check_length
from trading.strategies.tree import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Extreme,
    Hours,
    Negation,
    Price,
    Ref,
    Series,
    Study,
    Trend,
)

__all__ = [
    "ACTIONS",
    "DIRECTIONS",
    "AllOf",
    "AnyOf",
    "Compare",
    "Constant",
    "Extreme",
    "Hours",
    "Negation",
    "Price",
    "Rank",
    "Ref",
    "RuleStrategy",
    "RuleStream",
    "Ruling",
    "Series",
    "Study",
    "Trend",
    "Tunable",
    "check_length",
]
