"""The product as a script meets it: a cockpit in a process of its own, a token from the command line, the API."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120.0
RULE = {"symbol": "BTCUSDT", "indicators": {"rsi": {"period": 14, "buy_below": 35, "sell_above": 65}}}


class Cockpit:
    """A dashboard on the simulated market."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT), "COCKPIT_DATA_DIR": str(folder / "data"), "COCKPIT_SIM_HISTORY_DAYS": "2",
            "XDG_STATE_HOME": str(folder / "state")}
        command = [sys.executable, "main.py", "--mode", "dashboard", "--feed", "sim", "--speed", "60", "--no-browser",
                   "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=2).json() == {"status": "ok"}:
                    return
            except (requests.ConnectionError, requests.Timeout):
                time.sleep(0.2)
        raise AssertionError("the cockpit does not serve")

    def keys(self, *words: str) -> str:
        done = subprocess.run([sys.executable, "main.py", "--mode", "keys", "token", *words], cwd=ROOT, text=True,
                              env=self.environment, capture_output=True, timeout=60, check=True)
        return done.stdout.strip()

    def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def cockpit(tmp_path: Path) -> Iterator[Cockpit]:
    one = Cockpit(tmp_path)
    try:
        one.wait()
        yield one
    finally:
        one.process.kill()
        one.process.communicate()


def test_a_script_starts_tests_saves_and_kills_with_a_token_made_beside_the_running_cockpit(cockpit: Cockpit) -> None:
    assert requests.get(f"{cockpit.url}/session", timeout=5).status_code == 401
    token = cockpit.keys("add", "script", "--scope", "trade")
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    assert session.post(f"{cockpit.url}/start", timeout=20).json()["detail"] == "auto-trading started"
    assert session.get(f"{cockpit.url}/session", timeout=5).json()["state"] == "running"
    saved = session.post(f"{cockpit.url}/strategies/save", timeout=20, json={
        "symbol": "BTCUSDT", "id": "rsi", "strategy_json": RULE})
    assert saved.status_code == 201 and saved.json()["is_sound"]
    told = session.post(f"{cockpit.url}/backtest", timeout=90, json={
        "symbol": "BTCUSDT", "strategy_json": RULE, "wait_s": 60}).json()
    assert float(told["final_balance"]) > 0 and told["n_trades"] == told["figures"]["n_trades"] > 0
    assert session.get(f"{cockpit.url}/backtest/results", timeout=20).json()["final_balance"] == told["final_balance"]
    assert len(session.get(f"{cockpit.url}/binance/prices", timeout=5).json()) == 4
    assert session.post(f"{cockpit.url}/kill", json={"reason": "done"}, timeout=20).json()["accepted"]
    assert session.get(f"{cockpit.url}/session", timeout=5).json()["kill_reason"] == "done"
    assert "last used" in cockpit.keys("list")
    cockpit.keys("revoke", "script")
    assert session.get(f"{cockpit.url}/session", timeout=5).status_code == 401
    said = cockpit.end()
    assert cockpit.process.returncode == 0 and token.split("_", 2)[2] not in said
    assert "Traceback" not in said, said
