"""Fill the compiled cache once, so that the first start does not wait: `python -m trading.warm`."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from trading import rules, scoring
from trading.backtest import Setup, Tape, simulate
from trading.domain import Candles, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.indicators import INDICATORS, IndicatorStream
from trading.portfolio import costs_of
from trading.ranking import Ranking
from trading.risk import PROFILES
from trading.shadow import Shadow


def warm() -> None:
    """Compile the rule book and every indicator."""
    market, costs = rules.Market(10, 1, 1_000, 1, 0, 1), rules.Costs(1_000, 50, 200, 100_000)
    limits, wallet = rules.Limits(10_000, 2_000, 3_000, 0, 250_000, 600_000, 4, 30_000, 100_000), rules.Wallet(1, 1, 0)
    rules.approved_entry(market, limits, costs, wallet, rules.Entry(1, 1, 0, 0))
    for price_rule in (rules.notional_ceil, rules.notional_floor, rules.holding_value):
        price_rule(market, 1, 1)
    rules.commission_units(costs, 1)
    rules.buy_price(costs, 1, 1, 1)
    rules.sell_price(costs, 1, 1, 1)
    rules.volume_taken(1, 1)
    rules.commission_atoms(market, costs, 1)
    rules.fillable_lots(costs, 1, 1)
    rules.stop_price(1, 1, 1)
    rules.target_price(1, 1, 1)
    rules.raised_stop(limits, rules.Position(1, 1, 1, rules.STOP_FIXED), 1)
    rules.protective_exit(1, 1, 1, 1, 1)
    rules.loss_ppm(1, 1)
    rules.combined_score(rules.WEIGHTS, 0.5, 1, 1)
    rules.shrunk_rate(1, 1, 1.0, 1.0)
    scoring.passed_over(0.5, 0.5, False, 1, 1)
    bars = np.arange(3)
    prices = np.ones(3, np.float64)
    candles = Candles("BTCUSDT", "1m", bars * 60_000, prices, prices, prices, prices, prices, prices, bars, prices)
    warm_kernel(candles)
    known = scoring.Closes(candles.open_time, candles.close, 0, 2)
    scoring.correlation(known, known, 2)
    shadow = Shadow()
    shadow.take(candles, prices, np.ones(3, np.int8))
    shadow.push(candles.candle(2), 1.0, 1)
    shadow.confidence(1)
    for name in INDICATORS:
        stream = IndicatorStream(name)
        stream.warm_up(candles)
        stream.push(candles.candle(2))


def warm_kernel(candles: Candles) -> None:
    """Compile the walk of a bar for one symbol and for several."""
    cent = Decimal("0.01")
    specs = {symbol: SymbolSpec(symbol, cent, cent, cent, cent, cent) for symbol in ("BTCUSDT", "ETHUSDT")}
    setup = Setup(specs, 10**12, costs_of(CostSettings()), PROFILES[0], Ranking(1))
    flat = np.zeros(len(candles), np.int8)
    for tape in (Tape.of([candles], specs), Tape.of([candles, replace(candles, symbol="ETHUSDT")], specs)):
        simulate(setup, tape, [flat] * len(tape.candles)).benchmark.sum()


if __name__ == "__main__":
    warm()
