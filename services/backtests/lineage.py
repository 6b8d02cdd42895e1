"""What makes two strategies the same idea with other numbers: hashes that count trials honestly.

Every parameter set that was tried on a stretch of candles lowers what the best of them is worth (Bailey and López de
Prado 2014, "The Deflated Sharpe Ratio"), whichever screen, sweep or day it was tried on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trading.domain import Candles, RiskProfile
from trading.rules import Costs

_NO_RULE = ("name", "strategy_name", "notes", "symbol", "symbols", "created_at", "version", "timeframe",
            "risk")
_DIGITS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Trial:
    """Parameters with costs, tried on candles. `sharpe` is that of a bar, not annualised; None without variation."""

    lineage: str
    data_hash: str
    parameters: str
    market: str
    first: int
    last: int
    sharpe: float | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What trials of one question share."""

    lineage: str
    data_hash: str
    market: str
    first: int
    last: int

    def trial(self, parameters: str, sharpe: float | None) -> Trial:
        """Return a trial on this ground."""
        return Trial(self.lineage, self.data_hash, parameters, self.market, self.first, self.last, sharpe)


def lineage_of(document: Mapping[str, Any]) -> str:
    """Return a hash of the rule tree without its numbers: other thresholds are the same idea."""
    return _hash(_skeleton(_rules(document)))


def parameters_hash(document: Mapping[str, Any], profile: RiskProfile, costs: Costs) -> str:
    """Return a hash of the rules with their numbers, of the exits and limits that the profile adds, and of costs."""
    limits = {name: value for name, value in asdict(profile).items() if name != "name"}
    return _hash([_rules(document), limits, list(costs)])


def ground_of(document: Mapping[str, Any], candles: tuple[Candles, ...], hashes: Mapping[str, str]) -> Ground:
    """Return the ground of a strategy on candles."""
    market = ",".join(sorted(f"{c.symbol} {c.interval}" for c in candles))
    first = min(int(c.open_time[0]) for c in candles)
    last = max(int(c.open_time[-1]) for c in candles)
    return Ground(lineage_of(document), _hash(sorted(hashes[c.symbol] for c in candles)), market, first, last)


def _rules(document: Mapping[str, Any]) -> dict[str, Any]:
    rules = {name: value for name, value in document.items() if name not in _NO_RULE}
    if isinstance(rules.get("parameters"), Mapping):  # their ranges are a search's business, not the rules'
        rules["parameters"] = {name: p["value"] if isinstance(p, Mapping) else p
                               for name, p in rules["parameters"].items()}
    return rules


def _skeleton(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _skeleton(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_skeleton(part) for part in value]
    if isinstance(value, str):
        return _DIGITS.sub("#", value)
    return value if isinstance(value, bool) or value is None else "#"


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
