"""Folders that are written whole and read with suspicion: what is in them, and that it is what was written."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from trading.errors import ModelRefused, StateFailed

PARTIAL = ".partial-"
AWAY = ".away-"
PICKLES = (".pkl", ".pickle", ".joblib", ".dill")
AGAIN = "train again, or remove the folder"


def sha256(body: bytes) -> str:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(body).hexdigest()


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder whole: aside, synced, renamed; a process killed at any moment leaves it whole or not at all.

    A folder that is there already is replaced.

    Raises
    ------
    StateFailed
        The disk is full or read-only; what was there stays.
    """
    partial = target.with_name(f"{PARTIAL}{target.name}")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, body in files.items():
            with (partial / name).open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
        sync_folder(partial)
        _swap(partial, target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise StateFailed(f"{target} cannot be written ({error}): make room or allow writing; train again") from None


def drop_leftovers(folder: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for path in folder.iterdir():
        if path.name.startswith((PARTIAL, AWAY)):
            shutil.rmtree(path, ignore_errors=True)


def drop_folder(target: Path) -> None:
    """Remove a folder; it is out of sight before the first of its files goes."""
    away = target.with_name(f"{AWAY}{target.name}")
    with contextlib.suppress(OSError):
        target.rename(away)
        shutil.rmtree(away, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, where the system can."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def check_names(folder: Path, known: tuple[str, ...]) -> None:
    """Refuse a folder that holds anything but plain files of known names, or lacks one of them.

    Raises
    ------
    ModelRefused
        It names the file.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise ModelRefused(f"{folder}: the folder of the model is missing; {AGAIN}")
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PICKLES:
            raise ModelRefused(f"{path}: a pickle can run code and is never loaded; remove it")
        if path.name not in known or path.is_symlink() or not path.is_file():
            raise ModelRefused(f"{path}: no file of the model; remove it")
    for name in known:
        if not (folder / name).is_file():
            raise ModelRefused(f"{folder / name} is missing; {AGAIN}")


def checked_bytes(path: Path, digest: str) -> bytes:
    """Return the bytes of a file that are still those that were written.

    Raises
    ------
    ModelRefused
        They are not, or cannot be read.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path} cannot be read ({error}); {AGAIN}") from None
    if sha256(body) != digest:
        raise ModelRefused(f"{path}: damaged or exchanged, its hash is not the one that was written; {AGAIN}")
    return body


def _swap(partial: Path, target: Path) -> None:
    if target.exists():
        drop_folder(target)
    partial.rename(target)
    sync_folder(target.parent)
