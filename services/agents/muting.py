"""Who has no say: what is paused or dropped, and the models that a list of its own does not name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trading.domain.agents import MODEL, AgentConfig, Roster

PAUSED = "paused by hand"
DROPPED = "dropped, gone at the next start"
UNLISTED = "not among the agents: dropped, or never added"

Who = tuple[str, str]
"""Symbol and name of a source."""


def silenced(roster: Roster, asked: Iterable[Who], name_of: Callable[[AgentConfig], str]) -> dict[Who, str]:
    """Return why each of the sources that are asked has no say; those that have one are not in it.

    Parameters
    ----------
    name_of : what an agent's signals are called.
    """
    listed = {(agent.symbol, MODEL if agent.strategy == MODEL else name_of(agent)): agent.paused
              for agent in roster.agents}
    found = {}
    for who in asked:
        if listed.get(who):
            found[who] = PAUSED
        elif who not in listed and roster.is_own:
            found[who] = UNLISTED if who[1] == MODEL else DROPPED
    return found
