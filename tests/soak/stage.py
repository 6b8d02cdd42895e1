"""The processes of a soak: the rehearsal exchange, and the cockpit with its page as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.rehearsal.admin import Admin
from services.rehearsal.child import free_port

ROOT = Path(__file__).resolve().parents[2]
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
MARKET_SPEED = 5
CAPITAL = 10_000
START_S = 120.0
GRACE_S = 30.0
BUSY: dict[str, Any] = {
    "version": 2, "name": "Busy", "notes": "Enters on every closed candle; it loses its costs.",
    "symbols": list(SYMBOLS), "timeframe": "1m", "side": "long",
    "entry": {"left": "close", "op": ">", "right": 0}, "exit": {"any": []},
    "risk": {"stop_atr": 1.0, "target_atr": 1.5, "trail_atr": 1.0, "time_stop_bars": 2, "cool_down_bars": 0,
             "max_position_rate": 0.1, "daily_loss_rate": 0.9, "max_drawdown_rate": 0.9},
}


class SoakFailed(Exception):
    """The soak cannot go on; the message says what to look at."""


@dataclass(slots=True)
class Stage:
    """Both processes and where they write; use as a context manager."""

    folder: Path
    seed: int
    exchange: Any = None
    cockpit: Any = None
    exchange_url: str = ""
    page_url: str = ""

    def __enter__(self) -> Stage:
        self.folder.mkdir(parents=True, exist_ok=True)
        rule = self.folder / "busy.json"
        rule.write_text(json.dumps(BUSY), encoding="utf-8")
        port, page = free_port(), free_port()
        self.exchange_url, self.page_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{page}"
        self.exchange = self._run("exchange", "--mode", "exchange", "--sim", "--port", str(port), "--speed",
                                  str(MARKET_SPEED), "--seed", str(self.seed), "--assets", ",".join(SYMBOLS))
        until(Admin(self.exchange_url).answers, "the exchange answers", START_S, self.check)
        self.cockpit = self._run("cockpit", "--mode", "dashboard", "--venue", "rehearsal", "--assets",
                                 ",".join(SYMBOLS), "--strategy", str(rule), "--interval", "1m", "--capital",
                                 str(CAPITAL), "--port", str(page), "--no-browser")
        return self

    def __exit__(self, *exc: object) -> None:
        for process in (self.cockpit, self.exchange):
            if process is not None:
                _end(process)

    @property
    def log(self) -> Path:
        """What the cockpit wrote."""
        return self.folder / "cockpit.log"

    @property
    def database(self) -> Path:
        """What the cockpit keeps."""
        return self.folder / "data" / "cockpit.db"

    def check(self) -> None:
        """Raise SoakFailed when a process has ended."""
        for name, process in (("exchange", self.exchange), ("cockpit", self.cockpit)):
            if process is not None and process.poll() is not None:
                raise SoakFailed(f"the {name} ended with {process.poll()}; look at {self.folder}/{name}.log")

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "COCKPIT_DATA_DIR": str(self.folder / "data"),
            "XDG_STATE_HOME": str(self.folder / "state"), "COCKPIT_EXCHANGE_URL": self.exchange_url,
            "COCKPIT_HISTORY_BARS": "1000",
        }
        command = [sys.executable, "-m", "services.rehearsal.leash", str(ROOT / "main.py"), *arguments]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=log,
                                    stderr=subprocess.STDOUT, start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(GRACE_S)


def until(true: Callable[[], Any], what: str, within_s: float, check: Callable[[], None]) -> Any:
    """Wait for something that must come true, looking whether the processes live meanwhile."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        check()
        found = true()
        if found:
            return found
        time.sleep(0.25)
    raise SoakFailed(f"not within {within_s:.0f} s: {what}")
