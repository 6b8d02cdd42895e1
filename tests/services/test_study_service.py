"""Searches behind the page: one at a time, cancelled and resumed, cut off and found again, saved under honest names."""

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from services.automl.compose import study_service
from services.automl.counting import read_view
from services.automl.service import StudyService
from services.automl.shelf import save_champion
from services.automl.station import StudyJob, StudyStation, load_candles
from services.automl.study import alone, run_study, study_key, write_view
from services.backtests.markets import Source
from services.backtests.spread import Hands
from services.settings import load_settings
from services.strategies import load_strategy
from storage.candle_store import CandleStore
from storage.database import Database
from storage.disk import Disk
from tests.fakes.asked import waves
from tests.fakes.fake_studies import FakeStudies
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.errors import BadInput, BadStrategy
from trading.risk import PROFILES

PATIENCE_S = 150.0
NEWS = threading.Condition()


def evolution(**changes) -> StudyRequest:
    small = StudyRequest("evolution", "", {}, ("BTCUSDT",), "1h", None, None, CostSettings(), PROFILES[1], 300, 5,
                         islands=1, population=20)
    return replace(small, **changes)


def opened(folder: Path) -> tuple[StudyService, Database]:
    settings = load_settings(data_dir=folder)
    database = Database(settings.database_path)
    database.open()
    service = study_service(settings, database, None)
    told = service._background._told

    def heard(said) -> None:
        told(said)
        with NEWS:
            NEWS.notify_all()

    service._background._told = heard
    return service, database


def wait(until, what: str = "the end"):
    with NEWS:
        found = NEWS.wait_for(until, PATIENCE_S)
    assert found, f"waited in vain for {what}"
    return found


def over(service: StudyService, key: str):
    return wait(lambda: (v := service.view(key)).state not in ("waiting", "running") and v)


def begun(service: StudyService, key: str, n: int = 1):
    return wait(lambda: (v := service.view(key)).n_trials >= n and v, f"{n} candidates")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cockpit")
    CandleStore(folder / "candles").append(waves(1_500))
    return folder


@pytest.fixture(scope="module")
def service(folder: Path):
    service, database = opened(folder)
    yield service
    service.close()
    database.close()


@pytest.fixture(scope="module")
def finished(service: StudyService) -> str:
    key = service.start(evolution())
    assert over(service, key).state == "done", service.view(key).error
    return key


def test_a_study_ends_with_a_champion_and_what_the_gate_said(service, finished):
    view = service.view(finished)
    assert view.n_trials == 300 and view.done == 1.0
    assert view.gate is not None and view.champion is not None and view.champion.outside
    listed = service.studies()[0]
    assert (listed.key, listed.state, listed.passed) == (finished, "done", view.gate.passed)


def test_the_same_question_is_the_same_study_and_is_not_searched_again(service, finished):
    assert service.start(evolution()) == finished
    assert service.view(finished).state == "done"
    assert service.start(evolution(seed=6, budget=100_000)) != finished
    for one in service.studies():
        service.cancel(one.key)


def test_every_candidate_counts_against_the_champion_on_the_page_backtest(folder, finished):
    spooled = "".join(path.read_text() for path in (folder / "backtests").glob("pending-trials-*.jsonl"))
    assert sum(f'"{finished}-' in line for line in spooled.splitlines()) == 300


def test_a_cancelled_study_keeps_what_it_tried_and_goes_on(service):
    key = service.start(evolution(seed=11, budget=200_000))
    begun(service, key, 40)
    service.cancel(key)
    stopped = over(service, key)
    assert stopped.state == "cancelled" and 40 <= stopped.n_trials < 200_000 and stopped.gate is None
    service.resume(key)
    further = begun(service, key, stopped.n_trials + 1)
    assert further.state == "running"
    service.cancel(key)
    over(service, key)


