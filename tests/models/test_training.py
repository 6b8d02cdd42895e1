"""Training says only what was forecast before it was seen, and never looks ahead."""

from dataclasses import replace

import numpy as np
import pytest

from models import importance, scores, simple
from models.account import part
from models.features import FEATURE_NAMES, matrix
from models.reporting import _notes, suspected_leaks
from models.training import LeakFound, train
from models.validation import Problem, forecasts_of, walk
from tests.fakes.asked import waves
from tests.fakes.made_candles import made_candles
from tests.models.asked import FREE, SMALL, SPEC, asked, still
from trading.backtest import Tape
from trading.domain import Candles
from trading.errors import BadInput

N_BARS = 1_500
HOUR = 3_600_000


def trained(candles: Candles, request=None, progress=still, **changed):
    return train(candles, request or asked(), SPEC, progress, **changed)


def problem_of(candles: Candles, settings=SMALL) -> Problem:
    return Problem.of(candles, matrix(candles), FEATURE_NAMES, asked(settings))


@pytest.fixture(scope="module")
def reverting() -> Candles:
    return waves(N_BARS)


@pytest.fixture(scope="module")
def found(reverting):
    return trained(reverting)


def test_every_window_is_trained_before_it_begins_and_windows_follow_one_another(found):
    folds = found.report.folds
    assert len(folds) == SMALL.n_folds
    for fold in folds:
        assert fold.train_start < fold.train_end < fold.test_start - SMALL.embargo_bars * HOUR
        assert 0.0 <= fold.accuracy <= 1.0 and sum(fold.weights) == pytest.approx(1.0)
    assert [fold.test_start for fold in folds[1:]] == [fold.test_end + 1 for fold in folds[:-1]]


def test_figures_are_those_of_the_kept_forecasts(found):
    figures, kept = found.report.figures, found.out_of_sample
    assert figures["n"] == len(kept.y) == sum(fold.n for fold in found.report.folds)
    assert figures["accuracy"] == pytest.approx(((kept.probability >= 0.5) == kept.y).mean())
    assert figures["accuracy"] == pytest.approx(
        sum(fold.n * fold.accuracy for fold in found.report.folds) / figures["n"])
    assert figures["log_loss_baseline"] == pytest.approx(scores.log_loss(kept.base, kept.y))
    assert np.sum(found.report.confusion) == figures["n"]
    assert sum(one.n for one in found.report.calibration) == figures["n"]
    assert (np.diff(kept.time) > 0).all() and (kept.known > kept.time).all()


def test_forecasts_are_of_the_next_close(found, reverting):
    kept = found.out_of_sample
    at = np.searchsorted(reverting.open_time + HOUR - 1, kept.time)
    assert ((reverting.close[at + 1] > reverting.close[at]) == kept.y).all()
    assert (kept.known == kept.time + HOUR).all()


def test_baselines_stand_beside_the_accuracy(found, reverting):
    kept, figures = found.out_of_sample, found.report.figures
    at = np.searchsorted(reverting.open_time + HOUR - 1, kept.time)
    rose = reverting.close[at] > reverting.close[at - 1]
    assert figures["baseline_rule"] == pytest.approx((rose != kept.y).mean())  # this market turns, and did in training
    assert figures["baseline_rule"] > 0.5
    assert figures["baseline"] == pytest.approx(((kept.base >= 0.5) == kept.y).mean())
    assert figures["accuracy_low"] < figures["accuracy"] < figures["accuracy_high"]


