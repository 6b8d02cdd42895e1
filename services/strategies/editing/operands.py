"""One side of a condition as the builder shows and changes it. What is left out has its default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from services.strategies.words import number
from trading.domain.workshop import OperandView
from trading.errors import BadInput
from trading.indicators import INDICATORS, format_key, parse_key
from trading.indicators.registry import output_label
from trading.strategies.tree import PRICES

NUMBER, PARAMETER, PRICE, INDICATOR, HIGHEST, LOWEST, RAW = (
    "number", "parameter", "price", "indicator", "highest", "lowest", "raw")
KINDS = (INDICATOR, PRICE, NUMBER, PARAMETER, HIGHEST, LOWEST)
SHIFTS = ("timeframe", "ago", "times", "plus")
_USUAL: dict[str, Any] = {NUMBER: 0, PRICE: "close", INDICATOR: "ema_50", HIGHEST: {"highest": "high", "bars": 20},
                          LOWEST: {"lowest": "low", "bars": 20}}


def amount_of(text: Any) -> Any:
    """Return what was typed as a number where it is one (`1.50` is 1.5), else as it was typed."""
    if not isinstance(text, str):
        return text
    typed = text.strip().replace("−", "-").replace(",", ".")
    try:
        found = float(typed)
    except ValueError:
        return typed
    if not isfinite(found):
        return typed
    return int(found) if found == int(found) and abs(found) < 1e15 else found


def amount_text(value: Any) -> str:
    """Return an amount as it is typed."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return number(value) if abs(value) < 1e15 else repr(value)


def spread_out(raw: Any) -> tuple[str, dict[str, Any]]:
    """Return (kind, fields) of an operand; a key like `ema_200` is spread out, raw where it is no operand."""
    if isinstance(raw, Mapping):
        kind = next((one for one in (INDICATOR, PRICE, HIGHEST, LOWEST) if one in raw), RAW)
        return (kind, dict(raw)) if _is_plain(raw, kind) else (RAW, {})
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return NUMBER, {NUMBER: raw}
    return _word(raw) if isinstance(raw, str) else (RAW, {})


def _word(raw: str) -> tuple[str, dict[str, Any]]:
    if raw.startswith("$"):
        return PARAMETER, {PARAMETER: raw}
    if raw in PRICES:
        return PRICE, {PRICE: raw}
    try:
        name, parameters, output = parse_key(raw)
    except BadInput:
        return (NUMBER, {NUMBER: raw}) if _is_typed(raw) else (RAW, {})
    return INDICATOR, {INDICATOR: name, "parameters": parameters, "output": output}


def _is_typed(raw: str) -> bool:
    """Say whether a text is a number that was not typed to its end: it stays where it is typed."""
    return not raw or raw[0] in "+-.0123456789"


def _is_plain(raw: Mapping[str, Any], kind: str) -> bool:
    known = {kind, *SHIFTS, *({"bars"} if kind in (HIGHEST, LOWEST) else ()),
             *({"parameters", "output"} if kind == INDICATOR else ())}
    if kind == RAW or not isinstance(raw[kind], str) or not set(raw) <= known:
        return False
    return isinstance(raw.get("parameters", {}), Mapping) and (kind != INDICATOR or raw[kind] in INDICATORS)


def view_of(raw: Any, values: Mapping[str, Any]) -> OperandView:
    """Return what the builder shows of an operand; `values` are the numbers of the parameters."""
    kind, fields = spread_out(raw)
    words = words_of(raw, values)
    if kind == RAW:
        return OperandView(RAW, words)
    amounts = {name: amount_text(fields[name]) for name in (NUMBER, PARAMETER, "bars", "ago", "times", "plus")
               if name in fields}
    output, name = "", str(fields.get(kind, ""))
    if kind == INDICATOR:
        row = INDICATORS[name]
        given = fields.get("parameters", {})
        amounts |= {f"p.{p.name}": amount_text(given.get(p.name, p.default)) for p in row.parameters}
        output = str(fields.get("output") or row.primary)
    return OperandView(kind, words, name, amounts, output, str(fields.get("timeframe") or ""))


