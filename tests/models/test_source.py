"""A model votes as any signal source does, explains itself, and is silent or abstains where it has nothing to say."""

import dataclasses
import threading

import numpy as np
import pytest

from models.features import FEATURES, matrix
from models.registry import Registry
from models.source import KEPT_BARS, LABELS, NOBODY, ModelSource, Standing
from services.learning.shelf import ModelShelf
from tests.contracts.signal_source import SignalSourceContract, advise, random_candles
from tests.models.made_models import made_model, pulled_candles, request_for
from trading.domain import Action
from trading.domain.learning import ModelVersion


class FixedShelf:
    """Holds what it is given; counts how often it is asked."""

    def __init__(self, standing):
        self.now, self.looks, self.asked = standing, 0, 0

    def standing(self, symbol, interval):
        self.asked += 1
        return self.now

    def look(self, symbol, interval):
        self.looks += 1


def ready(trained=None, trained_until=0, name="BTCUSDT-1m-20220510T1500-00000001", **changes):
    trained = trained or made_model()
    version = ModelVersion(name, "BTCUSDT", "1m", 1, 0, trained_until, 900, "d", "f", "c", trained.ensemble.settings,
                           {"accuracy": 0.6}, "champion", True)
    return Standing("ready", version, dataclasses.replace(trained.ensemble, **changes))


class TestModelSource(SignalSourceContract):
    def make_source(self, symbol):
        return ModelSource(symbol, "1m", FixedShelf(ready()))


class TestSourceWithoutModel(SignalSourceContract):
    def make_source(self, symbol):
        return ModelSource(symbol, "1m", FixedShelf(NOBODY))


class TestSourceOfABrokenModel(SignalSourceContract):
    def make_source(self, symbol):
        return ModelSource(symbol, "1m", FixedShelf(Standing("failed", ready().version, None, "boost.ubj: damaged")))


@pytest.fixture(scope="module")
def candles():
    return pulled_candles(700, 21)


def test_votes_are_those_of_the_ensemble_on_the_same_bars(candles):
    standing = ready()
    source = ModelSource("BTCUSDT", "1m", FixedShelf(standing))
    source.warm_up(candles[:400])
    signals = advise(source, candles[400:])
    said = standing.ensemble.probability(matrix(candles))[400:]
    expected = {1: Action.BUY, -1: Action.SELL, 0: Action.HOLD}
    assert [signal.action for signal in signals] == [expected[d] for d in standing.ensemble.directions(said)]
    assert {signal.action for signal in signals} == set(Action)
    for signal, probability in zip(signals, said, strict=True):
        sure = {Action.BUY: probability, Action.SELL: 1 - probability, Action.HOLD: 0.0}[signal.action]
        assert signal.confidence == pytest.approx(sure, abs=1e-12)


def test_decision_says_probability_thresholds_and_what_weighed_most(candles):
    source = ModelSource("BTCUSDT", "1m", FixedShelf(ready()))
    source.warm_up(candles[:600])
    signal = source.on_candle(candles.candle(600))
    row = matrix(candles)[600]
    forecast = ready().ensemble.compiled().explain(row)
    order = np.argsort(-np.abs(forecast.contributions))
    first = order[0]
    assert f"{forecast.probability:.1%} for a higher next close" in signal.reason
    assert "buys above" in signal.reason
    assert "sells below" in signal.reason
    assert f"{LABELS[first]} {forecast.contributions[first]:+.3f}" in signal.reason
    assert signal.reason.count("; ") == 2
    assert signal.inputs == {LABELS[place]: float(row[place]) / FEATURES[place].scale for place in order[:5]}
    forest, boost = forecast.members
    assert signal.votes == {"version": ready().version.id, "forest": f"{forest:.1%}", "boost": f"{boost:.1%}"}
    status = source.status
    assert (status.state, status.version) == ("voting", ready().version.id)
    assert status.probability == forecast.probability
    assert status.top[0] == (LABELS[first], float(forecast.contributions[first]))
    assert len(LABELS) == len(FEATURES)


def test_without_a_model_the_source_is_silent_and_says_so(candles):
    source = ModelSource("BTCUSDT", "1m", FixedShelf(NOBODY))
    signal = source.on_candle(candles.candle(0))
    assert source.is_silent
    assert (signal.action, signal.confidence, signal.reason) == (Action.HOLD, 0.0, "no model votes on BTC/USDT 1m")
    assert source.status.version == ""


