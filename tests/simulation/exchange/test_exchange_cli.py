"""`python main.py --mode exchange` as a person runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from services.commandline import parse_arguments
from services.exchange_command import rehearsal_of, run_exchange
from services.settings import Settings
from trading.errors import BadInput

ROOT = Path(__file__).resolve().parents[3]
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COCKPIT_DATA_DIR": str(tmp_path)}
    return subprocess.Popen([sys.executable, "main.py", "--mode", "exchange", *arguments], cwd=ROOT, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def get(url: str) -> Any:
    with _OPENER.open(url, timeout=10) as answer:
        return json.load(answer)


def test_it_serves_candles_from_a_file_and_ends_cleanly_on_ctrl_c(tmp_path: Path, shared_data: Path):
    process = start(tmp_path, "--port", "0", "--json", "--data", str(shared_data / "ohlcv" / "SOLUSDT-1h.parquet"))
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    assert told["symbols"] == ["SOLUSDT"]
    assert (told["key"], told["secret"]) == ("rehearsal", "rehearsal")
    assert len(get(f"{told['urls']['rest']}/api/v3/klines?symbol=SOLUSDT&interval=1h&limit=50")) == 50
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(tmp_path, "--port", str(taken.getsockname()[1]))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.strip().splitlines()[-1].startswith("error: port ")
    assert "--port" in errors


def rehearsal(*arguments: str) -> Any:
    return rehearsal_of(Settings(assets=("BTCUSDT",)), parse_arguments(["--mode", "exchange", *arguments]))


def test_funds_faults_and_the_schedule_are_arguments():
    found = rehearsal("--funds", "USDT=500,btc=0.25", "--fault", "slow:delay_ms=9", "--fault", "ws_mute",
                      "--faults-every", "30", "--speed", "12")
    assert found.account.free("BTC") == pytest.approx(0.25)
    assert found.account.free("USDT") == 500
    assert [each["name"] for each in found.faults.view()] == ["slow", "ws_mute"]
    assert found.market.settings.speed == 12


def test_symbols_come_from_a_real_answer_or_are_made(shared_data: Path):
    real = shared_data / "reference" / "exchangeInfo-TSLABUSDT-2026-09.json"
    symbol = json.loads(real.read_text())["symbols"][0]
    settings = Settings(assets=(symbol["symbol"], "XRPUSDT"))
    found = rehearsal_of(settings, parse_arguments(["--mode", "exchange", "--exchange-info", str(real)]))
    assert found.exchange.symbols[symbol["symbol"]].document["filters"] == symbol["filters"]
    assert found.exchange.symbols["XRPUSDT"].filters["PRICE_FILTER"]["tickSize"] == "0.00010000"


@pytest.mark.parametrize("wrong", [["--speed", "max"], ["--funds", "USDT"], ["--funds", "BTC=-1"],
                                   ["--fault", "nothing"], ["--data", "no-such.parquet"]])
def test_wrong_arguments_are_refused(wrong: list[str]):
    with pytest.raises(BadInput):
        rehearsal(*wrong)


@pytest.mark.parametrize("words", [["--port", "99999"], ["--faults-every", "-1"]])
def test_numbers_out_of_range_are_refused_in_one_line(words):
    settings = Settings(assets=("BTCUSDT",))
    with pytest.raises(BadInput, match="give"):
        run_exchange(settings, parse_arguments(["--mode", "exchange", *words]))
