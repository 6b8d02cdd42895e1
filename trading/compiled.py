"""Compile with numba, with a disk cache that notices every changed source.

numba's own cache does not see that a compiled function *imported from another file* changed, so the cache
folder carries a hash of all sources of the trading core.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).parent


def source_hash() -> str:
    """Return a short hash over every source file of the trading core."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(_ROOT.rglob("*.py")):
        digest.update(path.relative_to(_ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


numba.config.CACHE_DIR = str(_ROOT / "__pycache__" / f"numba-{source_hash()}")  # type: ignore[attr-defined]


def njit(function: F) -> F:
    """Compile without Python objects; the plain form stays reachable as `.py_func`."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def lean_njit(function: F) -> F:
    """Compile a function that only reads and writes arrays it was given.

    Such code needs no reference counts; numba's own would cost more than most steps (`_nrt` is its option to leave
    them out). Dividing by zero gives inf, NaN or 0, as in numpy, instead of a branch that raises.
    """
    build = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)  # type: ignore[call-overload]
    return cast(F, build(function))
