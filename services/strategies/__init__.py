"""Strategy documents: read, checked, converted, written, kept and found."""

from services.strategies.documents import to_document
from services.strategies.reading import load_strategy, parse_strategy
from services.strategies.schema import schema
from services.strategies.shelf import demo_strategy, find_strategy, shipped_strategies, stored_strategies
from services.strategies.store import StrategyStore

__all__ = ["StrategyStore", "demo_strategy", "find_strategy", "load_strategy", "parse_strategy", "schema",
           "shipped_strategies", "stored_strategies", "to_document"]
