"""Where a strategy is found by its name: the user's own, then those that ship with the cockpit, then files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.strategies.forms import refuse
from services.strategies.reading import load_strategy, parse_strategy, read_json
from services.strategies.store import StrategyStore
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


def stored_strategies(data_dir: Path) -> StrategyStore:
    """Return the store of the user's strategies in a data folder."""
    return StrategyStore(data_dir / "strategies")


def find_strategy(text: str, data_dir: Path | None = None) -> RuleStrategy:
    """Return the strategy of an id or a path; without text, the demo. With a data folder the user's own come first.

    Raises
    ------
    BadInput
        Neither a file nor an id, an id of several symbols, or (BadStrategy) no valid strategy.
    """
    store = None if data_dir is None else stored_strategies(data_dir)
    own = store.find(text) if store and text else None
    shipped = dict(shipped_strategies())
    if own is not None:
        return own
    if text in shipped or not text:
        return parse_strategy(shipped[text or DEMO], text, text or DEMO)
    path = Path(text)
    if not path.exists() and path.suffix != ".json":
        yours = ", ".join(name for name, _ in store.sound()) if store else ""
        refuse(f"{text!r} is neither a file nor a shipped strategy; shipped are {', '.join(shipped)}"
               + (f"; yours are {yours}" if yours else ""))
    return load_strategy(path)
