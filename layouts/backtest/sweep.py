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
Grid = tuple[Any, Any, Any]


def grid_of(document: Mapping[str, Any], name: str) -> Grid:
    """Return low, high and step that a document gives a parameter, Nones where it gives none."""
    known = document.get("parameters")
    found = known.get(name) if isinstance(known, Mapping) else None
    if not isinstance(found, Mapping):
        return None, None, None
    return found.get("low"), found.get("high"), found.get("step")


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
    made = {}
    for axis, name in zip(AXES, names, strict=True):
        grid = grid_of(strategy.document, name) if strategy else (None, None, None)
        made[axis] = [name, *grid]
    return made


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
