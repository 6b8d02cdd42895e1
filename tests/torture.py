"""Kill the cockpit with -9 at random moments, start it again, and compare with an undisturbed run.

    python -m tests.torture --kills 100

Ends with the line `torture kills=N lost=0 doubled=0`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CANDLES = ROOT.parent / "shared" / "data" / "ohlcv" / "BTCUSDT-1h.parquet"


@dataclass(frozen=True)
class Outcome:
    """What a campaign found: trades that the killed runs lost or made twice, and runs that differ in any byte."""

    kills: int
    lost: int
    doubled: int
    n_finished: int
    n_different: int


def start(candles: Path, folder: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start a replay on paper whose account lives in `folder`."""
    command = [sys.executable, "main.py", "--mode", "paper", "--assets", "BTCUSDT", "--feed", "replay",
               "--data", str(candles), "--speed", "max", "--json", str(target)]
    environment = os.environ | {"COCKPIT_DATA_DIR": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run to end well."""
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the replay ended with {process.returncode}: {errors.decode()[-2000:]}")


def campaign(candles: Path, kills: int, seed: int) -> Outcome:
    """Kill replays until `kills` have hit, letting every run that gets through be compared."""
    dice = random.Random(seed)
    with TemporaryDirectory() as place:
        calm, rough = Path(place, "calm"), Path(place, "rough")
        began = time.monotonic()
        finish(start(candles, calm, calm.with_suffix(".json")))
        duration = time.monotonic() - began
        expected = calm.with_suffix(".json").read_bytes()
        results = list(_killed_runs(candles, rough, kills, (dice, duration)))
        return _judge(kills, expected, results)


def _killed_runs(candles: Path, folder: Path, kills: int, chance: tuple[random.Random, float]) -> Any:
    dice, duration = chance
    target = folder.with_suffix(".json")
    done = 0
    while done < kills:
        process = start(candles, folder, target)
        try:
            process.wait(dice.uniform(0.2, 1.0) * duration)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            continue
        finish(process)
        yield target.read_bytes()
    finish(start(candles, folder, target))
    yield target.read_bytes()


def _judge(kills: int, expected: bytes, results: list[bytes]) -> Outcome:
    wanted = _trades(expected)
    lost = sum((wanted - _trades(result)).total() for result in results)
    doubled = sum((_trades(result) - wanted).total() for result in results)
    return Outcome(kills, lost, doubled, len(results), sum(result != expected for result in results))


def _trades(document: bytes) -> Counter[str]:
    return Counter(json.dumps(trade, sort_keys=True) for trade in json.loads(document)["trades"])


def main() -> int:
    """Run a campaign; 0 only when nothing was lost, doubled or changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--candles", type=Path, default=CANDLES)
    chosen = parser.parse_args()
    if not chosen.candles.exists():
        print(f"{chosen.candles} is missing: name a candle file with --candles", file=sys.stderr)
        return 2
    found = campaign(chosen.candles, chosen.kills, chosen.seed)
    print(f"{found.n_finished} runs came through, {found.n_different} differ from the undisturbed one")
    print(f"torture kills={found.kills} lost={found.lost} doubled={found.doubled}")
    return 0 if found.lost == found.doubled == found.n_different == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
