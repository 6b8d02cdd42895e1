"""What was tried, kept in a file: a line a candidate, in the order in which they were evaluated."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from services.automl.figures import LEAST_INSIDE, Figures


@dataclass(frozen=True, slots=True)
class Tried:
    """One evaluated candidate.

    `group` says which symbols it was judged on, `key` is the hash of what it is (`genome`: rules, or numbers by name),
    `figures` are those of the search's own windows, `score` what the search compares; `step` the generation or batch.
    """

    number: int
    group: int
    key: str
    genome: Any
    figures: Figures
    score: float
    step: int
    windows: tuple[float, ...] = ()


class TrialLog:
    """The file of a study's trials; what was written after the last checkpoint is cut off when it resumes."""

    def __init__(self, path: Path, n_sure: int) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines()[:n_sure] if path.exists() else []
        self.rows: list[Tried] = [_tried(json.loads(line)) for line in lines]
        if len(lines) < n_sure:
            raise ValueError(f"{path}: {len(lines)} lines, {n_sure} were written")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, "".join(line + "\n" for line in lines))

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, rows: Iterable[Tried]) -> None:
        """Append trials."""
        new = list(rows)
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(_line(row) + "\n" for row in new)
            settle(file)  # a checkpoint that comes after never names lines that the disk has not
        self.rows += new


def read_trials(path: Path) -> list[Tried]:
    """Return the trials of a file; a line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [_tried(json.loads(line)) for line in lines if line.endswith("\n")]


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all, also when the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        settle(file)
    partial.replace(path)


def settle(file: IO[str]) -> None:
    """Have what was written on the disk before anything that follows."""
    file.flush()
    os.fsync(file.fileno())


def best_first(rows: Sequence[Tried]) -> list[Tried]:
    """Return trials by score, the earlier of equals first."""
    return sorted(rows, key=lambda row: (-row.score, row.number))


def on_front(rows: Sequence[Tried]) -> set[int]:
    """Return the numbers of those that no other beats in both Sharpe ratio and largest drawdown.

    Who hardly traded lost nothing and proves nothing: fewer trades than the gate wants are left out.
    """
    front, shallowest = set(), float("inf")
    for row in sorted(rows, key=lambda r: (-r.figures.sharpe, r.figures.max_drawdown, r.number)):
        if row.figures.max_drawdown < shallowest and row.figures.n_trades >= LEAST_INSIDE:
            front.add(row.number)
            shallowest = row.figures.max_drawdown
    return front


def _line(row: Tried) -> str:
    document = {"number": row.number, "group": row.group, "key": row.key, "genome": row.genome,
                "figures": list(row.figures), "score": row.score, "step": row.step, "windows": list(row.windows)}
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def _tried(found: dict[str, Any]) -> Tried:
    return Tried(found["number"], found["group"], found["key"], found["genome"], Figures(*found["figures"]),
                 found["score"], found["step"], tuple(found["windows"]))
