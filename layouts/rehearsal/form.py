"""What a rehearsal is asked: the choices of the control row, and the request that they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layouts import text
from trading.domain.backtests import MarketChoice
from trading.domain.rehearsal import SIMULATED, STORED, RehearsalRequest

MOST_SEED = 2**31 - 1
MOST_SPEED = 10_000
MOST_EVERY = 86_400
SOURCES = {SIMULATED: "Simulated", STORED: "Stored candles"}
SOURCE_WORDS = {SIMULATED: "Prices of the simulated market, drawn from the seed",
                STORED: "Prices of your stored candles, moved so that the newest bar ends now"}
DRILL, OWN = "drill", "own"
RULES = {DRILL: "Drill: trades every candle", OWN: "Strategy of the settings"}
RULE_WORDS = "The drill enters on every closed candle and leaves soon: many orders. Yours trades when its rules say so"
N_FIRST = 2
FIRST_SPEED = 5  # faster markets run away from an order between the close and its arrival


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen."""

    simulated: tuple[str, ...]
    markets: tuple[MarketChoice, ...]

    def symbols(self, source: str) -> tuple[str, ...]:
        """Return the symbols that a source has prices of."""
        return tuple(m.symbol for m in self.markets) if source == STORED else self.simulated


@dataclass(frozen=True, slots=True)
class RehearsalForm:
    """The control row's values, in the order of its inputs."""

    source: str
    symbols: list[str]
    rule: str
    seed: Any
    speed: Any
    every: Any


def first(choices: Choices, asked: RehearsalRequest | None) -> RehearsalForm:
    """Return what the page proposes: what was asked last, else two simulated symbols and a fault now and then."""
    if asked is not None:
        return RehearsalForm(asked.source, list(asked.symbols), DRILL if asked.drill else OWN, asked.seed,
                             whole(asked.speed), whole(asked.faults_every_s))
    return RehearsalForm(SIMULATED, list(choices.simulated[:N_FIRST]), DRILL, 7, FIRST_SPEED, 0)


def whole(value: float) -> float | int:
    """Return 60.0 as 60."""
    return int(value) if value == int(value) else value


def kept(source: str, symbols: Sequence[str], choices: Choices) -> list[str]:
    """Return those of the symbols that another source has too, else its first ones."""
    able = choices.symbols(source)
    return [s for s in symbols if s in able] or list(able[:N_FIRST])


def request_of(form: RehearsalForm) -> RehearsalRequest:
    """Read the control row.

    Raises
    ------
    ValueError
        When something is missing or makes no sense; the text names the input and what to do.
    """
    if not form.symbols:
        raise ValueError("Symbols: choose at least one")
    seed = _number(form.seed, "Seed", 0, MOST_SEED)
    if seed != int(seed):
        raise ValueError(f"Seed: enter a whole number from 0 to {MOST_SEED:,}")
    speed = _number(form.speed, "Speed", 0.1, MOST_SPEED)
    every = _number(form.every, "A fault every", 0, MOST_EVERY)
    return RehearsalRequest(tuple(form.symbols), form.source, int(seed), speed, every, form.rule == DRILL)


def _number(value: Any, name: str, low: float, high: float) -> float:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name}: enter a number from {low:g} to {high:,}")
    return float(value)


def words(asked: RehearsalRequest) -> str:
    """Write what is rehearsed in a line."""
    shown = ", ".join(text.symbol(s) for s in asked.symbols)
    prices = f"{'simulated prices' if asked.source == SIMULATED else 'stored candles'}, seed {asked.seed}"
    every = f"a fault every {asked.faults_every_s:g} s" if asked.faults_every_s else "faults by hand"
    return f"{shown} · {'drill' if asked.drill else 'own strategy'} · {prices} · {asked.speed:g}× · {every}"


def summary(form: RehearsalForm) -> str:
    """Write the choices in a line (for a folded form)."""
    shown = [text.symbol(s) for s in form.symbols]
    more = f" +{len(shown) - 2}" if len(shown) > 2 else ""
    return f"{SOURCES.get(form.source, form.source)} · {', '.join(shown[:2])}{more} · {form.speed}×"
