"""The format of strategy documents, version 2, as strict forms; `schema` of it is shipped."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from services.strategies.forms import Form, Symbol, shown
from services.strategies.operands import (
    NAME_SHAPE,
    OPERANDS,
    Count,
    Number,
    Operand,
    Timeframe,
    refused,
)
from trading.controls import RANGES
from trading.domain import RiskProfile
from trading.strategies.reasons import DAY_NAMES

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
MAX_TERMS, MAX_SYMBOLS, MAX_PARAMETERS, MAX_NOTES = 50, 100, 50, 4_000
COMPARISONS = ("<", "<=", ">", ">=", "crosses_above", "crosses_below")
WHOLE_RISK = {field.name for field in fields(RiskProfile) if field.type in (int, "int")}
TREE_USE = "use an object with all, any, not, left + op + right, rising, falling or time"


def _kind_of_tree(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    found = next((key for key in ("all", "any", "not", "rising", "falling", "time") if key in value), None)
    compares = any(key in value for key in ("left", "op", "right"))
    return f"<{found}>" if found else "<compare>" if compares else None


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
    Discriminator(_kind_of_tree), refused(_kind_of_tree, TREE_USE), Field(description=TREE_USE)]


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
    if not NAME_SHAPE.fullmatch(name) or len(name) > 60:
        raise ValueError(f"{shown(name)} is not allowed; use a name like rsi.period")
    return name


def _risk(values: dict[str, float]) -> dict[str, float]:
    for name, value in values.items():
        if name not in RANGES:
            raise ValueError(f"{shown(name)} is unknown; known here are {', '.join(RANGES)}")
        low, high, text = RANGES[name]
        if not low <= value <= high:
            raise ValueError(f"{name}: {shown(value)} is out of range; use {text}")
        if name in WHOLE_RISK and value != int(value):
            raise ValueError(f"{name}: {shown(value)} is no whole number; use {text}")
    return values


_RISK_SCHEMA = {"type": "object", "additionalProperties": False, "properties": {
    name: {"type": "integer" if name in WHOLE_RISK else "number", "minimum": low, "maximum": high, "description": text}
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


TAGGED: dict[str, Any] = OPERANDS | {
    "<all>": AllForm, "<any>": AnyForm, "<not>": NotForm, "<compare>": CompareForm, "<rising>": RisingForm,
    "<falling>": FallingForm, "<time>": TimeForm}
for _form in (AllForm, AnyForm, NotForm, Version2Form):
    _form.model_rebuild()
