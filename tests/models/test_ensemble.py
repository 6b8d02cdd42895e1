"""Two members vote, each worth what it was out of fold; the last part of the window calibrates and sets thresholds."""

from dataclasses import replace

import numpy as np
import pytest

from models import ensemble as module
from models.calibration import Calibration, platt
from models.ensemble import CALIBRATION_SHARE, Ensemble, fit
from models.members import scaler_of
from trading.domain.learning import ModelSettings
from trading.errors import BadInput

SMALL = ModelSettings(trees=12, depth=4, rounds=15, embargo_bars=5)
N, NAMES = 1_200, ("a", "b", "c", "d", "e")


def a_sample(seed: int = 0, n: int = N, skill: float = 1.0):
    """Features of very different sizes, of which the first two say something about the label."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(n, 5))
    y = (skill * (drawn[:, 0] - drawn[:, 1]) + rng.normal(size=n) > 0).astype(np.int8)
    return (drawn * [1.0, 1e-4, 1e5, 1.0, 1.0] + [0.0, 0.0, 1e6, 0.0, 5.0]).astype(np.float32), y


def fitted(rows, y, settings: ModelSettings = SMALL, horizon: int = 1, weight=None, progress=lambda share, stage: None):
    end = np.arange(len(y)) + horizon
    return fit(rows, y, np.ones(len(y)) if weight is None else weight, end, settings, progress, NAMES)


@pytest.fixture(scope="module")
def skilled() -> Ensemble:
    return fitted(*a_sample())


@pytest.fixture(scope="module")
def later():
    return a_sample(seed=99)


def library_members(ensemble: Ensemble, rows):
    import xgboost

    scaled = (rows - ensemble.scaler.center) * ensemble.scaler.inverse
    boost = ensemble.boost.predict(xgboost.DMatrix(scaled))
    return np.column_stack((ensemble.forest.predict_proba(scaled)[:, 1], boost))


def test_compiled_members_answer_like_the_libraries(skilled, later):
    assert np.abs(skilled.members(later[0]) - library_members(skilled, later[0])).max() < 1e-6


def test_whole_forecast_is_the_libraries_vote_calibrated(skilled, later):
    vote = library_members(skilled, later[0]) @ np.array(skilled.weights)
    odds = skilled.calibration.slope * np.log(vote / (1 - vote)) + skilled.calibration.shift
    assert np.abs(skilled.probability(later[0]) - 1 / (1 + np.exp(-odds))).max() < 1e-6


def test_a_live_row_is_forecast_to_the_bit_as_among_many(skilled, later):
    predictor, whole = skilled.compiled(), skilled.answers(later[0])
    for number in range(200):
        forecast = predictor.explain(later[0][number])
        assert (*forecast.members, forecast.probability) == (*whole[number, :2], whole[number, 3])


def test_contributions_say_how_the_forecast_came_from_the_base(skilled, later):
    predictor = skilled.compiled()
    for row in later[0][:200]:
        forecast = predictor.explain(row)
        assert forecast.base + forecast.contributions.sum() == pytest.approx(forecast.probability, abs=1e-12)
    mean = np.mean([np.abs(predictor.explain(row).contributions) for row in later[0][:200]], axis=0)
    assert set(np.argsort(-mean)[:2]) == {0, 1}  # the two that say something


def test_contributions_point_where_the_features_point(skilled):
    rows, _ = a_sample(1)
    high, low = rows[0].copy(), rows[0].copy()
    high[:2], low[:2] = (3.0, -3e-4), (-3.0, 3e-4)
    predictor = skilled.compiled()
    assert (predictor.explain(high).contributions[:2] > 0.0).all()
    assert (predictor.explain(low).contributions[:2] < 0.0).all()
    assert predictor.explain(high).says == 1 and predictor.explain(low).says == 0
    assert predictor.explain(low).confidence == 1.0 - predictor.explain(low).probability


def test_agreement_is_the_weight_that_leans_the_vote_s_way(skilled, later):
    predictor = skilled.compiled()
    base = predictor.model.numbers[-4:]
    seen = set()
    for row in later[0]:
        forecast, (forest, boost) = predictor.explain(row), skilled.weights
        up = skilled.answers(row[None])[0, 2] >= base[2]
        expected = forest * ((forecast.members[0] >= base[0]) == up) + boost * ((forecast.members[1] >= base[1]) == up)
        assert forecast.agreement == pytest.approx(expected)
        seen.add(round(forecast.agreement, 6))
    assert max(seen) == pytest.approx(1.0) and len(seen) > 1


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_a_row_with_a_missing_number_has_no_forecast(skilled, later, missing):
    row = later[0][0].copy()
    row[3] = missing
    assert skilled.compiled().explain(row) is None
    assert np.isnan(skilled.probability(row[None])[0])
    assert skilled.directions(np.array([np.nan])).tolist() == [0]


def test_same_rows_and_seed_give_the_same_model_to_the_bit(skilled, later):
    again = fitted(*a_sample())
    np.testing.assert_array_equal(again.answers(later[0]), skilled.answers(later[0]))
    assert (again.weights, again.calibration, again.enter_above) == (
        skilled.weights, skilled.calibration, skilled.enter_above)


def test_another_seed_gives_another_model(skilled, later):
    other = fitted(*a_sample(), replace(SMALL, seed=8))
    assert np.abs(other.probability(later[0]) - skilled.probability(later[0])).max() > 1e-3


def test_skill_is_found_and_calibrated(skilled, later):
    said = skilled.probability(later[0])
    assert ((said >= 0.5) == later[1]).mean() > 0.7
    high = said > np.quantile(said, 0.8)
    assert said[high].mean() == pytest.approx(later[1][high].mean(), abs=0.08)


def test_without_skill_the_base_rate_is_said_and_nothing_is_traded():
    rows, y = a_sample(3)
    rng = np.random.default_rng(0)
    y = rng.permutation(y)
    y[int(N * 0.8):] = 1 - fitted(rows, y).forest.predict(rows)[int(N * 0.8):]  # later bars contradict the vote
    ensemble = fitted(rows, y)
    said = ensemble.probability(a_sample(4)[0])
    assert ensemble.calibration.slope == 0.0
    assert np.ptp(said) == 0.0
    assert not ensemble.directions(said).any()


def test_scaler_and_members_never_see_the_calibration_slice():
    rows, y = a_sample(5)
    cut = N - int(N * CALIBRATION_SHARE)
    other_rows, other_y = rows.copy(), y.copy()
    other_rows[cut:], other_y[cut:] = other_rows[cut:] * 3.0, 1 - y[cut:]
    one, other = fitted(rows, y), fitted(other_rows, other_y)
    np.testing.assert_array_equal(one.scaler.center, other.scaler.center)
    np.testing.assert_array_equal(one.scaler.inverse, other.scaler.inverse)
    np.testing.assert_array_equal(one.members(rows), other.members(rows))
    assert one.weights == other.weights
    assert one.calibration != other.calibration


def test_the_vote_is_what_is_calibrated_and_thresholds_come_from_the_later_slice():
    rows, y = a_sample(5)
    ensemble, late = fitted(rows, y), slice(N - int(N * CALIBRATION_SHARE), None)
    answers = ensemble.answers(rows[late])
    assert 0.05 < ensemble.weights[0] < 0.95
    assert ensemble.calibration == platt(answers[:, 2], y[late], np.ones(len(answers)))
    assert ensemble.enter_above == max(0.5, np.quantile(answers[:, 3], 1 - SMALL.enter_share))
    assert ensemble.exit_below == np.median(answers[:, 3])


def test_labels_that_live_into_the_calibration_slice_are_purged_from_the_members():
    rows, y = a_sample(6)
    cut, horizon = N - int(N * CALIBRATION_SHARE), 40
    other = y.copy()
    purged = slice(cut - horizon - SMALL.embargo_bars, cut)
    other[purged] = 1 - y[purged]
    np.testing.assert_array_equal(fitted(rows, y, horizon=horizon).members(rows),
                                  fitted(rows, other, horizon=horizon).members(rows))
    other[purged.start - 1] = 1 - y[purged.start - 1]  # the last one that is not purged
    assert np.abs(fitted(rows, other, horizon=horizon).members(rows) - fitted(rows, y, horizon=horizon).members(rows)
                  ).max() > 0.0


def test_scaler_is_robust_to_one_wild_value_and_to_a_feature_that_stands_still():
    rows = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    rows[0, 0], rows[:, 2] = 1e9, 4.0
    center, inverse = scaler_of(rows)
    assert abs(center[0]) < 0.2 and 0.8 < inverse[0] < 1.2
    assert (center[2], inverse[2]) == (4.0, 1.0)


def weights_of(monkeypatch, forest_vote, boost_vote):
    """Weights when the members' out-of-fold forecasts are given ones."""
    class Fixed:
        def __init__(self, vote):
            self.vote = vote

        def predict(self, rows):
            return self.vote(rows)

    monkeypatch.setattr(module, "fit_forest", lambda sample, settings: None)
    monkeypatch.setattr(module, "fit_boost", lambda sample, settings: None)
    monkeypatch.setattr(module, "of_forest", lambda _: Fixed(forest_vote))
    monkeypatch.setattr(module, "of_boost", lambda _: Fixed(boost_vote))
    rows, y = a_sample()
    return module._weights(module.Sample(rows, y, np.ones(N), np.arange(N) + 1), SMALL, lambda share, stage: None)


