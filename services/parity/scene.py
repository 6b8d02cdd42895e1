"""What the replay of an account starts from: its settings at every start, its limits, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.parity.account import Recorded
from services.parity.acts import acts_of, session_at_start
from services.parity.replay import Rules, Scene
from services.strategies import parse_strategy
from trading.domain import INTERVAL_MS, RiskProfile
from trading.domain.backtests import CostSettings
from trading.portfolio import costs_of

UNITS = 10**8
COSTS = tuple(CostSettings.__dataclass_fields__)


def scene_of(account: Recorded) -> Scene:
    """Return everything but the candles."""
    state, mode = session_at_start(account)
    step = INTERVAL_MS[account.settings["interval"]]
    late = {(bar.symbol, bar.open_time) for bars in account.seen.values() for bar in bars if not bar.live}
    held = {(symbol, time + 1 - step) for symbol, time in account.held_back}
    return Scene(account.specs, int(Decimal(account.settings["capital"]) * UNITS), rules_of(account),
                 acts_of(account), frozenset(late | held), account.votes, state, mode)


def rules_of(account: Recorded) -> list[tuple[int, Rules]]:
    """Return the rules of each start that changed them, with the open time from which they held."""
    found = [(0, _rules(account.settings))]
    step, known = INTERVAL_MS[account.settings["interval"]], account.settings
    for start in account.starts[1:]:
        if start.body["settings"] != known:
            known = start.body["settings"]
            found.append((start.body["time"] // step * step, _rules(known)))
    return found


def _rules(settings: Mapping[str, Any]) -> Rules:
    document = {**settings["strategy"], "symbols": list(settings["assets"])}
    strategy = parse_strategy(document, "", document.get("name", ""))
    costs = CostSettings(**{name: settings[name] for name in COSTS if name in settings})
    return Rules(tuple(strategy.for_symbol(symbol) for symbol in settings["assets"]),
                 RiskProfile(**settings["profile"]), costs_of(costs))
