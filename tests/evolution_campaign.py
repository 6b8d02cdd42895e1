"""Does evolution promote noise, and does it find what is there? The same searches and the same gate for both.

    python -m tests.evolution_campaign --seeds 40 --out docs/evolution-campaign.json

Noise: 17,520 hourly bars of independent normal returns; at most 10 % of the seeds may be promoted. Signal: returns with
an autocorrelation of -0.1; at least 80 % must be. Both trade long and short without costs.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from services.automl.study import run_study
from services.backtests.markets import Loaded
from services.backtests.spread import Hands
from services.symbols import specs_for
from trading.domain import Candles
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest, StudyView
from trading.risk import PROFILES

N_BARS, BUDGET = 17_520, 1_500
NOISE, SIGNAL = 0.0, -0.1
MOST_NOISE, LEAST_SIGNAL = 0.10, 0.80
HOUR_MS = 3_600_000
FREE = CostSettings(commission_rate=0.0, spread_bps=0.0, slippage_bps=0.0)


def market(coefficient: float, seed: int, n_bars: int = N_BARS, symbol: str = "BTCUSDT") -> Candles:
    """Return hourly candles whose log returns are AR(1); each opens at the close before."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 0.01, n_bars)
    for row in range(1, n_bars):
        returns[row] += coefficient * returns[row - 1]
    close = 100.0 * np.exp(np.cumsum(returns))
    start = np.concatenate(([100.0], close[:-1]))
    wicks = 1.0 + np.abs(rng.normal(0.0, 0.0025, (2, n_bars)))
    volume = rng.uniform(50.0, 150.0, n_bars)
    time = 1_500_001_200_000 // HOUR_MS * HOUR_MS + HOUR_MS * np.arange(n_bars, dtype=np.int64)
    return Candles(symbol, "1h", time, start, np.maximum(start, close) * wicks[0], np.minimum(start, close) / wicks[1],
                   close, volume, volume * close, np.full(n_bars, 100, np.int64), volume / 2)


def loaded_of(*candles: Candles) -> Loaded:
    """Return candles as a search takes them."""
    return Loaded(candles, specs_for([c.symbol for c in candles], {c.symbol: c for c in candles}))


def searched(candles: Candles, seed: int, folder: Path, budget: int = BUDGET) -> StudyView:
    """Search once, long and short without costs, from rules at random."""
    request = StudyRequest("evolution", "", {}, (candles.symbol,), candles.interval, None, None, FREE, PROFILES[1],
                           budget, seed, short=True)
    return run_study(request, loaded_of(candles), folder, Hands(1), lambda *_: None)


@dataclass(frozen=True)
class Row:
    """One seed: whether it was promoted, and the figures that the gate read."""

    seed: int
    promoted: bool
    n_trials: int
    inside: float
    outside: float
    lines: tuple[bool, ...]
    rules: str


def campaign(coefficient: float, n_seeds: int) -> list[Row]:
    """Search on as many markets as seeds."""
    found = []
    for seed in range(1, n_seeds + 1):
        with TemporaryDirectory() as place:
            view = searched(market(coefficient, seed), seed, Path(place, "study"))
        assert view.champion is not None
        assert view.gate is not None
        inside, outside = (figures["sharpe"] or 0.0 for figures in (view.champion.inside, view.champion.outside))
        found.append(Row(seed, view.gate.passed, view.n_trials, round(inside, 3), round(outside, 3),
                         tuple(passed for *_, passed in view.gate.lines), view.champion.name))
        print(f"coefficient {coefficient:g}, seed {seed}: {'promoted' if view.gate.passed else 'not promoted'}, "
              f"Sharpe {inside:.2f} inside, {outside:.2f} outside", file=sys.stderr)
    return found


def summary(noise: list[Row], signal: list[Row]) -> dict[str, Any]:
    """Return the result file: nothing in it depends on the machine or the clock."""
    def told(rows: list[Row]) -> dict[str, Any]:
        n = sum(row.promoted for row in rows)
        first, second = (sum(row.lines[place] for row in rows) for place in (0, 1))
        return {"seeds": len(rows), "promoted": n, "rate": n / len(rows), "passed_deflated_sharpe": first,
                "passed_untouched_window": second,
                "rows": [[row.seed, row.promoted, row.n_trials, row.inside, row.outside, row.rules] for row in rows]}

    return {"command": f"python -m tests.evolution_campaign --seeds {len(noise)}", "bars": N_BARS, "budget": BUDGET,
            "columns": ["seed", "promoted", "candidates", "sharpe inside", "sharpe outside", "rules"],
            "noise": told(noise), "autocorrelation -0.1": told(signal)}


def main() -> int:
    """Run the campaign; 0 only when both rates are within bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    noise, signal = campaign(NOISE, chosen.seeds), campaign(SIGNAL, chosen.seeds)
    found = summary(noise, signal)
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    rates = found["noise"]["rate"], found["autocorrelation -0.1"]["rate"]
    print(f"evolution seeds={chosen.seeds} noise={rates[0]:.3f} signal={rates[1]:.3f}")
    return 0 if rates[0] <= MOST_NOISE and rates[1] >= LEAST_SIGNAL else 1


if __name__ == "__main__":
    sys.exit(main())
