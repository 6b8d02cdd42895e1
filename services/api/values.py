"""What requests and answers are made of: money as decimal strings, times in UTC milliseconds, rates as fractions."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SYMBOL = r"^[A-Za-z0-9]{2,20}([/_.-][A-Za-z0-9]{1,10})?$"
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
MAX_TIME_MS = 4_102_444_800_000
"""The year 2100."""


class Told(BaseModel):
    """An answer, made from a value of the domain with the same names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class Asked(BaseModel):
    """The body of a request; a word that is not known is refused rather than passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


def plain(value: Any) -> Any:
    """Return a number as decimal text without an exponent."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value) if isinstance(value, float) else value


def finite(value: Any) -> Any:
    """Return None in place of what is no number."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Money = Annotated[str, BeforeValidator(plain), Field(pattern=r"^-?\d+(\.\d+)?$", examples=["10250.75"])]
Figure = Annotated[float | None, BeforeValidator(finite)]
Time = Annotated[int, Field(description="UTC milliseconds", examples=[1_704_067_200_000])]
Symbol = Annotated[str, Field(pattern=SYMBOL, description="in any case, with or without a slash", examples=["BTCUSDT"])]
SymbolInPath = Annotated[str, Path(pattern=SYMBOL, description="in any case", examples=["BTCUSDT"])]
NameInPath = Annotated[str, Path(pattern=NAME, examples=["rsi-dips"])]
Limit = Annotated[int, Query(ge=1, le=1_000, description="at most so many, the newest")]


def spelled(symbol: str) -> str:
    """Return a symbol as the cockpit writes it: `btc/usdt` -> `BTCUSDT`."""
    return symbol.upper().replace("/", "")


class RoundTrip(Told):
    """What was bought and sold again."""

    number: int
    symbol: str
    side: str
    quantity: Money
    entry_time: Time
    entry_price: Money
    exit_time: Time
    exit_price: Money
    fees: Money
    pnl: Money
    pnl_rate: Figure
    opened_by: str
    closed_because: str