def test_weights_follow_the_improvement_over_the_base_rate(monkeypatch):
    def good(rows):
        return np.where(rows[:, 0] > 0, 0.7, 0.3)

    def wrong(rows):
        return np.where(rows[:, 0] > 0, 0.3, 0.7)

    assert weights_of(monkeypatch, good, good) == (0.5, 0.5)
    assert weights_of(monkeypatch, good, wrong) == (1.0, 0.0)
    assert weights_of(monkeypatch, wrong, wrong) == (0.5, 0.5)
    better, worse = weights_of(monkeypatch, good, lambda rows: np.where(rows[:, 0] > 0, 0.55, 0.45))
    assert better > worse > 0.0 and better + worse == 1.0


def test_enter_above_is_above_one_half_for_next_bar_and_above_the_base_rate_else():
    rows, y = a_sample(7, skill=0.3)
    rare = (y & (np.random.default_rng(1).random(N) < 0.4)).astype(np.int8)
    assert fitted(rows, rare).enter_above >= 0.5
    barrier = fitted(rows, rare, replace(SMALL, label="triple_barrier"))
    assert barrier.base_rate <= barrier.enter_above < 0.5


def test_directions_buy_above_sell_below_and_nothing_at_the_edges(skilled):
    edged = replace(skilled, enter_above=0.6, exit_below=0.4)
    said = np.array([0.61, 0.6, 0.5, 0.4, 0.39])
    assert edged.directions(said).tolist() == [1, 0, 0, 0, -1]
    assert [edged.direction(p) for p in said] == [1, 0, 0, 0, -1]
    torn = replace(skilled, enter_above=0.5, exit_below=0.6)
    assert torn.direction(0.55) == torn.directions(np.array([0.55]))[0] == 0


