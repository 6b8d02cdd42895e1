"""Checks a strategy for what no backtest may have: a look into the future, too few bars, a memory without end."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np
from tqdm import tqdm

from services.candles import replay_candles
from services.documents import write_document
from services.settings import Settings
from services.strategies import find_strategy
from trading.domain import INTERVAL_MS, Candles
from trading.errors import BadInput, BadStrategy
from trading.folding import divides, fold
from trading.strategies import RuleStrategy, check_length
from trading.strategies.causality import first_lie, settled_after

MADE_BARS = 20_000
PASSED, FAILED, NOTED = "ok", "FAILED", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    symbol: str
    check: str
    outcome: str
    text: str


def run_check(settings: Settings, chosen: Namespace) -> int:
    """Check the chosen strategy on each symbol's candles, a line a check; 1 when one failed."""
    strategy = find_strategy(settings.strategy, settings.data_dir)
    found: list[Finding] = [Finding("", "document", PASSED, _about(strategy))]
    for candles in _candles(settings, chosen, strategy):
        found += check(strategy, candles)
    if chosen.json:
        write_document({"strategy": strategy.name, "findings": [asdict(one) for one in found]}, chosen.json)
    if chosen.json != "-":
        for one in found:
            print(f"{one.symbol:<10} {one.check:<12} {one.outcome:<7} {one.text}".strip())
    return 1 if any(one.outcome == FAILED for one in found) else 0


def check(strategy: RuleStrategy, candles: Candles) -> list[Finding]:
    """Return what there is to say about a strategy on some bars."""
    if strategy.interval not in (None, candles.interval) and divides(candles.interval, str(strategy.interval)):
        candles = fold(candles, str(strategy.interval), complete_only=True)
    checks: dict[str, Callable[[RuleStrategy, Candles], tuple[str, str]]] = {
        "length": _length, "look-ahead": _look_ahead, "warm-up": _warm_up, "signals": _signals}
    return [Finding(candles.symbol, name, *judge(strategy, candles)) for name, judge in checks.items()]


def _about(strategy: RuleStrategy) -> str:
    return f"{strategy.name}: {strategy.label} on {', '.join(strategy.symbols)} {strategy.interval or ''}".strip()


def _candles(settings: Settings, chosen: Namespace, strategy: RuleStrategy) -> list[Candles]:
    try:
        return replay_candles(settings, chosen)
    except BadInput:
        if chosen.data or chosen.assets:
            raise
    print("no stored candles: checking on a made random walk; --data FILE takes real ones", file=sys.stderr)
    return [made_walk(strategy.symbol, strategy.interval or settings.interval, MADE_BARS)]


def made_walk(symbol: str, interval: str, n_bars: int, seed: int = 1) -> Candles:
    """Return a seeded random walk that begins in the middle of a day."""
    draw = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0, 0.005, n_bars)))
    opens = np.append(100.0, close[:-1])
    reach = draw.exponential(0.2, (2, n_bars))
    volume = np.round(draw.gamma(2.0, 10.0, n_bars), 5)
    step = INTERVAL_MS[interval]
    times = 1_651_406_400_000 // step * step + step * np.arange(n_bars)
    return Candles(symbol, interval, times, opens, np.maximum(opens, close) + reach[0],
                   np.minimum(opens, close) - np.minimum(reach[1], close / 2), close, volume, volume * close,
                   np.ones(n_bars, np.int64), volume / 2)


def _length(strategy: RuleStrategy, candles: Candles) -> tuple[str, str]:
    try:
        check_length(strategy, len(candles))
    except BadStrategy as error:
        return FAILED, str(error)
    return PASSED, f"{len(candles):,} bars of {candles.interval}, {strategy.warm_up_bars:,} needed"


def _look_ahead(strategy: RuleStrategy, candles: Candles) -> tuple[str, str]:
    lie = first_lie(strategy, candles, lambda rows: tqdm(rows, "look-ahead", file=sys.stderr, delay=2, leave=False))
    if lie is None:
        return PASSED, f"each of {len(candles):,} bars decides the same without its future"
    moment = datetime.fromtimestamp(int(candles.open_time[lie.row]) / 1000, UTC)
    return FAILED, f"{lie} ({moment:%Y-%m-%d %H:%M} UTC)"


def _warm_up(strategy: RuleStrategy, candles: Candles) -> tuple[str, str]:
    bars = settled_after(strategy, candles)
    if bars >= len(candles) // 2:
        return NOTED, "decisions depend on where the history begins; give more bars, or use shorter periods"
    return PASSED, f"wherever the history begins, decisions agree after {bars:,} bars"


def _signals(strategy: RuleStrategy, candles: Candles) -> tuple[str, str]:
    directions = strategy.directions(candles)
    n_entries, n_exits = int((directions > 0).sum()), int((directions < 0).sum())
    text = f"{n_entries:,} bars say enter, {n_exits:,} say leave"
    return (PASSED, text) if n_entries and n_exits else (NOTED, f"{text}; a rule that never speaks does not trade")
