"""A training never shows the model what it is judged on, and nobody is appointed but for being better there."""

from dataclasses import replace

import numpy as np
import pytest

import models.training
from models.calibration import Calibration
from models.drift import CLOCK
from models.registry import Registry
from services.backtests.markets import SimulatedPast, Source
from services.learning.ask import JUDGE_BARS, bars_for, check_drift, judge_window, learn
from services.learning.markets import SIMULATED, Market, market_of
from services.symbols import specs_for
from storage.candle_store import CandleStore
from tests.models.made_models import SETTINGS, made_model, pulled_candles, request_for
from trading.domain.learning import ModelSettings
from trading.errors import BadInput
from trading.feeds.simulated import SimulatedFeed

MARKET = ("BTCUSDT", "1m")
SPEC = specs_for(["BTCUSDT"])["BTCUSDT"]
N_BARS = 2_700


def silent(share, stage):
    """Nobody watches."""


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


@pytest.fixture
def market():
    return Market(pulled_candles(N_BARS, 5, pull=0.9), SPEC)


class Trainer:
    """Stands for `models.training.train`: says which candles it got, and returns a model of a chosen skill."""

    def __init__(self, monkeypatch):
        self.seen = []
        self.skill, self.leaks, self.seed = 1.0, (), 0
        monkeypatch.setattr(models.training, "train", self)

    def __call__(self, candles, request, spec, progress):
        self.seen.append(candles)
        self.seed += 1
        progress(0.5, "windows")
        made = made_model(5, replace(SETTINGS, seed=7))
        calibration = Calibration(self.skill, 0.0) if self.skill else Calibration(0.0, 0.0)
        ensemble = replace(made.ensemble, calibration=calibration, settings=request.settings)
        report = replace(made.report, leaks=self.leaks)
        return replace(made, ensemble=ensemble, report=report, trained_from=int(candles.open_time[0]),
                       trained_until=int(candles.open_time[-1]) + 59_999, n_bars=len(candles),
                       data_hash=f"data {self.seed}")


@pytest.fixture
def trainer(monkeypatch):
    return Trainer(monkeypatch)


def test_the_newest_500_answered_bars_are_kept_from_the_training(registry, market, trainer):
    version = learn(request_for(), market, registry, silent)
    (seen,) = trainer.seen
    judged = market.candles.open_time[len(seen):]
    assert len(judged) == JUDGE_BARS + 1, "the last bar's answer is not known yet"
    np.testing.assert_array_equal(seen.open_time, market.candles.open_time[:len(seen)])
    assert version.trained_until < int(judged[0])


def test_of_few_bars_a_fifth_is_kept(market):
    window = judge_window(request_for(), replace(market, candles=market.candles[:600]))
    n_known = int(window.known.sum())
    assert int(window.known[window.first:].sum()) == int(0.2 * n_known) < JUDGE_BARS


def test_labels_of_the_training_are_closed_before_the_judging_begins(market):
    settings = replace(SETTINGS, label="horizon", horizon=30)
    window = judge_window(request_for(settings), market)
    from models.labels import make_labels
    from trading.domain.backtests import CostSettings

    trained_on = make_labels(market.candles[:window.first], settings, CostSettings())
    assert trained_on.end[trained_on.known].max() < window.first


def test_a_better_model_is_promoted_over_the_base_rate_and_a_useless_one_is_not(registry, market, trainer):
    trainer.skill = 0.0
    first = learn(request_for(), market, registry, silent)
    assert (first.status, first.votes) == ("challenger", False)
    assert "the base rate" in first.detail
    trainer.skill = 1.0
    second = learn(request_for(), market, registry, silent)
    assert (second.status, second.votes) == ("champion", True)
    assert "better than the base rate on 500 later bars" in second.detail
    assert [line.kind for line in registry.history(*MARKET)] == ["refused", "promoted"]


def test_a_challenger_must_beat_the_champion_not_the_base_rate(registry, market, trainer):
    learn(request_for(), market, registry, silent)
    equal = learn(request_for(replace(SETTINGS, seed=8)), market, registry, silent)
    assert equal.status == "challenger"
    assert "the champion" in equal.detail
    trainer.skill = 0.05
    worse = learn(request_for(replace(SETTINGS, seed=9)), market, registry, silent)
    assert worse.status == "challenger"
    assert "not better than the champion" in worse.detail


def test_bars_that_the_champion_was_trained_on_do_not_count(registry, market, trainer):
    champion = learn(request_for(), market, registry, silent)
    later = replace(registry.stored(champion.id).version,
                    trained_until=int(market.candles.open_time[-100]))
    trained = replace(made_model(), trained_until=later.trained_until, data_hash="later")
    registry.appoint(registry.save(trained, request_for()).id, "by hand", "wanted")
    refused = learn(request_for(replace(SETTINGS, seed=8)), market, registry, silent)
    assert refused.status == "challenger"
    assert "later bars to compare on" in refused.detail


