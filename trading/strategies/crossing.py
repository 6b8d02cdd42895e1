"""Where one column crosses another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.compiled import lean_njit
from trading.domain import FloatArray


def crossings(left: FloatArray, right: FloatArray, before: tuple[float, float], above: bool) -> NDArray[np.bool_]:
    """Return where `left` crosses `right`, `(n_rows,)`: on or on the other side one row earlier, beyond now.

    `before` are both values one row before the first; what is not a number does not cross.
    """
    out = np.empty(len(left), np.bool_)
    if len(out):
        _loop(left, right, before, above, out)
    return out


@lean_njit
def _loop(left: FloatArray, right: FloatArray, before: tuple[float, float], above: bool,
          out: NDArray[np.bool_]) -> None:
    if above:
        out[0] = (left[0] > right[0]) & (before[0] <= before[1])
        for row in range(1, len(left)):
            out[row] = (left[row] > right[row]) & (left[row - 1] <= right[row - 1])
    else:
        out[0] = (left[0] < right[0]) & (before[0] >= before[1])
        for row in range(1, len(left)):
            out[row] = (left[row] < right[row]) & (left[row - 1] >= right[row - 1])
