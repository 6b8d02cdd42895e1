"""Strategy form 2: conditions in words ("< 30", "crosses above signal"), read by a grammar, never evaluated.

    condition = [subject] (comparison | crossing) [object]
    comparison = "<" | "<=" | ">" | ">=" | "above" | "below"
    crossing = ("cross" | "crosses" | "crossing" | "crossed") ("above" | "below")
    object = number | "signal" | "zero" | price | indicator key

The subject is the condition's indicator, or a price when one stands first ("price crosses above ema"). An entry needs
all of its conditions, an exit one of its.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from services.strategies.forms import Form, Symbol, shown
from trading.errors import BadInput
from trading.folding import step_ms
from trading.indicators import parse_key
from trading.strategies.tree import PRICES

INDICATOR_NAMES = ("rsi", "macd", "ema")
CONDITION_USE = ('use words like "< 30", "crosses above 50" or "> signal"')
_TOKEN = re.compile(r"\s*(<=|>=|<|>|-?\d+(?:\.\d+)?|[a-z]+(?:_?\d+(?:\.\d+)?)*(?:_[a-z0-9.]+)*)", re.ASCII)
_CROSS = ("cross", "crosses", "crossing", "crossed")
_SIDES = {"above": ">", "below": "<"}


class _Grammar:
    """One condition's words, taken from the left."""

    def __init__(self, indicator: str, text: str) -> None:
        self._indicator = indicator
        self._words = _tokens(text)

    def read(self) -> dict[str, Any]:
        """Return the comparison as version 2 writes it."""
        subject = self._subject()
        op = self._operator()
        right = self._object(subject)
        if self._words:
            raise ValueError
        return {"left": subject, "op": op, "right": right}

    def _subject(self) -> str:
        if self._words and (self._words[0] in ("price", *PRICES) or self._is_mine(self._words[0])):
            return self._operand(self._words.pop(0))
        return self._indicator

    def _is_mine(self, word: str) -> bool:
        return word == self._indicator or word == parse_key(self._indicator)[0]

    def _operator(self) -> str:
        word = self._words.pop(0)
        if word in _CROSS:
            return {"above": "crosses_above", "below": "crosses_below"}[self._words.pop(0)]
        if word in _SIDES:
            return _SIDES[word]
        if word not in ("<", "<=", ">", ">="):
            raise ValueError
        return word

    def _object(self, subject: str) -> Any:
        if not self._words and subject in PRICES:
            return self._indicator
        return self._operand(self._words.pop(0))

    def _operand(self, word: str) -> Any:
        if re.fullmatch(r"-?\d+(?:\.\d+)?", word):
            return float(word)
        if word == "signal" and parse_key(self._indicator)[0] == "macd":
            return "macd.signal"
        if word in ("price", *PRICES):
            return "close" if word == "price" else word
        if word == "zero":
            return 0
        if self._is_mine(word):
            return self._indicator
        parse_key(word)
        return word


def read_condition(indicator: str, text: str) -> dict[str, Any]:
    """Return a condition's text as a comparison of version 2.

    Raises
    ------
    ValueError
        Words that the grammar does not know.
    """
    try:
        return _Grammar(indicator, text).read()
    except (ValueError, KeyError, IndexError, BadInput):
        raise ValueError(f"{shown(text)} is not allowed; {CONDITION_USE}") from None


def _tokens(text: str) -> list[str]:
    words, place, text = [], 0, text.strip().lower()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError
        words.append(match[1])
        place = match.end()
    return words


def _readable(text: str) -> str:
    _tokens_or_refuse(text)
    return text


def _tokens_or_refuse(text: str) -> None:
    try:
        _tokens(text)
    except ValueError:
        raise ValueError(f"{shown(text)} is not allowed; {CONDITION_USE}") from None


class ConditionForm(Form):
    """One condition of form 2."""

    indicator: Annotated[Literal["rsi", "macd", "ema"], Field(description="use one of rsi, macd, ema")]
    condition: Annotated[str, Field(max_length=100, description=CONDITION_USE), AfterValidator(_readable)]
    timeframe: Annotated[Literal["1m", "5m", "15m", "1h", "4h", "1d"],
                         Field(description="use one of 1m, 5m, 15m, 1h, 4h, 1d")] = "1m"


Conditions = Annotated[list[ConditionForm], Field(max_length=50, description="use a list of conditions")]


class ConfigForm(Form):
    """Strategy form 2 (StrategyConfig)."""

    strategy_name: Annotated[str, Field(min_length=1, max_length=255, description="use a text")]
    symbol: Symbol
    entry_conditions: Conditions
    exit_conditions: Conditions
    created_at: Annotated[str | int | float | None, Field(description="use a time")] = None
    notes: Annotated[str | None, Field(max_length=3_900, description="use a text")] = None


def document_of_form2(form: ConfigForm) -> dict[str, Any]:
    """Return form 2 as a document of version 2.

    Raises
    ------
    ValueError
        A condition that the grammar does not know; the message begins with its place.
    """
    frames = [one.timeframe for one in (*form.entry_conditions, *form.exit_conditions)]
    interval = min(frames, key=step_ms, default=None)
    document: dict[str, Any] = {"version": 2, "name": form.strategy_name, "symbols": [form.symbol]}
    if interval is not None:
        document["timeframe"] = interval
    entry = _trees("entry_conditions", form.entry_conditions, interval)
    leave = _trees("exit_conditions", form.exit_conditions, interval)
    document |= {"entry": {"all": entry} if entry else {"any": []}, "exit": {"any": leave}}
    created = f"Created {form.created_at}." if form.created_at not in (None, "") else ""
    notes = " ".join(text for text in (form.notes, created) if text)
    return document | ({"notes": notes} if notes else {})


def _trees(field: str, conditions: list[ConditionForm], interval: str | None) -> list[dict[str, Any]]:
    found = []
    for number, one in enumerate(conditions):
        try:
            tree = read_condition(one.indicator, one.condition)
        except ValueError as error:
            raise ValueError(f"{field}[{number}].condition: {error}") from None
        if one.timeframe != interval:
            tree = tree | {side: _framed(tree[side], one.timeframe) for side in ("left", "right")}
        found.append(tree)
    return found


def _framed(operand: Any, timeframe: str) -> Any:
    if not isinstance(operand, str):
        return operand
    if operand in PRICES:
        return {"price": operand, "timeframe": timeframe}
    name, parameters, output = parse_key(operand)
    return {"indicator": name, "parameters": parameters, "output": output, "timeframe": timeframe}
