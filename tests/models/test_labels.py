"""Labels say what a trader could have had, use only the bars up to their end, and are not known before."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.labels import UNKNOWN, make_labels, uniqueness
from tests.contracts.signal_source import random_candles
from trading.domain import Candles
from trading.domain.backtests import CostSettings
from trading.domain.learning import LABELS, ModelSettings
from trading.errors import BadInput
from trading.indicators import INDICATORS

FREE = CostSettings(0.0, 0.0, 0.0)
COSTS = CostSettings()
EVERY_LABEL = pytest.mark.parametrize("label", LABELS)
BARRIERS = ModelSettings(label="triple_barrier", horizon=4, stop_atr=2.0, target_atr=3.0)
N_STILL = 20  # bars of a range of 2 around 100: their ATR is 2


def market(*bars: tuple[float, float, float, float]) -> Candles:
    """Still bars, the last of which decides in the tests below, then the given (open, high, low, close)."""
    rows = [(100.0, 101.0, 99.0, 100.0)] * N_STILL + list(bars)
    opens, high, low, close = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    times = 60_000 * np.arange(len(rows))
    return Candles("BTCUSDT", "1m", times, opens, high, low, close, opens, opens, times, opens)


def answer(candles: Candles, chosen: ModelSettings, costs: CostSettings = FREE) -> tuple[int, int, float]:
    """y, bars until the end, and gain of the label of the last still bar."""
    labels, row = make_labels(candles, chosen, costs), N_STILL - 1
    return int(labels.y[row]), int(labels.end[row]) - row, float(labels.gain[row])


STILL = (100.0, 101.0, 99.0, 100.0)


@pytest.mark.parametrize(("bars", "expected"), [
    ([STILL, (100, 106.5, 99, 106)], (1, 2, 0.06)),
    ([STILL, (100, 106.0, 99, 106), STILL, STILL], (0, 4, 0.0)),  # touched, not passed
    ([STILL, (107, 108.0, 106, 107)], (1, 2, 0.07)),  # the market opens beyond the target
    ([STILL, (100, 101.0, 96, 97)], (0, 2, -0.04)),
    ([STILL, (95, 96.0, 94, 95)], (0, 2, -0.05)),  # a gap through the stop trades at the open
    ([(100, 107.0, 95, 106)], (0, 1, -0.04)),  # both in one bar: the stop
    ([(107, 108.0, 95, 106)], (0, 1, 95.0)),  # placed below by the entry's own open
    ([STILL, STILL, STILL, (100, 103, 99, 102)], (1, 4, 0.02)),
    ([STILL, STILL, STILL, (100, 103, 99, 99.5)], (0, 4, -0.005)),
])
def test_triple_barrier_ends_at_the_first_barrier_and_takes_the_worse(bars, expected):
    found = answer(market(*bars), BARRIERS)
    if expected[2] == 95.0:  # entered at 107: stop 103, target 113
        expected = (0, 1, 103 / 107 - 1)
    assert found == pytest.approx(expected)


def test_triple_barrier_without_a_barrier_asks_for_more_than_the_costs():
    bars = [STILL, STILL, STILL, (100, 101, 99, 100.3)]
    assert answer(market(*bars), BARRIERS, FREE)[0] == 1
    y, _, gain = answer(market(*bars), BARRIERS, CostSettings(0.002, 0.0, 0.0))
    assert (y, gain) == (0, pytest.approx(1.003 * 0.998**2 - 1))


def test_label_whose_bars_have_not_come_is_not_known_unless_a_barrier_was_met():
    assert answer(market(STILL, STILL, STILL), BARRIERS)[:2] == (UNKNOWN, 4)
    assert answer(market(STILL, (100, 101, 95, 96)), BARRIERS)[:2] == (0, 2)
    labels = make_labels(market(), BARRIERS, FREE)
    assert labels.known.tolist() == [13 <= row < N_STILL - 4 for row in range(N_STILL)]
    np.testing.assert_array_equal(np.isnan(labels.gain), ~labels.known)
    assert labels.end.tolist() == [*range(13), 17, 18, 19, *[N_STILL] * 4]


def test_next_bar_compares_closes_and_its_gain_is_from_the_next_open():
    bars = (99.0, 101.0, 98.0, 100.5)
    assert answer(market(bars), ModelSettings(label="next_bar")) == pytest.approx((1, 1, 100.5 / 99 - 1))
    lower = (99.0, 101.0, 98.0, 99.5)
    assert answer(market(lower), ModelSettings(label="next_bar")) == pytest.approx((0, 1, 99.5 / 99 - 1))


def test_next_bar_is_the_users_label():
    candles = random_candles(300)
    labels = make_labels(candles, ModelSettings(label="next_bar"), COSTS)
    np.testing.assert_array_equal(labels.y[:-1], np.diff(candles.close) > 0)
    np.testing.assert_array_equal(labels.end, np.arange(300) + 1)
    assert labels.y[-1] == UNKNOWN
    assert not labels.known[-1]


@pytest.mark.parametrize(("costs", "kept"), [
    (CostSettings(0.001, 0.0, 0.0), 0.999**2),
    (CostSettings(0.0, 10.0, 0.0), (1 - 0.0005) / (1 + 0.0005)),
    (CostSettings(0.0, 0.0, 10.0), (1 - 0.001) / (1 + 0.001)),
    (CostSettings(0.001, 2.0, 3.0), 0.999**2 * (1 - 0.0004) / (1 + 0.0004)),
    (CostSettings(0.0, 0.0, 0.0, slippage_atr=0.1), (1 - 0.002) / (1 + 0.002)),
])
def test_horizon_is_net_of_both_sides_of_the_costs(costs, kept):
    bars = [(101.0, 103.0, 100.0, 102.0), STILL, (100.0, 104.0, 100.0, 103.0)]
    y, n_bars, gain = answer(market(*bars), ModelSettings(label="horizon", horizon=3), costs)
    assert (y, n_bars) == (1, 3)
    assert gain == pytest.approx(103 / 101 * kept - 1, rel=1e-9)


def test_horizon_is_up_only_for_a_gain_after_costs():
    bars = [(100.0, 101.0, 99.0, 100.0), (100.0, 101.0, 99.0, 100.2)]
    chosen = ModelSettings(label="horizon", horizon=2)
    assert answer(market(*bars), chosen, FREE)[0] == 1
    assert answer(market(*bars), chosen, CostSettings(0.001, 1.0, 2.0))[0] == 0


def same(one, other) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "gain")
               for name in ("y", "end", "gain"))


@EVERY_LABEL
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), row=st.integers(0, 139))
def test_bars_after_the_end_never_change_a_label_and_it_is_unknown_before(label, seed, row):
    candles, chosen = random_candles(140, seed), ModelSettings(label=label, horizon=9, stop_atr=1.0, target_atr=1.5)
    whole = make_labels(candles, chosen, COSTS)
    end = int(whole.end[row])
    if end == len(candles) or end == row:
        assert whole.y[row] == UNKNOWN
        return
    other = random_candles(140, seed + 1).map(lambda column: column * 3)
    changed = Candles("BTCUSDT", "1m", *(np.concatenate((getattr(candles, c)[:end + 1], getattr(other, c)[end + 1:]))
                                         for c in Candles.columns()))
    for later in (changed, candles[:end + 1]):
        labels = make_labels(later, chosen, COSTS)
        assert (labels.y[row], labels.end[row], labels.gain[row]) == (whole.y[row], end, whole.gain[row])
    assert make_labels(candles[:end], chosen, COSTS).y[row] == UNKNOWN


@EVERY_LABEL
def test_label_uses_only_the_bars_from_the_next_to_its_end_and_its_own_close_and_atr(label):
    candles, chosen = random_candles(140), ModelSettings(label=label, horizon=9)
    whole, row = make_labels(candles, chosen, COSTS), 60
    end = int(whole.end[row])
    atr = INDICATORS["atr"].compute(candles, period=14)["atr"]
    entry = candles.open[row + 1]
    before = random_candles(140).map(np.copy)
    before.open[:row + 1] *= 1.5
    before.volume[:] = 0.0
    same_bars = make_labels(before, chosen, COSTS)
    assert (same_bars.y[row], same_bars.end[row]) == (whole.y[row], end)
    if label == "triple_barrier":
        inside = slice(row + 1, end)
        assert (candles.low[inside] > entry - 2.0 * atr[row]).all()
        assert (candles.high[inside] <= entry + 3.0 * atr[row]).all()


def by_hand(candles: Candles, chosen: ModelSettings, row: int) -> tuple[int, int]:
    """The triple barrier once more, as slices and first hits."""
    atr = INDICATORS["atr"].compute(candles, period=14)["atr"][row]
    ahead = slice(row + 1, row + 1 + chosen.horizon)
    entry = candles.open[row + 1]
    stopped = np.flatnonzero(candles.low[ahead] <= entry - chosen.stop_atr * atr)
    reached = np.flatnonzero((candles.high[ahead] > entry + chosen.target_atr * atr)
                             | (candles.open[ahead] >= entry + chosen.target_atr * atr))
    first_stop, first_target = (int(hits[0]) if len(hits) else 10**6 for hits in (stopped, reached))
    if min(first_stop, first_target) < 10**6:
        return int(first_target < first_stop), row + 1 + min(first_stop, first_target)
    return int(candles.close[row + chosen.horizon] > entry), row + chosen.horizon


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_triple_barrier_equals_first_hits_of_slices(seed):
    candles, chosen = random_candles(160, seed), dataclasses.replace(BARRIERS, horizon=15, stop_atr=1.2, target_atr=1.7)
    labels = make_labels(candles, chosen, FREE)
    for row in range(13, 160 - 15):
        assert (labels.y[row], labels.end[row]) == by_hand(candles, chosen, row)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), n_bars=st.integers(2, 60), longest=st.integers(1, 15))
def test_uniqueness_is_the_mean_of_one_over_concurrency_by_brute_force(seed, n_bars, longest):
    draw = np.random.default_rng(seed)
    end = np.arange(n_bars) + draw.integers(1, longest + 1, n_bars)
    usable = (draw.random(n_bars) < 0.8) & (end < n_bars)
    alive = np.zeros(n_bars)
    for row in np.flatnonzero(usable):
        alive[row + 1:end[row] + 1] += 1
    expected = [np.mean(1 / alive[row + 1:end[row] + 1]) if usable[row] else 0.0 for row in range(n_bars)]
    np.testing.assert_allclose(uniqueness(end, usable), expected, rtol=1e-12, atol=0)


def test_labels_that_do_not_overlap_are_wholly_unique_and_steady_overlap_shares_evenly():
    n = 200
    one = np.arange(n) + 1
    np.testing.assert_allclose(uniqueness(one, one < n)[:-1], 1.0)
    many = np.arange(n) + 24
    np.testing.assert_allclose(uniqueness(many, many < n)[50:120], 1 / 24)


@pytest.mark.parametrize(("changed", "words"), [
    ({"label": "tomorrow"}, "label 'tomorrow' is not known"),
    ({"horizon": 0}, "horizon: 0 is not allowed"),
    ({"stop_atr": 0.0}, "stop_atr 0.0 and target_atr 3.0 must both be above 0"),
])
def test_settings_that_ask_nothing_are_refused(changed, words):
    with pytest.raises(BadInput, match=words):
        make_labels(random_candles(50), ModelSettings(**changed), COSTS)


def test_weights_of_labels_that_are_not_known_are_refused():
    labels = make_labels(random_candles(50), ModelSettings(), COSTS)
    with pytest.raises(BadInput, match="use known labels only"):
        uniqueness(labels.end, np.ones(50, bool))


@EVERY_LABEL
@pytest.mark.parametrize("n_bars", [0, 1, 2])
def test_few_bars_give_labels_that_are_not_known(label, n_bars):
    labels = make_labels(random_candles(n_bars), ModelSettings(label=label), COSTS)
    assert len(labels.y) == len(labels.end) == len(labels.gain) == n_bars
    assert (labels.y[max(0, n_bars - 1):] == UNKNOWN).all()
