"""Models in the background: one training of a market at a time, a history that stays, a schedule that only submits."""

import json
import os
import signal
import time
from dataclasses import replace

import pytest

from models.registry import Registry
from services.backtests.markets import Source
from services.jobs import schedule_learning
from services.learning.compose import learning_service
from services.learning.diary import INTERRUPTED, Diary
from services.learning.drifts import Drifts
from services.learning.schedule import check_drift, retrain
from services.learning.service import SCHEDULE, LearningService, Memory
from services.learning.station import DriftCheck, Learned, Training
from services.learning.wishes import Wishes
from services.settings import load_settings
from storage.candle_store import CandleStore
from tests.fakes import fake_models
from tests.fakes.asked import waves
from tests.fakes.fake_worker import HandWorker, until_asked_to_stop
from trading.domain.backtests import CostSettings
from trading.domain.learning import Appointment, ModelSettings, TrainingRun, TrainRequest
from trading.errors import BadInput, ModelRefused
from trading.risk import PROFILES

PATIENCE_S = 120.0
ASKED = TrainRequest("BTCUSDT", "1h", None, None, ModelSettings(n_folds=2, trees=10, rounds=10), CostSettings(),
                     PROFILES[1])


class BoardOfNames:
    """Notes the jobs that are entered."""

    def __init__(self):
        self.jobs = {}

    def every(self, name, seconds, work, first_after=None):
        self.jobs[name] = (seconds, work)


class FewModels:
    """A registry whose versions are invented."""

    def __init__(self, *versions):
        self.held = list(versions)
        self.lines = []
        self.n_listed = 0

    def versions(self, symbol, interval):
        self.n_listed += 1
        return tuple(v for v in self.held if (v.symbol, v.interval) == (symbol, interval))

    def markets(self):
        return tuple(dict.fromkeys((v.symbol, v.interval) for v in self.held))

    def stamp(self, symbol, interval):
        return len(self.lines), len(self.held)

    def report(self, name):
        if name not in [v.id for v in self.held]:
            raise ModelRefused(f"{name}: there is none")
        return fake_models.report()

    def history(self, symbol, interval):
        return tuple(self.lines)

    def predecessor(self, symbol, interval):
        return next((v.id for v in self.held if v.status == "retired"), "")

    def appoint(self, name, kind, reason):
        found = next(v for v in self.held if v.id == name)
        before = next((v.id for v in self.held if v.status == "champion"), "")
        self.held = [replace(v, status="champion" if v.id == name else "retired") for v in self.held]
        self.lines.append(Appointment(1, found.symbol, found.interval, name, before, kind, reason))
        return self.lines[-1]

    def silence(self, symbol, interval, reason):
        self.lines.append(Appointment(1, symbol, interval, "", "", "silenced", reason))
        return self.lines[-1]


def wait(until, what="the end"):
    limit = time.monotonic() + PATIENCE_S
    while not (found := until()):
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.01)
    return found


def learned(job, progress, _unwanted):
    if isinstance(job, DriftCheck):
        return fake_models.drift("steady")
    progress(0.5, "fold 1")
    return Learned("BTCUSDT-1h-20240101T0000-0badcafe", "promoted (p = 0.03)")


@pytest.fixture(scope="module")
def candles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("candles")
    store = CandleStore(folder)
    store.append(waves(1_500))
    store.append(waves(100, symbol="ETHUSDT", seed=2))
    return folder


@pytest.fixture
def make(candles, tmp_path):
    made = []

    def make_one(work=learned, registry=None, folder=tmp_path / "learning"):
        memory = Memory(Diary(folder / "runs.jsonl"), Wishes(folder / "fresh.json"), Drifts(folder / "drift.json"))
        worker = HandWorker(work)
        service = LearningService(CostSettings(), Source(candles), registry or FewModels(), memory, worker)
        service.worker = worker
        made.append(service)
        return service

    yield make_one
    for service in made:
        service.close()


def slow(job, progress, unwanted):
    return until_asked_to_stop(progress, unwanted)


def over(service, key):
    return wait(lambda: (p := service.progress(key)).state not in ("waiting", "running") and p)


def test_a_training_ends_in_the_history_with_its_version(make):
    service, heard = make(), []
    service.changed = lambda *market: heard.append(market)
    key = service.start(ASKED)
    assert over(service, key).state == "done"
    run = service.runs()[0]
    assert (run.key, run.state, run.why, run.version) == (key, "done", "by hand", "BTCUSDT-1h-20240101T0000-0badcafe")
    assert run.detail == "promoted (p = 0.03)" and heard == [("BTCUSDT", "1h")]


