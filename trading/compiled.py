"""Compile with numba, with a disk cache that notices every changed source.

numba's own cache does not see that a compiled function *imported from another file* changed, so the cache
folder carries a hash of all sources of the trading core.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic

cgutils: Any = _cgutils
ir: Any = cgutils.ir
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


def lean_njit(function: F, inline: bool = True) -> F:
    """Compile a function that only reads and writes arrays it was given.

    Such code needs no reference counts; numba's own would cost more than most steps (`_nrt` is its option to leave
    them out). Dividing by zero gives inf, NaN or 0, as in numpy, instead of a branch that raises.
    """
    options = {"error_model": "numpy", "_nrt": False, "forceinline": inline}
    return cast(F, numba.njit(cache=True, nogil=True, **options)(function))  # type: ignore[call-overload]


def _fetch(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer, word = cgutils.voidptr_t, ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
    call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    column = context.make_array(signature.args[0])(context, builder, arguments[0])
    place = builder.bitcast(builder.gep(column.data, [arguments[1]]), pointer)
    builder.call(call, [place, word(0), word(3), word(1)])  # to read, to keep, data
    return context.get_dummy_value()


@intrinsic
def _ask(_: Any, column: Any, row: Any) -> Any:
    return types.void(column, row), _fetch


def _do_nothing(_: Any, __: int) -> None:
    """Plain Python has no use for the hint."""


ask: Any = _do_nothing if numba.config.DISABLE_JIT else _ask  # type: ignore[attr-defined]


@lean_njit
def fetch(column: Any, row: int) -> None:
    """Ask for a row of a column that will be read soon: a hint to the processor, without any effect on values."""
    ask(column, row)
