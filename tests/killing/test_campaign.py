"""A short campaign: real processes, real sockets, kill -9. `make torture KILLS=2000` goes round all points."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.killing.excluded import EXCLUDED
from tests.torture import ROOT

N_KILLS = 25


def test_nothing_is_lost_or_done_twice_when_the_live_cockpit_is_killed(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "tests.killing", "--kills", str(N_KILLS), "--json", str(report)]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr
    last = dict(each.split("=") for each in run.stdout.splitlines()[-1].split()[1:])
    assert [last[name] for name in ("lost", "doubled", "without_intent", "differing")] == ["0"] * 4
    assert int(last["kills"]) >= N_KILLS and int(last["visited"]) >= N_KILLS // 3
    assert int(last["points"]) > 400 and int(last["excluded"]) == len(EXCLUDED)
    assert float(last["recovery_p50"].removesuffix("s")) <= 5.0
    assert sum(json.loads(report.read_text())["visited"].values()) <= N_KILLS
