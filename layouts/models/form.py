"""What a training is asked: the choices of the control row, and the request that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from layouts import text
from layouts.backtest.form import day, midnight
from trading.domain import INTERVAL_MS, RiskProfile
from trading.domain.backtests import CostSettings, MarketChoice
from trading.domain.learning import LABELS, SCHEMES, ModelSettings, TrainRequest

LABEL_NAMES = {"next_bar": "Next bar", "horizon": "Horizon, net of costs", "triple_barrier": "Triple barrier"}
LABEL_NOTES = {
    "next_bar": "1: the next close is higher",
    "horizon": "1: the close so many bars later is higher by more than a round trip costs",
    "triple_barrier": "1: the target is reached before the stop, within so many bars",
}
SCHEME_NAMES = {"anchored": "Anchored", "rolling": "Rolling"}
FALLBACK_INTERVAL = "1h"
MOST_PROPOSED = 30_000  # bars
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Knob:
    """A number of the settings. `scale` turns it into the number on screen (100 for percent)."""

    label: str
    low: float
    high: float
    title: str
    unit: str = ""
    scale: float = 1.0
    whole: bool = True


HORIZON = Knob("Horizon", 1, 500, "Bars after which a label of horizon or triple barrier is decided", "bars")
FOLDS = Knob("Folds", 2, 20, "Test windows of the walk-forward, one after the other")
ADVANCED: dict[str, Knob] = {
    "train_bars": Knob("Rolling window", 500, 500_000, "Bars that a rolling walk-forward trains on", "bars"),
    "embargo_bars": Knob("Embargo", 0, 2_000, "Bars left out after each training window, on top of the purge", "bars"),
    "stop_atr": Knob("Stop", 0.1, 20, "Lower barrier of triple barrier, in average true ranges", "ATR", 1, False),
    "target_atr": Knob("Target", 0.1, 20, "Upper barrier of triple barrier, in average true ranges", "ATR", 1, False),
    "trees": Knob("Trees", 10, 1_000, "Trees of the random forest"),
    "depth": Knob("Depth", 1, 12, "Depth of the trees of both members"),
    "rounds": Knob("Rounds", 10, 2_000, "Boosting rounds of XGBoost"),
    "learning_rate": Knob("Learning rate", 0.001, 0.5, "Learning rate of XGBoost", whole=False),
    "enter_share": Knob("Worth a buy", 1, 50, "Share of bars, by confidence, that are worth a buy", "%", 100, False),
    "seed": Knob("Seed", 0, 2**31 - 1, "The same candles, settings and seed give the same model"),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen."""

    markets: tuple[MarketChoice, ...]
    profiles: tuple[RiskProfile, ...]
    costs: CostSettings

    def market(self, symbol: str | None) -> MarketChoice | None:
        """Return a symbol's candles."""
        return next((m for m in self.markets if m.symbol == symbol), None)

    def intervals(self, symbol: str | None) -> tuple[str, ...]:
        """Return the timeframes of a symbol."""
        market = self.market(symbol)
        return market.intervals if market else ()


@dataclass(frozen=True, slots=True)
class Form:
    """The control row's values, in the order of its inputs."""

    symbol: str | None
    interval: str | None
    label: str
    horizon: Any
    scheme: str
    n_folds: Any
    start: str | None
    end: str | None
    profile: str | None
    advanced: Mapping[str, Any]


def first(choices: Choices, market: tuple[str, str] | None = None, settings: ModelSettings | None = None) -> Form:
    """Choose what a page proposes for a market (else the first one): all its candles, a model's settings if given."""
    symbol, interval = market or first_market(choices)
    wanted = settings or ModelSettings()
    known = choices.market(symbol)
    start, end = dates(known, interval)
    profile = next((p.name for p in choices.profiles if p.name == "Balanced"), None)
    profile = profile or (choices.profiles[0].name if choices.profiles else None)
    plain = (wanted.label, wanted.horizon, wanted.scheme, wanted.n_folds, start, end, profile)
    return Form(symbol, interval, *plain, shown_settings(wanted))


def dates(known: MarketChoice | None, interval: str | None) -> tuple[str | None, str | None]:
    """Propose first and last day: all that is stored, but no more bars than can be trained on in minutes."""
    if known is None:
        return None, None
    reach = MOST_PROPOSED * INTERVAL_MS.get(interval or "", DAY_MS)
    return day(max(known.first, known.last - reach)), day(known.last)


