"""Files that are there whole or not at all, also after a power cut. Each method is one step that may be the last."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trading.errors import BadInput


class Disk:
    """Writes durably. A name changes hands only when what it will stand for is on the disk."""

    rights = 0o666
    """Of a new file, before the user's mask."""

    def make(self, folder: Path) -> None:
        """Make a folder and its parents."""
        if folder.is_dir():
            return
        self.make(folder.parent)
        folder.mkdir(exist_ok=True)
        self.sync(folder.parent)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file of a name that nobody reads yet; what a killed process left there goes, rights and all."""
        path.unlink(missing_ok=True)
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, self.rights)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: Path, new: Path) -> None:
        """Give a file its name, in the place of one that had it."""
        os.replace(old, new)
        self.sync(new.parent)

    def remove(self, path: Path) -> None:
        """Remove a file, where there is one."""
        path.unlink(missing_ok=True)
        self.sync(path.parent)

    def replace(self, path: Path, content: bytes) -> None:
        """Write a file aside, then give it its name."""
        aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self.write(aside, content)
        self.rename(aside, path)

    def sync(self, folder: Path) -> None:
        """Bring the names in a folder to the disk (Windows has no such call; its renames are journalled)."""
        if os.name == "nt":
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class PrivateDisk(Disk):
    """For what nobody else on the computer may read."""

    rights = 0o600


def read(path: Path, most: int) -> bytes | None:
    """Return at most that many bytes of a plain file, None where there is none (a folder, a pipe, a device).

    Raises
    ------
    BadInput
        There is one that cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        with path.open("rb") as file:
            return file.read(most)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); look at its rights") from None
