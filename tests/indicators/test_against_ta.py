"""On random walks and on real candles every indicator equals `ta` after warm-up.

The tolerance is 1e-9 of the value, or of the size that the value is a difference of: where an oscillator passes through
0 its digits are those of the prices or sums that it compares. `ta` sums windows by adding and subtracting (pandas'
rolling sums, with Kahan's correction), so its own figures carry an error of some 1e-16 of the largest sum it has met.
"""

import numpy as np
import pytest

from tests.contracts.signal_source import random_candles
from trading.domain import Candles
from trading.indicators import INDICATORS

ta = pytest.importorskip("ta")
pd = pytest.importorskip("pandas")

PARAMETERS = {
    "adx": [{}, {"period": 5}],
    "ao": [{}, {"fast": 10, "slow": 3}],
    "aroon": [{}, {"period": 3}],
    "atr": [{}, {"period": 3}],
    "bb": [{}, {"period": 50, "multiple": 2.5}],
    "bb_width": [{}, {"period": 50, "multiple": 2.5}],
    "cci": [{}, {"period": 100}],
    "cmf": [{}, {"period": 3}],
    "donchian": [{}, {"period": 1}, {"period": 55}],
    "dpo": [{}, {"period": 2}, {"period": 21}],
    "ema": [{}, {"period": 2}, {"period": 200}],
    "eom": [{}, {"period": 1}],
    "force": [{}, {"period": 1}],
    "highest": [{}, {"period": 200}],
    "ichimoku": [{}, {"conversion": 20, "base": 60, "span": 120}],
    "kama": [{}, {"period": 30, "fast": 5, "slow": 60}],
    "keltner": [{}, {"period": 5, "atr_period": 30, "multiple": 1.5}],
    "keltner_original": [{}, {"period": 5}],
    "kst": [{}, {"roc1": 40, "sma2": 30, "signal": 3}],
    "lowest": [{}, {"period": 200}],
    "macd": [{}, {"fast": 3, "slow": 10, "signal": 16}],
    "mass": [{}, {"fast": 20, "slow": 3}],
    "mfi": [{}, {"period": 50}],
    "ppo": [{}, {"fast": 3, "slow": 10, "signal": 16}],
    "psar": [{}, {"acceleration": 0.1, "maximum": 0.3}],
    "pvo": [{}, {"fast": 3, "slow": 10, "signal": 16}],
    "roc": [{}, {"period": 1}],
    "rolling_vwap": [{}, {"period": 240}],
    "rsi": [{}, {"period": 2}, {"period": 50}],
    "sma": [{}, {"period": 1}, {"period": 200}],
    "stc": [{}, {"fast": 12, "slow": 26, "cycle": 20, "smooth": 5, "smooth_again": 4}],
    "stoch": [{}, {"period": 50, "smooth": 1}],
    "stochrsi": [{}, {"period": 30, "smooth_k": 1, "smooth_d": 5}],
    "trix": [{}, {"period": 4}],
    "tsi": [{}, {"slow": 5, "fast": 20}],
    "ulcer": [{}, {"period": 50}],
    "uo": [{}, {"fast": 40, "middle": 3, "slow": 10}],
    "volume_sma": [{}],
    "vortex": [{}, {"period": 3}],
    "vpt": [{}, {"smooth": 20}],
    "williams": [{}, {"period": 50}],
    "wma": [{}, {"period": 1}, {"period": 200}],
}
WITHOUT_PARAMETERS = ("adi", "bar_return", "cumulative_return", "log_return", "nvi", "obv")
CASES = [(name, parameters) for name, cases in PARAMETERS.items() for parameters in cases]
CASES += [(name, {}) for name in WITHOUT_PARAMETERS]
IDS = ["_".join([name, *map(str, p.values())]) for name, p in CASES]
# Python loops in ta: some 0.1 ms a bar, so these get fewer bars. Their rounding errors fade instead of building up.
SLOW = {"adx", "aroon", "atr", "cci", "kama", "keltner", "mfi", "nvi", "psar", "ulcer", "wma"}
# Values around 0 are differences of these: prices, volumes, percent, sums of money. All others are good to 1e-9.
PRICES = {"macd", "ao", "dpo"}
PERCENT = {"aroon", "bar_return", "cci", "cmf", "cumulative_return", "donchian", "force", "keltner",
           "keltner_original", "kst", "log_return", "mfi", "ppo", "pvo", "roc", "stc", "stoch", "stochrsi", "trix",
           "tsi", "ulcer", "vortex", "williams"}
