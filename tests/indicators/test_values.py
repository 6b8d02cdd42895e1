"""Values that can be checked by hand, and the corners where formulas divide by nothing."""

import numpy as np
import pytest

from tests.contracts.signal_source import random_candles
from trading.domain import Candles
from trading.indicators import INDICATORS


def bars(close, high=None, low=None, volume=None, open_time=None) -> Candles:
    close = np.array(close, np.float64)
    n = len(close)
    high = close if high is None else np.array(high, np.float64)
    low = close if low is None else np.array(low, np.float64)
    volume = np.ones(n) if volume is None else np.array(volume, np.float64)
    times = 60_000 * np.arange(n, dtype=np.int64) if open_time is None else np.array(open_time, np.int64)
    return Candles("BTCUSDT", "1m", times, close, high, low, close, volume, volume, times, volume)


def only(name, candles, **parameters):
    return INDICATORS[name].compute(candles, **parameters)[INDICATORS[name].primary]


def test_sma_is_the_mean_of_the_window():
    assert only("sma", bars([1, 2, 3, 4, 8]), period=3)[2:].tolist() == [2.0, 3.0, 5.0]


def test_ema_starts_at_the_first_close_and_moves_by_alpha():
    assert only("ema", bars([2, 4, 8]), period=3)[2:].tolist() == [5.5]


@pytest.mark.parametrize("name", ["ema", "sma"])
def test_average_of_a_flat_market_is_exactly_its_price(name):
    values = only(name, bars([0.1] * 200), period=7)[6:]
    assert np.allclose(values, 0.1, rtol=1e-15, atol=0)
    if name == "ema":
        assert set(values.tolist()) == {0.1}


def test_rsi_is_the_share_of_rises():
    # Period 2 by hand: rises 0, 2, 0 and falls 0, 0, 1 give means 0.5 and 0.5.
    assert only("rsi", bars([10, 12, 11]), period=2).tolist()[1:] == [100.0, 50.0]


def test_rsi_is_0_in_a_falling_and_100_in_a_rising_market():
    assert only("rsi", bars(range(50, 20, -1)))[-1] == 0.0
    assert only("rsi", bars(range(20, 50)))[-1] == 100.0


def test_macd_histogram_is_line_less_signal():
    macd = INDICATORS["macd"].compute(random_candles(100))
    assert np.array_equal(macd["histogram"], macd["line"] - macd["signal"], equal_nan=True)
    assert np.isfinite(macd["line"][25])
    assert np.isnan(macd["line"][24])


def test_bollinger_width_is_two_population_deviations():
    bands = INDICATORS["bb"].compute(bars([1, 2, 3, 4, 5]), period=4)
    deviation = np.std([2, 3, 4, 5])
    assert bands["middle"][4] == 3.5
    assert bands["upper"][4] == pytest.approx(3.5 + 2 * deviation, rel=1e-15)
    assert bands["lower"][4] == pytest.approx(3.5 - 2 * deviation, rel=1e-15)


def test_bollinger_of_a_flat_market_has_no_width_even_after_a_crash():
    bands = INDICATORS["bb"].compute(bars([1e6] * 25 + [0.1] * 40))
    assert bands["upper"][-1] == bands["lower"][-1] == pytest.approx(0.1, rel=1e-12)


def test_atr_counts_the_gap_to_the_last_close():
    candles = bars([10, 20, 9], high=[11, 21, 10], low=[9, 19, 8])
    assert only("atr", candles, period=1).tolist() == [2.0, 11.0, 12.0]
    assert only("atr", candles, period=2).tolist()[1:] == [6.5, 9.25]


def test_adx_of_a_steady_rise_is_100_with_no_minus():
    rise = np.arange(60.0)
    adx = INDICATORS["adx"].compute(bars(rise + 100, high=rise + 101, low=rise + 99))
    assert adx["adx"][-1] == pytest.approx(100.0)
    assert (adx["plus_di"][-1], adx["minus_di"][-1]) == (pytest.approx(50.0), 0.0)


def test_adx_of_a_dead_market_is_0_not_an_error():
    adx = INDICATORS["adx"].compute(bars([5.0] * 40))
    assert [column[-1] for column in adx.values()] == [0.0, 0.0, 0.0]


def test_vwap_starts_anew_at_midnight_utc():
    day = 86_400_000
    candles = bars([10, 20, 40, 80], volume=[1, 3, 1, 1], open_time=[day - 120_000, day - 60_000, day, day + 60_000])
    assert only("vwap", candles).tolist() == [10.0, 17.5, 40.0, 60.0]


@pytest.mark.parametrize("name", ["vwap", "rolling_vwap"])
def test_vwap_without_volume_is_not_a_number(name):
    values = only(name, bars([10.0] * 20, volume=[0.0] * 19 + [2.0]))
    assert np.isnan(values[:19]).all()
    assert values[19] == 10.0


@pytest.mark.parametrize("name", ["sma", "rolling_vwap", "bb"])
def test_windows_forget_a_spike_and_a_missing_value_completely(name):
    clean = random_candles(200)
    broken = clean.map(np.copy)
    broken.close[50], broken.close[51] = 1e18, np.nan
    after = [only(name, candles, period=10)[80:] for candles in (clean, broken)]
    assert after[0].tobytes() == after[1].tobytes()


def test_sma_does_not_drift_over_a_million_bars():
    close = np.random.default_rng(3).uniform(1e-4, 1e6, 1_000_000)
    last = only("sma", bars(close), period=20)[-1]
    assert last == pytest.approx(close[-20:].mean(), rel=1e-14)
