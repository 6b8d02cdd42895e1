"""How indicators are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.dispatcher import Dispatcher

from trading import compiled  # noqa: F401 (sets the folder of numba's disk cache)

F = TypeVar("F", bound=Callable[..., Any])


def njit(function: F) -> F:
    """Compile a function that only reads and writes arrays it was given.

    Such code needs no reference counts; numba's own would cost more than most steps (`_nrt` is its option to leave
    them out). Dividing by zero gives inf or NaN, as in numpy, instead of a branch that raises.
    """
    build = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)  # type: ignore[call-overload]
    return cast(F, build(function))


def entry_point(function: F, *arguments: object) -> F:
    """Return the machine code of a compiled function for arguments of these types, as a Python callable.

    A step takes less time than numba's dispatcher takes to look at the types of what it is given. The callable
    converts numbers, and knows only these types.
    """
    if not isinstance(function, Dispatcher):  # NUMBA_DISABLE_JIT
        return function
    signature = tuple(map(numba.typeof, arguments))
    function.compile(signature)
    compiled_for: Any = function.overloads[signature]
    return cast(F, compiled_for.entry_point)
