"""The user's strategies: one JSON file each, `strategies/{SYMBOL}/{id}.json`, every version kept beside it.

Who changes anything holds one lock on the folder; who only reads needs none, since every file is whole at any time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from services.strategies.changes import changes
from services.strategies.disk import Disk
from services.strategies.folder import Folder, Loose, Spot
from services.strategies.judging import TOO_LARGE, Judged, judged, refuse_mistakes, text_of
from services.strategies.names import id_of, numbered, slug, split_file_name, symbol_of
from services.strategies.places import WHOLE
from services.strategies.reading import MAX_BYTES, json_of, parse_strategy
from services.strategies.registry import Registry, Row, Rows, changed
from services.strategies.versions import GONE, Kept
from trading.domain.strategies import Mistake, StoredStrategy, StrategyChange, StrategyEntry, StrategyVersion
from trading.errors import BadInput, BadStrategy, StateFailed, StrategyChanged, UnknownStrategy
from trading.strategies import RuleStrategy

LOCK = ".lock"
PATIENCE_S = 10.0
MAX_STRATEGIES = 2_000
OWN = "own/"


def wall_clock() -> int:
    """Return UTC milliseconds."""
    return time.time_ns() // 1_000_000


class StrategyStore:
    """The user's strategies in a folder. Every method may be called from any thread and process.

    Symbols are taken in any case, ids with or without their symbol. `edited` is the number of the version that was
    read before it was changed, 0 for a new strategy.

    Raises
    ------
    BadInput
        A name that is not allowed; UnknownStrategy, StrategyChanged (a newer version is there), BadStrategy.
    StateFailed
        The folder cannot be written.
    """

    def __init__(self, folder: Path, now: Callable[[], int] = wall_clock, disk: Disk | None = None) -> None:
        self._disk, self._now = disk or Disk(), now
        self._folder = Folder(folder, self._disk)
        self._registry = Registry(folder, self._disk)

    # What there is

    def list(self, symbol: str = "", deleted: bool = False) -> tuple[StrategyEntry, ...]:
        """Return every strategy, the broken and the loose ones too, on wish also those of which only versions are left.

        Files that were changed by hand get their version now, and the registry is brought up to date.
        """
        wanted = symbol_of(symbol) if symbol else ""
        spots = [spot for spot in self._folder.spots() if wanted in ("", spot.symbol)]
        self._settle(spots)
        rows = self._registered()
        found = [self._listed(spot, rows) for spot in spots]
        found += [one for one in map(self._loose_entry, self._folder.loose()) if wanted in ("", one.symbol)]
        return tuple(one for one in found if deleted or not one.is_deleted)

    def by_symbol(self, symbol: str) -> tuple[StrategyEntry, ...]:
        """Return a symbol's strategies that are registered and sound."""
        return tuple(one for one in self.list(symbol) if one.is_registered and one.is_sound)

    def load(self, symbol: str, name: str, version: int | None = None) -> StoredStrategy:
        """Return a strategy's document, or that of an old version; BadStrategy names what is wrong with it."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        kept = _version(spot, version)
        found = self._judged(spot, kept.content or b"")
        refuse_mistakes(f"{spot.ref} version {kept.number}", found.mistakes)
        assert found.document is not None
        return StoredStrategy(self._entry(spot, self._rows()), kept.number, deepcopy(dict(found.document)))

    def text(self, symbol: str, name: str, version: int | None = None) -> str:
        """Return a version's text as it was written, also a broken one."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        return (_version(spot, version).content or b"").decode("utf-8-sig", "replace")

    def versions(self, symbol: str, name: str) -> tuple[StrategyVersion, ...]:
        """Return every version, the newest first; a deletion is one too."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        kept = spot.history.kept()
        if not kept:
            raise UnknownStrategy(f"{spot.ref} is not among the stored strategies; look at the list")
        return tuple(self._told(spot, one) for one in reversed(kept))

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

    # What changes a strategy

    def save(self, symbol: str, name: str, document: object, edited: int) -> StrategyEntry:
        """Keep a document as the next version; the same once more is no version. Older forms become version 2."""
        spot = self._spot(symbol, name)
        return self._keep(spot, text_of(document, spot.id, spot.symbol), "saved", edited)

    def update(self, symbol: str, name: str, document: object, edited: int) -> StrategyEntry:
        """Save a strategy that exists; UnknownStrategy where it does not."""
        self._existing(self._spot(symbol, name))
        return self.save(symbol, name, document, edited)

    def delete(self, symbol: str, name: str, edited: int | None = None) -> StrategyEntry:
        """Remove a strategy's file; its versions stay, and `restore` brings it back."""
        spot = self._spot(symbol, name)
        self._existing(spot)
        return self._keep(spot, None, "deleted", edited)

    def restore(self, symbol: str, name: str, version: int | None = None, edited: int | None = None) -> StrategyEntry:
        """Make an old version the newest (None: the last sound one before the newest, so of a deleted one the last)."""
        spot = self._spot(symbol, name)
        self._settle([spot])
        number = self._last_sound(spot) if version is None else version
        content = _version(spot, number).content or b""
        refuse_mistakes(f"{spot.ref} version {number}", self._judged(spot, content).mistakes)
        return self._keep(spot, content, "restored", edited)

    def duplicate(self, symbol: str, name: str, new_name: str = "", new_symbol: str = "") -> StrategyEntry:
        """Copy a strategy under a free id, on wish to another symbol, whose rules it then becomes."""
        stored = self.load(symbol, name)
        target = symbol_of(new_symbol or symbol)
        document = dict(stored.document)
        if target not in parse_strategy(document, "", stored.entry.id).symbols:
            document = _moved(document, stored.entry.id, target)
        base = id_of(new_name, target) if new_name else numbered(stored.entry.id, 1)
        return self._new(target, base, text_of(document, base, target), "saved", free=not new_name)

    def import_file(self, path: Path | str, symbol: str = "", name: str = "") -> StrategyEntry:
        """Bring in `{SYMBOL}/{id}.json`, `{symbol}_strategy_{id}.json` or any other file; nothing is overwritten."""
        try:
            with Path(path).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from None
        return self.import_text(Path(path).name, content, symbol, name)

    def import_text(self, file_name: str, content: bytes, symbol: str = "", name: str = "") -> StrategyEntry:
        """Bring in what a file of that name holds: forms 1 and 2 become version 2, a symbol that is asked for wins."""
        own_symbol, stem = split_file_name(Path(file_name.replace("\\", "/")).name.removesuffix(".json"))
        found = judged(content, slug(stem), "")
        refuse_mistakes(file_name, found.mistakes)
        assert found.strategy is not None and found.document is not None
        target = symbol_of(symbol or own_symbol or found.strategy.symbol)
        document = dict(found.document)
        if symbol and target not in found.strategy.symbols:
            document = _moved(document, slug(stem), target)
        base = id_of(name, target) if name else id_of(slug(id_or(stem, target)), target)
        return self._new(target, base, text_of(document, base, target), "imported", free=True)

    # The registry

    def register(self, symbol: str, name: str) -> StrategyEntry:
        """Let agents use a strategy."""
        return self._choose(symbol, name, lambda row, one: changed(row, one, True))

    def unregister(self, symbol: str, name: str) -> StrategyEntry:
        """Keep a strategy and let nobody use it of itself; a default is none any more."""
        return self._choose(symbol, name, lambda row, one: changed(row, one, False))

    def set_default(self, symbol: str, name: str) -> StrategyEntry:
        """Make a strategy its symbol's default; it is registered by that."""
        spot = self._spot(symbol, name)
        refuse_mistakes(spot.ref, self._existing(spot).mistakes)
        return self._choose(symbol, name, lambda row, one: replace(changed(row, one, True), default=one))

    def default(self, symbol: str) -> StrategyEntry | None:
        """Return a symbol's default: the chosen one, broken or not, else the first that is registered and sound."""
        rows = self._registered()
        spot = self._default_spot(symbol_of(symbol), rows)
        return None if spot is None else self._entry(spot, rows)

    # What runs them

    def find(self, text: str) -> RuleStrategy | None:
        """Return the strategy of `BTCUSDT/dips`, of an id, of a symbol (its default) or of a loose file, None without.

        Nothing is written.

        Raises
        ------
        BadInput
            Several symbols have that id; BadStrategy where the file is broken.
        """
        wanted = text.removeprefix(OWN)
        spots = [spot for spot in self._folder.spots() if spot.is_called(wanted) and spot.history.exists]
        if len(spots) > 1:
            raise BadInput(f"{text!r} is there for {', '.join(spot.symbol for spot in spots)}; write {spots[0].ref}")
        spots = spots or self._defaults(wanted)
        if spots:
            return self._usable(spots[0].ref, self._judged(spots[0], spots[0].history.now() or b""))
        loose = next((one for one in self._folder.loose() if one.ref == wanted), None)
        return None if loose is None else self._usable(loose.ref, loose.judged)

    def sound(self) -> Iterator[tuple[str, RuleStrategy]]:
        """Give (name for `find`, rules) of all that can be run. Nothing is written."""
        for spot in self._folder.spots():
            found = self._judged(spot, spot.history.now() or b"")
            if found.strategy is not None:
                yield OWN + spot.ref, found.strategy
        for one in self._folder.loose():
            if one.judged.strategy is not None:
                yield OWN + one.ref, one.judged.strategy

    # Inside

    def _spot(self, symbol: str, name: str) -> Spot:
        folder = symbol_of(symbol)
        spot = self._folder.spot(folder, id_of(name, folder))
        if not self._folder.holds(spot.history.current):
            raise BadInput(f"{spot.ref} lies outside of {self._folder.path}; use another id")
        return spot

    def _judged(self, spot: Spot, content: bytes) -> Judged:
        return judged(content, spot.id, spot.symbol)

    def _usable(self, what: str, found: Judged) -> RuleStrategy:
        refuse_mistakes(what, found.mistakes)
        assert found.strategy is not None
        return found.strategy

    def _defaults(self, wanted: str) -> list[Spot]:
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
        return next((one for one in spots if row.default or self._judged(one, one.history.now() or b"").strategy), None)

    def _entry(self, spot: Spot, rows: Rows) -> StrategyEntry:
        newest, content = spot.history.newest(), spot.history.now()
        row = rows.get(spot.symbol, Row())
        entry = StrategyEntry(spot.ref, spot.symbol, spot.id, spot.id, newest.number if newest else 0,
                              newest.time if newest else 0, newest.kind if newest else "edited",
                              str(spot.history.current), is_registered=spot.id in row.registered,
                              is_default=bool(row.default) and spot.id == row.default)
        if content is None:
            last = next((one for one in reversed(spot.history.kept()) if one.kind not in GONE), None)
            entry = replace(entry, kind=entry.kind if entry.is_deleted else "removed")
            return _described(entry, self._judged(spot, last.content or b"")) if last else entry
        return _described(entry, self._judged(spot, content))

    def _listed(self, spot: Spot, rows: Rows) -> StrategyEntry:
        try:
            return self._entry(spot, rows)
        except BadInput as error:  # a file that cannot be read
            return StrategyEntry(spot.ref, spot.symbol, spot.id, spot.id, 0, 0, "edited", str(spot.history.current),
                                 mistakes=(Mistake(str(error), WHOLE),))

    def _loose_entry(self, one: Loose) -> StrategyEntry:
        symbol = one.judged.strategy.symbol if one.judged.strategy else one.symbol
        entry = StrategyEntry(one.ref, symbol, one.path.stem, one.path.stem, 0, one.time, "loose", str(one.path))
        return _described(entry, one.judged)

    def _told(self, spot: Spot, kept: Kept) -> StrategyVersion:
        if kept.kind in GONE:
            return StrategyVersion(kept.number, kept.time, kept.kind, spot.id)
        found = self._judged(spot, kept.content or b"")
        return StrategyVersion(kept.number, kept.time, kept.kind, found.strategy.name if found.strategy else spot.id,
                               found.mistakes)

    def _existing(self, spot: Spot) -> StrategyEntry:
        self._settle([spot])
        if not spot.history.exists:
            raise UnknownStrategy(f"{spot.ref} is not among the stored strategies; look at the list")
        return self._entry(spot, self._rows())

    def _last_sound(self, spot: Spot) -> int:
        kept = spot.history.kept()
        older = kept if kept and kept[-1].kind in GONE else kept[:-1]
        for one in reversed(older):
            if one.kind not in GONE and not self._judged(spot, one.content or b"").mistakes:
                return one.number
        raise UnknownStrategy(f"{spot.ref} has no earlier sound version to go back to")

    def _settle(self, spots: list[Spot]) -> None:
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

    def _keep(self, spot: Spot, content: bytes | None, kind: str, edited: int | None) -> StrategyEntry:
        with self._locked():
            return self._entry(spot, self._put(spot, content, kind, edited))

    def _put(self, spot: Spot, content: bytes | None, kind: str, edited: int | None) -> Rows:
        """Make a text the newest version, under the lock, and return the registry's rows."""
        spot.history.settle(self._now())
        self._refuse_stale(spot, edited)
        if not _same(spot.history.now(), content):
            self._refuse_too_many(spot)
            spot.history.add(content, kind, self._now())
        return self._write_rows(self._rows())

    def _new(self, symbol: str, base: str, content: bytes, kind: str, free: bool) -> StrategyEntry:
        """Keep a text under its id, or under the first free one; what stands there already with this text is it."""
        with self._locked():
            for number in range(1, MAX_STRATEGIES):
                spot = self._folder.spot(symbol, numbered(base, number))
                spot.history.settle(self._now())
                held = spot.history.now()
                if held is None or (kind == "imported" and _same(held, content)):
                    return self._entry(spot, self._put(spot, content, kind, None))
                if not free:
                    break
        raise StrategyChanged(f"{symbol}/{base} exists already; choose another id")

    def _refuse_stale(self, spot: Spot, edited: int | None) -> None:
        newest, held = spot.history.newest(), spot.history.now()
        if held is not None and len(held) > MAX_BYTES:
            raise BadStrategy(f"{spot.ref} {TOO_LARGE}; move {spot.history.current} away first")
        number = newest.number if newest else 0
        if edited is None or edited == number or (edited == 0 and held is None):
            return
        what = "exists already" if edited == 0 else f"was changed since version {edited}"
        raise StrategyChanged(f"{spot.ref} {what}: version {number} was {newest.kind if newest else 'removed'} since; "
                              "look at it, then save again or choose another id", number)

    def _refuse_too_many(self, spot: Spot) -> None:
        if not spot.history.exists and sum(1 for _ in self._folder.spots()) > MAX_STRATEGIES:
            raise BadInput(f"there are {MAX_STRATEGIES:,} strategies already; delete some")

    def _choose(self, symbol: str, name: str, choice: Callable[[Row, str], Row]) -> StrategyEntry:
        spot = self._spot(symbol, name)
        self._existing(spot)
        with self._locked():
            rows = self._rows()
            if spot.symbol not in rows:
                raise UnknownStrategy(f"{spot.ref} is not among the stored strategies; look at the list")
            rows = self._write_rows(rows | {spot.symbol: choice(rows[spot.symbol], spot.id)})
        return self._entry(spot, rows)

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


