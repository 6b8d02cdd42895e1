"""What is told of the user's strategies: entries of the list, versions, and which version is meant."""

from __future__ import annotations

from dataclasses import replace

from services.strategies.folder import Loose, Spot
from services.strategies.judging import Judged
from services.strategies.registry import Row, Rows
from services.strategies.versions import GONE, Kept
from trading.domain.strategies import StrategyEntry, StrategyVersion
from trading.errors import UnknownStrategy


def entry_of(spot: Spot, rows: Rows) -> StrategyEntry:
    """Return what is told of a strategy as it is now."""
    newest = spot.history.newest()
    row = rows.get(spot.symbol, Row())
    entry = StrategyEntry(spot.ref, spot.symbol, spot.id, spot.id, newest.number if newest else 0,
                          newest.time if newest else 0, newest.kind if newest else "edited",
                          str(spot.history.current), is_registered=spot.id in row.registered,
                          is_default=bool(row.default) and spot.id == row.default)
    if spot.history.exists:
        return _described(entry, spot.version())
    last = next((one for one in reversed(spot.history.kept()) if one.kind not in GONE), None)
    entry = replace(entry, kind=entry.kind if entry.is_deleted else "removed")
    return _described(entry, spot.version(last)) if last else entry


def loose_entry(one: Loose) -> StrategyEntry:
    """Return what is told of a loose file."""
    symbol = one.judged.strategy.symbol if one.judged.strategy else one.symbol
    entry = StrategyEntry(one.ref, symbol, one.path.stem, one.path.stem, 0, one.time, "loose", str(one.path))
    return _described(entry, one.judged)


def told(spot: Spot, kept: Kept) -> StrategyVersion:
    """Return what is told of a version."""
    if kept.kind in GONE:
        return StrategyVersion(kept.number, kept.time, kept.kind, spot.id)
    found = spot.version(kept)
    return StrategyVersion(kept.number, kept.time, kept.kind, found.strategy.name if found.strategy else spot.id,
                           found.mistakes)


def version_of(spot: Spot, number: int | None) -> Kept:
    """Return a version that has a text, None: the newest; UnknownStrategy where there is none."""
    kept = spot.history.kept()
    found = next((one for one in reversed(kept) if number in (None, one.number)), None)
    if found is None and number is None:
        raise absent(spot)
    if found is None:
        raise UnknownStrategy(f"{spot.ref} has no version {number}; look at its versions")
    if found.kind in GONE:
        raise UnknownStrategy(f"{spot.ref} was deleted with version {found.number}; restore it first")
    return found


def last_sound(spot: Spot) -> int:
    """Return the number of the last sound version before the newest; of a deleted strategy the last one."""
    kept = spot.history.kept()
    older = kept if kept and kept[-1].kind in GONE else kept[:-1]
    for one in reversed(older):
        if one.kind not in GONE and not spot.version(one).mistakes:
            return one.number
    raise UnknownStrategy(f"{spot.ref} has no earlier sound version to go back to")


def absent(spot: Spot) -> UnknownStrategy:
    """Return the error for a strategy that is not there."""
    return UnknownStrategy(f"{spot.ref} is not among the stored strategies; look at the list")


def _described(entry: StrategyEntry, found: Judged) -> StrategyEntry:
    rules = found.strategy
    if rules is None:
        name = (found.document or {}).get("name")
        return replace(entry, name=name if isinstance(name, str) and name else entry.name, mistakes=found.mistakes)
    return replace(entry, name=rules.name, symbols=rules.symbols, interval=rules.interval, side=rules.side,
                   notes=rules.notes)
