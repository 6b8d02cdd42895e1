"""The cockpit's version and that of its trading code, part of every result."""

from functools import cache

from trading.compiled import source_hash

VERSION = "0.1.0"


@cache
def code_version() -> str:
    """Return a short hash over the sources of the trading core, read once."""
    return source_hash()
