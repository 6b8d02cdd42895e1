"""What the trader switched on: the four controls and who may still use them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trading.domain import Verdict


@dataclass(slots=True)
class Session:
    """State of the controls. `control_version` rises with every change that a stale page must not overwrite.

    `outside`: orders leave this process, so that entries need the typed word after every start; `armed` says that it
    was typed. `interrupted`: a run ended while armed, by a crash, and nobody has armed since. `kill_nonce`: the last
    press of the kill switch that was handled.
    """

    state: str = "stopped"
    mode: str = "paper"
    kill_reason: str = ""
    control_version: int = 1
    armed: bool = False
    interrupted: bool = False
    outside: bool = False
    kill_nonce: str = ""

    @property
    def is_killed(self) -> bool:
        """Whether the kill switch is on."""
        return self.state == "killed"

    @property
    def may_add(self) -> bool:
        """Whether a person may open or add to a position by hand."""
        return not self.is_killed and (self.armed or not self.outside)

    def change(self, state: str, kill_reason: str = "") -> None:
        """Move to a state; who was killed is not armed."""
        self.state, self.kill_reason = state, kill_reason
        self.armed = self.armed and state != "killed"
        self.control_version += 1

    def verdict(self) -> Verdict:
        """Say whether new entries are wanted at all, and if not, by which control."""
        if self.is_killed:
            return Verdict("kill_switch", False, self.kill_reason)
        if not self.may_add:
            return Verdict("armed", False, "not armed: entries wait for the typed word")
        if self.state != "running":
            return Verdict("session", False, f"auto-trading is {self.state}")
        if self.mode == "signals":
            return Verdict("mode", False, "signals only: nothing is traded")
        return Verdict("session", True, "auto-trading is running")

    def arm(self, armed: bool) -> None:
        """Let entries out, or not."""
        self.armed = armed
        self.interrupted = self.interrupted and not armed
        self.control_version += 1

    def begin_disarmed(self) -> None:
        """Start anew: a word that was typed before does not count any more."""
        self.interrupted = self.interrupted or self.armed
        self.arm(False)

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return {name: value for name, value in asdict(self).items() if name != "outside"}
