"""Charts as plain SVG text, for a report that needs neither a script nor the network."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from layouts import text
from trading.domain import FloatArray, SeriesView
from trading.domain.backtests import BacktestCurve

WIDTH, RIGHT, BOTTOM, TOP = 1000, 76, 22, 8
MOST_POINTS = 1_000
FILLED = ("drawdown", "exposure")
Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values stand: `low` at the bottom or left, `high` at the top or right."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value in pixels."""
        return self.begin + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.begin)


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Return round values from low to high."""
    if not high > low:
        return [low]
    step = 10 ** math.floor(math.log10((high - low) / n))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= n)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def frame(height: int, name: str, *inside: str) -> str:
    """Wrap shapes; `name` is read out."""
    label = escape(name, quote=True)
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(inside)}</svg>'


def path(x: Sequence[float], y: Sequence[float]) -> str:
    """Join the points that are numbers."""
    points = [(a, b) for a, b in zip(x, y, strict=True) if math.isfinite(a) and math.isfinite(b)]
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points) if points else ""


def thinned(n: int) -> np.ndarray:
    """Return the rows that are drawn: at most about a thousand, first and last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).astype(int)) if n else np.zeros(0, int)


def peaks(column: FloatArray, rows: np.ndarray) -> FloatArray:
    """Return for each drawn row the value farthest from zero until the next one, so that no short visit is lost."""
    if not len(column):
        return column
    high, low = np.fmax.reduceat(column, rows), np.fmin.reduceat(column, rows)
    return np.where(-low > high, low, high)


def value_axis(scale: Scale, write: Write) -> str:
    """Draw round values with their lines."""
    rows = []
    for value in ticks(scale.low, scale.high):
        y = scale.at(value)
        rows.append(f'<line class="grid" x1="0" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        rows.append(f'<text class="side" x="{WIDTH - RIGHT + 6}" y="{y + 5:.1f}">{escape(write(value))}</text>')
    return "".join(rows)


def _time_axis(curve: BacktestCurve | SeriesView, across: Scale, height: int) -> str:
    times = np.linspace(across.low, across.high, 8)[1:-1]
    return "".join(
        f'<text class="mid" x="{across.at(t):.1f}" y="{height - 4}">{text.date(int(t))}</text>' for t in times
    )


def lines(
    curve: BacktestCurve | SeriesView, height: int, columns: dict[str, FloatArray], name: str, write: Write
) -> str:
    """Draw columns over the curve's time; each takes the class of its key."""
    if not len(curve.time):
        return ""
    rows = thinned(len(curve.time))
    values = np.concatenate([column for column in columns.values() if len(column)])
    values = values[np.isfinite(values)]
    across = Scale(float(curve.time[0]), float(curve.time[-1]), 0, WIDTH - RIGHT)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    air = (high - low) * 0.04 or abs(high) * 0.01 or 1.0
    up = Scale(low - air, high + air, height - BOTTOM, TOP)
    x = [across.at(t) for t in curve.time[rows].tolist()]
    drawn = [
        _drawn(kind, x, [up.at(v) for v in _thin(kind, column, rows).tolist()], up)
        for kind, column in columns.items()
        if len(column)
    ]
    return frame(height, name, value_axis(up, write), *drawn, _time_axis(curve, across, height))


def _thin(kind: str, column: FloatArray, rows: np.ndarray) -> FloatArray:
    return peaks(column, rows) if kind in FILLED else column[rows]


def _drawn(kind: str, x: list[float], y: list[float], up: Scale) -> str:
    line = path(x, y)
    if not line:
        return ""
    ground = up.at(0.0) if up.low <= 0 <= up.high else up.begin
    area = f'<path class="area {kind}" d="{line}L{x[-1]:.1f} {ground:.1f}L{x[0]:.1f} {ground:.1f}Z"/>'
    stroke = f'<path class="line {kind}" d="{line}"/>'
    return area + stroke if kind in FILLED else stroke


def histogram(edges: FloatArray, counts: Sequence[int], height: int = 200) -> str:
    """Draw how many trades returned how much."""
    if not len(counts):
        return ""
    across = Scale(float(edges[0]), float(edges[-1]), 0, WIDTH - RIGHT)
    up = Scale(0.0, max(counts) * 1.05 or 1.0, height - BOTTOM, TOP)
    bars = []
    for low, high, n in zip(edges[:-1].tolist(), edges[1:].tolist(), counts, strict=True):
        left, right, y = across.at(low) + 1, across.at(high) - 1, up.at(n)
        tone = "gain" if low + high > 0 else "loss"
        bars.append(
            f'<rect class="{tone}" x="{left:.1f}" y="{y:.1f}" width="{max(1.0, right - left):.1f}" '
            f'height="{up.begin - y:.1f}"><title>{text.percent(low, 2)} to {text.percent(high, 2)}: {n}</title></rect>'
        )
    words = "".join(
        f'<text class="mid" x="{across.at(v):.1f}" y="{height - 4}">{text.percent(v)}</text>'
        for v in ticks(across.low, across.high, 8)
    )
    return frame(height, "Returns of the trades", value_axis(up, lambda v: f"{v:g}"), *bars, words)
