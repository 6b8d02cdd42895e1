"""How indicators are compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.dispatcher import Dispatcher

from trading import compiled

F = TypeVar("F", bound=Callable[..., Any])


def njit(function: F) -> F:
    """Compile a step or a loop over it as `compiled.lean_njit` does, leaving it to the compiler what to inline."""
    return compiled.lean_njit(function, inline=False)


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
