"""Operands of strategy documents, version 2: numbers, parameters, prices and indicators as strict forms."""

from __future__ import annotations

import re
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.strategies.forms import Form, shown
from trading.domain import INTERVAL_MS
from trading.errors import BadInput
from trading.indicators import INDICATORS, parse_key
from trading.strategies.tree import MAX_AGO, MAX_BARS, PRICES

NAME = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*"
NAME_SHAPE = re.compile(NAME, re.ASCII)
LARGEST = 1e12
MAX_KEY = 40
TIMEFRAMES = tuple(INTERVAL_MS)
OPERAND_USE = ('use a number, a parameter like "$rsi.period", a price ' + f"({', '.join(PRICES)}), "
               'an indicator key like "ema_200" or an object with indicator, price, highest or lowest')
AMOUNT_USE = 'use a number or a parameter like "$rsi.period"'


def _amount(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("$") and NAME_SHAPE.fullmatch(value[1:]) and len(value) <= 64:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST and isfinite(value):
        return value
    raise ValueError(f"{shown(value)} is not allowed; {AMOUNT_USE}")


def _word(value: Any) -> Any:
    """Check an operand that is not an object."""
    if not isinstance(value, str) or value.startswith("$"):
        try:
            return _amount(value)
        except ValueError:
            raise ValueError(f"{shown(value)} is not allowed; {OPERAND_USE}") from None
    if value not in PRICES:
        try:
            parse_key(value)
        except BadInput as error:
            if len(value) > MAX_KEY:
                raise ValueError(f"{shown(value)} is not allowed; {OPERAND_USE}") from None
            told = str(error)
            raise ValueError(told if repr(value) in told else f"{value!r}: {told}") from None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not allowed; use a number")
    return _amount(value)


PARAMETER = {"type": "string", "pattern": rf"^\${NAME}$", "description": "a parameter, like $rsi.period"}
_NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
Amount = Annotated[Any, BeforeValidator(_amount), WithJsonSchema({"anyOf": [_NUMBER, PARAMETER]}),
                   Field(description=AMOUNT_USE)]
Count = Annotated[Any, BeforeValidator(_amount), WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_BARS}, PARAMETER]}),
    Field(description=f"use a whole number up to {MAX_BARS} or a parameter")]
Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema(_NUMBER), Field(description="use a number")]
Timeframe = Annotated[Literal["1m", "5m", "15m", "1h", "4h", "1d"],
                      Field(description=f"use one of {', '.join(TIMEFRAMES)}")]
Column = Annotated[Literal["open", "high", "low", "close", "volume"],
                   Field(description=f"use one of {', '.join(PRICES)}")]
Word = Annotated[Any, BeforeValidator(_word), WithJsonSchema({"anyOf": [
    _NUMBER, PARAMETER, {"enum": list(PRICES)},
    {"type": "string", "pattern": r"^[a-z]+(_[a-z]+)*(_\d+(\.\d+)?)*(\.[a-z_]+)?$",
     "description": f"an indicator key; known are {', '.join(INDICATORS)}"}]})]


class _Series(Form):
    timeframe: Timeframe = None  # type: ignore[assignment]
    ago: Annotated[Count, Field(description=f"use a whole number from 0 to {MAX_AGO} or a parameter")] = 0
    times: Amount = 1.0
    plus: Amount = 0.0


def _indicator(name: str) -> str:
    if name not in INDICATORS:
        raise ValueError(f"{shown(name)} is no indicator; known are {', '.join(INDICATORS)}")
    return name


class IndicatorForm(_Series):
    """An indicator's output."""

    indicator: Annotated[str, AfterValidator(_indicator), WithJsonSchema({"enum": list(INDICATORS)}),
                         Field(description=f"use one of {', '.join(INDICATORS)}")]
    parameters: Annotated[dict[str, Amount], Field(max_length=10, description="use an object of numbers")] = Field(
        default_factory=dict)
    output: str | None = None

    @model_validator(mode="after")
    def _known(self) -> IndicatorForm:
        row = INDICATORS[self.indicator]
        names = tuple(p.name for p in row.parameters)
        for name in self.parameters:
            if name not in names:
                raise ValueError(f"unknown parameter {shown(name)}; {row.name} takes {', '.join(names) or 'none'}")
        if self.output is not None and self.output not in row.outputs:
            raise ValueError(f"unknown output {shown(self.output)}; {row.name} has {', '.join(row.outputs)}")
        return self


class PriceForm(_Series):
    """A price of the bars."""

    price: Column


class HighestForm(_Series):
    """The highest of the last bars."""

    highest: Column
    bars: Count


class LowestForm(_Series):
    """The lowest of the last bars."""

    lowest: Column
    bars: Count


def _kind_of_operand(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{key}>" for key in ("indicator", "price", "highest", "lowest") if key in value), None)
    return "<word>" if not isinstance(value, list | Form) else None


def refused(kind: Any, use: str) -> Any:
    """Return what turns a value of no known kind into one sentence."""
    def validator(value: Any) -> Any:
        if kind(value) is None:
            raise PydanticCustomError("strategy", "{error}", {"error": f"{shown(value)} is not allowed; {use}"})
        return value
    return BeforeValidator(validator)


Operand = Annotated[
    Annotated[IndicatorForm, Tag("<indicator>")] | Annotated[PriceForm, Tag("<price>")]
    | Annotated[HighestForm, Tag("<highest>")] | Annotated[LowestForm, Tag("<lowest>")]
    | Annotated[Word, Tag("<word>")],
    Discriminator(_kind_of_operand), refused(_kind_of_operand, OPERAND_USE), Field(description=OPERAND_USE)]
OPERANDS: dict[str, Any] = {"<indicator>": IndicatorForm, "<price>": PriceForm, "<highest>": HighestForm,
                            "<lowest>": LowestForm, "<word>": Form}