def first_market(choices: Choices, interval: str | None = None) -> tuple[str | None, str | None]:
    """Return the first stored symbol, with bars of the interval if it has them, else with hourly ones."""
    if not choices.markets:
        return None, None
    known = choices.markets[0]
    return known.symbol, interval_for(known.intervals, interval)


def interval_for(intervals: tuple[str, ...], wanted: str | None) -> str | None:
    """Return the wanted timeframe if there is one, else hours, else the first."""
    return next((i for i in (wanted, FALLBACK_INTERVAL) if i in intervals), intervals[0] if intervals else None)


def shown_settings(settings: ModelSettings) -> dict[str, float]:
    """Return the advanced settings as the numbers on screen."""
    return {key: round(getattr(settings, key) * knob.scale, 9) for key, knob in ADVANCED.items()}


def request_of(form: Form, choices: Choices) -> TrainRequest:
    """Read the control row.

    Raises
    ------
    ValueError
        When something is missing or makes no sense; the text names the input and what to do.
    """
    if choices.market(form.symbol) is None or form.symbol is None:
        raise ValueError("Symbol: choose one that has stored candles")
    if form.interval not in choices.intervals(form.symbol) or form.interval is None:
        raise ValueError("Timeframe: choose one that the symbol has")
    start, end = midnight(form.start, "From"), midnight(form.end, "To", after=1)
    if start is not None and end is not None and start >= end:
        raise ValueError(f"From {form.start} is after To {form.end}; choose an earlier From")
    profile = next((p for p in choices.profiles if p.name == form.profile), None)
    if profile is None:
        raise ValueError("Risk profile: choose one")
    return TrainRequest(form.symbol, form.interval, start, end, settings_of(form), choices.costs, profile)


def settings_of(form: Form) -> ModelSettings:
    """Read the settings; ValueError names the input."""
    if form.label not in LABELS or form.scheme not in SCHEMES:
        raise ValueError("Label and walk-forward: choose one of each")
    read = {key: number(knob, form.advanced.get(key)) for key, knob in ADVANCED.items()}
    read |= {"horizon": number(HORIZON, form.horizon), "n_folds": number(FOLDS, form.n_folds)}
    kinds = {field.name: field.type for field in fields(ModelSettings)}
    typed = {key: int(value) if kinds[key] == "int" else value for key, value in read.items()}
    return ModelSettings(label=form.label, scheme=form.scheme, **typed)  # type: ignore[arg-type]


def number(knob: Knob, value: Any) -> float:
    """Read an input; ValueError names it."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not knob.low <= value <= knob.high or (knob.whole and value != int(value)):
        kind = "a whole number" if knob.whole else "a number"
        unit = f" {knob.unit}" if knob.unit else ""
        raise ValueError(f"{knob.label}: enter {kind} from {knob.low:,g} to {knob.high:,.10g}{unit}")
    return float(value) / knob.scale


def scheme_word(scheme: str, n_folds: Any) -> str:
    """Write the walk-forward in short: `Anchored · 6 folds`."""
    return f"{SCHEME_NAMES.get(scheme, '?')} · {n_folds or '?'} folds"


def more_word(profile: str | None, advanced: Mapping[str, Any]) -> str:
    """Write how many advanced settings differ from the usual ones."""
    usual = shown_settings(ModelSettings())
    n = sum(advanced.get(key) != usual[key] for key in ADVANCED)
    return f"{profile or '?'} · {n} changed" if n else f"{profile or '?'} · usual"


def label_word(settings: ModelSettings) -> str:
    """Write what a model forecasts: `Triple barrier, 12 bars`."""
    name = LABEL_NAMES.get(settings.label, settings.label)
    return name if settings.label == "next_bar" else f"{name.split(',')[0]}, {text.plural(settings.horizon, 'bar')}"


def summary(form: Form, choices: Choices) -> str:
    """Write the whole question in a line (for a folded form)."""
    known = choices.market(form.symbol)
    words = (known.display if known else "no candles", form.interval or "", LABEL_NAMES.get(form.label, ""))
    return " · ".join(w for w in (*words, f"{form.start or ''} – {form.end or ''}") if w.strip(" –")) or text.NOTHING
