"""Fill the compiled cache once, so that the first start does not wait: `python -m trading.warm`."""

from dataclasses import replace
from decimal import Decimal

import numpy as np

from trading.backtest import Setup, Tape, simulate
from trading.domain import Candles, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.indicators import INDICATORS, IndicatorStream
from trading.loading import load_rules
from trading.portfolio import costs_of
from trading.ranking import Ranking
from trading.risk import PROFILES
from trading.shadow import Shadow


def warm() -> None:
    """Compile the rule book and every indicator."""
    load_rules()
    bars = np.arange(3)
    prices = np.ones(3, np.float64)
    candles = Candles("BTCUSDT", "1m", bars * 60_000, prices, prices, prices, prices, prices, prices, bars, prices)
    warm_kernel(candles)
    Shadow().take(candles, prices, np.ones(3, np.int8))
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
