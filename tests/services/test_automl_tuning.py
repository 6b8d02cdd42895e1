"""Numbers by Optuna: judged window by window, the same with any hands, kept where our database is."""

import json
import random
import sqlite3
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from services.automl.arena import rules_of, split_of
from services.automl.figures import Figures
from services.automl.journal import JOURNAL, DatabaseJournal, FolderJournal, take_in, take_in_all
from services.automl.numbers import searchable
from services.automl.study import read_view, run_study
from services.automl.trials import Tried, read_trials
from services.automl.tuning import N_WINDOWS, walked
from services.automl.windows import Windows, windows_of
from services.backtests.spread import Hands
from services.strategies import parse_strategy
from storage.backtest_store import BacktestStore
from storage.database import MIGRATIONS, Database
from storage.study_store import StudyStore
from tests.evolution_campaign import loaded_of, market
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.errors import BadInput
from trading.risk import PROFILES

CANDLES = market(-0.15, 5, 4_000)
LOADED = loaded_of(CANDLES)
DIPS = {
    "version": 2, "name": "Dips", "symbols": ["BTCUSDT"], "timeframe": "1h",
    "parameters": {"dip.level": {"value": 40, "low": 5, "high": 95, "step": 5},
                   "dip.period": {"value": 30, "low": 2, "high": 60, "step": 2}},
    "entry": {"left": {"indicator": "rsi", "parameters": {"period": "$dip.period"}}, "op": "<", "right": "$dip.level"},
    "exit": {"left": {"indicator": "rsi", "parameters": {"period": "$dip.period"}}, "op": ">", "right": "$dip.level"},
    "risk": {"stop_atr": 20, "target_atr": 0, "max_drawdown_rate": 0.99, "daily_loss_rate": 1},
}
ASKED = StudyRequest("parameters", "Dips", DIPS, ("BTCUSDT",), "1h", None, None, CostSettings(0.0, 0.0, 0.0),
                     PROFILES[2], budget=60)


ALONE = Hands(1)


def run(folder: Path, request: StudyRequest = ASKED, hands: Hands = ALONE, progress=lambda *_: None):
    return run_study(request, LOADED, folder, hands, progress)


def champion(folder: Path) -> bytes:
    return (folder / "champion.json").read_bytes()


def figures_of_log(folder: Path) -> list:
    return [(row.number, row.key, row.figures, row.score, row.windows) for row in read_trials(folder / "trials.jsonl")]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "s1"
    run(folder)
    return folder


def test_it_finds_numbers_that_trade_what_is_there(done: Path):
    view = read_view(done)
    rows = read_trials(done / "trials.jsonl")
    assert view.n_trials == len(rows) == ASKED.budget
    first, best = rows[0], view.champion
    assert first.genome == {"dip.level": 40, "dip.period": 30}, "the strategy's own numbers come first"
    assert best.inside["score"] > max(5.0, first.score + 1.0)
    assert best.outside["sharpe"] > 0.5
    assert parse_strategy(json.loads(champion(done))).values == best.parameters
    assert list(view.history) == sorted(view.history)


def test_hopeless_numbers_are_pruned_and_still_counted(done: Path):
    rows = read_trials(done / "trials.jsonl")
    pruned = [row for row in rows if 0 < len(row.windows) < N_WINDOWS]
    assert pruned
    assert max(row.score for row in pruned) < read_view(done).champion.inside["score"]
    assert all(sum(row.figures.n for row in [one]) < max(r.figures.n for r in rows) for one in pruned)


def test_windows_follow_each_other_and_end_where_the_search_may_look():
    split = split_of(ASKED, LOADED)
    windows = windows_of(LOADED, split, N_WINDOWS)
    edges = [(ground.first, len(ground.candles)) for (ground,) in windows]
    assert edges[0][0] == 0
    assert [stop for _, stop in edges[:-1]] == [first for first, _ in edges[1:]]
    assert edges[-1][1] == split.rows[0]


def test_two_processes_and_stops_come_to_the_same_champion(done: Path, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.automl.crew.TRIED_S", 0.0)
    monkeypatch.setattr("services.automl.crew.WORTH_S", 0.0)
    n_left = 0

    def stop(*_: object) -> None:
        nonlocal n_left
        n_left -= 1
        if not n_left:
            raise KeyboardInterrupt

    before = random.getstate()
    for n_calls in (60, 70, 25):
        n_left = n_calls
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "s1", hands=Hands(2), progress=stop)
    assert 16 < len(read_trials(tmp_path / "s1" / "trials.jsonl")) < ASKED.budget
    run(tmp_path / "s1", hands=Hands(2))
    assert random.getstate() == before
    assert champion(tmp_path / "s1") == champion(done)
    assert figures_of_log(tmp_path / "s1") == figures_of_log(done)


def test_a_small_grid_ends_when_everything_was_tried(tmp_path: Path):
    tiny = {**DIPS, "parameters": {"dip.level": {"value": 40, "low": 40, "high": 60, "step": 10},
                                   "dip.period": {"value": 4, "low": 4, "high": 6, "step": 2}}}
    view = run(tmp_path, replace(ASKED, document=tiny))
    assert view.n_trials == 6
    assert view.state == "done"


