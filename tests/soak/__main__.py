"""An hour of trading with a fault every minute, and what memory, descriptors, log and books say at its end.

    python -m tests.soak --minutes 60 [--seed S] [--json OUT] [--folder KEEP]

Ends with the line `soak minutes=60 faults=N orders=N fills=N rss_start=..MB rss_end=..MB (+x %) fds=a->b
connections=c->d untold=0 differing=0`; the exit code is 0 only when all of it is well.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.error import URLError

import psutil

from services.rehearsal.admin import Admin, NoAnswer
from tests.soak.books import Books
from tests.soak.meters import MB, Sample, Weight, sample, weigh
from tests.soak.page import Page
from tests.soak.stage import CAPITAL, START_S, SoakFailed, Stage, until
from tests.soak.told import Error, errors_of, untold
from tests.soak.weather import Strike, strikes

SAMPLE_S, LOOK_S, RELEASE_S = 10.0, 30.0, 20.0
SETTLE_S = 420.0
MINUTE_S = 60.0
FEWEST_ORDERS = 1.0
"""A soak of so few orders a minute has soaked nothing."""

log = logging.getLogger("soak")


class Soak:
    """One run; `turn_s` is the time between two faults."""

    def __init__(self, stage: Stage, turn_s: float) -> None:
        self.stage, self.turn_s = stage, turn_s
        self.page, self.admin = Page(stage.page_url), Admin(stage.exchange_url)
        self.process = psutil.Process(stage.cockpit.pid)
        self.samples: list[Sample] = []
        self.strikes: list[dict[str, Any]] = []
        self.n_late_orders = 0
        until(self.page.answers, "the page is served", START_S, stage.check)
        self.books = Books(stage.database, stage.exchange_url, CAPITAL)
        self.page.start()
        self._n_kills = 0
        self._began = time.monotonic()
        self._due = {self._sample: 0.0, self._look: LOOK_S, self._mend: RELEASE_S}

    def run(self, seconds: float, seed: int) -> None:
        """Let faults strike for so long; at the end none is on."""
        coming = self._coming(seed)
        strike, at = next(coming)
        n_before = 0
        while (now := self._now()) < seconds:
            self.stage.check()
            if now >= at:
                self._throw(strike)
                strike, at = next(coming)
            for act, due in list(self._due.items()):
                if now >= due:
                    self._due[act] = now + act()
            if not n_before and now >= seconds * 5 / 6:
                n_before = self.books.counts()[0]
            time.sleep(0.2)
        self._quietly(self.admin.clear_fault)
        self.n_late_orders = self.books.counts()[0] - n_before

    def settle(self) -> tuple[list[str], list[str]]:
        """Wait until the books agree and every position stands under its stop; return what is wrong for good."""
        self._mend()
        wrong: tuple[list[str], list[str]] = ([], [])
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            self.stage.check()
            wrong = self.books.differing(), self.books.bare()
            if not any(wrong):
                break
            time.sleep(2.0)
        return wrong

    def errors(self) -> tuple[list[Error], list[Error]]:
        """Return the errors of the log, and those of them that nobody was told of."""
        with self.stage.log.open(encoding="utf-8", errors="replace") as lines:
            found = errors_of(lines)
        return found, untold(found, self.books.journal())

    def _coming(self, seed: int) -> Iterator[tuple[Strike, float]]:
        """Yield strikes with their time, by this run's clock; turns begin with the wall's when they are minutes."""
        first = self._now() + self.turn_s - time.time() % self.turn_s
        for n, strike in enumerate(strikes(seed)):
            yield strike, first + (n + strike.start - 1) * self.turn_s if n else first

    def _throw(self, strike: Strike) -> None:
        log.info("%6.0f s: %s for %.0f s", self._now(), strike.name, strike.seconds)
        self._quietly(lambda: self.admin.set_fault(strike.name, seconds=strike.seconds, **strike.settings))
        self.strikes.append({"at": round(self._now(), 1), "name": strike.name, "seconds": strike.seconds})

    def _sample(self) -> float:
        self.samples.append(sample(self.process, self._now(), self.stage.exchange_url))
        return SAMPLE_S

    def _look(self) -> float:
        """Do what a person does: look at the page that tells how trading stands, and at the first one."""
        self._quietly(self.page.look_at_live)
        self._quietly(lambda: self.page.open("/"))
        newest = self.samples[-1]
        log.info("%6.0f s: %.1f MB, %d fds, %d connections, %d threads, orders and fills %s", self._now(),
                 newest.rss / MB, newest.fds, newest.connections, newest.threads, self.books.counts())
        return LOOK_S

    def _mend(self) -> float:
        """Do what a person does about what was told: release quarantines, take the kill switch back."""
        for symbol, why in self.books.quarantined().items():
            log.info("%6.0f s: %s is released: %s", self._now(), symbol, why)
            self._quietly(lambda symbol=symbol: self.page.release(symbol))
        n_kills = self.books.n_kills()
        if n_kills > self._n_kills:
            log.info("%6.0f s: the kill switch is taken back", self._now())
            self._quietly(self.page.rearm)
        self._n_kills = n_kills
        return RELEASE_S

    def _quietly(self, act: Any) -> None:
        try:
            act()
        except (NoAnswer, URLError, OSError) as trouble:
            log.info("%6.0f s: %s", self._now(), trouble)

    def _now(self) -> float:
        return time.monotonic() - self._began


def main() -> int:
    """Soak; 0 only when memory and descriptors are flat, every error was told, and the books agree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=MINUTE_S, help="seconds from fault to fault")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="where logs and data are kept (default: a new temporary one)")
    chosen = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
    folder = chosen.folder or Path(mkdtemp(prefix="soak-"))
    with ExitStack() as ending:
        stage = ending.enter_context(Stage(folder, chosen.seed))
        try:
            soak = Soak(stage, chosen.every)
            soak.run(chosen.minutes * MINUTE_S, chosen.seed)
            wrong = soak.settle()
        except SoakFailed as trouble:
            print(f"soak failed: {trouble}")
            return 1
        return _report(soak, chosen, wrong)