def test_a_suspected_leak_is_never_promoted_by_itself(registry, market, trainer):
    trainer.leaks = ("suspected leak: 71 % of the unseen bars right",)
    version = learn(request_for(), market, registry, silent)
    assert version.status == "challenger"
    assert "not appointed by itself: suspected leak" in version.detail
    registry.appoint(version.id, "by hand", "I looked")
    assert registry.champion(*MARKET).votes


def test_models_that_answer_different_questions_are_not_compared(registry, market, trainer):
    learn(request_for(), market, registry, silent)
    other = learn(request_for(replace(SETTINGS, label="horizon")), market, registry, silent)
    assert other.status == "challenger"
    assert "answers another question than the champion" in other.detail


def test_a_model_of_the_simulated_market_does_not_replace_one_of_a_real_market(registry, market, trainer):
    learn(request_for(), market, registry, silent)
    other = learn(request_for(replace(SETTINGS, seed=8)), replace(market, origin=SIMULATED), registry, silent)
    assert (other.status, other.origin) == ("challenger", SIMULATED)
    assert "another question" in other.detail


def test_a_champion_that_cannot_be_used_does_not_stand_in_the_way(registry, market, trainer):
    champion = learn(request_for(), market, registry, silent)
    (registry.folder / "BTCUSDT-1m" / champion.id / "boost.ubj").write_bytes(b"x")
    second = learn(request_for(replace(SETTINGS, seed=8)), market, registry, silent)
    assert second.status == "champion"
    assert "the champion cannot be used" in second.detail
    assert "boost.ubj" in second.detail


def test_cancelling_keeps_nothing(registry, market, trainer):
    class Stopped(Exception):
        pass

    def stop(share, stage):
        if share > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        learn(request_for(), market, registry, stop)
    assert registry.versions() == ()


def test_progress_rises_to_the_end(registry, market, trainer):
    said = []
    learn(request_for(), market, registry, lambda share, stage: said.append(share))
    assert said == sorted(said)
    assert said[-1] <= 1.0


def test_too_few_bars_are_told(registry, market):
    with pytest.raises(BadInput, match="60 bars are too few"):
        learn(request_for(), replace(market, candles=market.candles[:60]), registry, silent)


def test_a_year_of_days_is_told_where_its_bars_go_and_how_many_there_have_to_be(registry):
    asked = request_for(ModelSettings(), interval="1m")
    few = Market(pulled_candles(371), SPEC)
    told = r"371 bars are too few.*held back for judging.*about 2,\d\d\d are needed in all"
    with pytest.raises(BadInput, match=told):
        learn(asked, few, registry, silent)


def test_as_many_bars_as_are_said_to_be_needed_are_enough(registry):
    enough = bars_for(SETTINGS)
    made = learn(request_for(), Market(pulled_candles(enough), SPEC), registry, silent)
    assert made.n_bars < enough


def test_the_whole_training_promotes_what_it_learnt_and_drift_sees_a_changed_market(registry):
    market = Market(pulled_candles(3_400, 5, pull=0.11), SPEC)
    version = learn(request_for(replace(SETTINGS, trees=30, rounds=30)), market, registry, silent)
    assert version.status == "champion", version.detail
    drift = check_drift(registry, market, 5)
    assert (drift.state, drift.checked) == ("steady", 5)
    assert drift.n == JUDGE_BARS
    assert len(drift.features) == len(registry.load(version.id).features) - len(CLOCK)
    wild = pulled_candles(900, 6, pull=0.9)
    shift = int(market.candles.open_time[-1]) + 60_000 - int(wild.open_time[0])
    other = replace(wild, open_time=wild.open_time + shift)
    assert check_drift(registry, replace(market, candles=market.candles.then(other)), 6).state == "drifted"


def test_without_a_champion_there_is_no_drift(registry, market):
    assert check_drift(registry, market, 5).state == "unknown"


def test_candles_come_from_where_a_backtest_takes_them(tmp_path):
    past = SimulatedPast(("BTCUSDT",), 7, 1_704_067_200_000)
    source = Source(tmp_path, simulated=past)
    request = replace(request_for(ModelSettings(), interval="5m"), start=1_704_067_200_000, end=1_704_153_600_000)
    found = market_of(source, request)
    feed = SimulatedFeed(["BTCUSDT"], 7, 0.0, 1_704_067_200_000)
    assert (found.origin, found.spec, len(found.candles)) == (SIMULATED, feed.specs()["BTCUSDT"], 288)
    candles = pulled_candles(300)
    CandleStore(tmp_path).append(candles)
    stored = market_of(source, request_for())
    assert (stored.origin, len(stored.candles)) == ("", 300)
