"""Trials of a search, counted against its best idea: whoever finds the folder leaves them, and each only once.

`market.json` says on which candles a folder's search was; `counted.txt` how much of its log was left to be counted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.automl.codec import decoded
from services.automl.trials import read_trials, write_whole
from services.backtests.keeper import leave_behind
from services.backtests.lineage import Ground, Trial, ground_of, lineage_of
from services.backtests.markets import Loaded
from trading.domain.studies import StudyView

log = logging.getLogger(__name__)

VIEW, TRIALS, MARKET, COUNTED = "view.json", "trials.jsonl", "market.json", "counted.txt"


def read_view(folder: Path) -> StudyView | None:
    """Return a search as it stands, from any process; None where there is none."""
    try:
        return decoded((folder / VIEW).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_market(folder: Path, loaded: Loaded, moment: int) -> None:
    """Note the candles of a search, as the page Backtest names them, and the moment at which they are cut in two."""
    hashes = {candles.symbol: candles.content_hash() for candles in loaded.candles}
    ground = ground_of({}, loaded.candles, hashes)
    found = {"data_hash": ground.data_hash, "market": ground.market, "first": ground.first, "last": ground.last,
             "moment": moment}
    write_whole(folder / MARKET, json.dumps(found, sort_keys=True) + "\n")


def read_market(folder: Path) -> dict[str, Any] | None:
    """Return what `write_market` noted, None where nothing can be read."""
    try:
        found: dict[str, Any] = json.loads((folder / MARKET).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def trials_of(folder: Path, view: StudyView) -> list[Trial]:
    """Return every evaluated candidate as a trial of the best idea: so many were looked at to find it.

    That is the champion's; a search that was stopped before it had one shows candidates, and the best of them stands
    for it.
    """
    document, market = _best(view), read_market(folder)
    if document is None or market is None:
        return []
    ground = Ground(lineage_of(document), market["data_hash"], market["market"], market["first"], market["last"])
    return [ground.trial(f"{view.key}-{row.group}-{row.key}", row.figures.sharpe or None)
            for row in read_trials(folder / TRIALS)]


def leave_trials(folder: Path, spool: Path) -> int:
    """Leave a folder's trials for the process that counts them, unless they were left before; return how many.

    What cannot be read is logged: a search does not fail because of its own past.
    """
    try:
        return _leave(folder, spool)
    except (OSError, ValueError, KeyError, TypeError):
        log.exception("the trials of study %s are not counted", folder.name)
        return 0


def leave_all(studies: Path, spool: Path) -> int:
    """Leave what no process lived to leave, of all studies of a folder; return how many trials."""
    return sum(leave_trials(path.parent, spool) for path in sorted(studies.glob(f"*/{MARKET}")))


def _leave(folder: Path, spool: Path) -> int:
    stamp = _stamp(folder)
    view = read_view(folder) if stamp and stamp != _counted(folder) else None
    if view is None:
        return 0
    tried = trials_of(folder, view)
    if tried:
        leave_behind(spool, tried)
    write_whole(folder / COUNTED, stamp)
    return len(tried)


def _best(view: StudyView) -> Mapping[str, Any] | None:
    if view.champion is not None:
        return view.champion.document
    shown = [one for one in view.candidates if one.document is not None]
    return max(shown, key=lambda one: one.inside.get("score") or 0.0).document if shown else None


def _stamp(folder: Path) -> str:
    try:
        return str((folder / TRIALS).stat().st_size)
    except OSError:
        return ""


def _counted(folder: Path) -> str:
    try:
        return (folder / COUNTED).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
