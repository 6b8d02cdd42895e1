"""Figures as traders read them: real minus signs, thousands separators, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from trading.domain import split_symbol

Number = Decimal | float | int
NOTHING = "–"


def number(value: Number | None, decimals: int = 2) -> str:
    """Write `-1234.5` as `−1,234.50`."""
    if value is None:
        return NOTHING
    return f"{value:,.{decimals}f}".replace("-", "−") if round(value, decimals) else f"{0:.{decimals}f}"


def signed(value: Number | None, decimals: int = 2) -> str:
    """Write the sign also of a gain: `+8.47`."""
    if value is None:
        return NOTHING
    return ("+" if round(value, decimals) > 0 else "") + number(value, decimals)


def percent(fraction: float | None, decimals: int = 1) -> str:
    """Write a fraction as `57.4 %`."""
    return NOTHING if fraction is None else f"{number(fraction * 100, decimals)} %"


def signed_percent(fraction: float | None, decimals: int = 2) -> str:
    """Write a fraction as `+0.74 %`."""
    return NOTHING if fraction is None else f"{signed(fraction * 100, decimals)} %"


def tone(value: Number | None, decimals: int = 4) -> str:
    """Class that colours a gain or a loss; what is written as zero has no colour."""
    rounded = 0 if value is None else round(value, decimals)
    return "up" if rounded > 0 else "down" if rounded < 0 else ""


def clock(time_ms: int) -> str:
    """Time of day of UTC milliseconds."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%H:%M:%S")


def moment(time_ms: int) -> str:
    """Day and time of UTC milliseconds."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%d %b %H:%M")


def span(milliseconds: float) -> str:
    """Write a length of time in its two largest units: `27 m 53 s`."""
    seconds = max(0, int(milliseconds // 1000))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    units = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    while len(units) > 2 and not units[0][0]:
        units.pop(0)
    return " ".join(f"{n:02d} {unit}" if i else f"{n} {unit}" for i, (n, unit) in enumerate(units[:2]))


def age(milliseconds: int) -> str:
    """Write the age of something fresh: `0.2 s`, then as a span."""
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 60_000 else span(milliseconds)


def plural(n: int, word: str) -> str:
    """Count: `1 position`, `3 positions`."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def short(name: str) -> str:
    """Leave out what follows a comma: `Simulated market, seed 7`."""
    return name.split(",", maxsplit=1)[0]


def typeset(words: str) -> str:
    """Give figures in words their minus sign and the space before `%`: `−1.01 % a trade`."""
    return re.sub(r"(?<=\d)%", " %", re.sub(r"(?<![\w.-])-(?=\.?\d)", "−", words))


def date(time_ms: int) -> str:
    """Day of UTC milliseconds: `2024-01-31`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def minute(time_ms: int) -> str:
    """Day and minute of UTC milliseconds: `2024-01-31 14:05`."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def symbol(name: str) -> str:
    """Write a symbol as traders do: `BTC/USDT`."""
    return "/".join(split_symbol(name))
