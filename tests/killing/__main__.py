"""Kill the live cockpit with -9 at every await and commit of the order path, and compare it with the exchange.

    python -m tests.killing --kills 2000

Requests, replies and accepts of orders are lost and late meanwhile. Ends with the line
`killing kills=N points=P visited=P excluded=E lost=0 doubled=0 without_intent=0 differing=0 recovery_p50=..s
recovery_p99=..s`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import mkdtemp
from typing import Any

from tests.killing.excluded import EXCLUDED

ROOT = Path(__file__).resolve().parents[2]
PROMISED_S, N_FOR_P99 = 5.0, 100
"""Of fewer recoveries the slowest would decide, and with it whatever else the computer did."""
TOLD_S = 15.0
WRONGS = ("lost", "doubled", "without_intent", "differing")


@dataclass
class Tally:
    """What a campaign has found so far."""

    points: int = 0
    n_checks: int = 0
    hows: Counter[str] = field(default_factory=Counter)
    visited: Counter[str] = field(default_factory=Counter)
    recoveries: list[tuple[float, str]] = field(default_factory=list)
    wrongs: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    lives: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, line: dict[str, Any]) -> None:
        """Take in what a worker says."""
        self.points = line.get("points", self.points)
        self.n_checks += "checked" in line
        if "wrong" in line:
            self.wrongs.update({name: line["wrong"][name] for name in WRONGS})
            self.words += [*line["wrong"]["words"], f"look at {line['folder']}"]
        if "how" in line:
            self._hear_of_death(line)

    def _hear_of_death(self, line: dict[str, Any]) -> None:
        self.hows[line["how"]] += 1
        self.lives.append(line)
        if line["point"]:
            self.visited[line["point"]] += 1
        if line["recovery"]:
            self.recoveries.append((line["recovery"], f"{line['scenario']}, after {line['before']}"))
        if line["how"] == "failed":
            self.words.append(f"a life failed in {line['scenario']!r}: {line['words']}")

    @property
    def kills(self) -> int:
        return self.hows["killed"]

    @property
    def p50_s(self) -> float:
        return _cut([seconds for seconds, _ in self.recoveries], 50)

    @property
    def p99_s(self) -> float:
        return _cut([seconds for seconds, _ in self.recoveries], 99)

    def line(self) -> str:
        """Return the last line of a campaign."""
        wrongs = " ".join(f"{name}={self.wrongs[name]}" for name in WRONGS)
        return (f"killing kills={self.kills} points={self.points} visited={len(self.visited)} excluded={len(EXCLUDED)} "
                f"{wrongs} recovery_p50={self.p50_s:.2f}s recovery_p99={self.p99_s:.2f}s")


def _cut(values: list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else sum(values)


class Crew:
    """The workers, each with the processes that it starts in a group of its own; none of them outlives this."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._folder = mkdtemp(prefix="killing-")
        self.said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._processes = [self._hired(chosen, part) for part in range(chosen.workers)]
        for process in self._processes:
            threading.Thread(target=self._listen, args=(process,), daemon=True).start()

    def _hired(self, chosen: argparse.Namespace, part: int) -> subprocess.Popen[str]:
        kills = chosen.kills // chosen.workers + (part < chosen.kills % chosen.workers)
        command = [sys.executable, "-m", "tests.killing.worker", "--kills", str(kills), "--seed", str(chosen.seed),
                   "--part", str(part), "--of", str(chosen.workers)]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
                                    "TMPDIR": self._folder}
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
                                start_new_session=True)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                self.said.put(json.loads(line))
        process.wait()
        self.said.put(None)

    def hear(self, tally: Tally) -> int:
        """Listen until all have ended, or one has found something wrong; return how many failed."""
        n_left, told = len(self._processes), time.monotonic()
        while n_left:
            line = self.said.get()
            if line is None:
                n_left -= 1
            else:
                tally.hear(line)
            if tally.words:
                return 1
            if time.monotonic() > told + TOLD_S:
                told = time.monotonic()
                print(f"{tally.kills} kills, {len(tally.visited)} points, {tally.n_checks} comparisons", flush=True)
        return sum(process.poll() != 0 for process in self._processes)

    def dismiss(self, keep: bool) -> None:
        """End everything; keep the folders when there is something to look at."""
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if not keep:
            shutil.rmtree(self._folder, ignore_errors=True)


def campaign(chosen: argparse.Namespace) -> tuple[Tally, list[str]]:
    """Run a campaign; return what was found, and what of it breaks a promise."""
    tally, crew, began = Tally(), Crew(chosen), time.monotonic()
    n_failed = 0
    try:
        n_failed = crew.hear(tally)
    except KeyboardInterrupt:
        tally.words.append("interrupted")
    finally:
        crew.dismiss(keep=bool(tally.words))
    broken = list(tally.words)
    if n_failed and not tally.words:
        broken.append(f"{n_failed} workers ended with an error")
    if tally.p99_s > PROMISED_S and len(tally.recoveries) >= N_FOR_P99:
        broken.append(f"recovery took {tally.p99_s:.2f} s (p99), {PROMISED_S:g} s are promised")
    n_unvisited = tally.points - len({*tally.visited, *EXCLUDED})
    if 0 < tally.points <= chosen.kills and n_unvisited:
        broken.append(f"{n_unvisited} points were not visited")
    n_elsewhere = tally.kills - sum(tally.visited.values())
    minutes = (time.monotonic() - began) / 60
    print(f"{n_elsewhere} of the kills came at another moment, {tally.hows['ended']} lives ended gracefully, "
          f"{tally.hows['no start']} did not start, {tally.n_checks} comparisons, "
          f"{tally.kills / minutes:.0f} kills a minute")
    return tally, broken


def main() -> int:
    """Run a campaign; 0 only when nothing was lost, doubled, unintended or different, and in time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("kills", 100), ("seed", 1), ("workers", 2)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--json", help="file for the figures and what was visited how often")
    chosen = parser.parse_args()
    tally, broken = campaign(chosen)
    if chosen.json:
        document = {"line": tally.line(), "broken": broken, "hows": tally.hows, "visited": tally.visited,
                    "slowest": sorted(tally.recoveries, reverse=True)[:30], "excluded": EXCLUDED, "lives": tally.lives}
        Path(chosen.json).write_text(json.dumps(document, indent=1, sort_keys=True))
    for words in broken:
        print(words)
    print(tally.line())
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
