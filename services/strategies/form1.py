"""Strategy form 1: indicators that vote on each bar, turned into trees."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from services.strategies.forms import Form, Symbol
from trading.strategies import AllOf, AnyOf, Compare, Price, Ref, RuleStrategy, Series, Study, Tunable
from trading.strategies.tree import Constant, Tree

Level = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, description="use a number from 0 to 100")]
Switch = Annotated[bool, Field(description="use true or false")]


class RsiForm(Form):
    """Settings of the relative strength index."""

    period: Annotated[int, Field(ge=2, le=500, description="use a whole number from 2 to 500")] = 14
    buy_below: Level = 30.0
    sell_above: Level = 70.0

    @model_validator(mode="after")
    def _in_order(self) -> RsiForm:
        if self.buy_below >= self.sell_above:
            raise ValueError(f"buy_below {self.buy_below:g} is not allowed with sell_above {self.sell_above:g}; "
                             "buy_below must be smaller")
        return self


class EmaForm(Form):
    """Settings of the exponential average."""

    period: Annotated[int, Field(ge=2, le=1000, description="use a whole number from 2 to 1000")] = 20
    buy_crosses_above: Switch = True
    sell_crosses_below: Switch = True


class IndicatorsForm(Form):
    """The indicators that vote; at least one."""

    # The default is never validated, so a left-out indicator is fine while a written `null` is refused.
    rsi: Annotated[RsiForm, Field(description="use an object like {\"period\": 14}")] = None  # type: ignore[assignment]
    ema: Annotated[EmaForm, Field(description="use an object like {\"period\": 20}")] = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _not_empty(self) -> IndicatorsForm:
        if self.rsi is None and self.ema is None:
            raise ValueError("{} is not allowed; name at least one of rsi, ema")
        return self


class Form1(Form):
    """Strategy form 1."""

    symbol: Symbol
    indicators: Annotated[IndicatorsForm, Field(description="use an object with rsi, ema or both")]


def strategy_of_form1(form: Form1, name: str) -> RuleStrategy:
    """Return the same votes as trees: entry and exit hold when any vote does, and cancel out."""
    rsi, ema = form.indicators.rsi, form.indicators.ema
    entry: list[Tree] = []
    leave: list[Tree] = []
    parameters: dict[str, Tunable] = {}
    if rsi is not None:
        index = Series(Study("rsi", (("period", Ref("rsi.period")),), "rsi"))
        entry.append(Compare(index, "<", Constant(Ref("rsi.buy_below"))))
        leave.append(Compare(index, ">", Constant(Ref("rsi.sell_above"))))
        parameters |= {"rsi.period": _searched(rsi.period, 5, 30),
                       "rsi.buy_below": _searched(rsi.buy_below, 15, 40, 2.5),
                       "rsi.sell_above": _searched(rsi.sell_above, 60, 85, 2.5)}
    if ema is not None:
        average = Series(Study("ema", (("period", Ref("ema.period")),), "ema"))
        entry.append(_switched(Compare(Series(Price("close")), "crosses_above", average), ema.buy_crosses_above))
        leave.append(_switched(Compare(Series(Price("close")), "crosses_below", average), ema.sell_crosses_below))
        parameters["ema.period"] = _searched(ema.period, 5, 100)
    return RuleStrategy(name, (form.symbol,), AnyOf(tuple(entry)), AnyOf(tuple(leave)), parameters)


def _searched(value: float, low: float, high: float, step: float = 1.0) -> Tunable:
    """Return a number with the range that is worth a search, wider where the number itself lies outside."""
    return Tunable(value, min(low, value), max(high, value), step)


def _switched(vote: Tree, on: bool) -> Tree:
    """Return the vote; switched off it is listened to and never counts."""
    return vote if on else AllOf((vote, AnyOf(())))
