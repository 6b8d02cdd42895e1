from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.symbols import infer_tick, specs_for
from tests.fakes.made_candles import made_candles, stored_candles
from trading.domain import SymbolSpec
from trading.errors import BadInput


def spec(symbol, *texts):
    return SymbolSpec(symbol, *(Decimal(text) for text in texts))


def test_the_table_agrees_with_what_real_candles_show(shared_data):
    known = specs_for(["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"])
    assert known["BTCUSDT"] == spec("BTCUSDT", "0.01", "0.00001", "0.00001", "9000", "5")
    for name in ("BTCUSDT-1m", "ETHUSDT-1m", "SOLUSDT-1m"):
        bars = stored_candles(shared_data / "ohlcv" / f"{name}.parquet")
        prices = np.unique(np.concatenate((bars.open, bars.high, bars.low, bars.close)))
        assert infer_tick(prices) == known[bars.symbol].tick_size
        lots = bars.volume / float(known[bars.symbol].lot_size)
        assert (np.abs(lots - np.rint(lots)) < 1e-3).mean() > 0.99


def test_limits_of_an_unlisted_symbol_come_from_its_candles():
    bars = replace(made_candles(200), symbol="NEWUSDT")
    assert specs_for(["NEWUSDT"], {"NEWUSDT": bars})["NEWUSDT"] == spec(
        "NEWUSDT", "0.01", "0.00001", "0.00001", "10000", "5"
    )
    with pytest.raises(BadInput, match="NEWUSDT"):
        specs_for(["NEWUSDT"], {"NEWUSDT": bars[:0]})
    with pytest.raises(BadInput, match="NEWUSDT"):
        specs_for(["NEWUSDT"])


@pytest.mark.parametrize(
    ("prices", "tick"),
    [([100.0, 2000.0], "1"), ([100.5], "0.1"), ([0.1 + 0.2], "0.1"), ([1e-8, 3e-8], "1E-8"), ([1 / 3], "1E-8")],
)
def test_the_tick_is_the_coarsest_power_of_ten_that_fits(prices, tick):
    assert infer_tick(np.array(prices)) == Decimal(tick)


@given(st.integers(0, 8), st.lists(st.integers(1, 10**7), min_size=1, max_size=30))
def test_every_price_is_a_whole_number_of_inferred_ticks(decimals, ticks):
    prices = np.array([float(Decimal(n).scaleb(-decimals)) for n in ticks])
    tick = infer_tick(prices)
    assert tick >= Decimal(1).scaleb(-decimals)
    assert all(Decimal(n).scaleb(-decimals) % tick == 0 for n in ticks)
