"""Which agents there are, in one file of the data folder: `agents.json`, whole or not at all.

Without a list of its own the agents follow the cockpit: its strategy on each symbol, and the models that vote. Pauses
and Mother AI's settings are kept beside that; adding or dropping an agent writes the list down.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from services.agents.rows import MAX_AGENTS, MAX_BYTES, agent_of, checked, keys_of, mother_config, rows_of, sound
from storage.disk import Disk
from trading.domain.agents import MODEL, AgentConfig, MotherConfig, Roster
from trading.errors import AgentsUnreadable, BadInput, StateFailed

NAMES = {"version", "agents", "paused", "mother"}


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds: its own agents (None: they follow the cockpit), and keys of those that are paused then."""

    agents: tuple[AgentConfig, ...] | None = None
    paused: frozenset[str] = frozenset()
    mother: MotherConfig = field(default_factory=MotherConfig)


class RosterStore:
    """Reads and changes the file. Every method may be called from any thread."""

    def __init__(self, path: Path, symbols: Sequence[str], timeframe: str, strategy: str) -> None:
        self.path, self.symbols, self.timeframe = path, tuple(symbols), timeframe
        self._default = strategy or "demo"
        self._disk, self._lock = Disk(), threading.Lock()
        self.voting: Callable[[], Iterable[str]] = tuple
        """Symbols whose model votes now."""

    def read(self) -> Roster:
        """Return the agents.

        Raises
        ------
        AgentsUnreadable
            It says where and what is allowed; the file is left as it is.
        """
        return self._roster(self._kept())

    def _kept(self) -> Kept:
        if not self.path.exists():
            return Kept()
        try:
            text = self.path.read_bytes()[: MAX_BYTES + 1]
            if len(text) > MAX_BYTES:
                raise BadInput(f"more than {MAX_BYTES} bytes")
            body = json.loads(text.decode("utf-8"))
            if not isinstance(body, dict) or set(body) - NAMES or body.get("version") != 1:
                raise BadInput('an object with "version": 1, "agents", "paused" and "mother" is needed')
            rows = body.get("agents")
            agents = None if rows is None else tuple(agent_of(row, n) for n, row in enumerate(rows_of(rows)))
            return Kept(agents, keys_of(body.get("paused", [])), mother_config(body.get("mother", {})))
        except (OSError, ValueError, RecursionError, BadInput) as error:
            raise AgentsUnreadable(f"{self.path}: {error}; correct or remove it") from None

    def _roster(self, kept: Kept) -> Roster:
        if kept.agents is not None:
            return Roster(kept.agents, kept.mother, True)
        rules = [AgentConfig(symbol, self.timeframe, self._default) for symbol in self.symbols]
        voting = set(self.voting())
        models = [model for model in (AgentConfig(symbol, self.timeframe, MODEL) for symbol in self.symbols)
                  if model.symbol in voting or model.key in kept.paused]
        return Roster(tuple(replace(one, paused=one.key in kept.paused) for one in (*rules, *models)), kept.mother)

    def follow(self, strategy: str) -> None:
        """Hear what the cockpit's strategy is from now on: it stands for the agents while there is no list."""
        self._default = strategy or "demo"

    def may_change(self) -> None:
        """Raise BadInput where nothing may be changed; here everything may."""

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add an agent; BadInput names what does not fit."""
        wanted = checked(AgentConfig(symbol.strip().upper().replace("/", ""), timeframe, strategy.strip()))
        self._fits(wanted)
        with self._lock:
            kept = self._kept()
            roster = self._roster(kept)
            if any(agent.key == wanted.key for agent in roster.agents):
                raise BadInput(f"{wanted.strategy} is on {wanted.symbol} already")
            if len(roster.agents) >= MAX_AGENTS:
                raise BadInput(f"there are {MAX_AGENTS} agents, which is the most; drop one first")
            self._write(Kept((*roster.agents, wanted), mother=kept.mother))
        return wanted

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Let an agent be silent, or speak again."""
        with self._lock:
            kept = self._kept()
            roster = self._roster(kept)
            found = replace(_found(roster, key), paused=paused)
            agents = tuple(found if agent.key == key else agent for agent in roster.agents)
            if roster.is_own:
                self._write(replace(kept, agents=agents))
            else:
                self._write(replace(kept, paused=frozenset(agent.key for agent in agents if agent.paused)))
        return found

    def drop(self, key: str) -> AgentConfig:
        """Remove an agent; the last rule stays, it can be paused."""
        with self._lock:
            kept = self._kept()
            roster = self._roster(kept)
            found = _found(roster, key)
            left = tuple(agent for agent in roster.agents if agent.key != key)
            if all(agent.strategy == MODEL for agent in left):
                raise BadInput(f"{found.strategy} on {found.symbol} is the last agent that follows rules: pause it")
            self._write(Kept(left, mother=kept.mother))
        return found

    def follow_cockpit(self) -> str:
        """Forget the list: the agents are the cockpit's strategy again, and who was paused stays so.

        A file that cannot be read is set aside; return its new name, else nothing.
        """
        with self._lock:
            try:
                kept = self._kept()
            except AgentsUnreadable:
                aside = self._set_aside()
                self._write(Kept())
                return aside
            paused = kept.paused if kept.agents is None else {agent.key for agent in kept.agents if agent.paused}
            self._write(Kept(paused=frozenset(paused), mother=kept.mother))
        return ""

    def _set_aside(self) -> str:
        """Give the file another name that is free, `agents.json.broken`."""
        names = (f"{self.path.name}.broken{f'-{n}' if n else ''}" for n in range(MAX_AGENTS))
        aside = next(path for path in map(self.path.with_name, names) if not path.exists())
        try:
            self.path.rename(aside)
        except OSError as error:
            raise StateFailed(f"{self.path} cannot be set aside: {error}; move it away by hand") from None
        return aside.name

    def set_mother(self, mother: MotherConfig) -> None:
        """Keep how Mother AI ranks from the next start on."""
        with self._lock:
            self._write(replace(self._kept(), mother=sound(mother)))

    def _fits(self, wanted: AgentConfig) -> None:
        if wanted.symbol not in self.symbols:
            raise BadInput(f"{wanted.symbol} is not among this cockpit's symbols {', '.join(self.symbols)}; add it to "
                           "COCKPIT_ASSETS and start again")
        if wanted.timeframe != self.timeframe:
            raise BadInput(f"this cockpit decides on {self.timeframe} bars, not {wanted.timeframe}; a strategy's own "
                           "conditions may look at longer ones")

    def _write(self, kept: Kept) -> None:
        agents = None if kept.agents is None else [asdict(agent) for agent in kept.agents]
        body = {"version": 1, "agents": agents, "paused": sorted(kept.paused), "mother": asdict(kept.mother)}
        try:
            self._disk.make(self.path.parent)
            self._disk.replace(self.path, (json.dumps(body, indent=1) + "\n").encode())
        except OSError as error:
            raise StateFailed(f"{self.path} cannot be written: {error}") from None