def id_or(stem: str, symbol: str) -> str:
    """Return a file's name without its symbol, in whatever letters."""
    try:
        return id_of(stem.lower(), symbol)
    except BadInput:
        return stem


def _version(spot: Spot, number: int | None) -> Kept:
    kept = spot.history.kept()
    found = next((one for one in reversed(kept) if number in (None, one.number)), None)
    if found is None and number is None:
        raise UnknownStrategy(f"{spot.ref} is not among the stored strategies; look at the list")
    if found is None:
        raise UnknownStrategy(f"{spot.ref} has no version {number}; look at its versions")
    if found.kind in GONE:
        raise UnknownStrategy(f"{spot.ref} was deleted with version {found.number}; restore it first")
    return found


def _described(entry: StrategyEntry, found: Judged) -> StrategyEntry:
    rules = found.strategy
    if rules is None:
        name = (found.document or {}).get("name")
        return replace(entry, name=name if isinstance(name, str) and name else entry.name, mistakes=found.mistakes)
    return replace(entry, name=rules.name, symbols=rules.symbols, interval=rules.interval, side=rules.side,
                   notes=rules.notes)


def _moved(document: Mapping[str, Any], name: str, symbol: str) -> dict[str, Any]:
    """Return the rules on another symbol, all else as it is written."""
    field = {"symbols": [symbol]} if document.get("version") == 2 else {"symbol": symbol}
    return {**document, **field}


def _same(held: bytes | None, content: bytes | None) -> bool:
    """Say whether two texts are one document, whatever their spaces."""
    if held is None or content is None or held == content:
        return held == content
    try:
        return json.dumps(json_of(held)) == json.dumps(json_of(content))
    except BadInput:
        return False