def test_a_tuned_strategy_is_one_of_the_markets_that_it_was_tuned_on(tmp_path: Path):
    view = run(tmp_path, replace(ASKED, document={**DIPS, "symbols": ["SOLUSDT"], "timeframe": "4h"}, budget=8))
    assert {(tuple(c.document["symbols"]), c.document["timeframe"]) for c in view.candidates} == {(("BTCUSDT",), "1h")}


def test_numbers_that_the_strategy_refuses_are_counted_and_never_win(tmp_path: Path):
    crossed = {**DIPS, "entry": {"left": {"highest": "high", "bars": "$dip.period", "ago": 1}, "op": "<",
                                 "right": "close"}, "exit": DIPS["exit"]}
    view = run(tmp_path, replace(ASKED, document=crossed, budget=20))
    assert view.champion is not None
    windows = Windows(searchable(DIPS), windows_of(LOADED, split_of(ASKED, LOADED), 2), rules_of(ASKED))
    assert windows.do(({"dip.period": 1_000}, 0)) is None


def test_a_walk_forward_of_the_choice_uses_only_earlier_windows():
    def tried(number: int, *sharpes: float) -> Tried:
        return Tried(number, 0, str(number), {}, Figures(), 0.0, 0, sharpes)

    rows = [tried(0, 1.0, -1.0, 5.0), tried(1, 0.0, 3.0, 0.5), tried(2, 9.0, 9.0)]
    assert walked(rows, 3) == pytest.approx((-1.0 + 0.5) / 2)
    assert walked(rows[:1], 1) is None
    assert walked([], 3) is None


def test_a_strategy_without_a_number_to_move_is_refused(tmp_path: Path):
    bare = {"version": 2, "name": "Bare", "symbols": ["BTCUSDT"], "entry": {"rising": "close", "bars": 1},
            "exit": {"falling": "close", "bars": 1}}
    with pytest.raises(BadInput, match="no number that a search could move"):
        run(tmp_path, replace(ASKED, document=bare))
    assert read_view(tmp_path).state == "failed"


def test_a_short_strategy_cannot_be_tuned_for_the_account(tmp_path: Path):
    with pytest.raises(BadInput, match="spot cannot"):
        run(tmp_path, replace(ASKED, document={**DIPS, "side": "short"}))


def older_database(path: Path) -> None:
    """Make the file that a cockpit of before the studies left, with a trial in it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.exec_driver_sql("insert into trials values ('idea', 'hash', 'p', 'BTCUSDT 1h', 1, 9, 0.1, 5)")
    engine.dispose()


def test_optuna_reads_its_study_from_the_cockpits_database_beside_our_tables(done: Path, tmp_path: Path):
    older_database(tmp_path / "cockpit.db")
    database = Database(tmp_path / "cockpit.db")
    database.open()
    store = StudyStore(database)
    assert take_in(store, done) > 0
    assert take_in(store, done) == 0
    study = optuna.load_study(study_name=done.name,
                              storage=optuna.storages.JournalStorage(DatabaseJournal(store, done.name)))
    rows = read_trials(done / "trials.jsonl")
    complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    assert len(study.trials) >= len(rows)
    assert study.best_params == read_view(done).champion.parameters
    assert len({json.dumps(t.params, sort_keys=True) for t in complete}) <= len(rows)
    ground = {"lineage": "idea", "first": 1, "last": 9, "market": "BTCUSDT 1h"}
    assert BacktestStore(database).trials(ground) == (1, [0.1]), "our table of trials is as it was"
    database.close()
    newest = max(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py"))
    with sqlite3.connect(tmp_path / "cockpit.db") as connection:
        assert connection.execute("select version_num from alembic_version").fetchall() == [(newest,)]
    reopened = Database(tmp_path / "cockpit.db")
    reopened.open()
    assert StudyStore(reopened).count(done.name) > 0
    reopened.close()


def test_an_optuna_study_can_be_run_in_the_database_itself(tmp_path: Path):
    database = Database(tmp_path / "cockpit.db")
    database.open()
    storage = optuna.storages.JournalStorage(DatabaseJournal(StudyStore(database), "by-hand"))
    study = optuna.create_study(storage=storage, study_name="by-hand", sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(lambda trial: trial.suggest_float("x", -1, 1) ** 2, n_trials=5)
    again = optuna.load_study(
        study_name="by-hand", storage=optuna.storages.JournalStorage(DatabaseJournal(StudyStore(database), "by-hand")))
    assert [t.params for t in again.trials] == [t.params for t in study.trials]
    database.close()


def test_a_study_that_began_anew_replaces_its_journal(tmp_path: Path):
    database = Database(tmp_path / "cockpit.db")
    database.open()
    store, folder = StudyStore(database), tmp_path / "studies" / "s9"
    for texts in (["a", "b"], ["a", "b", "c"], ["x"]):
        journal = FolderJournal(folder / JOURNAL, 0)
        journal.append_logs([{"entry": text} for text in texts])
        assert journal.commit() == len(texts)
        take_in_all(store, folder.parent)
        assert [json.loads(entry)["entry"] for entry in store.entries("s9")] == texts
    with (folder / JOURNAL).open("a") as file:
        file.write('{"half')
    assert take_in(store, folder) == 0
    assert take_in(store, tmp_path / "nothing") == 0
    database.close()
