"""The strategies that ship with the cockpit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.strategies.forms import refuse
from services.strategies.reading import load_strategy, parse_strategy, read_json
from trading.strategies import RuleStrategy

SHELF = Path(__file__).resolve().parents[2] / "assets" / "strategies"
DEMO = "demo"
SCHEMA = SHELF / "schema.json"


def shipped_strategies() -> list[tuple[str, dict[str, Any]]]:
    """Return (id, document) of every shipped strategy, the demo first, then by id."""
    paths = sorted((path for path in SHELF.glob("*.json") if path != SCHEMA), key=lambda p: (p.stem != DEMO, p.stem))
    return [(path.stem, read_json(path)) for path in paths]


def demo_strategy(symbol: str) -> RuleStrategy:
    """Return the shipped demo rules on a symbol."""
    return load_strategy(SHELF / f"{DEMO}.json", symbol)


def find_strategy(text: str) -> RuleStrategy:
    """Return the strategy of a path or a shipped id; without text, the demo.

    Raises
    ------
    BadStrategy
        Neither a file nor an id, or no valid strategy.
    """
    shipped = dict(shipped_strategies())
    if text in shipped or not text:
        return parse_strategy(shipped[text or DEMO], text, text or DEMO)
    path = Path(text)
    if not path.exists() and path.suffix != ".json":
        refuse(f"{text!r} is neither a file nor a shipped strategy; shipped are {', '.join(shipped)}")
    return load_strategy(path)
