"""A sweep as plain SVG text: a heat map with its scale and values, or a line where one parameter was swept."""

from __future__ import annotations

import math
from html import escape

import numpy as np

from layouts import text
from layouts.report_charts import BOTTOM, RIGHT, TOP, WIDTH, Scale, frame, path, value_axis
from trading.domain.backtests import Plateau

LEFT = 66
MOST_WRITTEN = 28  # columns of cells that are wide enough for their value


def chart(plateau: Plateau) -> str:
    """Draw a sweep over one or two parameters."""
    if plateau.values.shape[0] == 1 and not plateau.y_name:
        return line(plateau)
    return heat(plateau)


def line(plateau: Plateau, height: int = 240) -> str:
    """Draw the figure of merit over the one parameter that was swept, the chosen value ringed."""
    values = [float(v) for v in plateau.values[0]]
    known = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    air = (max(known) - min(known)) * 0.08 or abs(known[0]) * 0.1 or 1.0
    up = Scale(min(known) - air, max(known) + air, height - BOTTOM, TOP)
    across = Scale(plateau.x[0], plateau.x[-1], 30, WIDTH - RIGHT - 30)
    x = [across.at(v) for v in plateau.x]
    dots = "".join(
        f'<circle class="dot{_chosen(plateau, at)}" cx="{a:.1f}" cy="{up.at(v):.1f}" r="5">'
        f"<title>{escape(f'{plateau.x_name} {at:g}: {text.number(v)}')}</title></circle>"
        for a, at, v in zip(x, plateau.x, values, strict=True)
        if math.isfinite(v)
    )
    drawn = f'<path class="line equity" d="{path(x, [up.at(v) for v in values])}"/>'
    words = f"{plateau.figure} over {plateau.x_name}"
    return frame(height, words, value_axis(up, text.number), drawn, dots, _below(plateau, x, height))


def _chosen(plateau: Plateau, at: float) -> str:
    return " chosen" if plateau.chosen is not None and plateau.chosen[0] == at else ""


def _below(plateau: Plateau, x: list[float], height: int) -> str:
    every = max(1, math.ceil(len(x) / 12))
    return "".join(
        f'<text class="mid" x="{x[i]:.1f}" y="{height - 4}">{plateau.x[i]:g}</text>' for i in range(0, len(x), every)
    )


def heat(plateau: Plateau, height: int = 340) -> str:
    """Draw the figure of merit over both parameters, each cell with its value where there is room."""
    n_y, n_x = plateau.values.shape
    wide, tall = (WIDTH - RIGHT - LEFT) / n_x, (height - 2 * BOTTOM) / n_y
    top = float(np.nanmax(np.abs(plateau.values))) if np.isfinite(plateau.values).any() else 1.0
    cells = [
        _cell(plateau, (i, j), (LEFT + j * wide, (n_y - 1 - i) * tall, wide, tall), top or 1.0)
        for i, j in np.ndindex(n_y, n_x)
        if math.isfinite(plateau.values[i, j])
    ]
    below = _below(plateau, [LEFT + (j + 0.5) * wide for j in range(n_x)], height - BOTTOM)
    beside = "".join(
        f'<text class="end" x="{LEFT - 6}" y="{(n_y - 0.5 - i) * tall + 5:.1f}">{plateau.y[i]:g}</text>'
        for i in range(0, n_y, max(1, math.ceil(n_y / 12)))
    )
    words = f"{plateau.figure} over {plateau.x_name} and {plateau.y_name}"
    return frame(height, words, *cells, below, beside, _key(plateau, top or 1.0, height))


def _ink(value: float, top: float) -> str:
    return f"{0.08 + 0.62 * abs(value) / top:.2f}"


def _cell(plateau: Plateau, at: tuple[int, int], place: tuple[float, float, float, float], top: float) -> str:
    (i, j), (x, y, wide, tall) = at, place
    value, point = float(plateau.values[i, j]), (plateau.x[j], plateau.y[i])
    said = f"{plateau.x_name} {point[0]:g}, {plateau.y_name} {point[1]:g}: {text.number(value)}"
    look = ("gain" if value >= 0 else "loss") + (" chosen" if point == plateau.chosen else "")
    box = (
        f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{wide - 1:.1f}" height="{tall - 1:.1f}" '
        f'fill-opacity="{_ink(value, top)}"><title>{escape(said)}</title></rect>'
    )
    if plateau.values.shape[1] > MOST_WRITTEN or tall < 18:
        return box
    middle = f'x="{x + wide / 2:.1f}" y="{y + tall / 2 + 5:.1f}"'
    return box + f'<text class="mid value-in" {middle}>{text.number(value)}</text>'


def _key(plateau: Plateau, top: float, height: int) -> str:
    low = -top if np.nanmin(np.nan_to_num(plateau.values)) < 0 else 0.0
    steps = np.linspace(top, low, 7)
    tall, x = (height - 2 * BOTTOM) / len(steps), WIDTH - RIGHT + 10
    return "".join(
        f'<rect class="{"gain" if v >= 0 else "loss"}" x="{x}" y="{n * tall:.1f}" width="14" height="{tall:.1f}" '
        f'fill-opacity="{_ink(v, top)}"/><text x="{x + 19}" y="{(n + 0.5) * tall + 5:.1f}">{text.number(v)}</text>'
        for n, v in enumerate(steps.tolist())
    )
