"""Reads strategy documents (form 1): checks every field, names every mistake, never evaluates anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from trading.errors import BadStrategy
from trading.strategies import EmaRule, RsiRule, VotingStrategy

MAX_BYTES = 256 * 1024
DEMO = Path(__file__).resolve().parents[1] / "assets" / "strategies" / "demo.json"
_SEPARATOR = " | "


def _symbol(text: str) -> str:
    if not text.isascii():
        raise ValueError
    return text.upper()


Symbol = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,29}$", description='use 2 to 30 letters and digits, like "BTCUSDT"'),
    AfterValidator(_symbol),
]
Level = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, description="use a number from 0 to 100")]
Switch = Annotated[bool, Field(description="use true or false")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RsiForm(_Form):
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


class EmaForm(_Form):
    """Settings of the exponential average."""

    period: Annotated[int, Field(ge=2, le=1000, description="use a whole number from 2 to 1000")] = 20
    buy_crosses_above: Switch = True
    sell_crosses_below: Switch = True


class IndicatorsForm(_Form):
    """The indicators that vote; at least one."""

    # The default is never validated, so a left-out indicator is fine while a written `null` is refused.
    rsi: Annotated[RsiForm, Field(description="use an object like {\"period\": 14}")] = None  # type: ignore[assignment]
    ema: Annotated[EmaForm, Field(description="use an object like {\"period\": 20}")] = None  # type: ignore[assignment]

    @model_validator(mode="after")
    def _not_empty(self) -> IndicatorsForm:
        if self.rsi is None and self.ema is None:
            raise ValueError("{} is not allowed; name at least one of rsi, ema")
        return self


class StrategyForm(_Form):
    """Strategy form 1."""

    symbol: Symbol
    indicators: Annotated[IndicatorsForm, Field(description="use an object with rsi, ema or both")]


def parse_strategy(document: Any, source: str = "", name: str = "voting") -> VotingStrategy:
    """Turn a document into a strategy; `source` is named in errors, `name` becomes the strategy's.

    Raises
    ------
    BadStrategy
        One line that lists every field that is wrong, its value and what is allowed.
    """
    if not isinstance(document, Mapping):
        _refuse(f"{_shown(document)} is not allowed; use an object with symbol and indicators", source)
    try:
        form = StrategyForm.model_validate(dict(document))
    except ValidationError as error:
        _refuse(_SEPARATOR.join(_sentence(e) for e in error.errors(include_url=False)), source)
    rules = (RsiRule(**form.indicators.rsi.model_dump()) if form.indicators.rsi else None,
             EmaRule(**form.indicators.ema.model_dump()) if form.indicators.ema else None)
    return VotingStrategy(form.symbol, tuple(rule for rule in rules if rule), name)


def to_document(strategy: VotingStrategy) -> dict[str, Any]:
    """Return form 1 of a strategy; `parse_strategy` of it is the same strategy."""
    rules = {rule.name: {field: getattr(rule, field) for field in rule.__dataclass_fields__ if field != "name"}
             for rule in strategy.rules}
    return {"symbol": strategy.symbol, "indicators": rules}


def load_strategy(path: Path | str, symbol: str | None = None) -> VotingStrategy:
    """Read a strategy file; `symbol` puts its rules on another symbol.

    Raises
    ------
    BadStrategy
        The file cannot be read, is over 256 KB, no UTF-8, no JSON (with line and column), or no valid strategy.
    """
    document = _read_json(Path(path))
    if symbol is not None and isinstance(document, dict):
        document |= {"symbol": symbol}
    return parse_strategy(document, str(path), Path(path).stem)


def demo_strategy(symbol: str) -> VotingStrategy:
    """Return the shipped demo rules on a symbol."""
    return load_strategy(DEMO, symbol)


def _read_json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        _refuse(f"cannot be read: {getattr(error, 'strerror', None) or error}", str(path))
    if len(content) > MAX_BYTES:
        _refuse(f"is larger than {MAX_BYTES // 1024} KB; a strategy needs less than one", str(path))
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        _refuse(f"byte {error.start} is no UTF-8; save the file as UTF-8", str(path))
    except json.JSONDecodeError as error:
        _refuse(f"line {error.lineno} column {error.colno}: {error.msg}; correct the JSON", str(path))
    except (ValueError, RecursionError) as error:
        _refuse(f"{error}; correct the JSON", str(path))


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"key {_shown(twice[0])} appears twice in one object")
    return dict(pairs)


def _sentence(error: Any) -> str:
    """Return `field: value is not allowed; what to use` for one pydantic error."""
    path = [str(part) for part in error["loc"]]
    if not path:
        return f"{_shown(error['input'])} is not allowed; use plain text for keys"
    where = ".".join(path)
    owner, field = _owner(path)
    if error["type"] == "missing":
        return f"{where}: is missing; {field.description}"
    if field is None:
        return f"{_shown(where)[1:-1]}: unknown key; known here are {', '.join(owner.model_fields)}"
    if error["type"] == "value_error" and "error" in error.get("ctx", {}) and str(error["ctx"]["error"]):
        return f"{where}: {error['ctx']['error']}"
    return f"{where}: {_shown(error['input'])} is not allowed; {field.description}"


def _owner(path: list[str]) -> tuple[type[BaseModel], Any]:
    """Return the form that holds the last part of a path, and that field (None for an unknown key)."""
    owner: type[BaseModel] = StrategyForm
    for part in path[:-1]:
        owner = owner.model_fields[part].annotation  # type: ignore[assignment]
    return owner, owner.model_fields.get(path[-1])


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError):
        text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _refuse(problem: str, source: str) -> NoReturn:
    raise BadStrategy(f"{problem} (file {source})" if source else problem)
