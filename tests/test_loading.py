"""After its start the cockpit has every compiled function in memory that bars, ranking and orders need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIFE = """
import sys
from pathlib import Path

from numba.core.dispatcher import Dispatcher

from tests.services.cockpits import whole_cockpit
from trading.agents.mother_ai import MotherAI
from trading.ranking import Mother, Ranking


def loaded():
    modules = [module for name, module in sys.modules.items() if name.startswith("trading")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)]
    return {f"{each.__module__}.{each.__name__}": len(each.overloads) for each in found}


with whole_cockpit(Path(sys.argv[1]), 300) as whole:
    engine = whole.engine
    engine.round.ranking = Ranking(2, 0.0, Mother())
    engine.mother = MotherAI(engine.round.ranking, engine.portfolio, engine.orders, engine.risk)
    before = loaded()
    whole.start()
    whole.trade()
    after = loaded()
    print("trades", engine.portfolio.n_trades)
    print("late", sorted(name for name in after if after[name] != before.get(name, 0)))
"""


def test_nothing_is_loaded_or_compiled_between_the_start_and_the_last_trade(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", LIFE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    trades, late = done.stdout.splitlines()[-2:]
    assert int(trades.split()[1]) > 3
    assert late == "late []"
