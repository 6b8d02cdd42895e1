"""One text of a strategy, judged: its document and rules, or every mistake with its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.strategies.documents import to_document
from services.strategies.places import WHOLE, mistakes_of
from services.strategies.reading import MAX_BYTES, json_of, parse_strategy
from trading.domain.strategies import Mistake
from trading.errors import BadStrategy
from trading.strategies import RuleStrategy

TOO_LARGE = f"is larger than {MAX_BYTES // 1024} KB; a strategy needs less than one"


@dataclass(frozen=True)
class Judged:
    """What a text is: `document` as written (None: no object), `strategy` unless there are mistakes."""

    document: Mapping[str, Any] | None
    strategy: RuleStrategy | None
    mistakes: tuple[Mistake, ...] = ()


@lru_cache(maxsize=256)
def judged(content: bytes, name: str, symbol: str = "") -> Judged:
    """Judge a text; `name` goes to a strategy without one, `symbol` must be among those that it names."""
    if len(content) > MAX_BYTES:
        return Judged(None, None, (Mistake(TOO_LARGE, WHOLE),))
    document = None
    try:
        document = json_of(content)
        strategy = parse_strategy(document, "", name)
    except BadStrategy as error:
        written = document if isinstance(document, dict) else None
        return Judged(written, None, mistakes_of(error.mistakes, content))
    if symbol and symbol not in strategy.symbols:
        field = "symbols" if "symbols" in document else "symbol"
        text = f"{field}: {', '.join(strategy.symbols)} is not allowed in the folder {symbol}; name {symbol} too, or " \
               f"move the file to {strategy.symbol}"
        return Judged(document, None, mistakes_of([text], content))
    return Judged(document, strategy)


def text_of(document: object, name: str, symbol: str) -> bytes:
    """Return the text that is stored for a document; older forms become version 2.

    Raises
    ------
    BadStrategy
        It is no strategy, or none for that symbol.
    """
    strategy = parse_strategy(document, "", name)
    if symbol not in strategy.symbols:
        raise BadStrategy(f"symbols: {', '.join(strategy.symbols)} has no {symbol}; add it, or save the strategy under "
                          f"{strategy.symbol}")
    kept = document if isinstance(document, Mapping) and document.get("version") == 2 else to_document(strategy)
    content = (json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")
    if len(content) > MAX_BYTES:
        raise BadStrategy(TOO_LARGE)
    return content


def refuse_mistakes(what: str, mistakes: tuple[Mistake, ...]) -> None:
    """Raise BadStrategy with every mistake, where there are any."""
    if mistakes:
        raise BadStrategy(f"{what}: " + " | ".join(said(one) for one in mistakes),
                          tuple(said(one) for one in mistakes))


def said(mistake: Mistake) -> str:
    """Return a mistake with its line, where it does not begin with it."""
    has_line = not mistake.line or mistake.text.startswith("line ")
    return mistake.text if has_line else f"line {mistake.line}: {mistake.text}"


