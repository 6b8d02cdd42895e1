"""The user's strategies as the screen sees them: what is stored, its versions, what changed, how it fares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a strategy's file: a sentence, the place (`entry.all[1].right`), line and column from 1."""

    text: str
    place: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class StrategyEntry:
    """A strategy among the user's, sound or not.

    Attributes
    ----------
    ref : what finds it, `BTCUSDT/dips`; of a loose file its path without `.json`.
    version : the newest one, 0 for a loose file (it lies outside the folders of the symbols and has no versions).
    saved_at : when the newest version was kept, UTC milliseconds.
    kind : how it came about: saved, edited (by hand), imported, restored, deleted, removed (by hand), or loose.
    symbols, interval, side, notes : what the document says; nothing where it cannot be read.
    mistakes : why it cannot be used; empty when it is sound.
    """

    ref: str
    symbol: str
    id: str
    name: str
    version: int
    saved_at: int
    kind: str
    path: str
    symbols: tuple[str, ...] = ()
    interval: str | None = None
    side: str = "long"
    notes: str = ""
    is_registered: bool = False
    is_default: bool = False
    mistakes: tuple[Mistake, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether it can be run."""
        return not self.mistakes and not self.is_deleted

    @property
    def is_deleted(self) -> bool:
        """Whether only its versions are left."""
        return self.kind in ("deleted", "removed")


@dataclass(frozen=True, slots=True)
class StoredStrategy:
    """A strategy's document as it was written, and its place on the shelf; `version` may be an old one."""

    entry: StrategyEntry
    version: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StrategyVersion:
    """One kept version; `kind` as of `StrategyEntry`, `mistakes` where its text is no strategy."""

    number: int
    time: int
    kind: str
    name: str
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class StrategyChange:
    """One difference between two versions. `kind`: added, removed, changed or moved; `place` as in the document."""

    kind: str
    place: str
    words: str


@dataclass(frozen=True, slots=True)
class StrategyHealth:
    """How the last trades went, rounded to 3 decimals; None without trades.

    Attributes
    ----------
    win_rate : share of trades that made money after costs, 0 to 1.
    avg_profit : average return on what was invested, percent.
    recent_drawdown : the largest loss of one trade, percent, 0 or below.
    count : trades that were looked at.
    """

    win_rate: float | None
    avg_profit: float | None
    recent_drawdown: float | None
    count: int


@dataclass(frozen=True, slots=True)
class HealthLight:
    """Whether paper or live trades are what the backtest made one expect.

    Attributes
    ----------
    state : green, amber, red, or `too few to tell`.
    words : the same for a person.
    band : (low, high) between which the average return of so many trades lies 19 times out of 20, percent.
    average, win_rate : what was seen: percent, and a share of 1.
    least_wins : fewer wins than this are outside the band of wins.
    p_value : how often chance alone would look as bad if nothing had changed; None where too few.
    n_seen, n_expected : trades that were compared.
    """

    state: str
    words: str
    n_seen: int
    n_expected: int
    average: float | None = None
    win_rate: float | None = None
    band: tuple[float, float] | None = None
    least_wins: int | None = None
    p_value: float | None = None
