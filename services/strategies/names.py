"""Names of the user's strategies: symbols and ids that are safe as names of folders and files, however they were given.

An id is lower case letters, digits and dashes; the symbol before or after it (`btcusdt-dips`, `BTCUSDT_strategy_dips`,
`dips_BTCUSDT`) says nothing new and is taken off.
"""

from __future__ import annotations

import re
import unicodedata

from services.strategies.forms import shown
from trading.errors import BadInput

MAX_ID = 60
ID_USE = f"use 1 to {MAX_ID} lower case letters, digits and dashes between them, like rsi-dips"
SYMBOL_USE = "use 2 to 30 letters and digits, like BTCUSDT"
_ID = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*", re.ASCII)
_SYMBOL = re.compile(r"[A-Z0-9]+(?:[._-][A-Z0-9]+)*", re.ASCII)
_PAIR = re.compile(r"([A-Za-z0-9]+)/([A-Za-z0-9]+)", re.ASCII)
_OLD_NAME = re.compile(r"([A-Za-z0-9._-]{2,30}?)_strategy_(.+)", re.ASCII)
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
"""Names of devices, which Windows takes for files in every folder (Microsoft, Naming Files, Paths, and Namespaces)."""


def symbol_of(text: object) -> str:
    """Return a symbol as folders are named: `btc/usdt` -> `BTCUSDT`.

    Raises
    ------
    BadInput
        No symbol, or one that cannot be the name of a folder everywhere.
    """
    if isinstance(text, str) and len(text) <= 31 and text.isascii():
        pair = _PAIR.fullmatch(text)
        name = ("".join(pair.groups()) if pair else text).upper()
        if 2 <= len(name) <= 30 and _SYMBOL.fullmatch(name) and not _is_taken(name.lower()):
            return name
    raise BadInput(f"symbol: {shown(text)} is not allowed; {SYMBOL_USE}")


def _is_taken(name: str) -> bool:
    """Say whether a folder of that name would be a device or stand for another file where letters have no case."""
    return name.partition(".")[0] in RESERVED or name.endswith((".json", ".versions", ".lock"))


def id_of(text: object, symbol: str) -> str:
    """Return an id without its symbol: `BTCUSDT_strategy_dips` -> `dips`.

    Raises
    ------
    BadInput
        What is left is no id.
    """
    found = _bare(text, symbol) if isinstance(text, str) and len(text) <= 200 else ""
    if not is_id(found):
        raise BadInput(f"id: {shown(text)} is not allowed; {ID_USE}")
    return found


def is_id(text: str) -> bool:
    """Say whether a text is an id as files are named."""
    return len(text) <= MAX_ID and bool(_ID.fullmatch(text)) and text not in RESERVED


def _bare(text: str, symbol: str) -> str:
    """Take the symbol off both ends as long as it stands there and something is left."""
    name = re.escape(symbol)
    around = re.compile(rf"(?:{name}_strategy_|{name}[-_])(?P<after>.+)|(?P<before>.+)[-_]{name}", re.I | re.A)
    while match := around.fullmatch(text):
        text = match["after"] or match["before"]
    return text


def slug(text: str) -> str:
    """Return the id that is nearest to a name of any kind: `RSI dips (1h)` -> `rsi-dips-1h`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_ID].strip("-")
    return found if is_id(found) else f"strategy-{found}".strip("-")[:MAX_ID]


def numbered(name: str, number: int) -> str:
    """Return the second, third ... id of a name, within the length that ids have."""
    end = "" if number == 1 else f"-{number}"
    return name[: MAX_ID - len(end)].rstrip("-") + end


def split_file_name(stem: str) -> tuple[str, str]:
    """Return (symbol or nothing, the rest) of a file's name: `btcusdt_strategy_dips` -> (`BTCUSDT`, `dips`)."""
    match = _OLD_NAME.fullmatch(stem)
    if match is None:
        return "", stem
    try:
        return symbol_of(match[1]), match[2]
    except BadInput:
        return "", stem


def pinned(text: str) -> tuple[str, int | None]:
    """Return a name and the version that it names: `BTCUSDT/dips@5` -> `BTCUSDT/dips`, 5; None for the newest."""
    ref, _, number = text.rpartition("@")
    return (ref, int(number)) if ref and number.isdecimal() else (text, None)


def pin(ref: str, version: int) -> str:
    """Return a name with its version, without one where it has none."""
    return f"{ref}@{version}" if version else ref
