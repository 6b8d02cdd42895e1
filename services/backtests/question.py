"""A question as JSON values and back; what was typed on the command line becomes one."""

from __future__ import annotations

import hashlib
import json
import re
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from services.runs import named_profile
from services.settings import Settings
from services.strategies import to_document
from services.version import VERSION, code_version
from trading.domain import RiskProfile
from trading.domain.backtests import BacktestRequest, CostSettings
from trading.errors import BadInput

_WALK = re.compile(r"train=(\d+)d,test=(\d+)d")


def request_document(request: BacktestRequest) -> dict[str, Any]:
    """Return a question as JSON values."""
    return {
        "strategy": request.strategy, "document": dict(request.document), "symbols": list(request.symbols),
        "interval": request.interval, "start": request.start, "end": request.end, "capital": str(request.capital),
        "costs": asdict(request.costs), "profile": asdict(request.profile), "train_days": request.train_days,
        "test_days": request.test_days, "sweep": request.sweep,
    }


def request_of(document: Mapping[str, Any]) -> BacktestRequest:
    """Return the question of a document."""
    values = dict(document)
    values["symbols"] = tuple(values["symbols"])
    values["capital"] = Decimal(values["capital"])
    values["costs"] = CostSettings(**values["costs"])
    values["profile"] = RiskProfile(**values["profile"])
    return BacktestRequest(**values)


def typed_request(settings: Settings, chosen: Namespace, strategy: Any, symbols: tuple[str, ...],
                  interval: str) -> BacktestRequest:
    """Return the question of a command line, with the defaults of `--mode paper`."""
    train, test = walk_days(chosen.walk_forward)
    return BacktestRequest(
        strategy=strategy.name, document=to_document(strategy), symbols=symbols, interval=interval,
        start=chosen.start, end=chosen.end, capital=settings.capital, costs=settings.costs,
        profile=named_profile(settings.profile), train_days=train, test_days=test, sweep=chosen.sweep or "",
    )


def walk_days(text: str | None) -> tuple[int, int]:
    """Return days of training and testing of `train=180d,test=30d`, zeros for None."""
    if text is None:
        return 0, 0
    match = _WALK.fullmatch(text.replace(" ", ""))
    if not match or not int(match[1]) or not int(match[2]):
        raise BadInput(f"--walk-forward {text!r} is not understood; write train=180d,test=30d")
    return int(match[1]), int(match[2])


def question_key(request: BacktestRequest, fingerprint: str) -> str:
    """Return the name of a question about candles that look like this, before they are read."""
    text = json.dumps([request_document(request), fingerprint, VERSION, code_version()], sort_keys=True)
    return "q" + hashlib.sha256(text.encode()).hexdigest()[:16]


def check_request(request: BacktestRequest) -> BacktestRequest:
    """Return the question if it makes sense.

    Raises
    ------
    BadInput
        Dates out of order, no symbol, or half a walk-forward.
    """
    if not request.symbols:
        raise BadInput("no symbol is chosen; choose one, such as BTCUSDT")
    if len(set(request.symbols)) < len(request.symbols):
        raise BadInput(f"a symbol is chosen twice: {', '.join(request.symbols)}")
    if request.start is not None and request.end is not None and request.start >= request.end:
        raise BadInput("the start date is not before the end date; swap or correct them")
    if bool(request.train_days) != bool(request.test_days):
        raise BadInput("a walk-forward needs days of training and of testing, such as 180 and 30")
    return request
