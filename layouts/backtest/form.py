"""What a backtest is asked: the choices of the control row, and the request that they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from layouts import text
from trading.domain import RiskProfile
from trading.domain.backtests import BacktestRequest, CostSettings, MarketChoice, StrategyChoice

WHOLE, WALK = "whole", "walk"
DEFAULT_CAPITAL = "10000"
DEFAULT_TRAIN, DEFAULT_TEST = 180, 30
MOST_DAYS = 3_650
MOST_CAPITAL = 900_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """An input of the costs. `scale` turns the setting into the number on screen (100 for percent)."""

    label: str
    unit: str
    scale: float
    high: float
    title: str


COSTS: dict[str, Cost] = {
    "commission_rate": Cost("Commission", "%", 100, 5, "Share of the amount, taken from what is received"),
    "spread_bps": Cost("Spread", "bp", 1, 500, "Distance of bid and ask; each side pays half of it"),
    "slippage_bps": Cost("Slippage", "bp", 1, 500, "A market order's price is worse by this much"),
    "slippage_atr": Cost("+ volatility", "ATR", 1, 5, "Adds this many average true ranges to the price; 0 = off"),
    "impact_rate": Cost("+ impact", "×", 1, 10, "Adds this times the squared share of the bar's volume; 0 = off"),
    "volume_share": Cost("Volume limit", "%", 100, 100, "An order takes at most this share of a bar's volume"),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen."""

    strategies: tuple[StrategyChoice, ...]
    markets: tuple[MarketChoice, ...]
    profiles: tuple[RiskProfile, ...]
    costs: CostSettings

    def strategy(self, key: str | None) -> StrategyChoice | None:
        """Return a strategy by its id."""
        return next((s for s in self.strategies if s.id == key), None)

    def intervals(self, symbols: list[str]) -> tuple[str, ...]:
        """Return the timeframes that all chosen symbols have."""
        held = [m.intervals for m in self.markets if m.symbol in symbols]
        return tuple(i for i in held[0] if all(i in other for other in held)) if held else ()

    def span(self, symbols: list[str]) -> tuple[int, int] | None:
        """Return the first and last stored time of the chosen symbols."""
        held = [m for m in self.markets if m.symbol in symbols]
        return (min(m.first for m in held), max(m.last for m in held)) if held else None


@dataclass(frozen=True, slots=True)
class Form:
    """The control row's values, in the order of its inputs."""

    strategy: str | None
    symbols: list[str]
    interval: str | None
    start: str | None
    end: str | None
    capital: Any
    profile: str | None
    mode: str
    train_days: Any
    test_days: Any
    costs: Mapping[str, Any]


def day(time_ms: int) -> str:
    """Write UTC milliseconds as the date that a date input wants."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def midnight(value: str | None, name: str, after: int = 0) -> int | None:
    """Read a date as UTC milliseconds, `after` days later; None when empty.

    Raises
    ------
    ValueError
        When it is not a date.
    """
    if not value:
        return None
    try:
        read = date.fromisoformat(value[:10]) + timedelta(days=after)
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: {value!r} is not a date; write 2024-01-31") from None
    return int(datetime(read.year, read.month, read.day, tzinfo=UTC).timestamp() * 1000)


def cost_figures(costs: CostSettings) -> dict[str, float]:
    """Return costs as the numbers of the form."""
    return {key: round(getattr(costs, key) * cost.scale, 6) for key, cost in COSTS.items()}


def first(choices: Choices, wanted: str | None = None) -> Form:
    """Choose what a new page proposes: a wanted strategy, else the first one, on what is stored of its symbols."""
    strategy = choices.strategy(wanted) or (choices.strategies[0] if choices.strategies else None)
    costs = cost_figures(choices.costs)
    symbols, interval = proposed(choices, strategy)
    start, end = dates(choices, symbols)
    profile = next((p.name for p in choices.profiles if p.name == "Balanced"), None)
    profile = profile or (choices.profiles[0].name if choices.profiles else None)
    key = strategy.id if strategy else None
    days = (WHOLE, DEFAULT_TRAIN, DEFAULT_TEST)
    return Form(key, symbols, interval, start, end, DEFAULT_CAPITAL, profile, *days, costs)


def proposed(choices: Choices, strategy: StrategyChoice | None) -> tuple[list[str], str | None]:
    """Return those of a strategy's symbols that are stored (else the first stored one) and its timeframe."""
    stored = [m.symbol for m in choices.markets]
    symbols = [s for s in strategy.symbols if s in stored] if strategy else []
    symbols = symbols or stored[:1]
    intervals = choices.intervals(symbols)
    wanted = strategy.interval if strategy else None
    for interval in (wanted, "1h", *intervals):
        if interval in intervals:
            return symbols, interval
    return symbols, None