def test_the_same_training_asked_twice_is_one_and_another_one_of_the_market_has_to_wait(make):
    service = make(slow)
    key = service.start(ASKED)
    assert service.start(ASKED) == key and len(service.runs()) == 1
    with pytest.raises(BadInput, match="BTC/USDT 1h is trained already with other settings"):
        service.start(replace(ASKED, settings=ModelSettings(seed=8)))
    other = service.start(replace(ASKED, symbol="ETHUSDT"))
    assert other != key and len(service.runs()) == 2


def test_a_cancelled_training_leaves_nothing_and_the_market_is_free_again(make):
    service = make(slow)
    key = service.start(ASKED)
    wait(lambda: service.progress(key).state == "running")
    service.cancel(key)
    assert over(service, key).state == "cancelled"
    assert (service.runs()[0].state, service.runs()[0].version) == ("cancelled", "")
    assert service.start(ASKED) != key


def test_a_failed_training_says_why_also_after_a_restart(make):
    def fail(*_):
        raise BadInput("1,000 bars are too few to learn from")

    service = make(fail)
    key = service.start(ASKED)
    assert over(service, key).error == "1,000 bars are too few to learn from"
    again = make(fail)
    assert again.progress(key).state == "failed" and "too few" in again.progress(key).error
    assert again.progress("nobody").error == "this training is not known; train again"


def test_a_training_that_a_restart_cut_off_has_failed(make):
    service = make(slow)
    key = service.start(ASKED)
    wait(lambda: service.progress(key).state == "running")
    service.close()
    again = make()
    assert (again.progress(key).state, again.progress(key).error) == ("failed", INTERRUPTED)
    assert over(again, again.start(ASKED)).state == "done"


def test_candles_that_are_not_stored_are_refused(make):
    with pytest.raises(BadInput, match="no stored 1h candles of SOLUSDT"):
        make().start(replace(ASKED, symbol="SOLUSDT"))


def test_versions_are_listed_newest_first_and_read_once_for_many_looks(make):
    registry = FewModels(fake_models.version(3), fake_models.version(9), fake_models.version(5))
    service = make(registry=registry)
    for _ in range(20):
        found = service.versions("BTCUSDT", "1h")
    assert [v.created for v in found] == sorted((v.created for v in found), reverse=True)
    assert registry.n_listed == 1
    registry.held.append(fake_models.version(11))
    assert len(service.versions("BTCUSDT", "1h")) == 4


def test_appointing_and_rolling_back_are_told_and_the_champion_is_looked_at(make):
    first, second = fake_models.version(3, status="champion"), fake_models.version(9)
    service, heard = make(registry=FewModels(first, second)), []
    service.changed = lambda *market: heard.append(market)
    assert service.appoint(second.id, "to try it").kind == "by hand"
    assert service.champion("BTCUSDT", "1h").id == second.id
    wait(lambda: service.drift("BTCUSDT", "1h"), "drift")
    assert service.roll_back("BTCUSDT", "1h", "worse").version == first.id
    assert service.history("BTCUSDT", "1h")[0].kind == "rolled back" and heard == [("BTCUSDT", "1h")] * 2


def test_without_a_champion_before_there_is_no_way_back(make):
    service = make(registry=FewModels(fake_models.version(3, status="champion")))
    with pytest.raises(BadInput, match="no champion before this one on BTC/USDT 1h"):
        service.roll_back("BTCUSDT", "1h", "worse")
    assert service.report("BTCUSDT-1h-nobody") is None


def test_drift_belongs_to_the_version_that_was_looked_at(make, tmp_path):
    champion, other = fake_models.version(3, status="champion"), fake_models.version(9)
    service = make(registry=FewModels(champion, other))
    assert service.check_drift("BTCUSDT", "1h") and not service.check_drift("ETHUSDT", "1h")
    found = wait(lambda: service.drift("BTCUSDT", "1h"))
    assert found == fake_models.drift("steady")
    assert make(registry=FewModels(champion)).drift("BTCUSDT", "1h") == found
    assert make(registry=FewModels(replace(other, status="champion"))).drift("BTCUSDT", "1h") is None


