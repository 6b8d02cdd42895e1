"""The headless replay from the command line: real candles, the same bytes each time, whatever kills it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.torture import ROOT, campaign


def run(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COCKPIT_DATA_DIR": str(folder)}
    command = [sys.executable, "main.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def n_snapshots(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM snapshots").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


@pytest.fixture(scope="module")
def btc(shared_data: Path) -> Path:
    return shared_data / "ohlcv" / "BTCUSDT-1h.parquet"


@pytest.fixture(scope="module")
def replay(btc: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("replay")
    target = folder / "out.json"
    run(folder, "--mode", "paper", "--feed", "replay", "--data", str(btc), "--speed", "max", "--json", str(target))
    return json.loads(target.read_text())


def test_replay_of_real_candles_accounts_for_every_bar_and_every_cent(replay: dict) -> None:
    metrics = replay["metrics"]
    assert len(replay["equity"]) == 21_767
    assert sum(replay["decisions"].values()) == 21_767
    assert len(replay["trades"]) == metrics["n_trades"] > 50
    pnl = sum(Decimal(trade["pnl"]) for trade in replay["trades"])
    assert pnl == Decimal(metrics["realized_pnl"])
    gain = Decimal(metrics["end_equity"]) - Decimal(metrics["start_equity"])
    assert gain == pnl + Decimal(metrics["unrealized_pnl"])
    assert replay["equity"][-1][1] == metrics["end_equity"]


def test_trades_have_the_promised_fields_and_honest_order_of_time(replay: dict) -> None:
    expected = {"symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "fees", "pnl",
                "opened_by", "closed_because"}
    for trade in replay["trades"]:
        assert set(trade) == expected
        assert trade["entry_time"] <= trade["exit_time"]
        assert Decimal(trade["fees"]) > 0
    assert {trade["closed_because"] for trade in replay["trades"]} <= {"stop", "target", "signal"}


def test_a_tripped_kill_switch_ends_trading_and_says_so(replay: dict) -> None:
    assert replay["metrics"]["killed"] == "drawdown reached 10%"
    assert replay["decisions"]["denied: kill_switch"] > 0
    assert not replay["metrics"]["open_positions"]


def test_replay_twice_gives_the_same_bytes(btc: Path, tmp_path: Path) -> None:
    arguments = ("--mode", "paper", "--data", str(btc), "--speed", "max", "--start", "2023-01-01",
                 "--end", "2023-07-01")
    first = run(tmp_path, *arguments, "--json").stdout
    assert run(tmp_path, *arguments, "--json").stdout == first
    assert run(tmp_path / "elsewhere", *arguments, "--json").stdout == first


def test_ten_kills_change_nothing(btc: Path) -> None:
    found = campaign(btc, kills=10, seed=3)
    assert (found.lost, found.doubled, found.n_different) == (0, 0, 0)
    assert found.n_finished >= 1


def test_an_interrupted_replay_goes_on_where_it_stopped(btc: Path, tmp_path: Path, replay: dict) -> None:
    target = tmp_path / "out.json"
    arguments = ("--mode", "paper", "--data", str(btc), "--speed", "max", "--json", str(target))
    environment = os.environ | {"COCKPIT_DATA_DIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "main.py", *arguments], cwd=ROOT, env=environment,
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while not n_snapshots(tmp_path / "cockpit.db"):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, "goes on from here" in errors) in [(130, True), (0, False)]
    run(tmp_path, *arguments)
    assert json.loads(target.read_text()) == replay


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mode", "paper", "--data", "nothing.parquet"), "nothing.parquet does not exist; correct --data"),
        (("--mode", "paper", "--feed", "replay", "--assets", "BTCUSDT"), "no stored candles of BTCUSDT"),
        (("--mode", "paper", "--assets", "BTC;DROP"), "is no list of symbols"),
        (("--mode", "paper", "--capital", "-5"), "capital"),
        (("--mode", "paper", "--strategy", "nowhere.json", "--feed", "sim"), "nowhere.json"),
        (("--mode", "import", "nothing"), "nothing: there is no such file"),
        (("--mode", "download", "--assets", "BTCUSDT"), "needs --start"),
    ],
)
def test_mistakes_are_one_clear_line_and_a_failing_exit_code(tmp_path: Path, arguments: tuple, said: str) -> None:
    done = run(tmp_path, *arguments, check=False)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_the_second_instance_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    environment = os.environ | {"COCKPIT_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "main.py", "--mode", "paper", "--feed", "sim"]
    first = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stderr is not None
        first.stderr.readline()
        second = run(tmp_path, "--mode", "paper", "--feed", "sim", check=False)
        assert second.returncode == 3
        assert f"process {first.pid}" in second.stderr
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate()
    assert first.returncode == 0
