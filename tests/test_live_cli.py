"""A cockpit trades the rehearsal exchange over real sockets, is killed with -9, and takes up where it was."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = {"version": 2, "symbols": ["BTCUSDT"], "timeframe": "1m",
          "entry": {"left": "close", "op": ">", "right": 0}, "exit": {"left": "close", "op": "<", "right": 0},
          "risk": {"stop_atr": 9.0, "target_atr": 12.0}}
PATIENCE_S = 90.0


class Place:
    """An exchange process and whatever cockpits trade there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "always.json").write_text(json.dumps(ALWAYS))
        self.children: list[subprocess.Popen[str]] = []
        self.exchange = self.run("--mode", "exchange", "--port", "0", "--sim", "--speed", "5", "--seed", "3")
        self.url = self.exchange.stdout.readline().split()[-1].removesuffix("/api/v3")

    def run(self, *words: str, data: str = "one", **environment: str) -> subprocess.Popen[str]:
        chosen = os.environ | environment | {
            "PYTHONPATH": str(ROOT), "COCKPIT_DATA_DIR": str(self.folder / data), "COCKPIT_EXCHANGE_URL":
            getattr(self, "url", "http://127.0.0.1:9"), "XDG_STATE_HOME": str(self.folder / "state"),
            "COCKPIT_HISTORY_BARS": "200",
        }
        process = subprocess.Popen([sys.executable, "main.py", *words], cwd=ROOT, env=chosen, text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.children.append(process)
        return process

    def trade(self, *words: str, data: str = "one", confirm: str = "LIVE") -> subprocess.Popen[str]:
        return self.run("--mode", "live", "--venue", "rehearsal", "--asset", "BTCUSDT", "--strategy",
                        str(self.folder / "always.json"), "--confirm", confirm, *words, data=data)

    def ledger(self) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/rehearsal/ledger", headers={"X-MBX-APIKEY": "rehearsal"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def working(self, side: str) -> list[dict[str, Any]]:
        return [o for o in self.ledger()["orders"] if o["side"] == side and o["status"] in ("NEW", "PARTIALLY_FILLED")]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder}/one/cockpit.db?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("place"))
    yield place
    for child in place.children:
        child.kill()
        child.communicate()


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"never: {what}")


def stop(process: subprocess.Popen[str]) -> tuple[float, str]:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return time.monotonic() - began, errors


def heard(process: subprocess.Popen[str], word: str) -> str:
    for line in process.stderr:
        if word in line:
            return line
    raise AssertionError(f"{word!r} was never said")


def test_without_the_word_nothing_starts(place: Place) -> None:
    process = place.trade(confirm="yes")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and errors.count("\n") == 1 and "--confirm LIVE" in errors


def test_more_than_is_free_is_refused_in_one_line(place: Place) -> None:
    process = place.trade("--capital", "100001", data="rich")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and "only 100000.00000000 are free" in errors and "Traceback" not in errors


def test_a_key_is_in_no_log_no_file_and_no_word_even_when_everything_is_logged(place: Place) -> None:
    hidden = {"COCKPIT_KEYS_PASSPHRASE": "phrase", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
              "COCKPIT_LOG_LEVEL": "DEBUG"}
    kept = place.run("--mode", "keys", "set", "--venue", "rehearsal", data="canary", **hidden)
    said = "".join(kept.communicate("KEYCANARY1\nSECRETCANARY2\n", timeout=60))
    assert kept.returncode == 0, said
    for words in (["keys", "test"], ["live", "--confirm", "LIVE"]):
        process = place.run("--mode", *words, "--venue", "rehearsal", data="canary", **hidden)
        told = "".join(process.communicate(timeout=60))
        assert process.returncode == 2 and "does not accept this API key" in told and "Traceback" not in told
        said += told
    files = [path for path in place.folder.rglob("*") if path.is_file()]
    said += "".join(path.read_bytes().decode("latin-1") for path in files)
    assert any(path.name == "keys.json" for path in files) and "CANARY" not in said


@pytest.mark.timeout(600)
def test_it_trades_is_killed_and_takes_up_where_it_was(place: Place) -> None:
    process = place.trade()
    heard(process, "REHEARSAL armed")
    second = place.trade(data="two")
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 3 and "trading at rehearsal without a screen" in errors and errors.count("\n") == 1
    until(lambda: place.ledger()["fills"] and place.working("SELL"), "a position with its stop on the exchange")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert place.working("SELL"), "the stop stands without the cockpit"

    process = place.trade()
    assert "--resume-live" in heard(process, "ended while armed")
    seconds, errors = stop(process)
    assert seconds < 10 and "not everything is settled" not in errors
    agree(place)

    process = place.trade("--resume-live")
    heard(process, "REHEARSAL armed")
    stop(process)
    agree(place)


def agree(place: Place) -> None:
    """The books are the exchange's: the same fills, no entry left, the whole position under a stop."""
    ledger = place.ledger()
    mine = {(trade_id, side, Decimal(quantity)) for trade_id, side, quantity in
            place.rows("SELECT trade_id, side, quantity FROM fills")}
    assert mine == {(f["trade_id"], f["side"], Decimal(f["quantity"])) for f in ledger["fills"]}
    known = {client_id for client_id, in place.rows("SELECT client_id FROM venue_orders")}
    assert {order["clientOrderId"] for order in ledger["orders"]} <= known, "an order without an intent"
    assert place.working("BUY") == []
    held = Decimal(ledger["free"]["BTC"]) + Decimal(ledger["locked"]["BTC"]) - 1
    assert Decimal(ledger["locked"]["BTC"]) >= held - Decimal("0.00001"), "a position without a stop"
