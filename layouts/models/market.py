"""All that the page shows of a market, gathered once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from layouts import text
from trading.domain.backtests import BacktestProgress
from trading.domain.learning import Appointment, Drift, ModelReport, ModelVersion, TrainingRun

ACTIVE = ("waiting", "running")


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """A symbol and interval with its models; `shown` is the version on screen, `report` what is known of it."""

    symbol: str
    interval: str
    versions: tuple[ModelVersion, ...] = ()
    shown: ModelVersion | None = None
    report: ModelReport | None = None
    drift: Drift | None = None
    history: tuple[Appointment, ...] = ()
    runs: tuple[TrainingRun, ...] = ()
    fresh: bool = False
    traded: str = ""  # interval that the cockpit decides on

    @property
    def name(self) -> str:
        """The market as the address has it."""
        return f"{self.symbol}-{self.interval}"

    @property
    def words(self) -> str:
        """The market as traders write it."""
        return f"{text.symbol(self.symbol)} · {self.interval}"

    @property
    def champion(self) -> ModelVersion | None:
        """The version that votes."""
        return next((v for v in self.versions if v.status == "champion"), None)

    @property
    def active(self) -> TrainingRun | None:
        """The training that waits or runs."""
        return next((run for run in self.runs if run.state in ACTIVE), None)

    @property
    def stamp(self) -> str:
        """Tells whether anything on screen has changed, but for the progress of a training."""
        parts = (
            [(v.id, v.status, v.votes, v.detail) for v in self.versions],
            self.shown.id if self.shown else "",
            [(a.time, a.version, a.kind) for a in self.history],
            (self.drift.checked, self.drift.state) if self.drift else "",
            [(run.key, run.state) for run in self.runs[:30]],
            self.fresh,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def market_named(name: str | None) -> tuple[str, str] | None:
    """Read `BTCUSDT-1h`; None when it is no market."""
    symbol, dash, interval = (name or "").rpartition("-")
    return (symbol, interval) if dash and symbol and interval else None


def number(version: str) -> str:
    """Write a version's id in short: without the market that stands above it."""
    return version.split("-", 2)[-1] if version.count("-") >= 2 else version


def is_active(now: BacktestProgress | None) -> bool:
    """Tell whether a training still goes on."""
    return now is not None and now.state in ACTIVE
