"""Reads strategy documents of every form: checks every field, names every mistake, never evaluates anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from services.strategies.building import strategy_of_version2
from services.strategies.conditions import ConfigForm, document_of_form2
from services.strategies.form1 import Form1, strategy_of_form1
from services.strategies.forms import checked, refuse, shown
from trading.strategies import RuleStrategy

MAX_BYTES = 256 * 1024
MAX_NODES, MAX_NESTING = 20_000, 64
VERSION_2_KEYS = ("version", "entry", "exit", "symbols")
FORM_2_KEYS = ("strategy_name", "entry_conditions", "exit_conditions")


def parse_strategy(document: Any, source: str = "", name: str = "voting") -> RuleStrategy:
    """Turn a document of any form into a strategy; `source` is named in errors, `name` goes to one without a name.

    Raises
    ------
    BadStrategy
        One line that lists every field that is wrong, its value and what is allowed.
    """
    if not isinstance(document, Mapping):
        refuse(f"{shown(document)} is not allowed; use an object with symbols, entry and exit", source)
    _check_size(document, source)
    if any(key in document for key in VERSION_2_KEYS):
        return strategy_of_version2(document, source, name)
    if any(key in document for key in FORM_2_KEYS):
        return _form2(document, source, name)
    return strategy_of_form1(checked(Form1, dict(document), source), name)


def load_strategy(path: Path | str, symbol: str | None = None) -> RuleStrategy:
    """Read a strategy file; `symbol` puts its rules on another symbol.

    Raises
    ------
    BadStrategy
        The file cannot be read, is over 256 KB, no UTF-8, no JSON (with line and column), or no valid strategy.
    """
    document = read_json(Path(path))
    if symbol is not None and isinstance(document, dict):
        is_2 = any(key in document for key in VERSION_2_KEYS)
        document |= {"symbols": [symbol]} if is_2 else {"symbol": symbol}
    return parse_strategy(document, str(path), Path(path).stem)


def _form2(document: Mapping[str, Any], source: str, name: str) -> RuleStrategy:
    form = checked(ConfigForm, dict(document), source)
    try:
        converted = document_of_form2(form)
    except ValueError as error:
        refuse(str(error), source)
    return strategy_of_version2(converted, source, name)


def _check_size(document: Any, source: str) -> None:
    """Refuse what is nested or written so large that no person meant it."""
    n_nodes, level = 0, [document]
    for _ in range(MAX_NESTING):
        n_nodes += len(level)
        if n_nodes > MAX_NODES:
            refuse(f"has more than {MAX_NODES} values; a strategy needs fewer", source)
        level = [part for node in level if isinstance(node, Mapping | list)
                 for part in (node.values() if isinstance(node, Mapping) else node)]
        if not level:
            return
    refuse(f"is nested deeper than {MAX_NESTING}; use fewer levels", source)


def read_json(path: Path) -> Any:
    """Read a JSON file strictly: no duplicate keys, no NaN.

    Raises
    ------
    BadStrategy
        With the place of the mistake.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        refuse(f"cannot be read: {getattr(error, 'strerror', None) or error}", str(path))
    if len(content) > MAX_BYTES:
        refuse(f"is larger than {MAX_BYTES // 1024} KB; a strategy needs less than one", str(path))
    return json_of(content, str(path))


def json_of(content: bytes, source: str = "") -> Any:
    """Return the value of a JSON text, as strictly as `read_json`."""
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        refuse(f"byte {error.start} is no UTF-8; save the file as UTF-8", source)
    except json.JSONDecodeError as error:
        refuse(f"line {error.lineno} column {error.colno}: {error.msg}; correct the JSON", source)
    except RecursionError:
        refuse("nested too deeply; correct the JSON", source)
    except ValueError as error:
        refuse(f"{error}; correct the JSON", source)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"key {shown(twice[0])} appears twice in one object")
    return dict(pairs)
