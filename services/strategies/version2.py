"""The format of strategy documents, version 2, as strict forms; `schema` of it is shipped."""

from __future__ import annotations

import re
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.strategies.forms import Form, Symbol, shown
from trading.controls import RANGES
from trading.domain import INTERVAL_MS
from trading.errors import BadInput
from trading.indicators import INDICATORS, parse_key
from trading.strategies.reasons import DAY_NAMES
from trading.strategies.tree import MAX_AGO, MAX_BARS, PRICES

NAME = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*"
_NAME = re.compile(NAME, re.ASCII)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
LARGEST = 1e12
MAX_KEY = 40
MAX_TERMS, MAX_SYMBOLS, MAX_PARAMETERS, MAX_NOTES = 50, 100, 50, 4_000
TIMEFRAMES = tuple(INTERVAL_MS)
COMPARISONS = ("<", "<=", ">", ">=", "crosses_above", "crosses_below")
OPERAND_USE = ('use a number, a parameter like "$rsi.period", a price ' + f"({', '.join(PRICES)}), "
               'an indicator key like "ema_200" or an object with indicator, price, highest or lowest')
TREE_USE = "use an object with all, any, not, left + op + right, rising, falling or time"
AMOUNT_USE = 'use a number or a parameter like "$rsi.period"'


def _amount(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("$") and _NAME.fullmatch(value[1:]) and len(value) <= 64:
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


PARAMETER = {"type": "string", "pattern": rf"^\${NAME}$", "description": "a parameter, like $rsi.period"}
_NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
Amount = Annotated[Any, BeforeValidator(_amount), WithJsonSchema({"anyOf": [_NUMBER, PARAMETER]}),
                   Field(description=AMOUNT_USE)]
Count = Annotated[Any, BeforeValidator(_amount), WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAX_BARS}, PARAMETER]}),
    Field(description=f"use a whole number up to {MAX_BARS} or a parameter")]
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


def _kind_of_tree(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    found = next((key for key in ("all", "any", "not", "rising", "falling", "time") if key in value), None)
    compares = any(key in value for key in ("left", "op", "right"))
    return f"<{found}>" if found else "<compare>" if compares else None


def _refused(kind: Any, use: str) -> Any:
    def validator(value: Any) -> Any:
        if kind(value) is None:
            raise PydanticCustomError("strategy", "{error}", {"error": f"{shown(value)} is not allowed; {use}"})
        return value
    return BeforeValidator(validator)


Operand = Annotated[
    Annotated[IndicatorForm, Tag("<indicator>")] | Annotated[PriceForm, Tag("<price>")]
    | Annotated[HighestForm, Tag("<highest>")] | Annotated[LowestForm, Tag("<lowest>")]
    | Annotated[Word, Tag("<word>")],
    Discriminator(_kind_of_operand), _refused(_kind_of_operand, OPERAND_USE), Field(description=OPERAND_USE)]
Trees = Annotated[list["Tree"],
                  Field(max_length=MAX_TERMS, description=f"use a list of at most {MAX_TERMS} conditions")]


class AllForm(Form):
    """Every condition holds."""

    all: Annotated[Trees, Field(min_length=1, description=f"use a list of 1 to {MAX_TERMS} conditions")]


class AnyForm(Form):
    """At least one condition holds; an empty list never does."""

    any: Trees


class NotForm(Form):
    """The condition is known not to hold."""

    not_: Annotated[Tree, Field(alias="not")]


class CompareForm(Form):
    """A comparison or a crossing (on or on the other side on the bar before, beyond now)."""

    left: Operand
    op: Annotated[Literal["<", "<=", ">", ">=", "crosses_above", "crosses_below"],
                  Field(description=f"use one of {', '.join(COMPARISONS)}")]
    right: Operand


class RisingForm(Form):
    """Each of the last bars above the one before."""

    rising: Operand
    bars: Count = 1


class FallingForm(Form):
    """Each of the last bars below the one before."""

    falling: Operand
    bars: Count = 1


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text) and text != "24:00":
        raise ValueError(f"{shown(text)} is not allowed; use a time of the UTC day like 08:30")
    return text


Clock = Annotated[str, AfterValidator(_clock), Field(description="use a time of the UTC day like 08:30")]
Weekday = Annotated[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                    Field(description=f"use one of {', '.join(DAY_NAMES)}")]


