"""The ladder of an account: what each step asks for, what is there, and whether all steps below are proven."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from services.ladder.facts import BELONGS, OVERRIDE, Facts, facts_of
from services.ladder.thresholds import LABELS, NAMES, STEPS, WHAT, thresholds
from services.settings import Settings
from storage.database import Database
from storage.evidence import EvidenceStore
from trading.domain.live import Ladder, Override, Proof, Step

REAL_MONEY = ("small", "full")
Words = tuple[str, str, str]  # have, need, missing
SAID: dict[str, Callable[[Facts, float], Words]] = {}


def ladder_of(database: Database, settings: Settings, account: str, capital: Decimal) -> Ladder:
    """Return the ladder as it stands for an account that trades with a capital (in the quote asset)."""
    table = thresholds(settings.ladder)
    steps = [_step(key, facts_of(database, key), table[key]) for key in STEPS[:-1]]
    steps.append(Step("full", NAMES["full"], WHAT["full"], (), ()))
    here = step_of(account, capital, settings.live_small)
    needs = STEPS[:STEPS.index(here)] if here in REAL_MONEY else ()
    kept = EvidenceStore(database, account).of(OVERRIDE)
    overrides = tuple(Override(line.time, line.body["step"], line.body["reason"]) for line in kept)
    return Ladder(tuple(steps), here, needs, overrides)


def step_of(account: str, capital: Decimal, small: Decimal) -> str:
    """Return the step on which an account trades."""
    if account.startswith(BELONGS["small"]):
        return "small" if capital <= small else "full"
    return "rehearsal" if account.startswith(BELONGS["rehearsal"]) else "paper"


def _step(key: str, facts: Facts, asked: dict[str, float]) -> Step:
    proofs = [Proof(name, LABELS[name], *SAID[name](facts, need)) for name, need in asked.items()]
    if key == "paper":
        proofs.append(_prices(facts))
    return Step(key, NAMES[key], WHAT[key], facts.accounts, tuple(proofs))


def _prices(facts: Facts) -> Proof:
    simulated = "trade at Binance's prices (--feed binance): a simulated market proves the machine, not the rule"
    have = "simulated" if facts.is_simulated else "Binance" if facts.accounts else "none yet"
    return Proof("prices", "Prices", have, "Binance", "" if have == "Binance" else simulated)


def _counted(name: str, more: str) -> Callable[[Facts, float], Words]:
    """Ask for at least a number of something."""
    def words(facts: Facts, need: float) -> Words:
        have = getattr(facts, name)
        left = need - have
        one, _, many = more.partition("|")
        return f"{have:,}", f"{need:,.0f}", f"{left:,.0f} more {one if left == 1 else many}" if left > 0 else ""

    return words


def _gap(facts: Facts, need: float) -> Words:
    size = facts.parity.get("mean_abs_bps")
    if size is None:
        return "not compared yet", f"{need:g} bps at most", "compare with the replay once there are trades"
    missing = f"the gap is {size - need:.2f} bps too large: look at what it is made of" if size > need else ""
    return f"{size:.2f} bps", f"{need:g} bps at most", missing


def _unmatched(facts: Facts, need: float) -> Words:
    if not facts.parity:
        return "not compared yet", f"{need:.0%} at most", "compare with the replay once there are trades"
    n, differing = facts.parity["counted"], facts.parity["differing"]
    rate = differing / (n + differing)
    missing = "too many: the report names the decision that differed" if rate > need else ""
    return f"{differing} of {n + differing}", f"{need:.0%} at most", missing


SAID |= {
    "days": _counted("days", "day|days"), "trades": _counted("trades", "trade|trades"), "gap_bps": _gap,
    "unmatched_rate": _unmatched,
    "faults": _counted("faults", "fault of the rehearsal exchange|faults of the rehearsal exchange"),
    "reconciled": _counted("reconciled", "clean comparison|clean comparisons, one every 10 minutes"),
}