def test_the_rule_follows_the_last_bar_where_training_did():
    close = 20_000.0 * np.exp(np.cumsum(np.where(np.arange(N_BARS) // 30 % 2, 0.002, -0.002)))
    trending = made_candles(N_BARS, "1h")
    change = close / trending.close
    trending = replace(trending, **{c: getattr(trending, c) * change for c in ("open", "high", "low", "close")})
    problem = problem_of(trending)
    windows = walk(problem, problem.splits()[:1], still)
    rows, said = forecasts_of(problem, windows)
    assert windows[0].rule_goes_on
    assert (said.rule == (trending.close[rows] > trending.close[rows - 1])).all()


def test_an_edge_that_is_there_is_found(found):
    figures = found.report.figures
    assert figures["accuracy_low"] > figures["baseline"] and figures["accuracy"] > figures["baseline_rule"]
    assert figures["brier"] < figures["brier_baseline"] and figures["log_loss"] < figures["log_loss_baseline"]
    assert figures["auc"] > 0.55


def test_the_account_is_that_of_the_rule_book_chained_over_windows(found):
    figures, folds, curve = found.report.figures, found.report.folds, found.report.curve
    grown = np.prod([1.0 + fold.total_return for fold in folds]) - 1.0
    assert figures["total_return"] == pytest.approx(grown, abs=1e-9)
    assert figures["n_trades"] == sum(fold.n_trades for fold in folds) > 0
    assert curve.equity[-1] == pytest.approx(10_000 * (1 + grown), abs=0.01)
    assert curve.exposure[-1] == 0.0 and (curve.drawdown <= 0.0).all()
    assert figures["max_drawdown"] >= -curve.drawdown.min() - 1e-9
    assert curve.time[0] - HOUR + 1 == folds[0].test_start and curve.time[-1] == folds[-1].test_end


def test_costs_are_in_the_account_and_not_in_the_accuracy(found, reverting):
    free = trained(reverting, asked(costs=FREE)).report
    assert free.figures["accuracy"] == found.report.figures["accuracy"]
    assert free.figures["total_return"] > found.report.figures["total_return"]
    assert (free.figures["fees"], found.report.figures["fees"] > 0) == (0.0, True)


def test_the_last_bar_seen_is_the_last_candle(found, reverting):
    assert found.trained_until == int(reverting.open_time[-1]) + HOUR - 1
    assert (found.trained_from, found.n_bars) == (int(reverting.open_time[0]), N_BARS)
    assert found.data_hash == reverting.content_hash()
    assert found.data_hash != reverting[:-1].content_hash()
    assert found.ensemble.features == FEATURE_NAMES


def test_same_candles_and_seed_give_the_same_report_to_the_bit(found, reverting):
    again = trained(reverting)
    assert (again.report.figures, again.report.folds, again.report.importance) == (
        found.report.figures, found.report.folds, found.report.importance)
    np.testing.assert_array_equal(again.out_of_sample.probability, found.out_of_sample.probability)


def test_progress_rises_and_what_it_raises_cancels(reverting):
    seen = []
    trained(reverting, progress=lambda share, stage: seen.append((share, stage)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(seen) > 20 and max(np.diff(shares)) < 0.15

    def stop(share, stage):
        if stage.startswith("window 2"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        trained(reverting, progress=stop)


@pytest.mark.parametrize("label", ["horizon", "triple_barrier"])
@pytest.mark.parametrize("scheme", ["anchored", "rolling"])
def test_every_label_and_scheme_trains(reverting, label, scheme):
    settings = replace(SMALL, label=label, scheme=scheme, horizon=6, train_bars=500)
    report = trained(reverting, asked(settings)).report
    assert report.figures["n"] > 900
    assert report.figures["n_effective"] < 0.6 * report.figures["n"]  # labels overlap
    if scheme == "rolling":
        assert all(fold.test_start - fold.train_start <= 500 * HOUR for fold in report.folds)


def test_too_few_candles_are_refused_in_words():
    for n_bars in (0, 50, 400):
        with pytest.raises(BadInput):
            trained(made_candles(n_bars, "1h") if n_bars else Candles.empty("BTCUSDT", "1h"))


@pytest.mark.parametrize(("name", "value"), [("trees", 0), ("depth", 21), ("learning_rate", 0.0), ("enter_share", 1.5),
                                             ("n_folds", 0), ("embargo_bars", -1), ("train_bars", 10), ("seed", -1)])
def test_settings_out_of_range_are_named_before_anything_is_computed(reverting, name, value):
    seen = []
    with pytest.raises(BadInput, match=f"{name}: .* is out of range; use"):
        trained(reverting, asked(replace(SMALL, **{name: value})), lambda share, stage: seen.append(stage))
    assert seen == []


@pytest.mark.parametrize(("name", "words"), [("label", "label 'tomorrow' is not known"),
                                             ("scheme", "scheme 'tomorrow' is not known")])
def test_an_unknown_label_or_scheme_is_named(reverting, name, words):
    with pytest.raises(BadInput, match=words):
        trained(reverting, asked(replace(SMALL, **{name: "tomorrow"})))


def test_signals_of_a_cut_history_equal_those_of_the_whole_to_the_bit(found, reverting):
    ensemble, whole = found.ensemble, matrix(reverting)
    said = ensemble.probability(whole)
    for t in np.random.default_rng(5).integers(1, N_BARS, 200):
        cut = matrix(reverting[:t])
        np.testing.assert_array_equal(cut, whole[:t])
        short = ensemble.probability(cut)
        np.testing.assert_array_equal(short, said[:t])
        np.testing.assert_array_equal(ensemble.directions(short), ensemble.directions(said)[:t])


@pytest.mark.parametrize("label", ["next_bar", "triple_barrier"])
def test_forecasts_of_a_window_do_not_depend_on_later_bars(reverting, label):
    settings = replace(SMALL, label=label, horizon=6)
    whole = problem_of(reverting, settings)
    windows = walk(whole, whole.splits(), still)
    stop = int(windows[1].split.test[-1]) + 1
    other = problem_of(changed_after(reverting, stop), settings)
    for before, after in zip(windows[:2], walk(other, other.splits()[:2], still), strict=True):
        np.testing.assert_array_equal(before.probability, after.probability)
        np.testing.assert_array_equal(before.directions, after.directions)


def changed_after(candles: Candles, row: int) -> Candles:
    """Another future: prices three times as high from a row on."""
    def tripled(column):
        column = column.copy()
        if column.dtype.kind == "f":
            column[row:] *= 3.0
        return column

    return candles.map(tripled)


def test_a_window_is_forecast_from_labels_that_closed_before_it(reverting):
    problem = problem_of(reverting, replace(SMALL, label="horizon", horizon=24))
    split = problem.splits()[1]
    assert (problem.labels.end[split.train] < split.test[0]).all()
    window = walk(problem, [split], still)[0]
    y = problem.labels.y.copy()
    still_open = (problem.labels.end >= split.test[0]) & (y >= 0)
    y[still_open] = 1 - y[still_open]
    other = replace(problem, labels=replace(problem.labels, y=y))
    np.testing.assert_array_equal(walk(other, [split], still)[0].probability, window.probability)


@pytest.mark.parametrize("label", ["horizon", "triple_barrier"])
def test_a_window_s_first_forecast_is_the_same_when_the_candles_end_there(reverting, label):
    settings = replace(SMALL, label=label, horizon=24)
    problem = problem_of(reverting, settings)
    split = problem.splits()[1]
    cut = problem_of(reverting[:split.test[0] + 1], settings)  # its last labels are not known yet
    alone = walk(cut, [replace(split, test=split.test[:1])], still)[0]
    assert alone.probability[0] == walk(problem, [split], still)[0].probability[0]


def test_importance_by_the_short_way_equals_forecasting_the_shuffled_rows_anew(reverting):
    problem = problem_of(reverting)
    window = walk(problem, problem.splits()[-1:], still)[0]
    lost = importance._lost(problem, window)
    rows = window.split.test[problem.usable[window.split.test]]
    rng = np.random.default_rng([problem.settings.seed, window.split.number])
    y, ensemble = problem.labels.y[rows], window.ensemble
    before, expected = scores.log_loss(ensemble.probability(problem.rows[rows]), y), np.zeros(len(FEATURE_NAMES))
    for _ in range(importance.N_REPEATS):
        orders = [rng.permutation(len(rows)) for _ in FEATURE_NAMES]
        for feature, order in enumerate(orders):
            shuffled = problem.rows[rows]
            shuffled[:, feature] = shuffled[order, feature]
            expected[feature] += scores.log_loss(ensemble.probability(shuffled), y) / importance.N_REPEATS
    assert lost == pytest.approx(expected - before, abs=1e-12)
    assert np.abs(lost).max() > 1e-4


def test_the_first_design_s_split_is_reported_and_stays_in_time(reverting):
    first = simple.split_accuracy(reverting, SMALL)
    assert 0.5 < first <= 1.0
    cut = int(N_BARS * 0.9)
    assert simple.split_accuracy(changed_after(reverting, cut), SMALL) is not None
    assert simple.split_accuracy(reverting[:60], SMALL) is None
    walks = [simple.split_accuracy(made_candles(N_BARS, "1h", seed=seed), SMALL) for seed in range(8)]
    assert np.mean(walks) < 0.54  # what it was trained on, it would say right in 60 %


def test_stops_of_a_window_s_first_bars_know_the_average_true_range(reverting):
    whole = Tape.of([reverting], {"BTCUSDT": SPEC})
    window = part(whole, slice(700, 900))
    np.testing.assert_array_equal(window.bars.atr, whole.bars.atr[700:900])
    assert (window.n_moments, len(window.candles[0]), window.bars.time[0]) == (200, 200, reverting.open_time[700])


GOOD = {"accuracy": 0.6, "accuracy_low": 0.58, "accuracy_high": 0.62, "baseline": 0.5, "baseline_rule": 0.5,
        "log_loss": 0.68, "log_loss_baseline": 0.69, "total_return": 0.2, "benchmark_return": 0.1, "n_killed": 0.0}


@pytest.mark.parametrize(("changed", "words"), [
    ({"baseline": 0.59}, "No better than a simple rule: 60.0% right against 59.0%"),
    ({"baseline_rule": 0.59}, "No better than a simple rule: 60.0% right against 59.0%"),
    ({"log_loss": 0.69}, "no better than always saying the base rate"),
    ({"total_return": -0.01}, "After costs the account lost: -1.0%"),
    ({"total_return": 0.05}, "less than buying and holding, +10.0%"),
    ({"n_killed": 2.0}, "kill switch ended trading in 2 of the windows"),
])
def test_what_the_figures_do_not_support_is_said_in_words(changed, words):
    assert _notes(GOOD) == ()
    assert len(_notes(GOOD | changed)) == 1
    assert words in _notes(GOOD | changed)[0]


def figures(accuracy, low, baseline=0.51):
    return {"accuracy": accuracy, "accuracy_low": low, "baseline": baseline, "auc": 0.55}


def test_accuracy_that_cannot_be_believed_is_called_a_suspected_leak():
    assert suspected_leaks(figures(0.579, 0.57), "next_bar", "1h") == ()
    flagged = suspected_leaks(figures(0.612, 0.57), "next_bar", "1h")
    assert "suspected leak: 61.2%" in flagged[0]
    assert suspected_leaks(figures(0.612, 0.57), "next_bar", "1d") == ()  # few bars: the whole interval must be above
    assert suspected_leaks(figures(0.70, 0.60), "next_bar", "1d")
    assert suspected_leaks(figures(0.71, 0.70, 0.70), "triple_barrier", "1h") == ()  # uneven classes
    assert suspected_leaks(figures(0.80, 0.79, 0.70), "triple_barrier", "1h")
    assert suspected_leaks(figures(None, None), "next_bar", "1h") == ()
    sharp = figures(0.61, 0.60, 0.60) | {"auc": 0.63}
    assert "AUC of 0.630" in suspected_leaks(sharp, "horizon", "1h")[0]
    assert suspected_leaks(sharp | {"auc": 0.61}, "horizon", "1h") == suspected_leaks(sharp, "horizon", "1d") == ()


def next_return(candles: Candles):
    ahead = np.append(candles.close[1:] / candles.close[:-1] - 1.0, np.nan)
    return np.column_stack((matrix(candles), ahead)).astype(np.float32)


def test_a_planted_leak_is_named_before_anything_is_fitted(reverting):
    seen = []
    with pytest.raises(LeakFound, match="'tomorrow' sees the future"):
        trained(reverting, progress=lambda share, stage: seen.append(stage), build=next_return,
                names=(*FEATURE_NAMES, "tomorrow"))
    assert seen == ["features"]


def test_a_leak_inside_the_candles_is_flagged_by_the_accuracy(reverting):
    ahead = np.append(reverting.close[1:] > reverting.close[:-1], False)
    told = replace(reverting, volume=np.where(ahead, 900.0, 100.0))
    report = trained(told).report
    assert report.figures["accuracy"] > 0.9
    assert "suspected leak" in report.leaks[0]
    assert report.importance[0].feature in ("volume_ratio", "volume_trend")
