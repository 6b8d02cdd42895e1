"""Clients of another language, from another hand: Binance's own Node package, and the package `binance`."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange

SCRIPTS = Path(__file__).parent
PACKAGES = ("@binance/spot@32", "binance@3")


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository with both packages; skips where Node or the registry is missing."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("Node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("node")
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES], cwd=folder,
                              capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm install takes more than two minutes")
    if done.returncode:
        pytest.skip(f"npm install: {done.stderr.strip().splitlines()[-1:]}")
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder


def run(folder: Path, script: str, exchange: HostedExchange) -> Any:
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(["node", script, *exchange.urls.values()], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_binances_own_node_client_trades_and_listens(node_folder: Path, exchange: HostedExchange):
    seen = run(node_folder, "node_spot.mjs", exchange)
    assert seen == {
        "symbols": 2, "bought": "FILLED", "cancelled": "CANCELED", "assets": ["BNB", "BTC", "ETH", "SOL", "USDT"],
        "missing": -2013, "trade": "BTCUSDT", "uid": 1,
        "events": ["executionReport", "executionReport", "outboundAccountPosition"],
    }  # fmt: skip


def test_the_node_package_binance_trades(node_folder: Path, exchange: HostedExchange):
    seen = run(node_folder, "node_binance.mjs", exchange)
    assert seen == {"symbol": "BTCUSDT", "bought": "FILLED", "open": 1, "cancelled": "CANCELED", "balances": 5,
                    "bars": 3, "missing": -2013}
