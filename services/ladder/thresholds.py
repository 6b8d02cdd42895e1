"""What each step of the ladder asks for, in one table; `[ladder.paper] days = 3` in cockpit.toml changes one."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from trading.errors import BadInput

STEPS = ("paper", "rehearsal", "small", "full")
NAMES = {"paper": "Paper", "rehearsal": "Rehearsal", "small": "Live, small", "full": "Live, full"}
WHAT = {
    "paper": "Live prices, invented money: does the rule do what its backtest promised?",
    "rehearsal": "Real orders at an exchange that misbehaves on purpose, or a test net: is nothing lost or doubled?",
    "small": "Real money, little of it: do fills and fees match what was assumed?",
    "full": "Real money, as much as the settings allow.",
}
DEFAULTS: dict[str, dict[str, float]] = {
    "paper": {"days": 7, "trades": 30, "gap_bps": 5, "unmatched_rate": 0.05},
    "rehearsal": {"days": 1, "trades": 10, "gap_bps": 25, "faults": 10, "reconciled": 6},
    "small": {"days": 14, "trades": 30, "gap_bps": 15, "unmatched_rate": 0.05, "reconciled": 144},
}
LABELS = {
    "days": "Days running", "trades": "Trades", "gap_bps": "Mean size of the parity gap",
    "unmatched_rate": "Trades without a partner", "faults": "Faults survived",
    "reconciled": "Clean reconciliations in a row",
}
Thresholds = Mapping[str, Mapping[str, float]]


def thresholds(changed: Thresholds) -> dict[str, dict[str, float]]:
    """Return the table with the settings' changes; BadInput names what it does not have."""
    table = {step: dict(asked) for step, asked in DEFAULTS.items()}
    for step, asked in changed.items():
        _known(step, table, "step")
        for name, value in asked.items():
            _known(name, LABELS, f"threshold of {step}")
            if not value >= 0:
                raise BadInput(f"settings: ladder.{step}.{name} is {value}; use 0 (ask for nothing) or more")
            table[step][name] = value
    return table


def _known(name: str, names: Mapping[str, object], what: str) -> None:
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(f"settings: ladder has no {what} {name!r}; use {', '.join(names)}{hint}")