def test_one_study_runs_and_the_next_one_waits(service):
    first, second = (service.start(evolution(seed=seed, budget=200_000)) for seed in (21, 22))
    begun(service, first)
    assert service.view(second).state == "waiting"
    service.cancel(second)
    assert service.view(second).state == "cancelled"
    service.cancel(first)
    assert over(service, first).state == "cancelled"


def test_a_killed_process_is_replaced_and_goes_on_from_the_checkpoint(service):
    key = service.start(evolution(seed=31, budget=200_000))
    before = begun(service, key, 40).n_trials
    worker = service._background._worker
    killed = worker.pid
    os.kill(killed, signal.SIGKILL)
    wait(lambda: worker.pid not in (None, killed), "another process")
    further = begun(service, key, before + 1)
    assert further.state in ("waiting", "running")
    service.cancel(key)
    assert over(service, key).state == "cancelled"


def test_a_restart_interrupts_a_study_and_one_click_goes_on(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(1_500))
    service, database = opened(tmp_path)
    key = service.start(evolution(seed=41, budget=200_000))
    kept = begun(service, key, 40).n_trials
    service.close()
    database.close()
    service, database = opened(tmp_path)
    view = service.view(key)
    assert view.state == "interrupted" and view.n_trials >= kept
    assert [one.state for one in service.studies()] == ["interrupted"]
    service.resume(key)
    begun(service, key, view.n_trials + 1)
    service.cancel(key)
    over(service, key)
    CandleStore(tmp_path / "candles").append(waves(1_600))
    service.resume(key)
    failed = over(service, key)
    assert failed.state == "failed" and "candles are others" in failed.error
    service.close()
    database.close()


def test_a_study_that_a_crash_left_running_is_called_interrupted(tmp_path):
    view = FakeStudies().view("passed")
    write_view(tmp_path / "studies" / "passed", replace(view, state="running", gate=None))
    service, database = opened(tmp_path)
    assert service.view("passed").state == "interrupted"
    assert service.studies()[0].state == "interrupted"
    database.close()


def test_what_makes_no_sense_is_refused_in_words(service):
    with pytest.raises(BadInput, match="no stored candles of SOLUSDT"):
        service.start(evolution(symbols=("SOLUSDT",)))
    failed = over(service, service.start(evolution(holdout_rate=0.06)))
    assert failed.state == "failed" and "too few" in failed.error
    with pytest.raises(BadStrategy):
        service.start(evolution(search="parameters", document={"version": 2, "entry": "rsi"}))
    with pytest.raises(BadInput, match="not stored"):
        service.resume("nonsense")
    assert service.view("../../etc") is None


def test_a_saved_champion_says_that_it_is_unproven_and_is_saved_once(service, finished, folder):
    one, again = service.save(finished), service.save(finished)
    assert one == again
    proven = service.view(finished).gate.passed
    assert ("(unproven)" in one.name) is not proven
    assert Path(one.path).parent == folder / "strategies" / "BTCUSDT"
    strategy = load_strategy(one.path)
    assert strategy.symbols == ("BTCUSDT",) and strategy.interval == "1h"
    assert finished in strategy.notes and "300 candidates" in strategy.notes
    assert one.id in {choice.id for choice in service.strategies()}


def test_a_file_of_the_same_name_is_never_overwritten(tmp_path):
    view = FakeStudies().view("denied")
    kept = save_champion(view, tmp_path)
    assert Path(kept.path).name.startswith("unproven-evolved-btc-eth-sol-1h")
    changed = json.loads(Path(kept.path).read_text()) | {"notes": "mine"}
    Path(kept.path).write_text(json.dumps(changed))
    second = save_champion(view, tmp_path)
    assert second.path.endswith("-2.json") and json.loads(Path(kept.path).read_text())["notes"] == "mine"


def test_what_a_model_search_found_is_no_strategy(tmp_path):
    with pytest.raises(BadInput, match="tuned a model"):
        save_champion(FakeStudies().view("model"), tmp_path)


