"""Fill the compiled cache once, so that the first start does not wait: `python -m trading.warm`."""

import numpy as np

from trading import rules
from trading.domain import Candles
from trading.indicators import INDICATORS, IndicatorStream
from trading.strategies.extremes import extreme
from trading.strategies.tree import EXTREMES


def warm() -> None:
    """Compile the rule book, every indicator and what strategies compute beside them."""
    market, costs = rules.Market(10, 1, 1_000, 1, 0, 1), rules.Costs(1_000, 50, 200, 100_000)
    limits, wallet = rules.Limits(10_000, 2_000, 3_000, 0, 250_000, 600_000, 4, 30_000, 100_000), rules.Wallet(1, 1, 0)
    rules.entry_lots(market, limits, wallet, 1, 1)
    for price_rule in (rules.notional_ceil, rules.notional_floor, rules.holding_value):
        price_rule(market, 1, 1)
    for cost_rule in (rules.buy_price, rules.sell_price, rules.commission_units):
        cost_rule(costs, 1)
    rules.commission_atoms(market, costs, 1)
    rules.fillable_lots(costs, 1, 1)
    rules.stop_price(1, 1, 1)
    rules.target_price(1, 1, 1)
    rules.trailed_stop(1, 1, 1, 1)
    rules.protective_exit(1, 1, 1, 1, 1)
    rules.loss_ppm(1, 1)
    bars = np.arange(3)
    prices = np.ones(3, np.float64)
    candles = Candles("BTCUSDT", "1m", bars * 60_000, prices, prices, prices, prices, prices, prices, bars, prices)
    for name in INDICATORS:
        stream = IndicatorStream(name)
        stream.warm_up(candles)
        stream.push(candles.candle(2))
    for kind in EXTREMES:
        row = extreme(kind, "high")
        row.step(row.new_state(bars=2), 1.0)
        row.compute(candles, bars=2)


if __name__ == "__main__":
    warm()
