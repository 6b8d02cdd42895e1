"""A study's champion among the user's strategies."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from services.strategies import parse_strategy, to_document
from trading.domain import split_symbol
from trading.domain.studies import Candidate, SavedStrategy, StudyView
from trading.errors import BadInput

UNPROVEN = "unproven"
SHORT = ("Unproven, for research: it was bred long and short, and what was judged sells short where this file only "
         "closes the long position; nobody judged the rules as they stand here.")
MOST_NAME, MOST_NOTES = 60, 3_000
MOST_FILES = 1_000


def save_champion(view: StudyView, folder: Path) -> SavedStrategy:
    """Write the champion into the folder of the user's strategies; the same one twice is one file.

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
    text = json.dumps(document, indent=2) + "\n"
    try:
        path = _written(folder, _slug(document["name"]), text)
    except OSError as error:
        raise BadInput(f"{folder} cannot hold the strategy ({error.strerror}); free some space or change its rights") \
            from None
    return SavedStrategy(f"own/{path.relative_to(folder).with_suffix('').as_posix()}", document["name"], str(path))


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


def _written(folder: Path, slug: str, text: str) -> Path:
    """Write a new file and return it, or the file that says the same already."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{slug}.{os.getpid()}.partial"
    try:
        whole.write_text(text, encoding="utf-8")
        return _linked(whole, folder, slug, text)
    finally:
        whole.unlink(missing_ok=True)


def _linked(whole: Path, folder: Path, slug: str, text: str) -> Path:
    """Give a written file the first free name: a link appears whole and takes no name that is taken."""
    for number in range(1, MOST_FILES):
        path = folder / (f"{slug}.json" if number == 1 else f"{slug}-{number}.json")
        try:
            os.link(whole, path)
            return path
        except FileExistsError:
            if path.read_text(encoding="utf-8", errors="replace") == text:
                return path
    raise BadInput(f"{folder} holds {MOST_FILES:,} strategies named {slug} already; remove some")
