"""The strategies that can be tested: the shipped ones, and the user's own in the data folder."""

from __future__ import annotations

from services.settings import Settings
from services.strategies import demo_strategy, to_document
from trading.domain.backtests import StrategyChoice


def strategy_choices(settings: Settings) -> tuple[StrategyChoice, ...]:
    """Return every strategy that can be chosen."""
    demo = demo_strategy("BTCUSDT")
    return (StrategyChoice("demo", demo.name, "", to_document(demo), (demo.symbol,), None, ()),)