class HoursForm(Form):
    """Times of the UTC day, judged when the bar closes; over midnight when `to` is not after `from`."""

    from_: Annotated[Clock, Field(alias="from")] = "00:00"
    to: Clock = "24:00"
    days: Annotated[list[Weekday], Field(min_length=1, max_length=7, description="use a list of weekdays")] = Field(
        default_factory=lambda: list(DAY_NAMES))

    @model_validator(mode="after")
    def _some_time(self) -> HoursForm:
        if self.from_ in (self.to, "24:00"):
            raise ValueError(f"from {self.from_} to {self.to} is no stretch of time; use two different times")
        return self


class TimeForm(Form):
    """A time of the day."""

    time: Annotated[HoursForm, Field(description='use an object like {"from": "08:00", "to": "20:00"}')]


Tree = Annotated[
    Annotated[AllForm, Tag("<all>")] | Annotated[AnyForm, Tag("<any>")] | Annotated[NotForm, Tag("<not>")]
    | Annotated[CompareForm, Tag("<compare>")] | Annotated[RisingForm, Tag("<rising>")]
    | Annotated[FallingForm, Tag("<falling>")] | Annotated[TimeForm, Tag("<time>")],
    Discriminator(_kind_of_tree), _refused(_kind_of_tree, TREE_USE), Field(description=TREE_USE)]
def _number(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not allowed; use a number")
    return _amount(value)


Number = Annotated[Any, BeforeValidator(_number), WithJsonSchema(_NUMBER), Field(description="use a number")]


class ParameterForm(Form):
    """A parameter: its value, and the range and step that a search may try."""

    value: Number
    low: Number
    high: Number
    step: Number = 1

    @model_validator(mode="after")
    def _in_range(self) -> ParameterForm:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value {self.value:g} is not allowed; use low <= value <= high")
        if self.step <= 0:
            raise ValueError(f"step {self.step:g} is not allowed; use a number above 0")
        return self


class RankForm(Form):
    """By what symbols compete, the highest first, and how many may be held."""

    by: Operand
    top_n: Annotated[int, Field(ge=1, le=MAX_SYMBOLS, description=f"use a whole number from 1 to {MAX_SYMBOLS}")] = 1


def _parameter_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > 60:
        raise ValueError(f"{shown(name)} is not allowed; use a name like rsi.period")
    return name


def _risk(values: dict[str, float]) -> dict[str, float]:
    for name, value in values.items():
        if name not in RANGES:
            raise ValueError(f"{shown(name)} is unknown; known here are {', '.join(RANGES)}")
        low, high, text = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{name}: {shown(value)} is out of range; use {text}")
        if name.startswith("max_positions") and value != int(value):
            raise ValueError(f"{name}: {shown(value)} is no whole number; use {text}")
    return values


_RISK_SCHEMA = {"type": "object", "additionalProperties": False, "properties": {
    name: {"type": "number", "minimum": low, "maximum": high, "description": text}
    for name, (low, high, text) in RANGES.items()}}
Text = Annotated[str, Field(min_length=1, max_length=255, description="use a text of 1 to 255 characters")]


class Version2Form(Form):
    """A strategy of version 2."""

    version: Annotated[Literal[2], Field(description="use 2")]
    name: Text = None  # type: ignore[assignment]
    symbols: Annotated[list[Symbol], Field(min_length=1, max_length=MAX_SYMBOLS,
                                           description='use a list of symbols like ["BTCUSDT"]')]
    timeframe: Timeframe = None  # type: ignore[assignment]
    side: Annotated[Literal["long", "short"], Field(description="use long, or short for research")] = "long"
    parameters: Annotated[
        dict[Annotated[str, AfterValidator(_parameter_name)], ParameterForm],
        Field(max_length=MAX_PARAMETERS, description="use an object of name: {value, low, high, step}")] = Field(
            default_factory=dict)
    entry: Tree
    exit: Tree
    rank: Annotated[RankForm, Field(  # a left-out rank is fine while a written `null` is refused
        description='use an object like {"by": "rsi_14", "top_n": 2}')] = None  # type: ignore[assignment]
    risk: Annotated[dict[str, Number], AfterValidator(_risk), WithJsonSchema(_RISK_SCHEMA),
                    Field(description="use an object of risk settings")] = Field(default_factory=dict)
    notes: Annotated[str, Field(max_length=MAX_NOTES,
                                description=f"use a text of at most {MAX_NOTES} characters")] = ""


TAGGED: dict[str, Any] = {
    "<indicator>": IndicatorForm, "<price>": PriceForm, "<highest>": HighestForm, "<lowest>": LowestForm,
    "<word>": Form, "<all>": AllForm, "<any>": AnyForm, "<not>": NotForm, "<compare>": CompareForm,
    "<rising>": RisingForm, "<falling>": FallingForm, "<time>": TimeForm}
for _form in (AllForm, AnyForm, NotForm, Version2Form):
    _form.model_rebuild()
