"""Reading the user's strategies: what there is, its versions, what changed, what can be run.

Who changes anything holds one lock on the folder; who only reads needs none, since every file is whole at any time.
"""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

from filelock import FileLock, Timeout

from services.strategies.changes import changes
from services.strategies.entries import absent, entry_of, loose_entry, told, version_of
from services.strategies.folder import Folder, Spot
from services.strategies.judging import Judged, judged, refuse_mistakes
from services.strategies.names import id_of, pinned, symbol_of
from services.strategies.reading import parse_strategy
from services.strategies.registry import Registry, Row, Rows
from storage.disk import Disk
from trading.domain.strategies import Mistake, StoredStrategy, StrategyChange, StrategyEntry, StrategyVersion
from trading.errors import BadInput, StateFailed
from trading.strategies import RuleStrategy

LOCK = ".lock"
PATIENCE_S = 10.0
OWN = "own/"


def wall_clock() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000


class StoredStrategies:
    """The user's strategies in a folder, to be read."""

    def __init__(self, folder: Path, now: Callable[[], int] = wall_clock, disk: Disk | None = None) -> None:
        self._disk, self._now = disk or Disk(), now
        self._folder = Folder(folder, self._disk)
        self._registry = Registry(folder, self._disk)

    def list(self, symbol: str = "", deleted: bool = False) -> tuple[StrategyEntry, ...]:
        """Return every strategy, the broken and the loose ones too, on wish also those of which only versions are left.

        Files that were changed by hand get their version now, and the registry is brought up to date.
        """
        wanted = symbol_of(symbol) if symbol else ""
        spots = [spot for spot in self._folder.spots() if wanted in ("", spot.symbol)]
        self._settle(spots)
        rows = self._registered()
        found = [entry_of(spot, rows) for spot in spots]
        found += [one for one in map(loose_entry, self._folder.loose()) if wanted in ("", one.symbol)]
        return tuple(one for one in found if deleted or not one.is_deleted)

    def by_symbol(self, symbol: str) -> tuple[StrategyEntry, ...]:
        """Return a symbol's strategies that are registered and sound."""
        return tuple(one for one in self.list(symbol) if one.is_registered and one.is_sound)

    def load(self, symbol: str, name: str, version: int | None = None) -> StoredStrategy:
        """Return a strategy's document, or that of an old version; BadStrategy names what is wrong with it."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        entry = entry_of(spot, self._rows())
        kept = None if version is None and spot.history.exists else version_of(spot, version)
        number, found = kept.number if kept else entry.version, spot.version(kept)
        refuse_mistakes(f"{spot.ref} version {number}", found.mistakes)
        assert found.document is not None
        return StoredStrategy(entry, number, deepcopy(dict(found.document)))

    def text(self, symbol: str, name: str, version: int | None = None) -> str:
        """Return a version's text as it was written, also a broken one."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        held = spot.history.now() if version is None else None
        return (held or version_of(spot, version).content or b"").decode("utf-8-sig", "replace")

    def versions(self, symbol: str, name: str) -> tuple[StrategyVersion, ...]:
        """Return every version, the newest first; a deletion is one too."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        kept = spot.history.kept()
        if not kept:
            raise absent(spot)
        return tuple(told(spot, one) for one in reversed(kept))

    def diff(self, symbol: str, name: str, old: int, new: int | None = None) -> tuple[StrategyChange, ...]:
        """Return what changed from one version to another (None: the newest), in words."""
        before, after = self.load(symbol, name, old), self.load(symbol, name, new)
        return changes(parse_strategy(before.document, "", before.entry.id),
                       parse_strategy(after.document, "", after.entry.id))

    def check(self, text: str | bytes, symbol: str = "") -> tuple[Mistake, ...]:
        """Return what is wrong with a text, with place and line; nothing when it is a sound strategy."""
        content = text.encode("utf-8", "replace") if isinstance(text, str) else text
        return judged(content, "checked", symbol_of(symbol) if symbol else "").mistakes

    def export(self, symbol: str, name: str, version: int | None = None) -> tuple[str, str]:
        """Return (file name, text) of a strategy to give away: `btcusdt_strategy_dips.json`."""
        stored = self.load(symbol, name, version)
        text = json.dumps(stored.document, indent=2, ensure_ascii=False) + "\n"
        return f"{stored.entry.symbol.lower()}_strategy_{stored.entry.id}.json", text

    def default(self, symbol: str) -> StrategyEntry | None:
        """Return a symbol's default: the chosen one, broken or not, else the first that is registered and sound."""
        rows = self._registered()
        spot = self._default_spot(symbol_of(symbol), rows)
        return None if spot is None else entry_of(spot, rows)

    def find(self, text: str) -> RuleStrategy | None:
        """Return the strategy of `BTCUSDT/dips`, of an id, of a symbol (its default) or of a loose file, None without.

        `BTCUSDT/dips@5` is its version 5, whatever was saved since. Nothing is written.

        Raises
        ------
        BadInput
            Several symbols have that id; BadStrategy where the file is broken.
        """
        wanted, number = pinned(text.removeprefix(OWN))
        spot = self._named(wanted)
        if spot is not None and number is not None:
            return _usable(f"{spot.ref} version {number}", spot.version(version_of(spot, number)))
        if spot is not None:
            return _usable(spot.ref, spot.version())
        loose = next((one for one in self._folder.loose() if one.ref == text.removeprefix(OWN)), None)
        return None if loose is None else _usable(loose.ref, loose.judged)

    def place(self, text: str) -> str:
        """Return where the strategy of a name for `find` is kept, `BTCUSDT/dips`; what is not kept here, as it is."""
        wanted = pinned(text.removeprefix(OWN))[0]
        spot = self._named(wanted) if wanted else None
        return wanted if spot is None else spot.ref

    def number_of(self, ref: str) -> int:
        """Return the number of the newest version at a place, 0 where none is kept."""
        spot = next((one for one in self._folder.spots() if one.ref == ref and one.history.exists), None)
        if spot is None:
            return 0
        self._settle([spot])
        kept = spot.history.newest()
        return kept.number if kept else 0

    def _named(self, wanted: str) -> Spot | None:
        spots = [spot for spot in self._folder.spots() if spot.is_called(wanted) and spot.history.exists]
        if len(spots) > 1:
            raise BadInput(f"{wanted!r} is there for {', '.join(spot.symbol for spot in spots)}; write {spots[0].ref}")
        spots = spots or self._defaults(wanted)
        return spots[0] if spots else None

    def sound(self) -> Iterator[tuple[str, RuleStrategy]]:
        """Give (name for `find`, rules) of all that can be run. Nothing is written."""
        for spot in self._folder.spots():
            rules = spot.version().strategy if spot.history.exists else None
            if rules is not None:
                yield OWN + spot.ref, rules
        for one in self._folder.loose():
            if one.judged.strategy is not None:
                yield OWN + one.ref, one.judged.strategy

    def _spot(self, symbol: str, name: str) -> Spot:
        folder = symbol_of(symbol)
        spot = self._folder.spot(folder, id_of(name, folder))
        if not self._folder.holds(spot.history.current):
            raise BadInput(f"{spot.ref} lies outside of {self._folder.path}; use another id")
        return spot

    def _defaults(self, wanted: str) -> builtins.list[Spot]:
        """Return where the default of a symbol lies, in a list of none or one."""
        try:
            symbol = symbol_of(wanted)
        except BadInput:
            return []
        spot = self._default_spot(symbol, self._rows())
        return [] if spot is None else [spot]

    def _default_spot(self, symbol: str, rows: Rows) -> Spot | None:
        row = rows.get(symbol, Row())
        spots = (self._folder.spot(symbol, name) for name in ([row.default] if row.default else row.registered))
        return next((one for one in spots if row.default or one.version().strategy), None)

    def _settle(self, spots: builtins.list[Spot]) -> None:
        """Let changes made by hand become versions, where the folder can be written."""
        changed = [spot for spot in spots if not spot.history.is_settled()]
        if not changed:
            return
        try:
            with self._locked():
                for spot in changed:
                    spot.history.settle(self._now())
        except (StateFailed, BadInput):  # a folder that can only be read shows what it holds
            return

    def _rows(self) -> dict[str, Row]:
        ids: dict[str, tuple[str, ...]] = {}
        for spot in self._folder.spots():
            if spot.history.exists:
                ids[spot.symbol] = (*ids.get(spot.symbol, ()), spot.id)
        return self._registry.rows(ids)

    def _registered(self) -> Rows:
        """Return the registry's rows, and mend the file where it says something else."""
        rows = self._rows()
        if self._registry.is_written(rows) or not self._folder.exists:
            return rows
        try:
            with self._locked():
                return self._write_rows(self._rows())
        except StateFailed:
            return rows

    def _write_rows(self, rows: Rows) -> Rows:
        if not self._registry.is_written(rows):
            self._registry.write(rows)
        return rows

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._folder.path
        try:
            self._disk.make(folder)
            with FileLock(folder / LOCK, timeout=PATIENCE_S):
                yield
        except Timeout:
            raise StateFailed(f"{folder} is being changed by another process for {PATIENCE_S:g} s; try again") from None
        except OSError as error:
            raise StateFailed(f"{folder} cannot hold the strategies ({error.strerror or error}); free some space or "
                              "change its rights") from None


def _usable(what: str, found: Judged) -> RuleStrategy:
    refuse_mistakes(what, found.mistakes)
    assert found.strategy is not None
    return found.strategy
