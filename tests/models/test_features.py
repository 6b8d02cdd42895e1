"""Features see what their rule says and nothing of the future, live as in training, whatever the price level."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import features
from models.feature_table import ALL_EARLIER, Feature, Rows
from models.features import (
    FEATURE_NAMES,
    FEATURES,
    SETTLED_BARS,
    WARM_UP_BARS,
    FeatureStream,
    features_hash,
    first_leak,
    matrix,
)
from tests.contracts.signal_source import random_candles
from tests.fakes.made_candles import stored_candles
from trading.domain import Candles
from trading.errors import BadInput

HOUR = 3_600_000
MONDAY_2022_05_02 = 1_651_449_600_000


def uneven(n_bars: int, seed: int = 7) -> Candles:
    """A random walk with a flat stretch, bars without volume and a hole in time."""
    candles = random_candles(n_bars, seed)
    for column in (candles.open, candles.high, candles.low, candles.close):
        column[150:190] = candles.close[150]
    candles.volume[150:180] = 0.0
    candles.open_time[200:] += HOUR
    return candles


def pushed(stream: FeatureStream, candles: Candles) -> np.ndarray:
    return np.array([stream.push(candles.candle(row)) for row in range(len(candles))])


def replaced_before(candles: Candles, row: int, other: Candles) -> Candles:
    return other[:row].then(candles[row:])


def test_features_of_the_users_design_are_among_them():
    assert {"rsi_14", "ema_12_gap", "ema_26_gap", "macd", "macd_signal", "return_1"} <= set(FEATURE_NAMES)
    assert len(set(FEATURE_NAMES)) == len(FEATURES)
    assert 35 <= len(FEATURES) <= 50


def test_matrix_is_float32_not_a_number_until_warm_and_all_numbers_after():
    found = matrix(random_candles(600))
    assert found.dtype == np.float32
    assert found.shape == (600, len(FEATURES))
    assert np.isnan(found[:WARM_UP_BARS - 1]).any(axis=1).all()
    assert np.isfinite(found[WARM_UP_BARS - 1:]).all()


def test_known_bars_give_known_values():
    candles = random_candles(300)
    value = dict(zip(FEATURE_NAMES, matrix(candles)[250].tolist(), strict=True))
    close, volume = candles.close, candles.volume
    assert value["return_1"] == pytest.approx(close[250] / close[249] - 1.0, rel=1e-6)
    assert value["return_48"] == pytest.approx(close[250] / close[202] - 1.0, rel=1e-6)
    assert value["volume_ratio"] == pytest.approx(volume[250] / volume[231:251].mean(), rel=1e-6)
    low, high = candles.low[231:251].min(), candles.high[231:251].max()
    assert value["place_20"] == pytest.approx((close[250] - low) / (high - low), rel=1e-6)
    assert value["upper_wick"] / value["range"] == pytest.approx(
        (candles.high[250] - max(candles.open[250], close[250])) / (candles.high[250] - candles.low[250]), rel=1e-5)


@pytest.mark.parametrize(("hours", "expected"), [
    (0, (0.0, 1.0, 0.0, 1.0)), (6, (1.0, 0.0, 0.0, 1.0)), (12, (0.0, -1.0, 0.0, 1.0)),
    (24 + 18, (-1.0, 0.0, np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7))),
    (6 * 24, (0.0, 1.0, -np.sin(2 * np.pi / 7), np.cos(2 * np.pi / 7))),
])
def test_clock_turns_with_the_day_and_the_week_from_monday(hours, expected):
    candles = random_candles(1)
    candles.open_time[0] = MONDAY_2022_05_02 + hours * HOUR
    assert matrix(candles)[0, -4:].tolist() == pytest.approx(list(expected), abs=1e-6)


@pytest.mark.parametrize("candles", [random_candles(700), uneven(700)], ids=["walk", "uneven"])
def test_no_feature_changes_when_the_future_becomes_nan(candles):
    assert first_leak(candles) is None


def test_no_feature_sees_the_future_of_a_real_market(shared_data):
    assert first_leak(stored_candles(shared_data / "ohlcv" / "BTCUSDT-1h.parquet")[:3_000]) is None


@pytest.mark.parametrize("column", range(len(FEATURES)), ids=FEATURE_NAMES)
def test_each_feature_is_named_when_it_is_moved_one_bar_ahead(column):
    def build(candles: Candles) -> np.ndarray:
        found = matrix(candles, FEATURES[column:])
        found[:-1, 0] = found[1:, 0]
        return found

    assert first_leak(random_candles(420), build, FEATURE_NAMES[column:]) == FEATURE_NAMES[column]


def test_planted_next_return_is_named():
    def build(candles: Candles) -> np.ndarray:
        ahead = np.append(candles.close[1:] / candles.close[:-1] - 1.0, np.nan)
        return np.column_stack((matrix(candles), ahead.astype(np.float32)))

    assert first_leak(random_candles(500), build, (*FEATURE_NAMES, "next_return")) == "next_return"
    assert first_leak(random_candles(500), build) == f"column {len(FEATURES)}"


@pytest.mark.parametrize("period", [3, 5, 12])
def test_leak_that_shows_on_some_bars_only_is_named(period):
    def build(candles: Candles) -> np.ndarray:
        found, ahead = matrix(candles), np.append(candles.close[1:], np.nan)
        found[::period, 4] = (ahead / candles.close)[::period]
        return found

    assert first_leak(random_candles(600), build) == FEATURE_NAMES[4]


@pytest.mark.parametrize("n_bars", [0, 1, 2, 5])
def test_few_bars_have_no_leak(n_bars):
    assert first_leak(random_candles(n_bars)) is None


def test_scaling_by_all_rows_is_a_leak():
    def build(candles: Candles) -> np.ndarray:
        found = matrix(candles)
        found[:, 8] /= np.nanstd(found[:, 8])
        return found

    assert first_leak(random_candles(500), build) == FEATURE_NAMES[8]


def reaches(feature: Feature, candles: Candles, row: int, n_rows: int) -> bool:
    """Whether a value changes, bit for bit, with the rows before the last `n_rows`."""
    past = replaced_before(candles, row - n_rows + 1, random_candles(len(candles), 99))
    one, other = (matrix(bars[:row + 1], (feature,))[row] for bars in (candles, past))
    return one.tobytes() != other.tobytes()


LIMITED = [feature for feature in FEATURES if feature.rows.n is not None]


@pytest.mark.parametrize("feature", LIMITED, ids=lambda feature: feature.name)
def test_rows_before_the_declared_ones_change_nothing(feature):
    candles = random_candles(400)
    assert not any(reaches(feature, candles, row, feature.rows.n) for row in range(300, 400, 3))


@pytest.mark.parametrize("feature", [feature for feature in LIMITED if feature.rows.n > 1], ids=lambda f: f.name)
def test_declared_rows_are_no_more_than_needed(feature):
    candles = random_candles(400)
    assert any(reaches(feature, candles, row, feature.rows.n - 1) for row in range(150, 400))


def test_features_that_remember_all_bars_say_so_and_forget_in_time():
    fading = tuple(feature for feature in FEATURES if feature.rows == ALL_EARLIER)
    assert len(fading) + len(LIMITED) == len(FEATURES)
    candles = random_candles(SETTLED_BARS + 600)
    other = random_candles(len(candles), 99)
    past = replaced_before(candles, 500, other.map(lambda column: column * 2 if column.dtype.kind == "f" else column))
    one, other = matrix(candles, fading), matrix(past, fading)
    assert (one[540] != other[540]).all()
    np.testing.assert_array_equal(one[500 + SETTLED_BARS:], other[500 + SETTLED_BARS:])


@pytest.mark.parametrize("cut", [0, 1, 99, 160, 255, 257, 500])
def test_stream_equals_matrix_bit_for_bit(cut, monkeypatch):
    candles = uneven(500)
    whole = matrix(candles)
    monkeypatch.setattr(features, "CHUNK", 64)
    stream = FeatureStream()
    stream.warm_up(candles[:cut // 2])
    stream.warm_up(candles[cut // 2:cut])
    rest = pushed(stream, candles[cut:])
    assert rest.tobytes() == whole[cut:].tobytes()
    assert matrix(candles).tobytes() == whole.tobytes()


def test_rows_handed_out_by_a_stream_stay_as_they_were():
    candles = random_candles(200)
    stream = FeatureStream()
    stream.warm_up(candles[:150])
    first = stream.push(candles.candle(150))
    kept = first.copy()
    stream.push(candles.candle(151))
    assert first.tobytes() == kept.tobytes()


@pytest.mark.parametrize("symbol", ["BTCUSDT-1h", "SOLUSDT-1h"])
def test_live_features_equal_training_features_after_another_warm_up(shared_data, symbol):
    candles = stored_candles(shared_data / "ohlcv" / f"{symbol}.parquet")[:8_000]
    trained = matrix(candles)
    stream = FeatureStream()
    stream.warm_up(candles[3_000:3_000 + SETTLED_BARS])
    live = pushed(stream, candles[3_000 + SETTLED_BARS:])
    np.testing.assert_array_equal(live, trained[3_000 + SETTLED_BARS:])


def test_price_level_and_volume_unit_change_no_feature():
    candles = random_candles(500)
    prices = {column: getattr(candles, column) * 1_024 for column in ("open", "high", "low", "close")}
    dear = dataclasses.replace(candles, **prices, volume=candles.volume / 64)
    assert matrix(dear).tobytes() == matrix(candles).tobytes()


def test_nothing_is_ever_infinite_and_division_by_nothing_is_not_a_number():
    candles = uneven(500)
    found = matrix(candles)
    assert not np.isinf(found).any()
    names = np.array(FEATURE_NAMES)
    assert {"place_5", "mfi_14", "cci_20", "stoch_k", "vortex_14"} <= set(names[np.isnan(found[180])])
    assert np.isfinite(found[300:]).all()
    still = random_candles(300).map(lambda column: column * 0 + 1 if column.dtype == np.float64 else column)
    assert not np.isinf(matrix(still)).any()


def test_value_beyond_float32_is_not_a_number():
    candles = random_candles(3)
    candles.high[1], candles.low[1], candles.volume[:] = 1e300, 1.0, 1.0
    huge = Feature("huge", "Huge", "share", ("high", "volume"), Rows(1))
    assert np.isnan(matrix(candles, (huge,))[:, 0]).tolist() == [False, True, False]


def test_no_bars_give_no_rows():
    assert matrix(random_candles(0)).shape == (0, len(FEATURES))


@pytest.mark.parametrize(("kind", "parts"), [("ratio", ("close", "open")), ("gap", ("close", "open"))])
def test_formula_that_does_not_exist_is_refused(kind, parts):
    with pytest.raises(BadInput, match=r"feature odd: .* parts; use one of"):
        matrix(random_candles(5), (Feature("odd", "Odd", kind, parts, Rows(1)),))


def test_hash_knows_definitions_and_the_numbers_behind_them(monkeypatch):
    before = features_hash()
    assert before == features_hash.__wrapped__()
    monkeypatch.setattr(features, "FEATURES", (*FEATURES[:-1], dataclasses.replace(FEATURES[-1], scale=2.0)))
    assert features_hash.__wrapped__() != before
    monkeypatch.undo()
    shifted = matrix(random_candles(400))
    monkeypatch.setattr(features, "matrix", lambda candles: shifted)
    assert features_hash.__wrapped__() != before


def test_every_feature_is_in_the_documentation_as_it_is():
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if " | sees" not in line]
    rows = {row[0].strip("`"): row[1:] for row in rows if len(row) == 4 and row[0].strip("`") in FEATURE_NAMES}
    assert rows == {feature.name: [feature.label, feature.formula, str(feature.rows)] for feature in FEATURES}


def test_importing_features_brings_no_learning_library():
    code = "import sys, models.features, models.labels, models.splits\n" \
           "print(sorted({'sklearn', 'xgboost', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