def words_of(raw: Any, values: Mapping[str, Any]) -> str:
    """Return an operand in a few words: `1.5 × SMA (volume, 20) on 4h`."""
    kind, fields = spread_out(raw)
    if kind == RAW:
        return json.dumps(raw, ensure_ascii=False)[:80]
    if kind in (NUMBER, PARAMETER):
        return _said(fields[kind], values)
    text = _source_words(kind, fields, values)
    times, plus, ago = (_said(fields.get(name, usual), values) for name, usual in (("times", 1), ("plus", 0),
                                                                                   ("ago", 0)))
    text = text if times == "1" else f"{times} × {text}"
    text += f" on {fields['timeframe']}" if fields.get("timeframe") else ""
    text += f" {ago} bar{'s' * (ago != '1')} ago" if ago != "0" else ""
    if plus == "0":
        return text
    return f"{text} − {plus[1:]}" if plus.startswith("-") else f"{text} + {plus}"


def _source_words(kind: str, fields: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    if kind == PRICE:
        return str(fields[PRICE])
    if kind in (HIGHEST, LOWEST):
        return f"{kind} {fields[kind]} of {_said(fields.get('bars', '?'), values)} bars"
    row = INDICATORS[fields[INDICATOR]]
    given = fields.get("parameters", {})
    numbers = ", ".join(_said(given.get(p.name, p.default), values) for p in row.parameters)
    text = f"{row.label} ({numbers})" if numbers else row.label
    output = str(fields.get("output") or row.primary)
    return f"{text} {output_label(output)}" if len(row.outputs) > 1 and output != row.name else text


def _said(value: Any, values: Mapping[str, Any]) -> str:
    """Return an amount; a parameter is its number where it has one."""
    if isinstance(value, str) and value.startswith("$"):
        own = values.get(value[1:])
        return amount_text(own) if isinstance(own, int | float) and not isinstance(own, bool) else value
    return amount_text(value)


def changed(raw: Any, field: str, value: Any, parameters: Mapping[str, Any]) -> Any:
    """Return an operand with one field changed.

    Fields: kind, number, parameter, price, indicator, highest, lowest, output, timeframe, bars, ago, times, plus, and
    `p.NAME` for a setting of an indicator. An empty text leaves a field out.
    """
    kind, fields = spread_out(raw)
    if field == "kind":
        return raw if value == kind else _usual(str(value), raw, parameters)
    if field in (NUMBER, PARAMETER):
        return amount_of(value)
    if kind in (NUMBER, PARAMETER, RAW):
        return raw
    if field == INDICATOR:
        return _compact({name: fields[name] for name in SHIFTS if name in fields}
                        | {INDICATOR: str(value), "parameters": {}}, isinstance(raw, str))
    if field.startswith("p."):
        given = dict(fields.get("parameters", {}))
        fields["parameters"] = given | {field[2:]: amount_of(value)}
    elif value in ("", "-", None) and field in (*SHIFTS, "output"):
        fields.pop(field, None)
    else:
        fields[field] = str(value) if field in (PRICE, HIGHEST, LOWEST, "output", "timeframe") else amount_of(value)
    return _compact(fields, isinstance(raw, str))


def _usual(kind: str, raw: Any, parameters: Mapping[str, Any]) -> Any:
    if kind == PARAMETER:
        return f"${next(iter(parameters), 'name')}"
    if kind not in _USUAL:
        raise BadInput(f"{kind!r} is no kind of operand; use one of {', '.join(KINDS)}")
    if kind == NUMBER and isinstance(raw, str) and raw.startswith("$"):
        own = parameters.get(raw[1:])
        value = own.get("value") if isinstance(own, Mapping) else None
        return value if isinstance(value, int | float) else 0
    return _USUAL[kind]


def _compact(fields: dict[str, Any], was_key: bool) -> Any:
    """Return the shortest writing of what was a key; what was an object stays one."""
    plain = not set(fields) & set(SHIFTS)
    if was_key and plain and PRICE in fields:
        return fields[PRICE]
    if was_key and plain and INDICATOR in fields:
        try:
            wanted = INDICATORS[fields[INDICATOR]].settings(**fields.get("parameters", {}))
            output = fields.get("output") or INDICATORS[fields[INDICATOR]].primary
            key = format_key(fields[INDICATOR], wanted, output)
            if parse_key(key) == (fields[INDICATOR], wanted, output):
                return key
        except (BadInput, KeyError, TypeError):
            pass
    if fields.get("parameters") == {}:
        fields.pop("parameters")
    return fields
