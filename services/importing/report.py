"""What an import found, for people (`text`) and for programs (`document`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from trading.folding import Gap

LISTED = 10_000  # findings listed one by one in a report; counts are always whole
SHOWN = 20  # findings and gaps shown to a person


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one row. `row` counts the file's lines (Parquet: rows) from 1, 0 = not in the file."""

    row: int
    open_time: int | None
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        where = f"line {self.row}" if self.row else "absent"
        when = "no time" if self.open_time is None else utc(self.open_time)
        return f"{where}, {when}: {self.kind}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Result of one file: what was read, kept, dropped and why.

    `dropped` rows are not in the candles; `noted` rows are (sorted in, cut short) or are absent from the file
    (`missing_bar`). Both list at most the first `LISTED`; `counts` by kind are whole. `gaps` are the holes among the
    kept bars, dropped ones included. `error` says why nothing at all could be kept.
    """

    path: str
    symbol: str = ""
    interval: str = ""
    rows_read: int = 0
    rows_kept: int = 0
    dropped: tuple[Finding, ...] = ()
    noted: tuple[Finding, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def rows_dropped(self) -> int:
        """Rows of the file that are not in the candles."""
        return self.rows_read - self.rows_kept

    def text(self) -> str:
        """Return the report as lines for a person."""
        if self.error:
            return f"{self.path}: NOT IMPORTED: {self.error}"
        head = f"{self.path}: {self.symbol} {self.interval}: {self.rows_read:,} rows read, {self.rows_kept:,} kept"
        lines = [f"{head}, {self.rows_dropped:,} dropped"]
        lines += [f"  {kind}: {n:,}" for kind, n in sorted(self.counts.items())]
        lines += _shown("dropped", self.dropped) + _shown("noted", self.noted)
        lines += _shown("gap", [f"{utc(first)}: {n:,} bars missing" for first, n in self.gaps])
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def document(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "path": self.path,
            "symbol": self.symbol,
            "interval": self.interval,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_dropped": self.rows_dropped,
            "counts": dict(self.counts),
            "dropped": [_finding_document(f) for f in self.dropped],
            "noted": [_finding_document(f) for f in self.noted],
            "gaps": [{"first_missing_open_time": first, "n_missing": n} for first, n in self.gaps],
            "notes": list(self.notes),
            "error": self.error or None,
        }


def utc(time_ms: int) -> str:
    """Return a time as `2022-06-18 00:00` UTC (with seconds where they are not 0)."""
    try:
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{time_ms} ms"
    return moment.strftime("%Y-%m-%d %H:%M" + (":%S" if moment.second else ""))


def count_kinds(findings: list[Finding]) -> dict[str, int]:
    """Return the number of findings of each kind."""
    return dict(Counter(f.kind for f in findings))


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "row": finding.row,
        "open_time": finding.open_time,
        "kind": finding.kind,
        "detail": finding.detail,
    }


def _shown(title: str, items: Any) -> list[str]:
    lines = [f"  {title}: {item}" for item in items[:SHOWN]]
    rest = len(items) - SHOWN
    return [*lines, f"  {title}: ... and {rest:,} more"] if rest > 0 else lines
