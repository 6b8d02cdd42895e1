"""The dialog that asks for two parameters to be swept over their grids."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from layouts import ids, parts
from trading.domain.backtests import StrategyChoice

AXES = {"x": "Across", "y": "Up"}
LABELS = {"name": "Parameter", "low": "from", "high": "to", "step": "step"}
MOST_RUNS = 20_000
MOST_PROPOSED = 30  # values of an axis that are proposed as the document has them
NARROWED = 19  # values of an axis that was narrowed: two of them stay below 400 runs
Grid = tuple[Any, Any, Any]


def grid_of(document: Mapping[str, Any], name: str, most: int = MOST_PROPOSED) -> Grid:
    """Return low, high and step to propose for a parameter, Nones where the document gives it no range.

    A range of more than `most` values is narrowed to between half and twice the present value, in coarser steps.
    """
    known = document.get("parameters")
    found = known.get(name) if isinstance(known, Mapping) else None
    if not isinstance(found, Mapping):
        return None, None, None
    grid = found.get("low"), found.get("high"), found.get("step")
    try:
        return grid if size(grid, name) <= most else _around(found.get("value"), grid)
    except ValueError:
        return grid


def _around(value: Any, grid: tuple[float, float, float]) -> Grid:
    low, high, step = grid
    middle = value if isinstance(value, int | float) and low <= value <= high else (low + high) / 2
    near = sorted((middle / 2, middle * 2)) if middle else (low, high)
    below, above = max(low, near[0]), min(high, near[1])
    coarse = step * max(1, math.ceil((above - below) / step / (NARROWED - 2)))
    first = middle - math.floor((middle - below) / coarse + 1e-9) * coarse
    last = first + math.floor((above - first) / coarse + 1e-9) * coarse
    return round(first, 9), round(last, 9), round(coarse, 9)


def size(grid: Grid, name: str) -> int:
    """Count the values of a grid.

    Raises
    ------
    ValueError
        When it is not a grid; the text names the parameter.
    """
    low, high, step = grid
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in grid):
        raise ValueError(f"{name}: enter from, to and step")
    if step <= 0 or high < low:
        raise ValueError(f"{name}: 'to' must not be below 'from', and 'step' must be above 0")
    return math.floor((high - low) / step + 1e-9) + 1


def text_of(typed: list[tuple[str | None, Grid]]) -> str:
    """Write the grids as the request wants them: `rsi.period=5:30:1,rsi.buy_below=20:40:5`.

    Raises
    ------
    ValueError
        When no parameter is chosen, one is chosen twice, a grid is none, or there are too many runs.
    """
    chosen = [(name, grid) for name, grid in typed if name]
    names = [name for name, _ in chosen]
    if not chosen:
        raise ValueError("choose at least one parameter")
    if len(set(names)) < len(names):
        raise ValueError(f"{names[0]} is chosen twice: choose two different parameters")
    n_runs = math.prod(size(grid, name) for name, grid in chosen)
    if n_runs > MOST_RUNS:
        raise ValueError(f"{n_runs:,} runs are more than {MOST_RUNS:,}: use larger steps (or --mode backtest --sweep)")
    return ",".join(f"{name}={low:g}:{high:g}:{step:g}" for name, (low, high, step) in chosen)


def note(typed: list[tuple[str | None, Grid]]) -> tuple[str, bool]:
    """Say how many runs it will be, or what is missing; and whether it can be started."""
    try:
        text_of(typed)
    except ValueError as error:
        return str(error), False
    sizes = [size(grid, name) for name, grid in typed if name]
    total = math.prod(sizes)
    return f"{' × '.join(map(str, sizes))} = {total:,} runs, each counted as a trial", True


def filled(strategy: StrategyChoice | None) -> dict[str, list[Any]]:
    """Return what the dialog proposes for a strategy: its first two parameters with their grids."""
    names = list(strategy.parameters[:2]) if strategy else []
    names += [""] * (2 - len(names))
    return {axis: [name, *grid] for axis, name, grid in zip(AXES, names, _proposed(strategy, names), strict=True)}


def _proposed(strategy: StrategyChoice | None, names: list[str]) -> list[Grid]:
    """Return grids for parameters, narrowed where they would be too many runs together."""
    document = strategy.document if strategy else {}
    grids = [grid_of(document, name) for name in names]
    try:
        many = math.prod(size(grid, name) for grid, name in zip(grids, names, strict=True) if name) > NARROWED**2
    except ValueError:
        return grids
    return [grid_of(document, name, NARROWED) for name in names] if many else grids


def options(strategy: StrategyChoice | None) -> list[dict[str, str]]:
    """Return the parameters to choose from."""
    named = [{"label": name, "value": name} for name in (strategy.parameters if strategy else ())]
    return [{"label": "none" if named else "this strategy has none", "value": ""}, *named]


def dialog(strategy: StrategyChoice | None) -> dbc.Modal:
    """Draw the dialog."""
    values = filled(strategy)
    rows = [
        html.Div([_field(axis, field, strategy, values) for field in LABELS], className="sweep-axis") for axis in AXES
    ]
    said, ready = note([(name, (low, high, step)) for name, low, high, step in values.values()])
    body = [
        html.P(
            "Every combination is run on the same candles. Look for a plateau: a lone peak is luck.",
            className="muted",
        ),
        *rows,
        html.Div(said, id=ids.BT_SWEEP_NOTE, className="sweep-note", role="status"),
    ]
    foot = [
        html.Button("Close", id=ids.BT_SWEEP_CANCEL, className="btn-line"),
        html.Button("▶ Run the sweep", id=ids.BT_SWEEP_GO, className="big go", disabled=not ready),
    ]
    pieces = [dbc.ModalHeader(dbc.ModalTitle("Sweep two parameters")), dbc.ModalBody(body), dbc.ModalFooter(foot)]
    return dbc.Modal(pieces, id=ids.BT_SWEEP_MODAL, is_open=False, centered=True)


def _field(axis: str, field: str, strategy: StrategyChoice | None, values: dict[str, list[Any]]) -> html.Div:
    value = values[axis][list(LABELS).index(field)]
    if field == "name":
        control: Any = dbc.Select(options(strategy), value, id=ids.sweep(axis, field), size="sm")
        return parts.field(AXES[axis], control)
    box = dbc.Input(id=ids.sweep(axis, field), type="number", value=value, step="any", size="sm")
    return parts.field(LABELS[field], box)
