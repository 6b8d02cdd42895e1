"""Every version of one strategy, beside its file: `dips.json` and `dips.versions/000003-1763740000000-saved.json`.

A version is the bytes that the file had. What is being saved lies there as `pending-...` until the file itself says the
same, so that a process killed at any step leaves the old version in place or the new one, and whoever comes next knows
which. A file that differs from its newest version was edited by hand, and becomes a version as it is, sound or not.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from services.strategies.reading import MAX_BYTES
from storage.disk import Disk, read
from trading.errors import BadInput

GONE = ("deleted", "removed")
_NAME = re.compile(r"(pending-)?(\d{6,9})-(\d{1,15})-([a-z]{1,20})\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version on the disk."""

    number: int
    time: int
    kind: str
    path: Path
    is_pending: bool = False

    @property
    def content(self) -> bytes | None:
        """What the strategy's file held; None after a deletion."""
        return None if self.kind in GONE else read(self.path, MAX_BYTES + 1) or b""


class History:
    """The versions of the strategy in one file. What changes anything is called under the store's lock."""

    def __init__(self, current: Path, disk: Disk) -> None:
        self.current, self._disk = current, disk
        self.folder = current.with_suffix(".versions")

    def kept(self) -> list[Kept]:
        """Return all versions, the oldest first."""
        return [one for one in self._all() if not one.is_pending]

    def newest(self) -> Kept | None:
        """Return the newest version."""
        return next(iter(self.kept()[-1:]), None)

    @property
    def exists(self) -> bool:
        """Whether there is a file, not only versions of one."""
        return self.current.is_file()

    def now(self) -> bytes | None:
        """Return what the file holds."""
        return read(self.current, MAX_BYTES + 1)

    def is_settled(self) -> bool:
        """Say whether the file is its newest version and nothing is under way."""
        found = self._all()
        try:
            held = self.now()
            if not found:
                return held is None
            return not found[-1].is_pending and (held == found[-1].content or _is_huge(held))
        except BadInput:  # nothing can be kept of what cannot be read
            return True

    def settle(self, time: int) -> None:
        """End what a killed process began, and keep what was changed by hand."""
        self._recover()
        held, newest = self.now(), self.newest()
        known = None if newest is None else newest.content
        if held == known or _is_huge(held):
            return
        name = self._name((newest.number if newest else 0) + 1, time, "removed" if held is None else "edited")
        self._disk.make(self.folder)
        self._disk.replace(self.folder / name, held or b"")

    def add(self, content: bytes | None, kind: str, time: int) -> int:
        """Make a new version (None: delete the file) of a settled strategy and return its number."""
        newest = self.newest()
        number = (newest.number if newest else 0) + 1
        name = self._name(number, time, kind)
        self._disk.make(self.folder)
        pending = self.folder / f"pending-{name}"
        self._disk.replace(pending, content or b"")
        if content is None:
            self._disk.remove(self.current)
        else:
            self._disk.replace(self.current, content)
        self._disk.rename(pending, self.folder / name)
        return number

    def _recover(self) -> None:
        for folder in (self.folder, self.current.parent):
            for path in folder.glob(".*.partial") if folder.is_dir() else ():
                self._disk.remove(path)
        for pending in [one for one in self._all() if one.is_pending]:
            newest = self.newest()
            if self.now() == (None if newest is None else newest.content):
                self._disk.remove(pending.path)
            else:
                self._disk.rename(pending.path, self.folder / pending.path.name.removeprefix("pending-"))

    def _all(self) -> list[Kept]:
        """Return what is kept and what is pending, the newest last."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        matches = [match for name in names if (match := _NAME.fullmatch(name))]
        found = [Kept(int(m[2]), int(m[3]), m[4], self.folder / m[0], bool(m[1])) for m in matches]
        return sorted(found, key=lambda one: (one.is_pending, one.number, one.time))

    @staticmethod
    def _name(number: int, time: int, kind: str) -> str:
        return f"{number:06d}-{time}-{kind}.json"


def _is_huge(content: bytes | None) -> bool:
    return content is not None and len(content) > MAX_BYTES
