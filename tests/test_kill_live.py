"""kill -9 while trading a running market: the next start has the same account, to the last unit."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from tests.torture import ROOT

N_KILLS = 4
UNIT = Decimal("1e-8")


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "main.py", "--mode", "paper", "--feed", "sim", "--speed", "240",
               "--profile", "Aggressive", *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"COCKPIT_DATA_DIR": str(folder)},
                            stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read(database: Path) -> tuple[dict, list, list, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        def rows(query: str) -> list:
            return connection.execute(query).fetchall()

        snapshot = json.loads(rows("SELECT body FROM snapshots")[0][0])
        fills = rows("SELECT symbol, side, quote_quantity, commission_quote, trade_id FROM fills")
        orders = rows("SELECT client_id FROM orders WHERE status IN ('WORKING', 'PARTIALLY_FILLED')")
        return snapshot, fills, orders, rows("SELECT count(*) FROM equity")[0][0]


def test_after_each_kill_snapshot_orders_and_fills_agree_and_trading_goes_on(tmp_path: Path) -> None:
    dice, n_points = random.Random(5), 0
    for _ in range(N_KILLS):
        process = start(tmp_path)
        process.stderr.readline()
        time.sleep(dice.uniform(1.0, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        snapshot, fills, orders, points = read(tmp_path / "cockpit.db")
        assert points > n_points
        n_points = points
        portfolio = snapshot["portfolio"]
        spent = sum(Decimal(q) for _, side, q, _, _ in fills if side == "BUY")
        earned = sum(Decimal(q) - Decimal(fee) for _, side, q, fee, _ in fills if side == "SELL")
        assert portfolio["cash"] * UNIT == portfolio["start_units"] * UNIT - spent + earned
        assert {row["client_id"] for row in snapshot["orders"]["working"]} == {client_id for (client_id,) in orders}
        assert snapshot["session"]["state"] == "running"
        assert len({trade_id for *_, trade_id in fills}) == len(fills)
    assert fills


def test_a_stopped_run_resumes_with_what_it_held(tmp_path: Path) -> None:
    first = start(tmp_path, "--json", str(tmp_path / "a.json"))
    first.stderr.readline()
    time.sleep(3)
    first.send_signal(signal.SIGINT)
    first.communicate()
    before, *_ = read(tmp_path / "cockpit.db")
    second = start(tmp_path, "--assets", "XRPUSDT")
    second.stderr.readline()
    time.sleep(1)
    second.send_signal(signal.SIGINT)
    _, errors = second.communicate()
    assert second.returncode == 0, errors
    after, *_ = read(tmp_path / "cockpit.db")
    held = {s for s, row in before["portfolio"]["holdings"].items() if row["entry_lots"]}
    assert held <= set(after["portfolio"]["holdings"])
    assert after["portfolio"]["start_units"] == before["portfolio"]["start_units"]
    assert after["portfolio"]["n_trades"] >= before["portfolio"]["n_trades"]


@pytest.mark.parametrize("damage", ["zeros", "truncated"])
def test_a_damaged_database_is_refused_with_advice(tmp_path: Path, damage: str) -> None:
    process = start(tmp_path)
    process.stderr.readline()
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    process.communicate()
    path = tmp_path / "cockpit.db"
    content = bytearray(path.read_bytes())
    if damage == "zeros":
        content[4096:] = bytes(len(content) - 4096)
    else:
        content = content[: len(content) // 3]
    path.write_bytes(content)
    done = start(tmp_path)
    _, errors = done.communicate(timeout=60)
    assert done.returncode == 2
    assert "backups" in errors and "Traceback" not in errors
