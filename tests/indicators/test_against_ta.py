"""On real candles every indicator equals `ta` after warm-up, to 1e-9 of the size of its inputs."""

import numpy as np
import pytest

from trading.domain import Candles
from trading.indicators import INDICATORS

ta = pytest.importorskip("ta")
pd = pytest.importorskip("pandas")
PARAMETERS = {
    "rsi": [{}, {"period": 2}, {"period": 50}],
    "ema": [{}, {"period": 2}, {"period": 200}],
    "sma": [{}, {"period": 1}, {"period": 200}],
    "macd": [{}, {"fast": 3, "slow": 10, "signal": 16}],
    "bb": [{}, {"period": 50, "multiple": 2.5}],
    "atr": [{}, {"period": 3}],
    "adx": [{}, {"period": 5}],
    "rolling_vwap": [{}, {"period": 240}],
}
CASES = [(name, parameters) for name, cases in PARAMETERS.items() for parameters in cases]
IDS = ["_".join([name, *map(str, p.values())]) for name, p in CASES]


@pytest.fixture(scope="module")
def frame(shared_data):
    return pd.read_parquet(shared_data / "ohlcv" / "BTCUSDT-1m.parquet")


@pytest.fixture(scope="module")
def candles(frame):
    columns = (frame[c].to_numpy("int64" if c in ("open_time", "trades") else "float64") for c in Candles.columns())
    return Candles("BTCUSDT", "1m", *columns)


def ta_outputs(name, frame, p):
    close, bars = frame.close, (frame.high, frame.low, frame.close)
    match name:
        case "rsi":
            return {"rsi": ta.momentum.RSIIndicator(close, p["period"]).rsi()}
        case "ema":
            return {"ema": ta.trend.EMAIndicator(close, p["period"]).ema_indicator()}
        case "sma":
            return {"sma": ta.trend.SMAIndicator(close, p["period"]).sma_indicator()}
        case "macd":
            macd = ta.trend.MACD(close, p["slow"], p["fast"], p["signal"])
            return {"line": macd.macd(), "signal": macd.macd_signal(), "histogram": macd.macd_diff()}
        case "bb":
            bands = ta.volatility.BollingerBands(close, p["period"], p["multiple"])
            return {"upper": bands.bollinger_hband(), "middle": bands.bollinger_mavg(),
                    "lower": bands.bollinger_lband()}
        case "atr":
            return {"atr": ta.volatility.AverageTrueRange(*bars, p["period"]).average_true_range()}
        case "adx":
            adx = ta.trend.ADXIndicator(*bars, p["period"])
            return {"adx": adx.adx(), "plus_di": adx.adx_pos(), "minus_di": adx.adx_neg()}
        case _:
            vwap = ta.volume.VolumeWeightedAveragePrice(*bars, frame.volume, p["period"])
            return {"rolling_vwap": vwap.volume_weighted_average_price()}


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=IDS)
def test_indicator_equals_ta_after_warm_up_on_a_quarter_of_real_minutes(name, parameters, frame, candles):
    # ta's ATR and ADX are Python loops: slow, and their rounding errors fade instead of building up.
    n_bars = 15_000 if name in ("atr", "adx") else len(candles)
    indicator = INDICATORS[name]
    settings = indicator.settings(**parameters)
    warm = indicator.warm_up(**settings)
    theirs = ta_outputs(name, frame[:n_bars], settings)
    ours = indicator.compute(candles[:n_bars], **parameters)
    # A MACD passes through 0: its digits are those of the prices it is a difference of.
    floor = float(candles.close.max()) if name == "macd" else 0.0
    assert set(ours) == set(theirs)
    for output, column in theirs.items():
        expected = column.to_numpy()[warm - 1:]
        scale = np.maximum(np.abs(expected), floor)
        assert np.all(np.abs(ours[output][warm - 1:] - expected) <= 1e-9 * scale), output


def test_day_vwap_equals_grouped_sums_on_real_minutes(frame, candles):
    typical = (frame.high + frame.low + frame.close) / 3
    day = frame.open_time // 86_400_000
    expected = (typical * frame.volume).groupby(day).cumsum() / frame.volume.groupby(day).cumsum()
    ours = INDICATORS["vwap"].compute(candles)["vwap"]
    assert np.allclose(ours, expected.to_numpy(), rtol=1e-11, atol=0)