SUMS = {"adi", "obv", "vpt"}
# A cycle in which the smoothed place hardly moved is a rounding error over a rounding error: 27 of 132,408 bars differ.
ODD_SHARES = {"stc": 1e-3}


def _columns(source, **methods):
    return {output: getattr(source, method)() for output, method in methods.items()}


def _line_signal(source, name):
    return _columns(source, line=name, signal=f"{name}_signal", histogram=f"{name}_hist")


def _channel(source, prefix):
    return {**_columns(source, upper=f"{prefix}_hband", middle=f"{prefix}_mband", lower=f"{prefix}_lband",
                       width=f"{prefix}_wband", percent=f"{prefix}_pband")}


def ta_momentum(name, f, p):
    m, hlc = ta.momentum, (f.high, f.low, f.close)
    match name:
        case "ao":
            return _columns(m.AwesomeOscillatorIndicator(f.high, f.low, p["fast"], p["slow"]), ao="awesome_oscillator")
        case "kama":
            return _columns(m.KAMAIndicator(f.close, p["period"], p["fast"], p["slow"]), kama="kama")
        case "ppo":
            return _line_signal(m.PercentagePriceOscillator(f.close, p["slow"], p["fast"], p["signal"]), "ppo")
        case "pvo":
            return _line_signal(m.PercentageVolumeOscillator(f.volume, p["slow"], p["fast"], p["signal"]), "pvo")
        case "roc":
            return _columns(m.ROCIndicator(f.close, p["period"]), roc="roc")
        case "rsi":
            return _columns(m.RSIIndicator(f.close, p["period"]), rsi="rsi")
        case "stoch":
            return _columns(m.StochasticOscillator(*hlc, p["period"], p["smooth"]), k="stoch", d="stoch_signal")
        case "stochrsi":
            source = m.StochRSIIndicator(f.close, p["period"], p["smooth_k"], p["smooth_d"])
            return _columns(source, stochrsi="stochrsi", k="stochrsi_k", d="stochrsi_d")
        case "tsi":
            return _columns(m.TSIIndicator(f.close, p["slow"], p["fast"]), tsi="tsi")
        case "uo":
            return _columns(m.UltimateOscillator(*hlc, p["fast"], p["middle"], p["slow"]), uo="ultimate_oscillator")
        case "williams":
            return _columns(m.WilliamsRIndicator(*hlc, p["period"]), williams="williams_r")
    return None


def ta_volume(name, f, p):
    v, hlcv = ta.volume, (f.high, f.low, f.close, f.volume)
    match name:
        case "adi":
            return _columns(v.AccDistIndexIndicator(*hlcv), adi="acc_dist_index")
        case "cmf":
            return _columns(v.ChaikinMoneyFlowIndicator(*hlcv, p["period"]), cmf="chaikin_money_flow")
        case "eom":
            source = v.EaseOfMovementIndicator(f.high, f.low, f.volume, p["period"])
            return _columns(source, eom="sma_ease_of_movement", raw="ease_of_movement")
        case "force":
            return _columns(v.ForceIndexIndicator(f.close, f.volume, p["period"]), force="force_index")
        case "mfi":
            return _columns(v.MFIIndicator(*hlcv, p["period"]), mfi="money_flow_index")
        case "nvi":
            return _columns(v.NegativeVolumeIndexIndicator(f.close, f.volume), nvi="negative_volume_index")
        case "obv":
            return _columns(v.OnBalanceVolumeIndicator(f.close, f.volume), obv="on_balance_volume")
        case "rolling_vwap":
            source = v.VolumeWeightedAveragePrice(*hlcv, p["period"])
            return _columns(source, rolling_vwap="volume_weighted_average_price")
        case "volume_sma":
            return _columns(ta.trend.SMAIndicator(f.volume, p["period"]), volume_sma="sma_indicator")
        case "vpt":
            source = v.VolumePriceTrendIndicator(f.close, f.volume, smoothing_factor=p["smooth"])
            return _columns(source, vpt="volume_price_trend")
    return None


