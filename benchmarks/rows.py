"""What a benchmark prints."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table: what was measured, our figure, and how it was taken.

    Where there is a peer: its figure, the ratio of the two in the same run, the limit loop's, and how far trades and
    equity agree.
    """

    what: str
    figure: str
    note: str
    peer: str = ""
    ratio: str = ""
    limit: str = ""
    agreement: str = ""


TITLES = Row("what", "ours", "note", "peer", "ratio", "limit loop", "agreement with the peer")


def line(row: Row) -> str:
    """Return a row as a line of a Markdown table, the note last."""
    return "| " + " | ".join((row.what, row.figure, *row[3:], row.note)) + " |"
