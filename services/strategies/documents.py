"""From a strategy to its document of version 2."""

from __future__ import annotations

from typing import Any

from trading.errors import BadInput
from trading.indicators import format_key, parse_key
from trading.strategies import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Extreme,
    Hours,
    Negation,
    Price,
    Ref,
    RuleStrategy,
    Series,
    Study,
    Trend,
    Tunable,
)
from trading.strategies.reasons import DAY_NAMES, clock
from trading.strategies.tree import Amount, Operand, Source, Tree

Document = dict[str, Any]


def to_document(strategy: RuleStrategy) -> Document:
    """Return version 2 of a strategy; `parse_strategy` of it is the same strategy."""
    found: Document = {"version": 2, "name": strategy.name, "symbols": list(strategy.symbols)}
    if strategy.interval is not None:
        found["timeframe"] = strategy.interval
    found["side"] = strategy.side
    if strategy.parameters:
        found["parameters"] = {name: _tunable(one) for name, one in strategy.parameters.items()}
    found |= {"entry": _tree(strategy.entry), "exit": _tree(strategy.exit)}
    if strategy.rank is not None:
        found["rank"] = {"by": _operand(strategy.rank.by), "top_n": strategy.rank.top_n}
    if strategy.risk:
        found["risk"] = dict(strategy.risk)
    return found | ({"notes": strategy.notes} if strategy.notes else {})


def _tunable(one: Tunable) -> Document:
    return {name: _plain(getattr(one, name)) for name in ("value", "low", "high", "step")}


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _amount(value: Amount) -> Any:
    return f"${value.name}" if isinstance(value, Ref) else _plain(value)


def _tree(tree: Tree) -> Document:
    match tree:
        case AllOf(terms):
            return {"all": [_tree(term) for term in terms]}
        case AnyOf(terms):
            return {"any": [_tree(term) for term in terms]}
        case Negation(term):
            return {"not": _tree(term)}
        case Compare(left, op, right):
            return {"left": _operand(left), "op": op, "right": _operand(right)}
        case Trend(operand, sign, bars):
            return {"rising" if sign > 0 else "falling": _operand(operand), "bars": _amount(bars)}
        case Hours(start, end, days):
            return {"time": {"from": clock(start), "to": clock(end), "days": [DAY_NAMES[day] for day in days]}}


def _operand(operand: Operand) -> Any:
    if isinstance(operand, Constant):
        return _amount(operand.value)
    rest = _rest(operand)
    word = None if rest else _word(operand.source)
    return word or _source(operand.source) | rest


def _rest(series: Series) -> Document:
    found: Document = {} if series.timeframe is None else {"timeframe": series.timeframe}
    usual = {"ago": 0, "times": 1.0, "plus": 0.0}
    return found | {name: _amount(getattr(series, name)) for name, value in usual.items()
                    if getattr(series, name) != value}


def _word(source: Source) -> str | None:
    """Return the key of a source that has one."""
    if isinstance(source, Price):
        return source.column
    if isinstance(source, Extreme) or any(isinstance(value, Ref) for _, value in source.parameters):
        return None
    numbers: Any = dict(source.parameters)
    try:
        key = format_key(source.indicator, numbers, source.output)
        return key if parse_key(key) == (source.indicator, numbers, source.output) else None
    except BadInput:
        return None


def _source(source: Source) -> Document:
    if isinstance(source, Price):
        return {"price": source.column}
    if isinstance(source, Extreme):
        return {source.kind: source.column, "bars": _amount(source.bars)}
    return _study(source)


def _study(source: Study) -> Document:
    found: Document = {"indicator": source.indicator}
    if source.parameters:
        found["parameters"] = {name: _amount(value) for name, value in source.parameters}
    return found | {"output": source.output}