def ta_volatility(name, f, p):
    v, hlc = ta.volatility, (f.high, f.low, f.close)
    match name:
        case "atr":
            return _columns(v.AverageTrueRange(*hlc, p["period"]), atr="average_true_range")
        case "bb":
            source = v.BollingerBands(f.close, p["period"], p["multiple"])
            return _columns(source, upper="bollinger_hband", middle="bollinger_mavg", lower="bollinger_lband")
        case "bb_width":
            source = v.BollingerBands(f.close, p["period"], p["multiple"])
            return _columns(source, width="bollinger_wband", percent="bollinger_pband")
        case "donchian":
            return _channel(v.DonchianChannel(*hlc, p["period"]), "donchian_channel")
        case "highest" | "lowest":
            source = v.DonchianChannel(f.close, f.close, f.close, p["period"])
            return _columns(source, **{name: f"donchian_channel_{'h' if name == 'highest' else 'l'}band"})
        case "keltner":
            source = v.KeltnerChannel(*hlc, p["period"], p["atr_period"], original_version=False,
                                      multiplier=p["multiple"])
            return _channel(source, "keltner_channel")
        case "keltner_original":
            return _channel(v.KeltnerChannel(*hlc, p["period"]), "keltner_channel")
        case "ulcer":
            return _columns(v.UlcerIndex(f.close, p["period"]), ulcer="ulcer_index")
        case "bar_return":
            return _columns(ta.others.DailyReturnIndicator(f.close), bar_return="daily_return")
        case "log_return":
            return _columns(ta.others.DailyLogReturnIndicator(f.close), log_return="daily_log_return")
        case "cumulative_return":
            return _columns(ta.others.CumulativeReturnIndicator(f.close), cumulative_return="cumulative_return")
    return None


def ta_trend(name, f, p):
    t, hl, hlc = ta.trend, (f.high, f.low), (f.high, f.low, f.close)
    match name:
        case "adx":
            return _columns(t.ADXIndicator(*hlc, p["period"]), adx="adx", plus_di="adx_pos", minus_di="adx_neg")
        case "aroon":
            return _columns(t.AroonIndicator(*hl, p["period"]), up="aroon_up", down="aroon_down",
                            difference="aroon_indicator")
        case "cci":
            return _columns(t.CCIIndicator(*hlc, p["period"]), cci="cci")
        case "dpo":
            return _columns(t.DPOIndicator(f.close, p["period"]), dpo="dpo")
        case "ema":
            return _columns(t.EMAIndicator(f.close, p["period"]), ema="ema_indicator")
        case "ichimoku":
            source = t.IchimokuIndicator(*hl, p["conversion"], p["base"], p["span"])
            return _columns(source, conversion="ichimoku_conversion_line", base="ichimoku_base_line",
                            span_a="ichimoku_a", span_b="ichimoku_b")
        case "kst":
            source = t.KSTIndicator(f.close, *(p[f"roc{n}"] for n in range(1, 5)), *(p[f"sma{n}"] for n in range(1, 5)),
                                    nsig=p["signal"])
            return _columns(source, line="kst", signal="kst_sig", histogram="kst_diff")
        case "macd":
            source = t.MACD(f.close, p["slow"], p["fast"], p["signal"])
            return _columns(source, line="macd", signal="macd_signal", histogram="macd_diff")
        case "mass":
            return _columns(t.MassIndex(*hl, p["fast"], p["slow"]), mass="mass_index")
        case "psar":
            source = t.PSARIndicator(*hlc, p["acceleration"], p["maximum"])
            return {"psar": source.psar(), "trend": source.psar_up().notna() * 2.0 - 1.0}
        case "sma":
            return _columns(t.SMAIndicator(f.close, p["period"]), sma="sma_indicator")
        case "stc":
            source = t.STCIndicator(f.close, p["slow"], p["fast"], p["cycle"], p["smooth"], p["smooth_again"])
            return _columns(source, stc="stc")
        case "trix":
            return _columns(t.TRIXIndicator(f.close, p["period"]), trix="trix")
        case "vortex":
            return _columns(t.VortexIndicator(*hlc, p["period"]), plus="vortex_indicator_pos",
                            minus="vortex_indicator_neg", difference="vortex_indicator_diff")
        case "wma":
            return _columns(t.WMAIndicator(f.close, p["period"]), wma="wma")
    return None