def test_the_schedule_trains_what_is_kept_fresh_and_has_newer_candles(make):
    service = make()
    assert retrain(service, PROFILES[0]) == "0 begun"
    over(service, service.start(replace(ASKED, end=1_700_000_000_000)))
    assert service.is_kept_fresh("BTCUSDT", "1h") and not service.is_kept_fresh("ETHUSDT", "1h")
    assert retrain(service, PROFILES[0]) == "0 begun, 1 without newer candles"
    service._memory.wishes.trained("BTCUSDT-1h", ASKED, 0, by_hand=False)  # as if candles had come since
    assert retrain(service, PROFILES[0]) == "1 begun"
    run = wait(lambda: service.runs()[0].state == "done" and service.runs()[0])
    assert run.why == SCHEDULE and service.worker.jobs[-1] == Training(replace(ASKED, end=None))
    service.keep_fresh("BTCUSDT", "1h", False)
    service._memory.wishes.trained("BTCUSDT-1h", ASKED, 0, by_hand=False)
    assert retrain(service, PROFILES[0]) == "0 begun"


def test_a_champion_that_the_command_line_made_is_kept_fresh_with_its_own_settings(make):
    settings = ModelSettings("horizon", horizon=24)
    service = make(registry=FewModels(fake_models.version(3, "BTCUSDT", "1h", "champion", settings=settings)))
    assert retrain(service, PROFILES[2]) == "1 begun"
    assert service.worker.jobs == [] or service.worker.jobs[0].request.settings == settings
    wait(lambda: service.worker.jobs)
    assert service.worker.jobs[0].request == TrainRequest("BTCUSDT", "1h", None, None, settings, CostSettings(),
                                                          PROFILES[2])
    assert check_drift(service) == "1 champion looked at"


def test_the_schedule_tells_when_a_market_is_busy(make):
    service = make(slow)
    service.start(ASKED)
    service._memory.wishes.trained("BTCUSDT-1h", replace(ASKED, settings=ModelSettings(seed=9)), 0, by_hand=True)
    assert "trained already with other settings" in retrain(service, PROFILES[0])


@pytest.mark.parametrize(("retrain_hours", "drift_hours", "names"), [
    (24.0, 6.0, {"retrain models", "model drift"}), (0.0, 6.0, {"model drift"}), (24.0, 0.0, {"retrain models"}),
])
def test_zero_hours_switch_a_job_off(make, tmp_path, retrain_hours, drift_hours, names):
    settings = load_settings(data_dir=tmp_path, retrain_hours=retrain_hours, drift_hours=drift_hours)
    board = BoardOfNames()
    schedule_learning(board, settings, make())
    assert set(board.jobs) == names
    assert {seconds for seconds, _ in board.jobs.values()} <= {24 * 3600, 6 * 3600}


def test_a_torn_line_of_the_history_is_left_out(tmp_path):
    path = tmp_path / "runs.jsonl"
    diary = Diary(path)
    for n in range(3):
        diary.enter(TrainingRun(f"k{n}", "BTCUSDT", "1h", n, 1.0, "done", "by hand", f"v{n}", ""))
    path.write_text(path.read_text() + '{"key": "k3", "sym')
    assert [run.key for run in Diary(path).runs()] == ["k2", "k1", "k0"]


def test_wishes_survive_a_damaged_file(tmp_path):
    path = tmp_path / "fresh.json"
    Wishes(path).trained("BTCUSDT-1h", ASKED, 5, by_hand=True)
    assert Wishes(path).request("BTCUSDT-1h") == ASKED and Wishes(path).last("BTCUSDT-1h") == 5
    held = json.loads(path.read_text())
    held["BTCUSDT-1h"]["request"]["settings"]["colour"] = "red"
    path.write_text(json.dumps(held))
    assert Wishes(path).request("BTCUSDT-1h") is None and Wishes(path).is_wanted("BTCUSDT-1h")
    path.write_text("{")
    assert Wishes(path).markets() == ()


def test_a_process_killed_in_the_middle_of_a_training_is_replaced_and_leaves_one_whole_model(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    CandleStore(settings.candles_dir).append(waves(1_500))
    service = learning_service(settings, None, Registry(tmp_path / "models", "test"))
    try:
        key = service.start(replace(ASKED, settings=ModelSettings(n_folds=2, trees=10, rounds=10)))
        wait(lambda: "window" in service.progress(key).stage, "the first window")
        os.kill(service._background._worker.pid, signal.SIGKILL)
        assert over(service, key).state == "done", service.progress(key).error
        held = [path for path in (tmp_path / "models" / "BTCUSDT-1h").iterdir() if path.is_dir()]
        assert [path.name for path in held] == [service.runs()[0].version]
        version = service.versions("BTCUSDT", "1h")[0]
        assert version.status in ("champion", "challenger") and service.report(version.id).folds
    finally:
        service.close()
