"""The user's strategies: one JSON file each, `strategies/{SYMBOL}/{id}.json`, every version kept beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.strategies.entries import absent, entry_of, last_sound, version_of
from services.strategies.folder import Spot
from services.strategies.judging import TOO_LARGE, judged, refuse_mistakes, text_of
from services.strategies.names import id_of, numbered, slug, split_file_name, symbol_of
from services.strategies.reading import MAX_BYTES, json_of, parse_strategy
from services.strategies.registry import Row, Rows, changed
from services.strategies.stored import StoredStrategies
from services.strategies.traded import trades_of
from trading.domain.strategies import StrategyEntry
from trading.errors import BadInput, BadStrategy, StrategyChanged

MAX_STRATEGIES = 2_000


class StrategyStore(StoredStrategies):
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

    def save(self, symbol: str, name: str, document: object, edited: int) -> StrategyEntry:
        """Keep a document as the next version; the same once more is no version. Older forms become version 2."""
        spot = self._spot(symbol, name)
        return self._keep(spot, text_of(document, spot.id, spot.symbol), "saved", edited)

    def traded(self, entry: StrategyEntry, trades: Iterable[Any]) -> tuple[Any, ...]:
        """Return the account's trades that are a strategy's own, on its symbols."""
        return trades_of(entry, trades, self.list())

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
        number = last_sound(spot) if version is None else version
        content = version_of(spot, number).content or b""
        refuse_mistakes(f"{spot.ref} version {number}", spot.judged(content).mistakes)
        return self._keep(spot, content, "restored", edited)

    def duplicate(self, symbol: str, name: str, new_name: str = "", new_symbol: str = "") -> StrategyEntry:
        """Copy a strategy under a free id, on wish to another symbol, whose rules it then becomes."""
        stored = self.load(symbol, name)
        target = symbol_of(new_symbol or symbol)
        document = dict(stored.document)
        if target not in parse_strategy(document, "", stored.entry.id).symbols:
            document = _moved(document, target)
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
            document = _moved(document, target)
        base = id_of(name, target) if name else id_of(slug(_without_symbol(stem, target)), target)
        return self._new(target, base, text_of(document, base, target), "imported", free=True)

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

    def _existing(self, spot: Spot) -> StrategyEntry:
        self._settle([spot])
        if not spot.history.exists:
            raise absent(spot)
        return entry_of(spot, self._rows())

    def _keep(self, spot: Spot, content: bytes | None, kind: str, edited: int | None) -> StrategyEntry:
        with self._locked():
            return entry_of(spot, self._put(spot, content, kind, edited))

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
                    return entry_of(spot, self._put(spot, content, kind, None))
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
                raise absent(spot)
            chosen = self._write_rows(rows | {spot.symbol: choice(rows[spot.symbol], spot.id)})
        return entry_of(spot, chosen)


def _without_symbol(stem: str, symbol: str) -> str:
    """Return a file's name without its symbol, in whatever letters."""
    try:
        return id_of(stem.lower(), symbol)
    except BadInput:
        return stem


def _moved(document: Mapping[str, Any], symbol: str) -> dict[str, Any]:
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