def test_a_model_never_sells_what_it_would_buy():
    generous = fitted(*a_sample(), settings=replace(SMALL, enter_share=0.9))
    assert generous.exit_below <= generous.enter_above


def test_heavier_rows_draw_the_model_to_them():
    rows, y = a_sample(8)
    half = np.arange(N) % 2 == 0
    mixed = np.where(half, y, 1 - y).astype(np.int8)
    ensemble = fitted(rows, mixed, weight=np.where(half, 1.0, 0.05))
    said = ensemble.probability(a_sample(9)[0])
    assert ((said >= np.median(said)) == a_sample(9)[1]).mean() > 0.65


def test_too_few_rows_and_a_single_class_are_refused_in_words():
    rows, y = a_sample()
    with pytest.raises(BadInput, match="too few to train on"):
        fitted(rows[:150], y[:150])
    with pytest.raises(BadInput, match="all labels of a training window are the same"):
        fitted(rows, np.ones(N, np.int8))
    with pytest.raises(BadInput, match="do not fit a model of 5 features"):
        fitted(rows, y).probability(rows[:, :4])


def test_progress_rises_to_one_and_what_it_raises_cancels():
    seen = []
    fitted(*a_sample(), progress=lambda share, stage: seen.append(share))
    assert seen == sorted(seen) and len(seen) >= 5 and seen[0] >= 0.0 and seen[-1] <= 1.0

    def stop(share, stage):
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted(*a_sample(), progress=stop)


def test_a_loaded_model_is_rebuilt_from_its_parts(skilled, later):
    parts = {name: getattr(skilled, name) for name in skilled.__dataclass_fields__}
    np.testing.assert_array_equal(Ensemble(**parts).answers(later[0]), skilled.answers(later[0]))
    other = Ensemble(**parts | {"calibration": Calibration(0.0, 0.0)})
    assert other.probability(later[0][:1])[0] == 0.5
