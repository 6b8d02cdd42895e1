"""What the page "Live" shows: the way from paper to money, what may be lost, and what was proven so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.parity import ParityState
from trading.domain.views import CockpitView

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that a step asks for; `have` and `need` in words, `missing` says what to do (empty: it is there)."""

    key: str
    label: str
    have: str
    need: str
    missing: str = ""

    @property
    def passed(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Step:
    """A rung of the ladder: what it is, the accounts that were looked at, and what they prove."""

    key: str
    name: str
    what: str
    accounts: tuple[str, ...]
    proofs: tuple[Proof, ...]

    @property
    def passed(self) -> bool:
        """Whether everything was proven."""
        return all(proof.passed for proof in self.proofs)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is still to do."""
        return tuple(proof.missing for proof in self.proofs if proof.missing)


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody went on without the proof: when (UTC ms), to which step, and the reason given."""

    time: int
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """Steps from paper up. `here` is the step on which this account trades.

    `needs` (keys of steps) must be passed before it may be armed; it is empty when nothing is asked.
    """

    steps: tuple[Step, ...]
    here: str
    needs: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def unproven(self) -> tuple[Step, ...]:
        """The steps that arming asks for and that are not passed."""
        return tuple(step for step in self.steps if step.key in self.needs and not step.passed)

    @property
    def missing(self) -> str:
        """What arming still asks for, step by step, in words."""
        return "; ".join(f"{step.name}: {'; '.join(step.missing)}" for step in self.unproven)

    @property
    def is_open(self) -> bool:
        """Whether arming needs no reason."""
        return not self.unproven


@dataclass(frozen=True, slots=True)
class Loss:
    """What may be lost, in the quote asset, and by which limit."""

    label: str
    amount: Decimal
    how: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """Where the API key of a venue is; `tone`: good, warn, bad or plain."""

    venue: str
    where: str
    detail: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison with the venue that was kept: `clean` when orders, balances and books agreed."""

    time: int
    clean: bool
    text: str


@dataclass(frozen=True, slots=True)
class LiveView:
    """Everything of the page that is not in the `CockpitView`."""

    account: str
    ladder: Ladder
    keys: tuple[KeyState, ...]
    reconciliations: tuple[Reconciliation, ...] = ()
    parity: ParityState = field(default_factory=ParityState)


def losses_of(view: CockpitView) -> tuple[Loss, ...]:
    """Return what may be lost, in the quote asset, by each limit that stops it."""
    account, profile = view.account, view.session.profile
    equity = account.equity

    def part(rate: float, whole: Decimal) -> Decimal:
        return (whole * Decimal(repr(rate))).quantize(CENT)

    return (
        Loss("All of the capital", equity.quantize(CENT), "what the cockpit trades with; more is never touched"),
        Loss("In a day", part(profile.daily_loss_rate, account.day_start),
             f"daily loss limit {profile.daily_loss_rate:.1%}: beyond it nothing is entered until 00:00 UTC"),
        Loss("From the highest equity", part(profile.max_drawdown_rate, account.peak),
             f"kill-switch drawdown {profile.max_drawdown_rate:.1%}: beyond it nothing is entered until re-armed"),
        Loss("In one position", part(profile.max_position_rate, equity),
             f"largest position {profile.max_position_rate:.0%}, of which the stop aims to lose at most "
             f"{profile.risk_rate:.2%} of equity; a gap can lose more"),
    )