def ta_outputs(name, frame, parameters):
    for family in (ta_momentum, ta_volume, ta_volatility, ta_trend):
        if (columns := family(name, frame, parameters)) is not None:
            return columns
    raise AssertionError(f"{name} has no counterpart")


def floor_of(name, frame, expected):
    """The size of what a value near 0 is a difference of."""
    if name in PRICES:
        return float(frame.close.max())
    if name in SUMS:
        return float(frame.volume.sum())
    if name == "eom":  # a bar with next to no volume moves by 1e10, and ta's rolling sum remembers it
        return float(np.nanmax(np.abs(expected)))
    if name == "bb_width":  # the place between bands that lie a thousandth of the price apart
        return 1_000.0
    return 100.0 if name in PERCENT else 0.0


def assert_equal_after_warm_up(name, parameters, frame, candles):
    indicator = INDICATORS[name]
    settings = indicator.settings(**parameters)
    warm = indicator.warm_up(**settings)
    theirs = ta_outputs(name, frame, settings)
    ours = indicator.compute(candles, **parameters)
    assert set(ours) == set(theirs)
    for output, column in theirs.items():
        expected, seen = column.to_numpy()[warm - 1:], ours[output][warm - 1:]
        scale = np.maximum(np.abs(expected), floor_of(name, frame, expected))
        apart = ~(np.abs(seen - expected) <= 1e-9 * scale) & ~(np.isnan(seen) & np.isnan(expected))
        assert apart.mean() <= ODD_SHARES.get(name, 0.0), (output, np.flatnonzero(apart)[:5] + warm - 1)


def as_candles(frame):
    columns = (frame[c].to_numpy("int64" if c in ("open_time", "trades") else "float64") for c in Candles.columns())
    return Candles("BTCUSDT", "1m", *columns)


@pytest.fixture(scope="module")
def frame(shared_data):
    return pd.read_parquet(shared_data / "ohlcv" / "BTCUSDT-1m.parquet")


@pytest.fixture(scope="module")
def candles(frame):
    return as_candles(frame)


def test_every_indicator_but_the_session_vwap_is_compared():
    assert {name for name, _ in CASES} == set(INDICATORS) - {"vwap"}


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=IDS)
def test_indicator_equals_ta_after_warm_up_on_a_random_walk(name, parameters):
    candles = random_candles(1_200, seed=11)
    frame = pd.DataFrame({c: getattr(candles, c) for c in Candles.columns()})
    assert_equal_after_warm_up(name, parameters, frame, candles)


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=IDS)
def test_indicator_equals_ta_after_warm_up_on_a_quarter_of_real_minutes(name, parameters, frame, candles):
    n_bars = 5_000 if name in SLOW else len(candles)
    assert_equal_after_warm_up(name, parameters, frame[:n_bars], candles[:n_bars])


def test_day_vwap_equals_grouped_sums_on_real_minutes(frame, candles):
    typical = (frame.high + frame.low + frame.close) / 3
    day = frame.open_time // 86_400_000
    expected = (typical * frame.volume).groupby(day).cumsum() / frame.volume.groupby(day).cumsum()
    ours = INDICATORS["vwap"].compute(candles)["vwap"]
    assert np.allclose(ours, expected.to_numpy(), rtol=1e-11, atol=0)