def test_bars_of_training_are_not_voted_on(candles):
    until = candles.candle(500).close_time
    source = ModelSource("BTCUSDT", "1m", FixedShelf(ready(trained_until=until)))
    source.warm_up(candles[:500])
    on_last, after = advise(source, candles[500:502])
    assert on_last.reason == "abstains: part of training"
    assert on_last.action is Action.HOLD
    assert after.reason.endswith(tuple("0123456789"))
    assert source.status.state == "voting"


def test_a_cold_source_warms_up_and_then_votes(candles):
    source = ModelSource("BTCUSDT", "1m", FixedShelf(ready()))
    signals = advise(source, candles)
    assert signals[0].votes == {"forest": "warming up", "boost": "warming up"}
    assert "warming up" not in signals[-1].votes.values()


@pytest.mark.parametrize(("standing", "state", "text"), [
    (Standing("loading"), "warming", "being loaded"),
    (Standing("failed", ready().version, None, "boost.ubj: damaged"), "failed", "boost.ubj: damaged"),
])
def test_a_model_that_is_not_ready_abstains_aloud(candles, standing, state, text):
    source = ModelSource("BTCUSDT", "1m", FixedShelf(standing))
    signal = source.on_candle(candles.candle(0))
    assert not source.is_silent
    assert (signal.action, signal.reason) == (Action.HOLD, f"abstains: {text}")
    assert (source.status.state, source.status.detail) == (state, text)


class SwappingShelf(FixedShelf):
    """Another version stands on the shelf every time that anybody asks."""

    def __init__(self, *standings):
        super().__init__(standings[0])
        self._standings = standings

    def standing(self, symbol, interval):
        self.asked += 1
        return self._standings[self.asked % len(self._standings)]


def test_one_decision_never_mixes_two_versions(candles):
    one, other = ready(enter_above=0.9), ready(made_model(6), name="BTCUSDT-1m-20220510T1600-00000002",
                                               enter_above=0.1, exit_below=0.05)
    shelf = SwappingShelf(one, other)
    source = ModelSource("BTCUSDT", "1m", shelf)
    source.warm_up(candles[:300])
    rows = matrix(candles)
    for row in range(300, 360):
        before = shelf.asked
        signal = source.on_candle(candles.candle(row))
        assert shelf.asked == before + 1, "who votes is read once a bar"
        version = source._status.version
        voter = one if version == one.version.id else other
        probability = voter.ensemble.probability(rows[row:row + 1])[0]
        assert f"{probability:.1%} for" in signal.reason
        assert f"buys above {voter.ensemble.enter_above:.1%}" in signal.reason
    assert {one.version.id, other.version.id} >= {version}


def test_a_version_that_comes_later_starts_with_the_record_of_the_bars_since_its_training(candles):
    shelf = FixedShelf(NOBODY)
    source = ModelSource("BTCUSDT", "1m", shelf)
    source.warm_up(candles[:300])
    advise(source, candles[300:600])
    assert source.quality.n == 0
    shelf.now = ready(trained_until=candles.candle(399).close_time)
    assert source.status.detail == "votes from the next bar on"
    advise(source, candles[600:])
    said = shelf.now.ensemble.probability(matrix(candles))[400:]
    directions, close = shelf.now.ensemble.directions(said), candles.close[400:]
    fired = directions[:-1] != 0
    hits = (np.diff(close) * directions[:-1] > 0) & fired
    assert (source.quality.n, source.quality.hits) == (int(fired.sum()), int(hits.sum()))
    assert source.status.figures["live_n"] == fired.sum()
    assert source.status.figures["accuracy"] == 0.6


def test_long_running_sources_forget_old_bars_and_vote_alike():
    candles = random_candles(KEPT_BARS + 1_300)
    shelf = FixedShelf(NOBODY)
    source = ModelSource("BTCUSDT", "1m", shelf)
    source.warm_up(candles[:KEPT_BARS])
    advise(source, candles[KEPT_BARS:-1])
    assert len(source._bars()) <= KEPT_BARS + 500
    shelf.now = ready()
    signal = source.on_candle(candles.candle(-1))
    fresh = ModelSource("BTCUSDT", "1m", FixedShelf(ready()))
    fresh.warm_up(candles[:-1])
    assert fresh.on_candle(candles.candle(-1)) == signal


def test_an_error_in_the_model_is_its_own_and_shown(candles):
    source = ModelSource("BTCUSDT", "1m", FixedShelf(ready()))
    source.warm_up(candles[:300])
    source.on_candle(candles.candle(300))
    source._predictor = None
    with pytest.raises(AttributeError):
        source.on_candle(candles.candle(301))
    assert source.status.state == "failed"


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path)