class FixedRoster:
    """Stands in a roster's place where the agents are given: `agents.json` is neither read nor written."""

    def __init__(self, agents: Sequence[AgentConfig], timeframe: str, why: str) -> None:
        self.symbols = tuple(dict.fromkeys(agent.symbol for agent in agents))
        self.timeframe, self._agents, self._why = timeframe, tuple(agents), why
        self.voting: Callable[[], Iterable[str]] = tuple

    def read(self) -> Roster:
        """Return the agents."""
        return Roster(self._agents)

    def follow(self, strategy: str) -> None:
        """Hear what the cockpit's strategy is from now on."""
        self._agents = tuple(replace(agent, strategy=strategy or "demo") for agent in self._agents)

    def may_change(self) -> None:
        """Refuse."""
        raise BadInput(self._why)

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Refuse."""
        raise BadInput(self._why)

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Refuse."""
        raise BadInput(self._why)

    def drop(self, key: str) -> AgentConfig:
        """Refuse."""
        raise BadInput(self._why)

    def follow_cockpit(self) -> str:
        """Refuse."""
        raise BadInput(self._why)

    def set_mother(self, mother: MotherConfig) -> None:
        """Refuse."""
        raise BadInput(self._why)


def _found(roster: Roster, key: str) -> AgentConfig:
    for agent in roster.agents:
        if agent.key == key:
            return agent
    raise BadInput(f"there is no agent {key!r}; there are {', '.join(a.key for a in roster.agents)}")
