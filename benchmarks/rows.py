"""What a benchmark prints."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table: what was measured, the figure, and what it compares with or how it was taken."""

    what: str
    figure: str
    note: str
