"""Which errors of the log nobody was told of on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

LATE_MS = 60_000
RECORD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) ([A-Z]+) (\S+): (.*)")
BAD = ("Traceback (most recent call last)", "Exception ignored", "Exception in thread", "ERROR:", "CRITICAL:")
"""What is no record of ours, or hides in a milder one."""

JOURNAL = {
    "agent ": "abstains",
    "a job of the broker failed": "internal error",
    "the desk of ": "in quarantine",
    "an event of the account failed": "in quarantine",
    "a check of the account failed": "a check of the account failed",
    "a commit failed": "nothing is entered",
    "an order's intent could not be kept": "nothing is entered",
    "a quarantine could not be kept": "in quarantine",
    "the kill switch could not be kept": "kill switch",
    "the connection to the venue failed": "the connection to the venue failed",
}
"""How an error of the log begins, and what the journal says of it; an error that is not here was told to nobody."""


@dataclass(frozen=True, slots=True)
class Error:
    """An error of the log: UTC ms (0: it has no time), and its first line."""

    time: int
    text: str


def errors_of(lines: Iterable[str]) -> list[Error]:
    """Return records of level ERROR and above, and tracebacks outside of them."""
    found: list[Error] = []
    time, inside = 0, False
    for line in lines:
        record = RECORD.match(line)
        if record:
            moment, ms, level, _, text = record.groups()
            time = int(datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").timestamp() * 1000) + int(ms)
            inside = level in ("ERROR", "CRITICAL")
            if inside:
                found.append(Error(time, text))
        elif not inside and line.startswith(BAD):
            found.append(Error(time, line.rstrip()))
            inside = True
    return found


def untold(errors: Iterable[Error], journal: Sequence[tuple[int, str]]) -> list[Error]:
    """Return the errors whose words stood in the journal (time, text) neither before nor within a minute."""
    def is_told(error: Error) -> bool:
        words = next((words for begin, words in JOURNAL.items() if error.text.startswith(begin)), None)
        return words is not None and any(words in text for time, text in journal if time <= error.time + LATE_MS)

    return [error for error in errors if not is_told(error)]
