"""Who votes on a market, and how that came to be: lines that are only ever added, the newest last."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from models.manifest import is_id
from trading.domain.learning import Appointment
from trading.errors import StateFailed

KINDS = ("promoted", "rolled back", "by hand", "refused", "silenced")
SEATED = ("promoted", "rolled back", "by hand")
BY_A_PERSON = ("rolled back", "by hand")


@dataclass(frozen=True, slots=True)
class Office:
    """Who holds the place on a market: the champion and those before, the newest last; whether the champion votes.

    A roll back takes its model from those before, so that the next one goes further back; `served` are all who ever
    held the place. What a person silenced stays silent when a challenger is promoted, until a person appoints again.
    `said` is the last reason given about each version.
    """

    champion: str = ""
    before: tuple[str, ...] = ()
    votes: bool = False
    served: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, history: Sequence[Appointment]) -> Office:
        """Return who holds the place after a history."""
        before: list[str] = []
        served: set[str] = set()
        champion, votes, silenced = "", False, False
        for line in history:
            if line.kind == "silenced":
                votes, silenced = False, True
            elif line.kind in SEATED:
                silenced = silenced and line.kind not in BY_A_PERSON
                if line.kind == "rolled back" and line.version in before:
                    while before.pop() != line.version:
                        pass
                elif champion and champion != line.version:
                    before.append(champion)
                served.add(line.version)
                champion, votes = line.version, not silenced
        return cls(champion, tuple(before), votes, frozenset(served), {line.version: line.reason for line in history})

    @property
    def predecessor(self) -> str:
        """Who a roll back would appoint: the last one before that is another; empty without one."""
        return next((version for version in reversed(self.before) if version != self.champion), "")


def read(path: Path) -> tuple[Appointment, ...]:
    """Return all appointments of a file, oldest first; a line that a crash cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise StateFailed(f"{path} cannot be read ({error}); restore it from a backup or remove it") from None
    return tuple(line for text in lines if (line := _line(text)) is not None)


def add(path: Path, line: Appointment) -> None:
    """Add an appointment durably.

    Raises
    ------
    StateFailed
        The disk is full or read-only.
    """
    body = json.dumps(asdict(line), sort_keys=True, separators=(",", ":")).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell() and not _ends_whole(file.fileno(), file.tell()):
                body = b"\n" + body
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StateFailed(f"{path} cannot be written ({error}): make room or allow writing") from None


def _ends_whole(number: int, size: int) -> bool:
    os.lseek(number, size - 1, os.SEEK_SET)
    return os.read(number, 1) == b"\n"


def _line(text: str) -> Appointment | None:
    try:
        found = Appointment(**json.loads(text))
    except (TypeError, ValueError):
        return None
    named = isinstance(found.version, str) and (is_id(found.version) or not found.version)
    return found if named and found.kind in KINDS else None
