"""The strategies that can be tested: the shipped ones, and the user's own in the data folder."""

from __future__ import annotations

from pathlib import Path

from services.strategies import StrategyStore, parse_strategy, shipped_strategies, to_document
from trading.domain.backtests import StrategyChoice
from trading.strategies import RuleStrategy


def strategy_choices(folder: Path) -> tuple[StrategyChoice, ...]:
    """Return every strategy that can be chosen: the shipped ones, then the user's that are sound."""
    shipped = (_choice(name, parse_strategy(document, name, name)) for name, document in shipped_strategies())
    return (*shipped, *(_choice(name, rules) for name, rules in StrategyStore(folder).sound()))


def _choice(name: str, strategy: RuleStrategy) -> StrategyChoice:
    return StrategyChoice(name, strategy.name, strategy.notes, to_document(strategy), strategy.symbols,
                          strategy.interval, tuple(strategy.parameters))