def test_a_champion_bred_long_and_short_is_saved_as_unproven_whatever_its_gate_said(tmp_path):
    passed = FakeStudies().view("passed")
    short = replace(passed, request=replace(passed.request, search="evolution", strategy="", short=True))
    kept = save_champion(short, tmp_path)
    assert "(unproven)" in kept.name and Path(kept.path).name.startswith("unproven-")
    assert "nobody judged" in load_strategy(kept.path).notes
    assert "unproven" not in save_champion(passed, tmp_path).name


def test_a_saved_champion_trades_the_markets_it_was_judged_on_and_says_first_what_it_is_worth(tmp_path):
    view = FakeStudies().view("passed")
    wordy = {**view.champion.document, "symbols": ["SOLUSDT"], "notes": "x" * 2_990}
    view = replace(view, request=replace(view.request, symbols=("BTCUSDT", "ETHUSDT")),
                   champion=replace(view.champion, document=wordy))
    kept = load_strategy(save_champion(view, tmp_path).path)
    assert kept.symbols == ("BTCUSDT", "ETHUSDT")
    assert "Promoted by its gate." in kept.notes


def test_a_champion_that_cannot_be_written_whole_leaves_no_torn_file(tmp_path, monkeypatch):
    def full(self, path, content):
        path.write_bytes(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Disk, "write", full)
    with pytest.raises(BadInput, match="No space left"):
        save_champion(FakeStudies().view("passed"), tmp_path)
    assert not list(tmp_path.rglob("*.json"))


def test_a_study_that_a_command_finished_is_done_whatever_the_page_said_last(service):
    key = service.start(evolution(seed=51, budget=200_000))
    begun(service, key, 40)
    service.cancel(key)
    assert over(service, key).state == "cancelled"
    done = replace(read_view(service._folder / key), state="done", gate=FakeStudies().view("denied").gate)
    write_view(service._folder / key, done)
    assert service.view(key).state == "done" and service.view(key).gate is not None
    assert {one.key: one.state for one in service.studies()}[key] == "done"


def test_a_study_that_another_process_runs_is_refused_in_one_line_and_left_alone(service):
    asked = evolution(seed=52, budget=200_000)
    folder = service._folder / study_key(asked, load_candles(service._source, asked))
    with alone(folder), pytest.raises(BadInput, match="runs already"):
        service.start(asked)
    assert read_view(folder) is None and service._background.progress(folder.name) is None


def test_journals_that_cannot_be_kept_do_not_fail_a_study(service, monkeypatch, caplog):
    def locked(*_):
        raise OSError("database is locked")

    monkeypatch.setattr(service._store, "follow", locked)
    journal = service._folder / "sOther" / "journal.jsonl"
    journal.parent.mkdir()
    journal.write_text("{}\n")
    assert over(service, service.start(evolution(seed=53, budget=60))).state == "done"
    assert "not taken in" in caplog.text
    journal.unlink()


def test_trials_that_a_killed_process_left_are_counted_at_the_next_start_and_once(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(1_500))
    source, asked = Source(tmp_path / "candles"), evolution(budget=60)
    run_study(asked, load_candles(source, asked), tmp_path / "studies" / "killed", Hands(1), lambda *_: None)
    for _ in range(2):
        service, database = opened(tmp_path)
        database.close()
    assert service.view("killed").n_trials == 60
    spooled = [path.read_text().splitlines() for path in (tmp_path / "backtests").glob("pending-trials-*.jsonl")]
    assert [len(lines) for lines in spooled] == [60]


def test_a_search_is_not_gone_on_with_by_other_code(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(1_500))
    station = StudyStation(Source(tmp_path / "candles"), tmp_path / "studies", tmp_path / "spool", 1)
    with pytest.raises(BadInput, match="another version"):
        station.do(StudyJob("s0123456789abcdef", evolution()), lambda *_: None)
    key = study_key(evolution(budget=60), load_candles(Source(tmp_path / "candles"), evolution(budget=60)))
    assert station.do(StudyJob(key, evolution(budget=60)), lambda *_: None) == key
