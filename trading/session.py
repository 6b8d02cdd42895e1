"""What the trader switched on: the four controls and who may still use them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from trading.domain import Verdict


@dataclass(slots=True)
class Session:
    """State of the controls. `control_version` rises with every change that a stale page must not overwrite."""

    state: str = "stopped"
    mode: str = "paper"
    kill_reason: str = ""
    control_version: int = 1

    @property
    def is_killed(self) -> bool:
        """Whether the kill switch is on."""
        return self.state == "killed"

    def change(self, state: str, kill_reason: str = "") -> None:
        """Move to a state."""
        self.state, self.kill_reason = state, kill_reason
        self.control_version += 1

    def verdict(self) -> Verdict:
        """Say whether new entries are wanted at all, and if not, by which control."""
        if self.is_killed:
            return Verdict("kill_switch", False, self.kill_reason)
        if self.state != "running":
            return Verdict("session", False, f"auto-trading is {self.state}")
        if self.mode == "signals":
            return Verdict("mode", False, "signals only: nothing is traded")
        return Verdict("session", True, "auto-trading is running")

    def snapshot(self) -> dict[str, Any]:
        """Return all that must survive a crash."""
        return asdict(self)
