"""Run every combination of a grid, stream the results to a Parquet file, and say how much the best one is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from services.backtests.grid import Grid
from services.backtests.lineage import Ground, Trial
from services.backtests.rows import SWEPT, Rows, Work
from services.backtests.spread import Hands, spread
from trading.domain import FloatArray
from trading.domain.backtests import Plateau
from trading.errors import BadInput
from trading.metrics import pbo_cscv

ROW_GROUP = 1_024
FIGURE = "sharpe"
_BLOCKS, _MANY, _FEWER_BLOCKS = 16, 300, 10
_SHARPE = SWEPT.index(FIGURE)

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """A finished sweep; all columns have one row a combination, in the order of the grid."""

    grid: Grid
    rows: Rows
    path: str
    best: int
    pbo: float | None

    def trials(self, ground: Ground) -> list[Trial]:
        """Return what was tried."""
        return [ground.trial(name, None if np.isnan(sharpe) else float(sharpe))
                for name, sharpe in zip(self.rows.hashes, self.rows.bar_sharpe, strict=True) if name]


def sweep(work: Work, hands: Hands, target: Path | None, about: dict[str, object], progress: Progress) -> Swept:
    """Run a sweep; `target` gets the results while they come, whole or not at all.

    Raises
    ------
    BadInput
        The strategy allows none of the combinations.
    """
    parts = list(_watched(work, hands, _writer(work, target, about), progress))
    rows = Rows.joined(parts)
    if not any(rows.hashes):
        work.bench.with_parameters(work.grid.combination(0))  # says what is wrong with the first one
        raise BadInput("the strategy allows none of the combinations; correct the sweep")
    return Swept(work.grid, rows, str(target or ""), best_of(rows.figures[:, _SHARPE], rows.hashes),
                 overfitting(rows.returns))


def best_of(figures: FloatArray, hashes: Sequence[str]) -> int:
    """Return the row of the largest figure, the first of equals; the first that is allowed when none is known."""
    if np.isnan(figures).all():
        return next((row for row, name in enumerate(hashes) if name), 0)
    return int(np.nanargmax(figures))


def overfitting(returns: FloatArray) -> float | None:
    """Return the probability of backtest overfitting of returns `(n_combinations, n_periods)`; None for too few.

    Combinations that never traded cannot be ranked and are left out.
    """
    tried = returns[~np.isnan(returns).any(axis=1)]
    tried = tried[np.ptp(tried, axis=1) > 0]
    blocks = _BLOCKS if len(tried) <= _MANY else _FEWER_BLOCKS
    if len(tried) < 2 or tried.shape[1] < 2 * blocks:
        return None
    return float(pbo_cscv(np.ascontiguousarray(tried.T, np.float64), blocks, wide=True).pbo)


def plateau_of(swept: Swept) -> Plateau | None:
    """Return the Sharpe ratio over the first two parameters that vary, the others as in the best combination."""
    varying = [name for name, axis in zip(swept.grid.names, swept.grid.values, strict=True) if len(axis) > 1]
    if not varying:
        return None
    x_name = varying[0]
    y_name = varying[1] if len(varying) > 1 else next((n for n in swept.grid.names if n != x_name), "")
    cube = swept.rows.figures[:, _SHARPE].reshape([len(axis) for axis in swept.grid.values])
    best = swept.grid.combination(swept.best)
    places = [swept.grid.names.index(name) for name in (x_name, y_name) if name]
    at = tuple(slice(None) if place in places else axis.index(best[name]) for place, (name, axis)
               in enumerate(zip(swept.grid.names, swept.grid.values, strict=True)))
    face = cube[at]
    values = face.reshape(1, -1) if len(places) == 1 else face.T if places[0] < places[1] else face
    y = swept.grid.values[places[1]] if y_name else (0.0,)
    return Plateau(x_name, y_name, swept.grid.values[places[0]], y, np.ascontiguousarray(values), FIGURE,
                   (best[x_name], best[y_name] if y_name else 0.0))


def _watched(work: Work, hands: Hands, writer: ParquetRows, progress: Progress) -> Iterator[Rows]:
    n, done = len(work.grid), 0
    with writer:
        for rows in spread(work, hands):
            writer.add(rows)
            done += len(rows.hashes)
            progress(done / n, f"{done:,} of {n:,} combinations")
            yield rows
        writer.finish()


class ParquetRows:
    """Writes results in row groups of one size, so that the file is the same however the work was cut."""

    def __init__(self, names: tuple[str, ...], target: Path | None, about: dict[str, object]) -> None:
        self._target = target
        columns = [(name, pa.float64()) for name in (*names, *SWEPT, "bar_sharpe")]
        self._schema = pa.schema(columns, metadata={"cockpit": json.dumps(about, sort_keys=True)})
        self._waiting: list[FloatArray] = []
        self._n_waiting = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ParquetRows:
        if self._target is not None:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(self._partial, self._schema, compression="zstd")
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()
            self._partial.unlink(missing_ok=True)

    def add(self, rows: Rows) -> None:
        """Take in results; whole row groups are written."""
        if self._writer is None:
            return
        self._waiting.append(np.column_stack((rows.parameters, rows.figures, rows.bar_sharpe)))
        self._n_waiting += len(rows.hashes)
        while self._n_waiting >= ROW_GROUP:
            self._write(ROW_GROUP)

    def finish(self) -> None:
        """Write the rest and put the file in its place."""
        if self._writer is None or self._target is None:
            return
        if self._n_waiting:
            self._write(self._n_waiting)
        self._writer.close()
        self._writer = None
        self._partial.replace(self._target)

    @property
    def _partial(self) -> Path:
        assert self._target is not None
        return self._target.with_name(self._target.name + ".partial")

    def _write(self, n_rows: int) -> None:
        table = np.concatenate(self._waiting)
        self._waiting, self._n_waiting = [table[n_rows:]], len(table) - n_rows
        columns = [pa.array(column, from_pandas=True) for column in table[:n_rows].T]
        assert self._writer is not None
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=n_rows)


def _writer(work: Work, target: Path | None, about: dict[str, object]) -> ParquetRows:
    return ParquetRows(work.grid.names, target, about)
