"""Which agents there are, in one file of the data folder: `agents.json`, whole or not at all.

Without the file they are the cockpit's strategy on each of its symbols; the first change writes that down.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any

from storage.disk import Disk
from trading.domain.agents import MODEL, AgentConfig, MotherConfig, Roster
from trading.errors import BadInput, StateFailed

MAX_AGENTS, MAX_BYTES, MAX_PATH = 200, 256 * 1024, 1_000
STRATEGY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")


class RosterStore:
    """Reads and changes the file. Every method may be called from any thread."""

    def __init__(self, path: Path, symbols: Sequence[str], timeframe: str, strategy: str) -> None:
        self.path, self.symbols, self.timeframe = path, tuple(symbols), timeframe
        self._default = strategy or "demo"
        self._disk, self._lock = Disk(), threading.Lock()

    def read(self) -> Roster:
        """Return the agents.

        Raises
        ------
        BadInput
            The file cannot be read: it says where and what is allowed; the file is left as it is.
        """
        if not self.path.exists():
            return Roster(tuple(AgentConfig(symbol, self.timeframe, self._default) for symbol in self.symbols))
        try:
            text = self.path.read_bytes()[: MAX_BYTES + 1]
            if len(text) > MAX_BYTES:
                raise BadInput(f"more than {MAX_BYTES} bytes")
            body = json.loads(text.decode("utf-8"))
            if not isinstance(body, dict) or set(body) - {"version", "agents", "mother"} or body.get("version") != 1:
                raise BadInput('an object with "version": 1, "agents" and "mother" is needed')
            agents = tuple(_agent(row, place) for place, row in enumerate(_rows(body.get("agents", []))))
            mother = _mother(body.get("mother", {}))
        except (OSError, ValueError, BadInput) as error:
            raise BadInput(f"{self.path}: {error}; correct or remove it") from None
        return Roster(agents, mother, True)

    def follow(self, strategy: str) -> None:
        """Hear what the cockpit's strategy is from now on: it stands for the agents while there is no file."""
        self._default = strategy or "demo"

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add an agent; BadInput names what does not fit."""
        wanted = _checked(AgentConfig(symbol.strip().upper().replace("/", ""), timeframe, strategy.strip()))
        self._fits(wanted)
        with self._lock:
            roster = self.read()
            if any(agent.key == wanted.key for agent in roster.agents):
                raise BadInput(f"{wanted.strategy} is on {wanted.symbol} already")
            if len(roster.agents) >= MAX_AGENTS:
                raise BadInput(f"there are {MAX_AGENTS} agents, which is the most; drop one first")
            self._write(replace(roster, agents=(*roster.agents, wanted)))
        return wanted

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Let an agent be silent, or speak again."""
        with self._lock:
            roster = self.read()
            found = replace(_found(roster, key), paused=paused)
            self._write(replace(roster, agents=tuple(found if a.key == key else a for a in roster.agents)))
        return found

    def drop(self, key: str) -> AgentConfig:
        """Remove an agent; the last rule stays, it can be paused."""
        with self._lock:
            roster = self.read()
            found = _found(roster, key)
            left = tuple(agent for agent in roster.agents if agent.key != key)
            if all(agent.strategy == MODEL for agent in left):
                raise BadInput(f"{found.strategy} on {found.symbol} is the last agent that follows rules: pause it")
            self._write(replace(roster, agents=left))
        return found

    def set_mother(self, mother: MotherConfig) -> None:
        """Keep how Mother AI ranks from the next start on."""
        with self._lock:
            self._write(replace(self.read(), mother=_sound(mother)))

    def _fits(self, wanted: AgentConfig) -> None:
        if wanted.symbol not in self.symbols:
            raise BadInput(f"{wanted.symbol} is not among this cockpit's symbols {', '.join(self.symbols)}; add it to "
                           "COCKPIT_ASSETS and start again")
        if wanted.timeframe != self.timeframe:
            raise BadInput(f"this cockpit decides on {self.timeframe} bars, not {wanted.timeframe}; a strategy's own "
                           "conditions may look at longer ones")

    def _write(self, roster: Roster) -> None:
        body = {"version": 1, "agents": [asdict(agent) for agent in roster.agents], "mother": asdict(roster.mother)}
        try:
            self._disk.make(self.path.parent)
            self._disk.replace(self.path, (json.dumps(body, indent=1) + "\n").encode())
        except OSError as error:
            raise StateFailed(f"{self.path} cannot be written: {error}") from None


def _found(roster: Roster, key: str) -> AgentConfig:
    for agent in roster.agents:
        if agent.key == key:
            return agent
    raise BadInput(f"there is no agent {key!r}; there are {', '.join(a.key for a in roster.agents)}")


def _rows(rows: Any) -> list[Any]:
    if not isinstance(rows, list) or len(rows) > MAX_AGENTS:
        raise BadInput(f"agents: a list of at most {MAX_AGENTS} is needed")
    return rows


def _agent(row: Any, place: int) -> AgentConfig:
    known = {field.name for field in fields(AgentConfig)}
    if not isinstance(row, dict) or set(row) - known or not isinstance(row.get("paused", False), bool):
        raise BadInput(f"agents[{place}]: an object with {', '.join(sorted(known))} is needed")
    given = [row.get(name) for name in ("symbol", "timeframe", "strategy")]
    if not all(isinstance(text, str) for text in given):
        raise BadInput(f"agents[{place}]: symbol, timeframe and strategy must be texts")
    symbol, timeframe, strategy = (str(text) for text in given)
    if not 0 < len(strategy) <= MAX_PATH or not symbol or not timeframe:
        raise BadInput(f"agents[{place}]: symbol, timeframe and strategy must not be empty")
    return AgentConfig(symbol, timeframe, strategy, row.get("paused", False))


def _checked(agent: AgentConfig) -> AgentConfig:
    parts = agent.strategy.split("/")
    if not STRATEGY.fullmatch(agent.strategy) or any(set(part) == {"."} for part in parts):
        raise BadInput(f"strategy {agent.strategy!r} is not allowed; use an id such as demo or BTCUSDT/dips, or model")
    return agent


def _mother(body: Any) -> MotherConfig:
    known = {field.name for field in fields(MotherConfig)}
    if not isinstance(body, dict) or set(body) - known:
        raise BadInput(f"mother: an object with some of {', '.join(sorted(known))} is needed")
    return _sound(MotherConfig(**body))


def _sound(mother: MotherConfig) -> MotherConfig:
    """Refuse figures that make no ranking."""
    def number(name: str, low: float, high: float) -> None:
        value = getattr(mother, name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not is_number or not low <= value <= high:
            raise BadInput(f"mother.{name}: {value!r} is not allowed; use a number from {low:g} to {high:g}")

    number("alpha", 0.0, 1.0)
    number("beta", 0.0, 1.0)
    number("top_n", 1, 100)
    number("max_correlation", 0.0, 1.0)
    if mother.min_score is not None:
        number("min_score", 0.0, 2.0)
    if mother.alpha + mother.beta <= 0.0 or int(mother.top_n) != mother.top_n or not isinstance(mother.ranks, bool):
        raise BadInput("mother: alpha or beta must be above 0, top_n whole, ranks true or false")
    return mother
