"""A planted bug: a unified diff of one line, with words for it and the test that is known to find it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
WORDS, TEST = "Planted: ", "Found by: "


@dataclass(frozen=True)
class Patch:
    """`before` and `after` are the lines of its one hunk, with their context."""

    name: str
    words: str
    test: str
    path: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def module(self) -> str:
        """Name of the module that it changes."""
        return self.path.removesuffix(".py").replace("/", ".")

    def applied(self, source: str) -> str:
        """Return a source with the bug in it; ValueError when it does not fit exactly once."""
        lines, n = source.split("\n"), len(self.before)
        places = [at for at in range(len(lines) - n + 1) if tuple(lines[at:at + n]) == self.before]
        if len(places) != 1:
            raise ValueError(f"{self.name}.patch fits {self.path} in {len(places)} places, 1 is needed: make it anew")
        (at,) = places
        return "\n".join([*lines[:at], *self.after, *lines[at + n:]])


def read(path: Path) -> Patch:
    """Read a patch file; ValueError when it changes anything but one line."""
    head, body = path.read_text().split("\n@@", 1)
    lines = body.split("\n")[1:]
    hunk = [line or " " for line in lines[:-1]]
    n_removed, n_added = (sum(line[0] == sign for line in hunk) for sign in "-+")
    if (n_removed, n_added) != (1, 1) or any(line[0] not in " -+" for line in hunk):
        raise ValueError(f"{path.name} takes {n_removed} lines and adds {n_added}: it must change one")
    named = {start: line.removeprefix(start) for line in head.split("\n")
             for start in (WORDS, TEST, "+++ b/") if line.startswith(start)}
    return Patch(path.stem, named[WORDS], named[TEST], named["+++ b/"],
                 tuple(line[1:] for line in hunk if line[0] != "+"), tuple(line[1:] for line in hunk if line[0] != "-"))


def all_patches() -> list[Patch]:
    """Return every planted bug, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.patch"))]
