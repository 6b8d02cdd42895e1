"""A study's champion among the user's strategies."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from services.strategies import StrategyStore, parse_strategy, to_document
from services.strategies.stored import OWN
from trading.domain import split_symbol
from trading.domain.studies import Candidate, SavedStrategy, StudyView
from trading.errors import BadInput, StateFailed

UNPROVEN = "unproven"
SHORT = ("Unproven, for research: it was bred long and short, and what was judged sells short where this file only "
         "closes the long position; nobody judged the rules as they stand here.")
MOST_NAME, MOST_NOTES = 60, 3_000


def save_champion(view: StudyView, folder: Path) -> SavedStrategy:
    """Put the champion among the user's strategies; the same one twice is one file.

    Raises
    ------
    BadInput
        There is no champion, it is no strategy, or the file cannot be written.
    """
    champion = view.champion
    if champion is None:
        raise BadInput("this search has no champion to save; let it run longer")
    if champion.document is None:
        raise BadInput("this search tuned a model, not a strategy; train a model with its settings")
    document = _document(view, champion)
    try:
        kept = StrategyStore(folder).import_text(f"{_slug(document['name'])}.json", json.dumps(document).encode())
    except StateFailed as error:
        raise BadInput(str(error)) from None
    return SavedStrategy(OWN + kept.ref, document["name"], kept.path)


def _document(view: StudyView, champion: Candidate) -> dict[str, Any]:
    """Return the champion's rules under a name that says what they are worth."""
    assert champion.document is not None
    document = to_document(parse_strategy(champion.document, "the champion", "champion"))
    symbols = list(view.request.symbols)
    document |= {"name": _name(view, champion, symbols), "symbols": symbols, "timeframe": view.request.interval}
    document["notes"] = f"{_origin(view)} {document.get('notes', '')}".strip()[:MOST_NOTES]
    return to_document(parse_strategy(document, "the champion"))


def _name(view: StudyView, champion: Candidate, symbols: list[str]) -> str:
    kind = f"{view.request.strategy} tuned" if view.request.search == "parameters" else "Evolved"
    bases = " ".join(split_symbol(symbol)[0] for symbol in symbols[:3])
    mark = "" if view.is_proven else f" ({UNPROVEN})"
    more = f" {bases} {view.request.interval} {view.key[-4:]}-{champion.number}"
    return kind[: MOST_NAME - len(more) - len(mark)] + more + mark


def _origin(view: StudyView) -> str:
    asked = view.request
    verdict = "Promoted by its gate." if view.is_proven else SHORT if asked.short else \
        "NOT promoted: unproven, for research."
    return (f"Champion of {view.n_trials:,} candidates (study {view.key}, seed {asked.seed}, last "
            f"{asked.holdout_rate:.0%} of the candles untouched). {verdict}")


def _slug(name: str) -> str:
    """Return a file name of plain letters and digits, the unproven ones together."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{UNPROVEN}-{plain.removesuffix(f'-{UNPROVEN}')}" if plain.endswith(UNPROVEN) else plain