def test_shelf_loads_the_champion_and_notices_a_change_made_by_another_process(registry):
    kept = registry.save(made_model(), request_for())
    told = []
    shelf = ModelShelf(registry, lambda *said: told.append(said), inline=True)
    shelf.open([("BTCUSDT", "1m"), ("ETHUSDT", "1m")])
    assert shelf.standing("BTCUSDT", "1m") is NOBODY
    Registry(registry.folder).appoint(kept.id, "by hand", "wanted")
    shelf.look("BTCUSDT", "1m")
    standing = shelf.standing("BTCUSDT", "1m")
    assert (standing.state, standing.version.id) == ("ready", kept.id)
    shelf.look("BTCUSDT", "1m")
    shelf.changed("BTCUSDT", "1m")
    assert shelf.standing("BTCUSDT", "1m") is standing, "nothing is loaded twice"
    registry.silence("BTCUSDT", "1m", "enough")
    shelf.changed("BTCUSDT", "1m")
    assert shelf.standing("BTCUSDT", "1m") is NOBODY
    assert shelf.standing("ETHUSDT", "1m") is NOBODY
    assert told == []


def test_shelf_tells_once_of_a_model_that_cannot_be_used(registry):
    kept = registry.save(made_model(), request_for())
    registry.appoint(kept.id, "promoted", "better")
    path = registry.folder / "BTCUSDT-1m" / kept.id / "boost.ubj"
    path.write_bytes(path.read_bytes()[:-1])
    told = []
    shelf = ModelShelf(registry, lambda *said: told.append(said), inline=True)
    for _ in range(3):
        shelf.changed("BTCUSDT", "1m")
    assert shelf.standing("BTCUSDT", "1m").state == "failed"
    ((symbol, detail, abstains),) = told
    assert (symbol, abstains) == ("BTCUSDT", True)
    assert "boost.ubj" in detail and str(registry.folder) not in detail
    again = registry.save(made_model(), request_for())
    assert again.id == kept.id
    shelf.changed("BTCUSDT", "1m")
    assert shelf.standing("BTCUSDT", "1m").state == "ready", "trained again, it votes again"


def test_a_model_whose_files_break_votes_on_from_memory_and_is_told_of_once(registry, candles):
    kept = registry.save(made_model(), request_for())
    registry.appoint(kept.id, "promoted", "better")
    told = []
    shelf = ModelShelf(registry, lambda *said: told.append(said), inline=True)
    source = ModelSource("BTCUSDT", "1m", shelf)
    shelf.open([("BTCUSDT", "1m")])
    since = dataclasses.replace(candles, open_time=candles.open_time - candles.open_time[0] + kept.trained_until + 1)
    source.warm_up(since[:-3])
    source.on_candle(since.candle(len(since) - 3))
    assert (source.status.state, source.status.detail) == ("voting", "")
    before = source.quality.n
    path = registry.folder / "BTCUSDT-1m" / kept.id / "forest.skops"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    source.on_candle(since.candle(len(since) - 2))
    shelf.changed("BTCUSDT", "1m")
    source.on_candle(since.candle(len(since) - 1))
    assert source.status.state == "voting" and "files are broken: it votes from memory" in source.status.detail
    assert source.quality.n >= before, "its record is not counted anew"
    ((symbol, detail, abstains),) = told
    assert (symbol, abstains) == ("BTCUSDT", False) and "forest.skops" in detail
    path.write_bytes(whole)
    shelf.look("BTCUSDT", "1m")
    assert source.status.detail == ""


def test_shelf_loads_beside_the_caller(registry, monkeypatch):
    kept = registry.save(made_model(), request_for())
    registry.appoint(kept.id, "promoted", "better")
    threads, loaded = [], threading.Event()
    load = Registry.load

    def watched(self, name):
        threads.append(threading.current_thread())
        found = load(self, name)
        loaded.set()
        return found

    monkeypatch.setattr(Registry, "load", watched)
    shelf = ModelShelf(registry)
    shelf.open([("BTCUSDT", "1m")])
    assert shelf.standing("BTCUSDT", "1m").state in ("loading", "ready")
    assert loaded.wait(30)
    shelf._loader.submit(lambda: None).result(30)
    assert shelf.standing("BTCUSDT", "1m").state == "ready"
    assert threads[0] is not threading.current_thread()
    shelf.close()
