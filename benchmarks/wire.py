"""From a closed candle on the stream to the order at the exchange: the whole cockpit, and python-binance alone.

Three processes: the rehearsal exchange, the cockpit, and a program that does nothing but read a kline socket and post
the order. Both get the same closing frame and take turns in answering it with the same order (a buy with stop and
target). The exchange takes the times: from handing the frame to its sockets until the order is there. Its clock jumps
to the end of each minute, so that a hundred closes take minutes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import main
from benchmarks.rows import Row
from benchmarks.wire_exchange import OTHER
from services.commandline import parse_arguments
from services.live.running import Hand
from services.rehearsal.compose import settings_there
from services.rehearsal.second import second_cockpit
from services.settings import Settings
from storage.database import Database
from trading.binance.clock import VenueClock
from trading.domain.rehearsal import RehearsalRequest, RehearsalUrls
from trading.simulation.exchange.rehearsal import KEY

ROOT = Path(__file__).resolve().parents[1]
SYMBOL = "BTCUSDT"
N, WARM = 60, 6
N_TRIES = 3
SOON_MS, MINUTE_MS = 250, 60_000
LIMIT_MS = 5.0
PATIENCE_S, LOOK_S = 15.0, 0.1
BUYS = {
    "version": 2, "name": "Buys", "symbols": [SYMBOL], "timeframe": "1m", "side": "long",
    "entry": {"left": "close", "op": ">", "right": 0}, "exit": {"any": []},
    "risk": {"stop_atr": 20.0, "target_atr": 40.0, "max_position_rate": 0.1, "daily_loss_rate": 0.9,
             "max_drawdown_rate": 0.9, "cool_down_bars": 0},
}


class Child:
    """A process that answers each line with one line of JSON."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", *arguments], cwd=ROOT, text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        self.first = self._answer()

    def ask(self, *lines: str) -> Any:
        """Return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class Shifted:
    """This process's clocks, which jump with the exchange's."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        VenueClock.__init__.__defaults__ = (self._wall, self._monotonic)

    def now(self) -> int:
        """UTC ms."""
        return int(self._wall() * 1000)

    def _wall(self) -> float:
        return time.time() + self.ahead_ms / 1000

    def _monotonic(self) -> float:
        return time.monotonic() + self.ahead_ms / 1000


class Race:
    """The cockpit in this process, the others beside it."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self.clock = Shifted()
        self.exchange = Child("benchmarks.wire_exchange")
        ending.callback(self.exchange.close)
        urls = self.exchange.first["urls"]
        self.peer = Child("benchmarks.wire_peer", json.dumps(urls))
        ending.callback(self.peer.close)
        rule = folder / "buys.json"
        rule.write_text(json.dumps(BUYS))
        asked = RehearsalRequest((SYMBOL,), drill=False)
        self._settings = settings_there(Settings(data_dir=folder, strategy=str(rule)), asked,
                                        RehearsalUrls(urls["rest"], urls["streams"], ""))
        self._database = Database(folder / "cockpit.db")
        self._database.open()
        ending.callback(self._database.close)
        self.parts: Any = None
        self.cockpit = second_cockpit(self._settings, self._database, self._composed)
        ending.callback(self.cockpit.stop)
        self.hand = Hand(self.parts.engine)
        _until(lambda: not self.parts.engine.gate.reason(SYMBOL) and self.parts.engine.health.feed.state == "live")

    def own(self) -> float:
        """Let the cockpit answer the next close; ms."""
        self.hand.give("start")
        for _ in range(N_TRIES):
            took_ms = self._close(KEY)
            if self._has_bought():
                break
        else:
            raise RuntimeError(f"no position came of {N_TRIES} closes")
        self.hand.give("close", symbol=SYMBOL)
        _until(lambda: not self.parts.engine.portfolio.holdings[SYMBOL].is_open)
        self.hand.give("pause")
        return took_ms

    def other(self) -> float:
        """Let python-binance alone answer the next close; ms."""
        self.peer.ask("go")
        took_ms = self._close(OTHER)
        self.peer.ask("flat")
        return took_ms

    def _composed(self, account: Any, executor: Any) -> Any:
        feed = main.make_feed(self._settings, parse_arguments(["--mode", "dashboard"]), self._database, account)
        self.parts = main.compose(self._settings, feed, self._database, executor, outside=account)
        return self.parts

    def _close(self, key: str) -> float:
        """Go to the end of the minute, and wait for the order of that close; of the next when none came of it."""
        for _ in range(N_TRIES):
            jump_ms = (MINUTE_MS - SOON_MS - self.clock.now()) % MINUTE_MS
            self.peer.ask("shift", str(jump_ms))
            self.exchange.ask(f"close {jump_ms}")
            self.clock.ahead_ms += jump_ms
            with suppress(RuntimeError):
                return float(_until(lambda: self.exchange.ask("done").get(key)))
        raise RuntimeError(f"no order came of {N_TRIES} closes: {self.parts.engine.gate.reason(SYMBOL)}")

    def _has_bought(self) -> bool:
        """Wait for what comes of an order: nothing, when the clock was measured in the middle of a jump."""
        _until(lambda: self._is_protected() or not self.parts.engine.orders.working)
        time.sleep(LOOK_S)
        return self._is_protected()

    def _is_protected(self) -> bool:
        stop = self.parts.engine.orders.protection(SYMBOL)
        return stop is not None and stop.status.value == "WORKING"


def run() -> Iterator[Row]:
    """Race, close by close."""
    with TemporaryDirectory() as folder, ExitStack() as ending:
        race = Race(Path(folder), ending)
        turns = [(race.own(), race.other()) for _ in range(N + WARM)][WARM:]
        told = race.cockpit.venue()
    ours, theirs = np.array(turns).T
    for share in (50, 95):
        own, other = np.percentile(ours, share), np.percentile(theirs, share)
        note = f"{len(ours)} closes each, in turn; {own - other:+.2f} ms, at most {LIMIT_MS:+g} at p95"
        yield Row(f"closed candle to order, p{share}", f"{own:.2f} ms", note, f"python-binance alone {other:.2f} ms",
                  f"{own / other:.2f}")
    yield _disk()
    if told is not None and told.post_p50_ms is not None and told.post_p95_ms is not None:
        yield Row("of that inside the cockpit", f"{told.post_p50_ms:.2f} ms",
                  f"p95 {told.post_p95_ms:.2f} ms, as page Live shows it: from the frame to the order's last byte")


def _disk() -> Row:
    """Time one synced commit, which the cockpit waits for on each order, and python-binance does not."""
    with TemporaryDirectory() as folder:
        database = Database(Path(folder) / "commits.db")
        database.open()
        took_ms = []
        for n in range(N):
            began = time.perf_counter()
            database.remember("commit", str(n))
            took_ms.append((time.perf_counter() - began) * 1000)
            time.sleep(0.01)
        database.close()
    return Row("of that one synced commit", f"{np.percentile(took_ms, 50):.2f} ms",
               f"p95 {np.percentile(took_ms, 95):.2f} ms on this disk: the intent, durable before anything is sent")


def _until(true: Callable[[], Any]) -> Any:
    """Wait for something that must come true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    raise RuntimeError("the benchmark's cockpit or its exchange does not move; run it again, on an idle computer")
