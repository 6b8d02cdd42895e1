"""Which strategies are in use: what trades, in which version, and what the next start would go on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.strategies.names import pinned
from services.strategies.stored import StoredStrategies
from services.strategies.takeover import Takeover, chosen_strategy, newer
from storage.database import Database
from trading.errors import BadInput


@dataclass(frozen=True, slots=True)
class Using:
    """What is asked before a strategy is deleted, and said when a newer version is saved. Any thread may ask."""

    takeover: Takeover
    cockpit: Any
    database: Database
    store: StoredStrategies

    def version(self, ref: str) -> int:
        """Return which version of a strategy trades or is on paper, 0 where none does."""
        crew = self.cockpit.crew
        if crew is not None and crew.roster.is_own:
            return int(crew.versions.get(ref, 0))
        if ref == self.takeover.running:
            return self.takeover.version
        return 0

    def pending(self, ref: str, newest: int) -> str:
        """Say that a newer version is saved than the one that trades, and how it comes to trade; nothing otherwise."""
        version = self.version(ref)
        if version in (0, newest) or not newest:
            return ""
        if self.cockpit.crew is not None and self.cockpit.crew.roster.is_own:
            return f"v{newest} is saved, v{version} trades; v{newest} trades from the next start on"
        return newer(newest, version)

    def why(self, ref: str) -> str:
        """Say why a strategy must not be deleted and what to do first; nothing where it may be."""
        if ref in self._listed():
            return "the page Agents has it among those who trade: drop it there first"
        if ref in self.takeover.speaking():
            return "it trades now: put another strategy on paper first"
        if self._has_list():
            return ""
        chosen = pinned(chosen_strategy(self.database, self.cockpit.recorder.account))[0]
        if ref in (self.takeover.waiting, self.takeover.running, chosen):
            return "it is on paper, and the next start goes on with it: put another strategy on paper first"
        return ""

    def _has_list(self) -> bool:
        crew = self.cockpit.crew
        try:
            return crew is not None and (crew.roster.is_own or crew.store.read().is_own)
        except BadInput:
            return True

    def _listed(self) -> set[str]:
        """Return where the strategies of a list of agents are kept, as it is now and as this start took it up."""
        crew = self.cockpit.crew
        if crew is None:
            return set()
        try:
            roster = crew.store.read()
        except BadInput:
            return set()
        return {self.store.place(agent.strategy) for agent in roster.agents} if roster.is_own else set()
