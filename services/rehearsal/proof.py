"""Follows each fault from its first strike to the comparison of the ledgers after it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from trading.domain.rehearsal import DIFFERENT, EQUAL, FaultView, OracleView


@dataclass(frozen=True, slots=True)
class Proof:
    """A fault that struck so often, and whether the ledgers were equal after it."""

    fault: str
    n_struck: int
    survived: bool


@dataclass(slots=True)
class Trial:
    """A fault under way: how often it had struck when it began, and when it was over (UTC ms, 0 = not yet)."""

    n_before: int
    over: int = 0


class Trials:
    """Says of every fault that struck whether it was survived, once it is over and the ledgers were compared."""

    def __init__(self) -> None:
        self._counted: dict[str, int] = {}
        self._trials: dict[str, Trial] = {}
        self._verdicts: dict[str, bool] = {}

    def see(self, faults: Iterable[FaultView], oracle: OracleView, now: int) -> list[Proof]:
        """Take notice of a picture; return what is proven by it."""
        found = []
        for fault in faults:
            self._follow(fault, now)
            proof = self._judge(fault, oracle)
            if proof is not None:
                found.append(proof)
        return found

    def marked(self, faults: Iterable[FaultView]) -> tuple[FaultView, ...]:
        """Return the switches with what was proven of them last."""
        return tuple(replace(fault, survived=self._verdicts.get(fault.card.name)) for fault in faults)

    def _follow(self, fault: FaultView, now: int) -> None:
        name, before = fault.card.name, self._counted.get(fault.card.name, 0)
        if fault.n_thrown > before:
            self._trials.setdefault(name, Trial(before)).over = 0
            self._verdicts.pop(name, None)
            self._counted[name] = fault.n_thrown
        trial = self._trials.get(name)
        if trial is not None and not fault.is_on and not trial.over:
            trial.over = now

    def _judge(self, fault: FaultView, oracle: OracleView) -> Proof | None:
        """Wait for a comparison that began after the fault was over, and for what is on its way to settle."""
        name = fault.card.name
        trial = self._trials.get(name)
        if trial is None or not trial.over or oracle.checked <= trial.over or oracle.state not in (EQUAL, DIFFERENT):
            return None
        del self._trials[name]
        survived = self._verdicts[name] = oracle.state == EQUAL
        return Proof(name, fault.n_thrown - trial.n_before, survived)
