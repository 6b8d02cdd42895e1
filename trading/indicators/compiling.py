"""How indicators are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from trading import compiled  # noqa: F401 (sets the folder of numba's disk cache)

F = TypeVar("F", bound=Callable[..., Any])


def njit(function: F) -> F:
    """Compile a function that only reads and writes arrays it was given.

    Such code needs no reference counts; numba's own would cost more than most steps (`_nrt` is its option to leave
    them out). Dividing by zero gives inf or NaN, as in numpy, instead of a branch that raises.
    """
    build = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
    return cast(F, build(function))
