"""Which fault strikes when: every one of the catalogue in turn, in an order and for a time drawn by the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from services.rehearsal.catalog import SETTINGS
from trading.simulation.exchange.faults import FAULTS

LEFT_OUT = ("withdrawals", "reject")
"""The first concerns the test of a key alone; after the second (an account that may not trade) nothing is entered until
a restart, as it must be, and there would be no more to soak."""
SHORTEST_S, LONGEST_S = 5.0, 20.0
ROUND_CLOSE = 2 / 3
"""So many of the faults begin late in their minute, so that the orders of the next close meet them."""


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault from `start` on (share of its turn) for some seconds."""

    name: str
    start: float
    seconds: float
    settings: dict[str, float | str]


def strikes(seed: int) -> Iterator[Strike]:
    """Yield one for each turn, for ever; none comes again before all have come."""
    dice = Random(seed)
    names = sorted(name for name in FAULTS if name not in LEFT_OUT)
    while True:
        dice.shuffle(names)
        for name in names:
            start = dice.uniform(0.75, 0.98) if dice.random() < ROUND_CLOSE else dice.uniform(0.05, 0.75)
            yield Strike(name, start, round(dice.uniform(SHORTEST_S, LONGEST_S), 1), dict(SETTINGS.get(name, {})))
