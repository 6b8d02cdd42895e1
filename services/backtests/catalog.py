"""The strategies that can be tested: the shipped ones, and the user's own in the data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from services.strategies import load_strategy, parse_strategy, shipped_strategies, to_document
from trading.domain.backtests import StrategyChoice
from trading.errors import BadInput
from trading.strategies import RuleStrategy


def strategy_choices(folder: Path) -> tuple[StrategyChoice, ...]:
    """Return every strategy that can be chosen: the shipped ones, then the user's files of a folder that are sound."""
    shipped = (_choice(name, parse_strategy(document, name, name)) for name, document in shipped_strategies())
    return (*shipped, *_own(folder))


def _own(folder: Path) -> Iterator[StrategyChoice]:
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else ():
        try:
            yield _choice(f"own/{path.relative_to(folder).with_suffix('').as_posix()}", load_strategy(path))
        except BadInput:  # the page "Strategies" says what is wrong with it
            continue


def _choice(name: str, strategy: RuleStrategy) -> StrategyChoice:
    return StrategyChoice(name, strategy.name, strategy.notes, to_document(strategy), strategy.symbols,
                          strategy.interval, tuple(strategy.parameters))