def dates(choices: Choices, symbols: list[str]) -> tuple[str | None, str | None]:
    """Return the stored span as dates."""
    span = choices.span(symbols)
    return (day(span[0]), day(span[1])) if span else (None, None)


def written(document: Mapping[str, Any]) -> str:
    """Write a document so that two that say the same are the same."""
    return json.dumps(document, sort_keys=True, default=str)


def of_request(request: BacktestRequest, choices: Choices) -> Form:
    """Return the form that would ask a stored run's question again."""
    known = [s for s in choices.strategies if s.name == request.strategy]
    wanted = written(request.document)
    same = next((s for s in known if written(s.document) == wanted), known[0] if known else None)
    low, high = dates(choices, list(request.symbols))
    start = day(request.start) if request.start is not None else low
    end = day(request.end - 1) if request.end is not None else high
    walks = request.train_days > 0 and request.test_days > 0
    days = (request.train_days, request.test_days) if walks else (DEFAULT_TRAIN, DEFAULT_TEST)
    return Form(
        same.id if same else None,
        list(request.symbols),
        request.interval,
        start,
        end,
        f"{request.capital:f}",
        request.profile.name,
        WALK if walks else WHOLE,
        *days,
        cost_figures(request.costs),
    )


def request_of(form: Form, choices: Choices, sweep: str = "") -> BacktestRequest:
    """Read the control row.

    Raises
    ------
    ValueError
        When something is missing or makes no sense; the text names the input and what to do.
    """
    strategy = choices.strategy(form.strategy)
    if strategy is None:
        raise ValueError("Strategy: choose one")
    if not form.symbols:
        raise ValueError("Symbols: choose at least one that has stored candles")
    if not form.interval:
        raise ValueError("Timeframe: choose one that all chosen symbols have")
    start, end = midnight(form.start, "From"), midnight(form.end, "To", after=1)
    if start is not None and end is not None and start >= end:
        raise ValueError(f"From {form.start} is after To {form.end}; choose an earlier From")
    profile = next((p for p in choices.profiles if p.name == form.profile), None)
    if profile is None:
        raise ValueError("Risk profile: choose one")
    train, test = (_days(form.train_days, "Train"), _days(form.test_days, "Test")) if form.mode == WALK else (0, 0)
    costs = costs_of(form.costs)
    symbols = tuple(form.symbols)
    capital = _capital(form.capital)
    asked = (strategy.name, strategy.document, symbols, form.interval, start, end, capital, costs, profile)
    return BacktestRequest(*asked, train, test, sweep)


def costs_of(typed: Mapping[str, Any]) -> CostSettings:
    """Read the costs; ValueError names the input."""
    read: dict[str, float] = {}
    for field in fields(CostSettings):
        cost, value = COSTS[field.name], typed.get(field.name)
        if not isinstance(value, int | float) or not 0 <= value <= cost.high:
            raise ValueError(f"{cost.label}: enter a number from 0 to {cost.high:g} {cost.unit}")
        if field.name == "volume_share" and not value:
            raise ValueError(f"{cost.label}: enter a share above 0 {cost.unit}")
        read[field.name] = value / cost.scale
    return CostSettings(**read)


def _capital(value: Any) -> Decimal:
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        read = Decimal(0)
    if not read.is_finite() or not 0 < read <= MOST_CAPITAL:
        raise ValueError(f"Capital: enter an amount above 0, at most {MOST_CAPITAL:,}")
    return read


def _days(value: Any, name: str) -> int:
    if not isinstance(value, int | float) or value != int(value) or not 1 <= value <= MOST_DAYS:
        raise ValueError(f"{name}: enter whole days from 1 to {MOST_DAYS:,}")
    return int(value)


def costs_word(typed: Mapping[str, Any]) -> str:
    """Write the costs in short: `0.10 % + 2 bp`."""
    commission, slippage = (typed.get(key) for key in ("commission_rate", "slippage_bps"))
    word = f"{commission or 0:.2f} % + {slippage or 0:g} bp"
    return word + "".join(f" + {COSTS[k].label[2:]}" for k in ("slippage_atr", "impact_rate") if typed.get(k))


def mode_word(mode: str, train: Any, test: Any) -> str:
    """Write the mode in short: `Walk-forward 180/30`."""
    return f"Walk-forward {train or '?'}/{test or '?'}" if mode == WALK else "Whole period"


def summary(form: Form, choices: Choices) -> str:
    """Write the whole question in a line (for a folded form)."""
    strategy = choices.strategy(form.strategy)
    shown = [m.display for m in choices.markets if m.symbol in form.symbols]
    more = f" +{len(shown) - 2}" if len(shown) > 2 else ""
    words = (strategy.name if strategy else "no strategy", ", ".join(shown[:2]) + more, form.interval or "")
    return " · ".join(w for w in (*words, f"{form.start or ''} – {form.end or ''}") if w.strip(" –")) or text.NOTHING
