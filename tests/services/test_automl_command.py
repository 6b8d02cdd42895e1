"""`--mode optimize`: the same command says the same, goes on where it was stopped, and errs in one line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

import main
from services.automl.counting import read_view
from storage.backtest_store import BacktestStore
from storage.database import Database
from storage.instance import InstanceLock
from storage.study_store import StudyStore
from storage.tables import trials
from tests.evolution_campaign import market
from trading.domain import Candles

ROOT = Path(__file__).resolve().parents[2]
BUDGET = "3000"  # seconds of work after the first checkpoint: the signal comes in time on a busy machine, too

# A suite that runs in a shell's background hands down that Ctrl-C is ignored; a person's terminal does not.
HEARS_CTRL_C = ("import signal, sys, main; signal.signal(signal.SIGINT, signal.default_int_handler); "
                "sys.exit(main.main(sys.argv[1:]))")


@pytest.fixture
def candles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    file = tmp_path / "BTCUSDT-1h.parquet"
    series = market(-0.1, 5, 2_000)
    pd.DataFrame({name: getattr(series, name) for name in Candles.columns()}).to_parquet(file)
    return file


def optimize(candles: Path, *words: str) -> int:
    return main.main(["--mode", "optimize", "--asset", "BTCUSDT", "--data", str(candles), *words])


def test_the_document_is_the_same_whenever_it_is_asked_for(candles: Path, tmp_path: Path, monkeypatch, capsys):
    words = ("--search", "evolution", "--budget", "150", "--out")
    assert optimize(candles, *words, str(tmp_path / "one.json"), "--json", str(tmp_path / "first.json")) == 0
    assert optimize(candles, *words, str(tmp_path / "again.json"), "--json", str(tmp_path / "second.json")) == 0
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "elsewhere"))
    assert optimize(candles, *words, str(tmp_path / "two.json"), "--json", str(tmp_path / "third.json")) == 0
    texts = {(tmp_path / f"{name}.json").read_bytes() for name in ("first", "second", "third")}
    assert len(texts) == 1
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    found = json.loads(texts.pop())
    assert found["n_trials"] == 150
    assert found["champion"] == json.loads((tmp_path / "one.json").read_text())
    assert [line["passed"] for line in found["gate"]["lines"]].count(False) >= 1 - found["gate"]["passed"]
    assert {"sharpe", "total_return", "max_drawdown", "n_trades"} <= set(found["inside"]) & set(found["outside"])
    assert set(found["hashes"]) == {"champion", "candles"}
    assert "verdict" in capsys.readouterr().out


def test_what_was_tried_is_in_the_database_and_counts_against_the_champion(candles: Path, tmp_path: Path, capsys):
    assert optimize(candles, "--strategy", "ema-cross", "--budget", "24", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"]
    database = Database(tmp_path / "data" / "cockpit.db")
    database.open()
    assert StudyStore(database).count(found["key"]) > 24
    ground = {"market": "BTCUSDT 1h", "first": 0, "last": 2**53}
    (idea,) = database.rows(select(trials.c.lineage).distinct())
    assert BacktestStore(database).trials({**ground, **idea})[0] == 24
    database.close()


def test_a_running_cockpit_is_left_alone_and_counts_later(candles: Path, tmp_path: Path, capsys):
    lock = InstanceLock(tmp_path / "data")
    lock.acquire("the dashboard")
    try:
        assert optimize(candles, "--strategy", "ema-cross", "--budget", "12") == 0
    finally:
        lock.release()
    assert "it counts there" in capsys.readouterr().err
    assert not (tmp_path / "data" / "cockpit.db").exists()
    (pending,) = (tmp_path / "data" / "backtests").glob("pending-trials-*.jsonl")
    assert len(pending.read_text().splitlines()) == 12


def test_ctrl_c_and_the_same_command_come_to_the_same_champion(candles: Path, tmp_path: Path, monkeypatch):
    words = [sys.executable, "-c", HEARS_CTRL_C, "--mode", "optimize", "--asset", "BTCUSDT", "--data", str(candles),
             "--search", "evolution", "--budget", BUDGET, "--out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*words, str(tmp_path / "torn.json")], cwd=ROOT, env=environment,
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    studies = tmp_path / "data" / "studies"
    until = time.monotonic() + 60
    while not list(studies.glob("*/state.json")) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "the same command goes on from here" in errors
    assert "Traceback" not in errors
    (folder,) = studies.iterdir()
    view = read_view(folder)
    assert view.state == "interrupted"
    assert not (tmp_path / "torn.json").exists()
    n_logged = len((folder / "trials.jsonl").read_text().splitlines())
    database = Database(tmp_path / "data" / "cockpit.db")
    database.open()
    assert len(database.rows(select(trials.c.parameters))) == n_logged > 0
    database.close()
    for name, data in (("torn", "data"), ("calm", "calm")):
        monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / data))
        out = str(tmp_path / f"{name}.json")
        assert optimize(candles, "--search", "evolution", "--budget", BUDGET, "--out", out) == 0
    assert (tmp_path / "torn.json").read_bytes() == (tmp_path / "calm.json").read_bytes()


@pytest.mark.parametrize(("words", "said"), [
    (("--budget", "0"), "budget"), (("--strategy", "nothing-like-it"), "neither a file nor a shipped strategy"),
    (("--short",), "--short is for"), (("--end", "2017-07-20"), "BTCUSDT"),
])
def test_errors_are_one_line(candles: Path, words: tuple[str, ...], said: str, capsys):
    assert optimize(candles, *words) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert said in errors[0]


def test_a_search_that_does_not_exist_is_refused(candles: Path, capsys):
    with pytest.raises(SystemExit) as ended:
        optimize(candles, "--search", "luck")
    assert ended.value.code == 2
    assert "luck" in capsys.readouterr().err
