"""Symbol and interval from a file's name, columns from a file's header."""

from __future__ import annotations

import re
from pathlib import Path

from storage.candle_store import SYMBOL
from trading.domain import INTERVAL_MS, split_symbol
from trading.errors import BadCandles

# BTCUSDT-1m-2022-06-12, BTCUSDT_1h, UNITTEST_BTC-1m-holes; "1mo" is the archive's name of a month.
_WITH_INTERVAL = re.compile(r"(?:binance_)?([a-z0-9_.]+?)[-_ ](\d+(?:s|m|h|d|w|mo|min))(?:[-_. ].*)?", re.IGNORECASE)
_ALONE = re.compile(r"[a-z0-9]{2,20}", re.IGNORECASE)
BINANCE_COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "trades",
    "taker_buy_base",
    "taker_buy_quote",
    "ignore",
)
NEEDED = BINANCE_COLUMNS[:6]
USED = BINANCE_COLUMNS[:10]
# Spellings seen in the wild, letters and digits only, lower case; the first that a header holds is taken.
_SPELLINGS = {
    "open_time": (
        "opentime",
        "timestamp",
        "datetime",
        "unix",
        "unixtime",
        "date",
        "time",
        "ts",
        "indexlevel0",
        "index",
    ),
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "highprice"),
    "low": ("low", "l", "lowprice"),
    "close": ("close", "c", "closeprice"),
    "volume": ("volume", "v", "vol", "basevolume", "volumebase", "basevol"),
    "close_time": ("closetime",),
    "quote_volume": ("quotevolume", "quoteassetvolume", "volumequote", "quotevol", "qav"),
    "trades": ("trades", "count", "numberoftrades", "numtrades", "tradecount", "ntrades"),
    "taker_buy_base": (
        "takerbuybase",
        "takerbuyvolume",
        "takerbuybasevolume",
        "takerbuybaseassetvolume",
        "tbbav",
    ),
}


def named(path: Path) -> tuple[str | None, str | None]:
    """Return symbol and interval that a file's name tells, None where it does not."""
    stem = path.name.split(".")[0] if path.name.count(".") == 1 else path.name.rsplit(".", 1)[0]
    match = _WITH_INTERVAL.fullmatch(stem)
    if match:
        return match[1].upper(), match[2].lower()
    return (stem.upper(), None) if _ALONE.fullmatch(stem) else (None, None)


def settle_name(path: Path, symbol: str | None, interval: str | None) -> tuple[str, str | None]:
    """Return symbol and interval of a file, what is given winning over what its name tells.

    Raises
    ------
    BadCandles
        No symbol can be told, or the interval is one that the cockpit does not know.
    """
    by_name = named(path)
    symbol, interval = (symbol or by_name[0] or "").upper(), interval or by_name[1]
    if not SYMBOL.fullmatch(symbol):
        raise BadCandles(f"{path}: no symbol in the file's name; name it like BTCUSDT-1m.csv or give the symbol")
    if interval is not None and interval not in INTERVAL_MS:
        raise BadCandles(f"{path}: interval {interval} is not supported; use one of {', '.join(INTERVAL_MS)}")
    return symbol, interval


def find_columns(header: list[str], symbol: str) -> dict[str, int]:
    """Return column -> position for a header in any common spelling; columns that it lacks are left out."""
    spelled = [_letters(name) for name in header]
    base, quote = (_letters(part) for part in split_symbol(symbol))
    extra = {"volume": (f"volume{base}",), "quote_volume": (f"volume{quote}",)}
    found = {}
    for column, spellings in _SPELLINGS.items():
        position = next((spelled.index(s) for s in (*spellings, *extra.get(column, ())) if s in spelled), None)
        if position is not None:
            found[column] = position
    return found


def is_header(cells: list[str], symbol: str) -> bool:
    """Say whether cells name the four prices."""
    return {"open", "high", "low", "close"} <= set(find_columns(cells, symbol))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
