"""What was tried before on the same candles, by other searches of the data folder: it counts against a champion too.

Another seed, budget or population asks the same question again. Its candidates are as many more chances for luck, and
each champion that was judged is one more look at the untouched candles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from services.automl.counting import TRIALS, read_market, read_view

KEY = re.compile(r"s[0-9a-f]{16}")


class Before(NamedTuple):
    """Other searches on a champion's candles, their candidates, and how many opened its untouched window."""

    n_searches: int = 0
    n_candidates: int = 0
    n_openings: int = 0


NOTHING = Before()


def tried_before(folder: Path) -> Before:
    """Return what stands beside a study's folder at this moment; only folders that go by their key are studies."""
    mine = read_market(folder)
    if mine is None or not KEY.fullmatch(folder.name):
        return NOTHING
    found = [_looked(other, mine) for other in sorted(folder.parent.iterdir())
             if other != folder and KEY.fullmatch(other.name)]
    return Before(*map(sum, zip(*found, strict=True))) if found else NOTHING


def _looked(other: Path, mine: Mapping[str, Any]) -> Before:
    """Count a search that saw any of these candles of the same symbol and timeframe, also those untouched now."""
    theirs, n_tried = read_market(other), _n_tried(other)
    if theirs is None or not n_tried or not set(theirs["market"].split(",")) & set(mine["market"].split(",")):
        return NOTHING
    saw = theirs["first"] <= mine["last"] and mine["first"] < theirs["moment"]
    same_window = theirs["moment"] <= mine["last"] and mine["moment"] <= theirs["last"]
    view = read_view(other) if same_window else None
    opened = view is not None and view.state == "done" and view.gate is not None
    return Before(int(saw), n_tried if saw else 0, int(opened))


def _n_tried(folder: Path) -> int:
    try:
        return (folder / TRIALS).read_bytes().count(b"\n")
    except OSError:
        return 0