def _report(soak: Soak, chosen: argparse.Namespace, wrong: tuple[list[str], list[str]]) -> int:
    differing, bare = wrong
    errors, lost = soak.errors()
    weight = weigh(soak.samples, chosen.minutes * MINUTE_S)
    n_orders, n_fills = soak.books.counts()
    struck = soak.admin.state().get("struck", {})
    is_trading = soak.n_late_orders > 0 and n_orders >= FEWEST_ORDERS * chosen.minutes
    for what, lines in (("differs", differing), ("without a stop", bare), ("told to nobody", [e.text for e in lost])):
        for line in lines[:20]:
            print(f"{what}: {line}")
    if not is_trading:
        print(f"it trades no more: {soak.n_late_orders} orders in the last sixth, {n_orders} in all")
    if chosen.json:
        body = {"minutes": chosen.minutes, "seed": chosen.seed, "orders": n_orders, "fills": n_fills,
                "weight": asdict(weight), "differing": differing, "bare": bare, "errors": [asdict(e) for e in errors],
                "untold": [asdict(e) for e in lost], "struck": struck, "faults": soak.strikes,
                "samples": [asdict(s) for s in soak.samples]}
        chosen.json.write_text(json.dumps(body, indent=1), encoding="utf-8")
    print(f"logs and data: {soak.stage.folder}; {len(errors)} errors in the log")
    print(line_of(chosen.minutes, (len(soak.strikes), n_orders, n_fills), weight, (len(lost), len(differing))))
    return 0 if weight.is_flat and is_trading and not (differing or bare or lost) else 1


def line_of(minutes: float, counts: tuple[int, int, int], weight: Weight, wrong: tuple[int, int]) -> str:
    """Return the last line."""
    faults, orders, fills = counts
    return (f"soak minutes={minutes:g} faults={faults} orders={orders} fills={fills} "
            f"rss_start={weight.rss_start / MB:.1f}MB rss_end={weight.rss_end / MB:.1f}MB ({weight.growth:+.1%}) "
            f"fds={weight.fds_start:g}->{weight.fds_end:g} "
            f"connections={weight.connections_start:g}->{weight.connections_end:g} "
            f"untold={wrong[0]} differing={wrong[1]}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
