"""`--mode backtest` from the command line: the same trades as on paper, clear answers, the same bytes again."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import main as root
from tests.fakes.asked import waves
from tests.torture import ROOT
from trading.domain import Candles

SHARED = ("trades", "equity", "decisions", "settings")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *arguments: str, check: bool = True) -> Done:
    """Run a mode in this process: a new one for each question would take most of the time."""
    out, errors = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, COCKPIT_DATA_DIR=str(folder)), redirect_stdout(out), redirect_stderr(errors):
        code = root.main(list(arguments))
    assert not check or code == 0, errors.getvalue()
    return Done(code, out.getvalue(), errors.getvalue())


WEIGHED = """
import resource, subprocess, sys
code = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""A small process between: Linux counts what a process holds to the child that it starts, and tests hold a lot."""


def apart(folder: Path, *arguments: str, by: tuple[str, ...] = ()) -> str:
    """Run a mode in a process of its own, on wish started by another one, and return what was written."""
    environment = os.environ | {"COCKPIT_DATA_DIR": str(folder)}
    done = subprocess.run([sys.executable, *by, "main.py", *arguments], cwd=ROOT, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def backtest(folder: Path, *arguments: str, check: bool = True) -> Done:
    return run(folder, "--mode", "backtest", *arguments, check=check)


def written(candles: Candles, path: Path) -> str:
    pq.write_table(pa.table({name: getattr(candles, name) for name in Candles.columns()}), path)
    return str(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(waves(2_000), tmp_path_factory.mktemp("made") / "BTCUSDT-1h.parquet")


def same_as_paper(folder: Path, *arguments: str) -> dict:
    found = json.loads(backtest(folder, *arguments, "--json").stdout)
    lived = json.loads(run(folder, "--mode", "paper", "--feed", "replay", "--speed", "max", *arguments,
                           "--json").stdout)
    assert {name: found[name] for name in SHARED} == {name: lived[name] for name in SHARED}
    assert set(lived["metrics"]) <= set(found["metrics"])
    for name in ("start_equity", "end_equity", "cash", "n_trades", "win_rate", "fees", "realized_pnl", "unrealized_pnl",
                 "open_positions", "killed", "total_return", "buy_and_hold_return"):
        assert found["metrics"][name] == pytest.approx(lived["metrics"][name]), name
    assert found["versions"]["candles"] == lived["versions"]["candles"]
    return found


def test_real_candles_give_the_document_of_the_replay_on_paper(shared_data: Path, tmp_path: Path):
    found = same_as_paper(tmp_path, "--data", str(shared_data / "ohlcv" / "BTCUSDT-1h.parquet"))
    assert len(found["trades"]) > 50
    assert set(found) == {"trades", "equity", "metrics", "decisions", "settings", "versions"}
    assert set(found["trades"][0]) == {"symbol", "side", "quantity", "entry_time", "entry_price", "exit_time",
                                       "exit_price", "fees", "pnl", "opened_by", "closed_because"}
    assert sum(found["decisions"].values()) == len(found["equity"]) == 21_767


@pytest.mark.parametrize("strategy", ["momentum-rotation", "donchian-breakout", "opening-hours"])
def test_several_symbols_and_shipped_strategies_trade_as_on_paper(shared_data: Path, tmp_path: Path, strategy: str):
    found = same_as_paper(tmp_path, "--data", str(shared_data / "ohlcv"), "--assets", "BTCUSDT,ETHUSDT", "--interval",
                          "1h", "--start", "2023-01-01", "--end", "2023-05-01", "--strategy", strategy)
    assert {trade["symbol"] for trade in found["trades"]} == {"BTCUSDT", "ETHUSDT"}


def test_a_strategys_timeframe_folds_the_candles_on_paper_and_in_a_backtest(made: str, tmp_path: Path):
    document = {"version": 2, "name": "slow", "symbols": ["BTCUSDT"], "timeframe": "4h",
                "entry": {"left": {"indicator": "rsi", "parameters": {"period": 5}}, "op": "<", "right": 35},
                "exit": {"left": {"indicator": "rsi", "parameters": {"period": 5}}, "op": ">", "right": 60}}
    (tmp_path / "slow.json").write_text(json.dumps(document))
    found = same_as_paper(tmp_path, "--data", made, "--strategy", str(tmp_path / "slow.json"))
    assert (found["settings"]["interval"], len(found["equity"])) == ("4h", 500)


def test_the_store_is_asked_without_data(made: str, tmp_path: Path):
    run(tmp_path, "--mode", "import", made)
    found = same_as_paper(tmp_path, "--asset", "BTCUSDT", "--start", "2022-06-01", "--interval", "4h")
    assert found["settings"]["interval"] == "4h"


def test_a_run_twice_gives_the_same_bytes_wherever_it_runs(made: str, tmp_path: Path):
    one = backtest(tmp_path, "--data", made, "--json").stdout
    assert backtest(tmp_path, "--data", made, "--json").stdout == one
    assert apart(tmp_path / "elsewhere", "--mode", "backtest", "--data", made, "--json") == one
    target = tmp_path / "deep" / "out.json"
    backtest(tmp_path, "--data", made, "--json", str(target))
    assert target.read_text() == one


def test_a_stored_run_is_repeated_to_the_byte(made: str, tmp_path: Path):
    said = backtest(tmp_path, "--data", made).stdout
    key = next(line.split()[1] for line in said.splitlines() if line.startswith("key"))
    assert "the same answer, byte for byte" in backtest(tmp_path, "--repeat", key).stdout
    assert "no backtest nothing" in backtest(tmp_path, "--repeat", "nothing", check=False).stderr


def test_a_repeat_on_other_candles_says_what_differs(tmp_path: Path):
    path = tmp_path / "BTCUSDT-1h.parquet"
    said = backtest(tmp_path, "--data", written(waves(900), path)).stdout
    key = next(line.split()[1] for line in said.splitlines() if line.startswith("key"))
    written(waves(900, seed=5), path)
    done = backtest(tmp_path, "--repeat", key, check=False)
    assert done.returncode == 1
    assert "candles" in done.stderr


def test_trials_are_counted_across_runs_and_sweeps(made: str, tmp_path: Path):
    def counted(*arguments: str) -> str:
        lines = backtest(tmp_path, "--data", made, *arguments).stdout.splitlines()
        return next(line.split()[1] for line in lines if line.startswith("n_trials"))

    assert [counted(), counted(), counted("--sweep", "rsi.period=12:16:1"), counted()] == ["1", "1", "5", "5"]


def test_a_sweep_writes_a_row_a_combination_and_names_the_file(made: str, tmp_path: Path):
    target = tmp_path / "sweep.parquet"
    done = backtest(tmp_path, "--data", made, "--sweep", "rsi.period=5:9:1,rsi.buy_below=20:40:10", "--out",
                    str(target))
    table = pq.read_table(target).to_pandas()
    assert len(table) == 15
    assert list(table[["rsi.period", "rsi.buy_below"]].iloc[4]) == [6, 30]
    assert str(target) in done.stdout


def test_a_walk_forward_tells_its_windows(made: str, tmp_path: Path):
    done = backtest(tmp_path, "--data", made, "--walk-forward", "train=40d,test=10d", "--sweep", "rsi.period=10:14:4")
    assert "5 windows of 10 days" in done.stderr


def test_the_report_is_one_file_with_checks(made: str, tmp_path: Path):
    pytest.importorskip("layouts.report")
    target = tmp_path / "report.html"
    said = backtest(tmp_path, "--data", made, "--html", str(target)).stdout
    page = target.read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "Engine replay gives the same trades" in page
    assert "Engine replay gives the same trades" in said


@pytest.mark.parametrize(("arguments", "said"), [
    (("--data", "nothing.parquet"), "nothing.parquet does not exist; correct --data"),
    (("--asset", "BTCUSDT"), "no stored candles of BTCUSDT"),
    (("--data", "MADE", "--start", "2030-01-01"), "there are some from 2022-05-10 to 2022-08-01"),
    (("--data", "MADE", "--start", "2022-07-01", "--end", "2022-06-01"), "not before the end"),
    (("--data", "MADE", "--strategy", "nowhere"), "nowhere"),
    (("--data", "MADE", "--sweep", "rsi.period"), "is not understood"),
    (("--data", "MADE", "--sweep", "rsi.periods=1:3"), "is no parameter of demo"),
    (("--data", "MADE", "--walk-forward", "180,30"), "train=180d,test=30d"),
    (("--data", "MADE", "--walk-forward", "train=900d,test=30d", "--sweep", "rsi.period=9"), "span 83 days"),
    (("--data", "MADE", "--out", "x.parquet"), "--sweep"),
    (("--data", "MADE", "--sweep", "rsi.period=9", "--cluster", "tcp://127.0.0.1:9"), "does not answer"),
    (("--data", "MADE", "--capital", "-5"), "capital"),
    (("--data", "MADE", "--profile", "Balanced", "--asset", "ETHUSDT"), "holds BTCUSDT by its name"),
])
def test_mistakes_are_one_clear_line_and_a_failing_exit_code(made: str, tmp_path: Path, arguments: tuple, said: str):
    done = backtest(tmp_path, *(made if word == "MADE" else word for word in arguments), check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0, done.stderr


def test_a_missing_folder_is_refused_before_the_run_and_not_made(made: str, tmp_path: Path):
    missing = tmp_path / "nowhere"
    for option in ("--json", "--html", "--out"):
        done = backtest(tmp_path / "data", "--data", made, "--sweep", "rsi.period=9", option, str(missing / "x"),
                        check=False)
        assert (done.returncode, "there is no folder" in done.stderr) == (2, True), option
        assert done.stderr.count("\n") == 1
    assert not missing.exists()
    assert "is a folder" in backtest(tmp_path, "--data", made, "--json", str(tmp_path), check=False).stderr


def test_a_strategys_own_symbols_are_taken_from_a_folder(tmp_path: Path):
    folder = tmp_path / "candles"
    folder.mkdir()
    for seed, symbol in enumerate(("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")):
        written(waves(400, symbol=symbol, seed=seed), folder / f"{symbol}-1h.parquet")
    rule = {"left": {"indicator": "rsi", "parameters": {"period": 5}}, "op": "<", "right": 35}
    document = {"version": 2, "name": "two of them", "symbols": ["ETHUSDT", "BTCUSDT", "ADAUSDT"], "entry": rule,
                "exit": {"not": rule}, "rank": {"by": rule["left"], "top_n": 1}}
    (tmp_path / "two.json").write_text(json.dumps(document))
    strategy = ("--strategy", str(tmp_path / "two.json"))
    done = backtest(tmp_path, "--data", str(folder), *strategy, "--json")
    assert json.loads(done.stdout)["settings"]["assets"] == ["ETHUSDT", "BTCUSDT"]
    assert "no candles of ADAUSDT" in done.stderr
    alone = backtest(tmp_path, "--data", str(folder / "BTCUSDT-1h.parquet"), *strategy)
    assert "chooses among 3 symbols and only one is traded" in alone.stderr
    assert "choose one" in backtest(tmp_path, "--data", str(folder), check=False).stderr


def test_the_document_tells_buy_and_hold_once(made: str, tmp_path: Path):
    metrics = json.loads(backtest(tmp_path, "--data", made, "--json").stdout)["metrics"]
    assert [name for name in metrics if name.startswith("buy_and_hold")] == ["buy_and_hold_return"]


def test_one_bar_and_no_trade_are_answers_with_notes(tmp_path: Path):
    path = written(waves(1), tmp_path / "BTCUSDT-1h.parquet")
    done = backtest(tmp_path, "--data", path, "--json")
    document = json.loads(done.stdout)
    assert (document["trades"], len(document["equity"])) == ([], 1)
    assert Decimal(document["metrics"]["end_equity"]) == 10_000
    assert "1 bar, " in done.stderr
    assert "finished no trade" in done.stderr


def test_holes_are_told(tmp_path: Path):
    keep = np.ones(600, np.bool_)
    keep[[100, 200, 201]] = False
    path = written(waves(600).map(lambda column: column[keep]), tmp_path / "BTCUSDT-1h.parquet")
    assert "2 holes, 3 bars missing" in backtest(tmp_path, "--data", path).stderr
    one = written(waves(600).map(lambda column: np.delete(column, 100)), tmp_path / "ETHUSDT-1h.parquet")
    assert "1 hole, 1 bar missing" in backtest(tmp_path, "--data", one).stderr


def test_a_backtest_beside_a_running_cockpit_leaves_its_trials_to_it(made: str, tmp_path: Path):
    from storage.instance import InstanceLock

    lock = InstanceLock(tmp_path)
    lock.acquire("a test")
    try:
        done = backtest(tmp_path, "--data", made)
    finally:
        lock.release()
    assert "what was tried is counted there" in done.stderr
    assert "n_trials             2" in backtest(tmp_path, "--data", made, "--sweep", "rsi.period=9").stdout


@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
def test_five_million_bars_stay_under_one_and_a_half_gigabytes(tmp_path: Path):
    path = written(_minutes(5_000_000), tmp_path / "BTCUSDT-1m.parquet")
    target = tmp_path / "out.json"
    said = apart(tmp_path, "--mode", "backtest", "--data", path, "--json", str(target), by=("-c", WEIGHED))
    assert int(said.splitlines()[-1]) * 1024 < 1.5e9
    assert target.stat().st_size > 200e6


def _minutes(n_bars: int) -> Candles:
    draw = np.random.default_rng(1)
    close = np.round(20_000 * np.exp(np.cumsum(draw.normal(0, 0.0004, n_bars))), 2)
    opens = np.append(20_000.0, close[:-1])
    volume = np.round(draw.gamma(2.0, 10.0, n_bars), 5)
    times = 1_420_070_400_000 + 60_000 * np.arange(n_bars)
    return Candles("BTCUSDT", "1m", times, opens, np.round(np.maximum(opens, close) * 1.0002, 2),
                   np.round(np.minimum(opens, close) * 0.9998, 2), close, volume, volume * close,
                   np.ones(n_bars, np.int64), volume / 2)
