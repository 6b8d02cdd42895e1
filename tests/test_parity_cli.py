"""The parity report from the command line: an account of the command line beside its own replay."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.candle_files import write_parquet
from tests.services.lived import market
from trading.domain.parity import PARTS

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COCKPIT_DATA_DIR": str(folder)}
    done = subprocess.run([sys.executable, "main.py", *arguments], cwd=ROOT, env=environment, capture_output=True,
                          text=True, check=False, timeout=240)
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A data folder with a finished replay, its candles, and its account."""
    folder = tmp_path_factory.mktemp("parity")
    candles = folder / "BTCUSDT-1m.parquet"
    write_parquet(candles, market(1_500)[0]["BTCUSDT"], "open_time")
    run(folder, "--mode", "paper", "--feed", "replay", "--data", str(candles), "--speed", "max", "--json")
    with closing(sqlite3.connect(folder / "cockpit.db")) as connection:
        ((account,),) = connection.execute("SELECT account FROM accounts").fetchall()
    return folder, candles, account


def test_a_replay_beside_itself_has_no_gap_and_every_trade_a_partner(traded):
    folder, candles, account = traded
    said = run(folder, "--mode", "report", "--parity", "--account", account, "--data", str(candles), "--json")
    document = json.loads(said.stdout)
    assert document["matched"] == document["counted"] > 20 and document["unmatched"] == []
    assert {trade[part] for trade in document["trades"] for part in ("gap", *PARTS)} == {"0.00000000"}
    assert document["mean_bps"] == document["median_bps"] == 0.0


def test_a_person_reads_the_sums_without_json(traded):
    folder, candles, account = traded
    said = run(folder, "--mode", "report", "--parity", "--account", account, "--data", str(candles)).stdout
    assert "gap in all             +0.00000000 USDT" in said and "commission" in said


@pytest.mark.parametrize(("arguments", "words"), [
    ((), "add --parity"), (("--parity",), "no paper or live account"),
    (("--parity", "--account", "nobody"), "there is no account 'nobody'"),
])
def test_what_cannot_be_reported_is_one_line(traded, arguments, words):
    said = run(traded[0], "--mode", "report", *arguments, status=2)
    assert words in said.stderr and said.stderr.count("\n") == 1


def test_a_replay_needs_its_candles_and_an_empty_folder_says_so(traded, tmp_path):
    folder, _, account = traded
    said = run(folder, "--mode", "report", "--parity", "--account", account, status=2)
    assert "give the same with --data" in said.stderr
    assert "nothing was traded" in run(tmp_path, "--mode", "report", "--parity", status=2).stderr
