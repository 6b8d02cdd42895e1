"""What lies in the folder of the user's strategies: files in their place, and loose ones anywhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.strategies.judging import Judged, judged
from services.strategies.names import id_of, symbol_of
from services.strategies.places import WHOLE
from services.strategies.reading import MAX_BYTES
from services.strategies.registry import COPY, NAME
from services.strategies.versions import History, Kept
from storage.disk import Disk, read
from trading.domain.strategies import Mistake
from trading.errors import BadInput

MAX_LOOSE = 2_000


@dataclass(frozen=True)
class Spot:
    """The place of one stored strategy."""

    symbol: str
    id: str
    history: History

    @property
    def ref(self) -> str:
        """The place as text."""
        return f"{self.symbol}/{self.id}"

    def judged(self, content: bytes) -> Judged:
        """Judge a text as this strategy's."""
        return judged(content, self.id, self.symbol)

    def version(self, kept: Kept | None = None) -> Judged:
        """Judge a version, None: what the file holds now; one that cannot be read says so."""
        try:
            return self.judged((self.history.now() if kept is None else kept.content) or b"")
        except BadInput as error:
            return _unread(str(error))

    def is_called(self, text: str) -> bool:
        """Say whether a text names this strategy: `btcusdt/dips`, `dips`, `BTCUSDT_strategy_dips`."""
        head, _, tail = text.rpartition("/")
        try:
            return head.upper() in ("", self.symbol) and id_of(tail, self.symbol) == self.id
        except BadInput:
            return False


@dataclass(frozen=True)
class Loose:
    """A JSON file that is not in a strategy's place; `ref` is its path in the folder without `.json`."""

    ref: str
    symbol: str
    path: Path
    time: int
    judged: Judged


class Folder:
    """The folder, read anew at every question."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.path, self._disk = path, disk

    @property
    def exists(self) -> bool:
        """Whether there is a folder at all."""
        return self.path.is_dir()

    def spot(self, symbol: str, name: str) -> Spot:
        """Return the place of a strategy.

        Raises
        ------
        BadInput
            A link stands in its place.
        """
        current = self.path / symbol / f"{name}.json"
        history = History(current, self._disk)
        for path in (current.parent, current, history.folder):
            if path.is_symlink():
                raise BadInput(f"{path} is a link; put the file itself there")
        return Spot(symbol, name, history)

    def holds(self, path: Path) -> bool:
        """Say whether a path, its links followed, lies in the folder."""
        return self.path.resolve() in _resolved(path).parents

    def spots(self) -> Iterator[Spot]:
        """Give the places of all strategies, also of those of which only versions are left, in order of their names."""
        for folder in _sorted(self.path):
            if not _is_symbol(folder.name) or folder.is_symlink() or not folder.is_dir():
                continue
            names = {path.stem for path in _sorted(folder) if path.suffix in (".json", ".versions")}
            for name in sorted(names):
                spot = self._spot_of(folder.name, name)
                if spot is not None and (spot.history.current.is_file() or spot.history.folder.is_dir()):
                    yield spot

    def loose(self) -> Iterator[Loose]:
        """Give every other JSON file of the folder, at most `MAX_LOOSE`."""
        n_found = 0
        for top, folders, names in os.walk(self.path):
            folders[:] = sorted(one for one in folders if not one.startswith(".") and not one.endswith(".versions"))
            for name in sorted([*names, *(one for one in folders if one.endswith(".json"))]):
                path = Path(top, name)
                if path.suffix == ".json" and not self._has_place(path) and n_found < MAX_LOOSE:
                    n_found += 1
                    yield self._loose(path)

    def _loose(self, path: Path) -> Loose:
        ref = path.relative_to(self.path).with_suffix("").as_posix()
        near = path.parent.name.upper()
        symbol = near if path.parent.parent == self.path and _is_symbol(near) else ""
        try:
            return Loose(ref, symbol, path, path.lstat().st_mtime_ns // 1_000_000, self._read(path))
        except (OSError, BadInput) as error:
            return Loose(ref, symbol, path, 0, _unread(str(error)))

    def _read(self, path: Path) -> Judged:
        if not self.holds(path):
            return _unread("is a link that leads out of the folder; put the file itself there")
        content = read(path, MAX_BYTES + 1)
        return _unread("is no plain file; a strategy is a JSON text") if content is None else judged(content, path.stem)

    def _has_place(self, path: Path) -> bool:
        parts = path.relative_to(self.path).parts
        if len(parts) == 1:
            return parts[0] in (NAME, COPY)
        plain = path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
        return len(parts) == 2 and plain and _is_symbol(parts[0]) and self._spot_of(parts[0], path.stem) is not None

    def _spot_of(self, symbol: str, name: str) -> Spot | None:
        try:
            spot = self.spot(symbol, name) if id_of(name, symbol) == name else None
        except BadInput:
            return None
        is_closed = spot is not None and spot.history.exists and not os.access(spot.history.current, os.R_OK)
        return None if is_closed else spot


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_symbol(name: str) -> bool:
    try:
        return symbol_of(name) == name
    except BadInput:
        return False


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links in a circle
        raise BadInput(f"{path} is a link that leads nowhere; put the file itself there") from None


def _unread(text: str) -> Judged:
    return Judged(None, None, (Mistake(text, WHOLE),))
