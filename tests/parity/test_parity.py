"""Engine with paper broker and array kernel are one: the same trades, equity and decisions, to the last unit.

A denial by `cash` cannot come: a long-only account has room for exposure exactly as long as it has cash, and the
exposure rule speaks first; `risk` alone never denies, the lot or the least order value does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.parity.campaign import PLANTS, run
from trading.book import REASONS
from trading.walk import OUTCOMES

ROOT = Path(__file__).resolve().parents[2]
N_EXAMPLES = 2_000
N_EACH = 50
REACHED = (
    *(f"closed: {reason}" for reason in REASONS if reason != "end"),  # a replay does not sell at its end
    *(name for name in OUTCOMES if name not in ("denied: cash", "denied: risk")),
    "EXPIRED the price left what was reserved for it", "REJECTED Filter failure: NOTIONAL", "partial fill",
    "gap through a stop", "bar with stop and target", "killed",
)


def campaign(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the campaign on the kernel's plain-Python form."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-m", "tests.parity.campaign", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)


def assert_reached(seen: Counter) -> None:
    assert seen["cases"] >= N_EXAMPLES
    missed = {name: seen[name] for name in REACHED if seen[name] < N_EACH}
    assert not missed, f"too rare to prove anything: {missed}"


@pytest.mark.timeout(900)
def test_compiled_kernel_and_engine_agree_on_every_rule(shared_data: Path) -> None:
    assert_reached(run(N_EXAMPLES, 1))


@pytest.mark.timeout(900)
def test_plain_python_kernel_and_engine_agree_on_every_rule(shared_data: Path) -> None:
    done = campaign("--examples", str(N_EXAMPLES), "--seed", "2")
    assert done.returncode == 0, done.stderr[-2_000:]
    assert_reached(Counter(json.loads(done.stdout)))


@pytest.mark.parametrize("name", PLANTS)
def test_one_line_that_differs_is_noticed(name: str) -> None:
    done = campaign("--examples", "400", "--seed", "3", "--plant", name)
    assert done.returncode == 1 and "the drivers differ" in done.stderr, done.stdout + done.stderr[-2_000:]
