"""What was compiled beforehand is what a training uses: nothing else is compiled on the first bar."""

import subprocess
import sys

SCRIPT = """
from models import voting
from models.warm import warm
from models.training import train
from tests.fakes.asked import waves
from tests.models.asked import SPEC, asked, still

def compiled():
    return {name: sorted(map(str, f.signatures)) for name, f in vars(voting).items() if hasattr(f, "signatures")}

warm()
before = compiled()
trained = train(waves(1_200), asked(), SPEC, still)
trained.ensemble.compiled()
assert compiled() == before, [(n, s, before[n]) for n, s in compiled().items() if s != before[n]]
print(len(before))
"""


def test_training_compiles_nothing_that_was_not_warmed():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
