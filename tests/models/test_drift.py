"""Drift is told when features or accuracy left what training knew, and not before there is enough to say so."""

import numpy as np
import pytest

from models.drift import MIN_BARS, N_BINS, WINDOW_BARS, Recent, Reference, drift, reference_of, stability

FEATURES = tuple((f"f{number}", f"Feature {number}") for number in range(8))


def rows_of(n, seed=1, shift=0.0):
    return (np.random.default_rng(seed).normal(size=(n, len(FEATURES))) + shift).astype(np.float32)


def recent(rows, accuracy=0.55, seed=2, span=1):
    draw = np.random.default_rng(seed)
    y = (draw.random(len(rows)) < 0.5).astype(np.int8)
    right = np.arange(len(rows)) < accuracy * len(rows)
    draw.shuffle(right)
    return Recent(rows, np.where((y == 1) == right, 0.6, 0.4), y, np.full(len(rows), span))


def asked(rows, expected=0.55, **how):
    return drift(reference_of(rows_of(5_000)), recent(rows, **how), FEATURES, expected, 1_700_000_000_000)


def test_rows_like_those_of_training_are_steady():
    found = asked(rows_of(800, 9))
    assert found.state == "steady"
    assert all(one.psi < 0.1 for one in found.features)


def test_index_is_that_of_the_formula_by_hand():
    came = np.array([[-1.0], [1.0], [1.0], [1.0]], np.float32)
    edges, shares = np.linspace(0, 0.9, N_BINS - 1)[None], np.r_[0.5, np.zeros(8), 0.5][None]
    by_hand = -0.25 * np.log(0.5) + 0.25 * np.log(1.5)
    assert stability(Reference(edges, shares, np.zeros(1)), came)[0] == pytest.approx(by_hand, abs=1e-3)


def test_features_that_moved_are_drift_and_come_first():
    rows = rows_of(800, 9)
    rows[:, [2, 5, 6]] += 2.0
    found = asked(rows)
    assert found.state == "drifted"
    assert {one.feature for one in found.features[:3]} == {"f2", "f5", "f6"}
    assert "3 of 8 features" in found.detail


def test_one_feature_that_moved_is_worth_a_look():
    rows = rows_of(800, 9)
    rows[:, 3] += 0.6
    assert asked(rows).state == "watch"


def test_a_feature_that_always_wandered_is_no_drift():
    """A slow feature: any window of training looks unlike the whole, so an unlike window now says nothing."""
    draw = np.random.default_rng(4)
    slow = np.cumsum(draw.normal(size=(12_000, len(FEATURES))), axis=0).astype(np.float32)
    slow = np.sin(slow / 40.0).astype(np.float32)
    reference, now = reference_of(slow[:10_000]), slow[11_000:11_500]
    assert (stability(reference, now) > 0.25).sum() >= 4, "the plain index cries wolf here"
    assert drift(reference, recent(now), FEATURES, None, 0).state != "drifted"


def test_the_clock_is_no_drift():
    names = (("day_sin", "Time of day (sine)"), ("week_cos", "Day of the week (cosine)"), *FEATURES[2:])
    rows = rows_of(800, 9)
    rows[:, :2] += 4.0
    found = drift(reference_of(rows_of(5_000)), recent(rows), names, 0.55, 1)
    assert found.state == "steady" and "0 of 6 features" in found.detail
    assert {"day_sin", "week_cos"}.isdisjoint(one.feature for one in found.features)


def test_each_feature_carries_what_was_usual_in_training():
    assert all(one.usual > 0 for one in asked(rows_of(800, 9)).features)


def test_accuracy_clearly_below_what_was_expected_is_drift():
    found = asked(rows_of(2_000, 9), accuracy=0.49)
    assert found.state == "drifted"
    assert found.accuracy_low < found.accuracy < found.accuracy_high < found.expected == 0.55
    assert "right on 49.0% of 2,000 bars since training" in found.detail


def test_overlapping_labels_widen_the_interval():
    apart, overlapping = asked(rows_of(2_000, 9), accuracy=0.49), asked(rows_of(2_000, 9), accuracy=0.49, span=24)
    assert overlapping.state == "steady"
    assert overlapping.accuracy_high - overlapping.accuracy_low > 4 * (apart.accuracy_high - apart.accuracy_low)


@pytest.mark.parametrize("n", [0, 5, 99])
def test_few_bars_say_nothing(n):
    found = asked(rows_of(n, 9))
    assert found.state == "unknown"
    assert found.features == ()
    assert f"only {n} bars since training; {MIN_BARS}" in found.detail


def test_bars_without_all_features_do_not_count():
    rows = rows_of(700, 9)
    rows[:550, 0] = np.nan
    assert "only 150 bars" in drift(reference_of(rows_of(5_000)), Recent(
        rows, np.full(700, np.nan), np.full(700, -1, np.int8), np.ones(700, np.int64)), FEATURES, 0.5, 0).detail


def test_reference_survives_the_trip_through_json():
    reference = reference_of(rows_of(3_000))
    again = Reference.of(reference.document())
    assert all((getattr(reference, name) == getattr(again, name)).all() for name in ("edges", "shares", "usual"))


def test_a_feature_of_few_values_has_an_index():
    rows = rows_of(4 * WINDOW_BARS)
    rows[:, 0] = np.arange(len(rows)) % 3
    reference = reference_of(rows)
    assert np.isfinite(stability(reference, rows[:300])).all()
    assert stability(reference, rows)[0] == pytest.approx(0.0, abs=1e-9)
