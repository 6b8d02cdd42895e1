"""An exchange and the cockpit's data folder on it; lives come and go there, one after the other."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from services.rehearsal.admin import Admin
from tests.killing.leash import end_with_parent
from tests.killing.life import Life, Plan
from tests.killing.mark import Mark, Reaper, die
from tests.killing.oracle import Verdict, compared, looked_at
from tests.killing.points import Points
from tests.killing.scenarios import DELAYS_MS, FAIR, ROUGH, Scenario
from trading.errors import CockpitError

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 75.0
SETTLE_S, EQUAL_S = 40.0, 25.0
NO_START, BROKEN = 2, 3
KILLED, ENDED, NOT_STARTED, FAILED = "killed", "ended", "no start", "failed"


@dataclass(frozen=True)
class Death:
    """How a life ended, at which point (if at one), and how long it took until it was ready (s), None if never."""

    how: str
    point: int | None
    recovery_s: float | None
    lived_s: float


class World:
    """Use as a context manager."""

    def __init__(self, points: Points, seed: int) -> None:
        self._points = points
        self._dice = random.Random(seed)
        self.folder = Path(mkdtemp(prefix="killing-"))
        self.mark = Mark(len(points.names))
        self.n_lives = self.n_ready = 0
        self.foreign, self._lagged = "halt", False
        os.environ["XDG_STATE_HOME"] = str(self.folder / "state")
        command = [sys.executable, "-m", "tests.killing.exchange", str(seed % 2**31)]
        self._exchange = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._exchange.stdout is not None
        line = self._exchange.stdout.readline()
        if not line:
            raise RuntimeError("the exchange did not start")
        self.url = str(json.loads(line)["rest"])
        self._admin = Admin(self.url)

    def __enter__(self) -> World:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._exchange.kill()
        self._exchange.wait()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def database(self) -> Path:
        """File of the database."""
        return self.data / "cockpit.db"

    @property
    def words(self) -> str:
        """The last words of the last life."""
        log = self.folder / "life.log"
        return log.read_text(errors="replace")[-3_000:] if log.exists() else ""

    def live(self, scenario: Scenario, targets: frozenset[str], passage: int) -> tuple[Death, Verdict]:
        """Let one life be lived, and look at what it has left."""
        weather = {name: dict(terms) for name, terms in ROUGH.items()}
        weather["late_accept"]["delay_ms"] = self._dice.choice(DELAYS_MS)
        foreign = "ignore" if "ignore" in (scenario.foreign, self.foreign) else "halt"
        self.foreign = scenario.foreign
        plan = Plan(self.data, self.url, self._dice.randrange(2**31), weather, foreign)
        since = int(time.time() * 1000)
        death = self._fork(lambda: self._act(plan, scenario, Reaper(self._points.names, self.mark, targets, passage)))
        verdict, doubts = looked_at(self._admin, self.database, since, scenario.lags or self._lagged)
        self._lagged = scenario.lags or (self._lagged and (doubts or death.recovery_s is None))
        return death, verdict

    def calm(self) -> Verdict:
        """Let a life settle in fair weather, compare it with the exchange, and end it gracefully."""
        report = self.folder / "report.json"
        report.unlink(missing_ok=True)
        plan = Plan(self.data, self.url, 0, FAIR, "ignore")
        death = self._fork(lambda: self._settle(plan, report))
        if death.how != ENDED or not report.exists():
            return Verdict(differing=1, words=(f"a calm life ended: {death.how}\n{self.words}",))
        found = json.loads(report.read_text())
        return Verdict(**found | {"words": tuple(found["words"])})

    def _fork(self, act: Callable[[], None]) -> Death:
        self.mark.clear()
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            self._be(act)
        status, lived = _waited(child, began)
        self.n_lives += 1
        self.n_ready += bool(self.mark.ready_at)
        ready = self.mark.ready_at - began if self.mark.ready_at else None
        return Death(_how(status), self.mark.hit_at, ready, lived)

    def _be(self, act: Callable[[], None]) -> None:
        """Live in the child; never returns."""
        code = BROKEN
        try:
            end_with_parent()
            self._write_to(self.folder / "life.log")
            act()
            code = 0
        except CockpitError:
            traceback.print_exc()
            code = NO_START
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _write_to(self, log: Path) -> None:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s", force=True)

    def _act(self, plan: Plan, scenario: Scenario, reaper: Reaper) -> None:
        self._points.visit = reaper.visit
        life = Life(plan, reaper, self.mark)
        with ExitStack() as ending:
            life.begin(ending, scenario.early)
            for name, terms in scenario.weather.items():
                life.fault(name, **terms)
            scenario.play(life)
            if not scenario.ends_well:
                time.sleep(life.dice.uniform(0.0, 0.2))
                die()

    def _settle(self, plan: Plan, report: Path) -> None:
        life = Life(plan, Reaper(self._points.names, self.mark, frozenset(), 0), self.mark)
        with ExitStack() as ending:
            life.begin(ending, lambda _: None)
            life.settle(SETTLE_S)
            found = compared(life)
            deadline = time.monotonic() + EQUAL_S
            while not found.is_clean and time.monotonic() < deadline:
                time.sleep(0.5)
                found = compared(life)
            report.write_text(json.dumps(found.document()))


def _waited(child: int, began: float) -> tuple[int, float]:
    """Return how a child ended, and after how many seconds; one that does not end is killed."""
    is_late = False
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return (BROKEN << 8 if is_late else status), time.monotonic() - began
        if time.monotonic() - began > LONGEST_S:
            is_late = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        time.sleep(0.004)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return {-signal.SIGKILL: KILLED, 0: ENDED, NO_START: NOT_STARTED}.get(code, FAILED)
