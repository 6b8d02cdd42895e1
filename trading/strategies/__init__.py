"""Strategies: frozen rules that turn indicator values into an action and say why."""

from trading.strategies.strategy import ACTIONS, DIRECTIONS, Ranking, RuleStrategy, RuleStream, Ruling, Tunable
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
    "Ranking",
    "Ref",
    "RuleStrategy",
    "RuleStream",
    "Ruling",
    "Series",
    "Study",
    "Trend",
    "Tunable",
]
