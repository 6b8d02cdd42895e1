"""What the forms of a strategy share: strict objects, symbols, and one sentence for each mistake."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from trading.errors import BadStrategy

SEPARATOR = " | "
MAX_SHOWN = 60


def _symbol(text: str) -> str:
    if not text.isascii():
        raise ValueError
    return text.upper()


Symbol = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,29}$", description='use 2 to 30 letters and digits, like "BTCUSDT"'),
    AfterValidator(_symbol),
]


class Form(BaseModel):
    """An object whose every key is known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def checked(form: type[Form], document: Any, source: str, tagged: dict[str, type[Form]] | None = None) -> Any:
    """Return the validated form.

    Raises
    ------
    BadStrategy
        One line with every mistake, its place, its value and what is allowed.
    """
    try:
        return form.model_validate(document)
    except ValidationError as error:
        refuse([_sentence(e, form, tagged or {}) for e in error.errors(include_url=False)], source)


def shown(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        text = ascii(value)
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."


def refuse(problem: str | Sequence[str], source: str = "") -> NoReturn:
    """Raise BadStrategy with all problems, each once, and the name of the file, where there is one."""
    each = tuple(dict.fromkeys([problem] if isinstance(problem, str) else problem))
    text = SEPARATOR.join(each)
    raise BadStrategy(f"{text} (file {source})" if source else text, each)


def path_text(parts: list[str | int]) -> str:
    """Return `entry.all[1].right`, strange letters and long words as `shown` has them."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{key_text(part)}" if text else key_text(part)
    return text


def key_text(key: str) -> str:
    """Return a key as it stands in a place."""
    return shown(key)[1:-1]


def _sentence(error: Any, root: type[Form], tagged: dict[str, type[Form]]) -> str:
    """Return `field: value is not allowed; what to use` for one pydantic error."""
    owner, field, parts = _placed(error["loc"], root, tagged)
    where = path_text(parts)
    if not parts:
        return f"{shown(error['input'])} is not allowed; use plain text for keys"
    if error["type"] == "missing":
        return f"{where}: is missing; {_use(field)}"
    if error["type"] == "extra_forbidden":
        names = (f.alias or name for name, f in owner.model_fields.items())
        return f"{where}: unknown key; known here are {', '.join(names)}"
    if error["type"] in ("value_error", "strategy") and str(error.get("ctx", {}).get("error", "")):
        return f"{where}: {error['ctx']['error']}"
    return f"{where}: {shown(error['input'])} is not allowed; {_use(field)}"


def _use(field: Any) -> str:
    return getattr(field, "description", None) or "see assets/strategies/schema.json"


def _placed(loc: tuple[str | int, ...], root: type[Form],
            tagged: dict[str, type[Form]]) -> tuple[type[Form], Any, list[str | int]]:
    """Return the form that holds the last part of a path, that field, and the path without pydantic's tags."""
    owner, field, parts = root, None, []
    inner: type[Form] | None = None
    for part in loc:
        if part in tagged:
            inner = tagged[str(part)]
            continue
        if inner is not None:
            owner, inner = inner, None
        if isinstance(part, str) and part == "[key]":
            continue
        parts.append(part)
        by_alias = {f.alias or name: f for name, f in owner.model_fields.items()}
        if isinstance(part, str) and part in by_alias:
            field = by_alias[part]
            kind = field.annotation
            inner = kind if isinstance(kind, type) and issubclass(kind, Form) else _valued(kind)
        elif isinstance(part, int):
            field = _item(field) or field
    return owner, field, parts


def _item(field: Any) -> Any:
    """Return what is said of the items of a list."""
    for argument in getattr(getattr(field, "annotation", None), "__args__", ()):
        for said in getattr(argument, "__metadata__", ()):
            if getattr(said, "description", None):
                return said
    return None


def _valued(kind: Any) -> type[Form] | None:
    """Return the form in `dict[str, Form]` or `list[Form]`."""
    for argument in getattr(kind, "__args__", ()):
        if isinstance(argument, type) and issubclass(argument, Form):
            return argument
    return None
