"""A view as bytes and back: canonical JSON, compressed; the same view is always the same bytes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from services.backtests.question import request_document, request_of
from trading.domain.backtests import (
    BacktestCurve,
    BacktestRequest,
    BacktestTrade,
    BacktestView,
    Check,
    Plateau,
    WalkWindow,
)

LEVEL = 6
_APART = ("key", "seconds", "checks", "hashes")
_DECIMALS = ("quantity", "entry_price", "exit_price", "fees", "pnl")


def encoded(view: BacktestView) -> bytes:
    """Return all of a view that its question determines: no key, hashes, seconds and checks."""
    document = {f.name: _plain(getattr(view, f.name)) for f in fields(view) if f.name not in _APART}
    return zlib.compress(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), LEVEL)


def decoded(body: bytes) -> BacktestView:
    """Return the view of `encoded` bytes."""
    found: dict[str, Any] = json.loads(zlib.decompress(body))
    return BacktestView(
        key="", seconds=0.0, checks=(), hashes={}, request=request_of(found["request"]), quote=found["quote"],
        figures=found["figures"], curve=_curve(found["curve"]), costs=_pairs(found["costs"]),
        months=tuple((year, tuple(cells), whole) for year, cells, whole in found["months"]),
        trades=tuple(_trade(row) for row in found["trades"]), plateau=_plateau(found["plateau"]),
        distribution=(np.array(found["distribution"][0], np.float64), np.array(found["distribution"][1], np.int64)),
        windows=tuple(WalkWindow(**row) for row in found["windows"]), notes=tuple(found["notes"]),
        end_equity=Decimal(found["end_equity"]) if found.get("end_equity") else None,
    )


def check_rows(checks: tuple[Check, ...]) -> list[dict[str, str]]:
    """Return checks as JSON values."""
    return [{f.name: getattr(check, f.name) for f in fields(check)} for check in checks]


def _plain(value: Any) -> Any:
    if isinstance(value, BacktestRequest):
        return request_document(value)
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(part) for part in value]
    return format(value, "f") if isinstance(value, Decimal) else value


def _curve(row: dict[str, Any]) -> BacktestCurve:
    return BacktestCurve(**{name: np.array(column, np.int64 if name == "time" else np.float64)
                            for name, column in row.items()})


def _trade(row: dict[str, Any]) -> BacktestTrade:
    return BacktestTrade(**{name: Decimal(value) if name in _DECIMALS else value for name, value in row.items()})


def _plateau(row: dict[str, Any] | None) -> Plateau | None:
    if row is None:
        return None
    values = np.array([[np.nan if cell is None else cell for cell in line] for line in row["values"]], np.float64)
    chosen = tuple(row["chosen"]) if row["chosen"] else None
    return Plateau(row["x_name"], row["y_name"], tuple(row["x"]), tuple(row["y"]), values, row["figure"],
                   chosen)  # type: ignore[arg-type]


def _pairs(rows: list[Any]) -> tuple[tuple[str, float], ...]:
    return tuple((name, amount) for name, amount in rows)
