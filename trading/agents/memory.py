"""What must survive a restart of what agents know: the hypothetical trades of their rules.

A restart warms agents up on fewer bars than they had seen. Indicators forget, a count does not: counted anew, the same
bar would be said with another confidence. So the engine's snapshot has the counts, by symbol, agent and rules.
A count that this version cannot read is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, cast

from trading.shadow import N_STATE, Kept


class Remembering(Protocol):
    """An agent whose rules have a record. `kept` is swapped whole by the agent's thread and read by the engine's."""

    symbol: str
    name: str

    @property
    def fingerprint(self) -> str:
        """What the record counts: rules, costs and limits in one word."""
        ...

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The record after each of the last two bars, oldest first."""
        ...

    def remind(self, kept: Sequence[Kept]) -> None:
        """Hear what was kept, before the warm-up."""
        ...


def remembered(agents: Iterable[object]) -> list[Any]:
    """Return the records of all agents, as JSON values."""
    return [[agent.symbol, agent.name, agent.fingerprint, [[each.time, list(each.state)] for each in agent.kept]]
            for agent in _remembering(agents)]


def remind(agents: Iterable[object], rows: Iterable[Sequence[Any]]) -> None:
    """Give agents their records back; one whose rules are others than before begins anew."""
    known = {tuple(key): [Kept(time, tuple(state)) for time, state in kept if len(state) == N_STATE]
             for *key, kept in rows}
    for agent in _remembering(agents):
        agent.remind(known.get((agent.symbol, agent.name, agent.fingerprint), ()))


def _remembering(agents: Iterable[object]) -> Iterator[Remembering]:
    return (cast(Remembering, agent) for agent in agents if hasattr(agent, "fingerprint"))
