"""The house keeps its floors: imports point down, the core is pure, importing has no side effect."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {"main": 0, "app": 1, "callbacks": 2, "layouts": 3, "services": 3, "models": 4, "storage": 4, "trading": 5}
ADAPTERS = ("feeds", "brokers", "simulation", "binance")
WALL_CLOCK = {"now", "utcnow", "today", "time", "time_ns"}


def sources() -> list[Path]:
    """Every module of the house; Alembic runs its own scripts, they are no modules."""
    found = [ROOT / f"{name}.py" for name in ("main", "app")]
    for folder in FLOORS:
        found += sorted((ROOT / folder).rglob("*.py"))
    return [path for path in found if path.exists() and "migrations" not in path.parts]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Names of all modules that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import hides where it points"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_core(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return parts[0] == "trading" and parts[1] not in ADAPTERS


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


CORE = [path for path in sources() if is_core(path)]
ADAPTER_FILES = [path for path in sources() if path.relative_to(ROOT).parts[0] == "trading" and not is_core(path)]


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_imports_point_down_only(path: Path):
    mine = module_name(path).partition(".")[0]
    for name in imports_of(path):
        theirs = name.partition(".")[0]
        if theirs in FLOORS and theirs != mine:
            assert FLOORS[theirs] > FLOORS[mine], f"{relative(path)} imports {name}, which is not below it"


@pytest.mark.parametrize("path", [p for p in sources() if "layouts" in p.parent.parts], ids=relative)
def test_layouts_know_only_layouts_and_the_domain(path: Path):
    for name in imports_of(path):
        if name.partition(".")[0] in FLOORS:
            assert name.startswith(("layouts.", "trading.domain.")), f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_knows_only_itself_numpy_numba_and_the_standard_library(path: Path):
    for name in imports_of(path):
        top = name.partition(".")[0]
        assert top in sys.stdlib_module_names | {"numpy", "numba", "trading"}, f"{relative(path)} imports {name}"
        assert not name.startswith(tuple(f"trading.{adapter}" for adapter in ADAPTERS)), (
            f"{relative(path)} imports the adapter {name}"
        )


@pytest.mark.parametrize("path", ADAPTER_FILES, ids=relative)
def test_adapters_know_the_core_and_never_the_house_above(path: Path):
    for name in imports_of(path):
        top = name.partition(".")[0]
        assert top not in FLOORS or top == "trading", f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", CORE, ids=relative)
def test_the_core_never_asks_what_time_it_is(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            assert not {alias.name for alias in node.names} & {"time", "time_ns"}, f"{relative(path)}:{node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr in WALL_CLOCK:
            owner = ast.unparse(node.value)
            assert owner not in ("time", "datetime", "datetime.datetime", "date", "datetime.date", "dt"), (
                f"{relative(path)}:{node.lineno} reads the wall clock: {ast.unparse(node)}"
            )


DICE = {"random", "secrets", "uuid", "numpy.random"}
SEEDED = {"random.Random", "numpy.random.default_rng", "numpy.random.Generator", "numpy.random.PCG64",
          "numpy.random.SeedSequence"}


def unseeded(tree: ast.AST) -> list[str]:
    """Calls that draw from global dice, or make dice without a seed."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, dot, tail = ast.unparse(node.func).partition(".")
            called = names.get(head, head) + dot + tail
            rolls = called.rpartition(".")[0] in DICE or called == "os.urandom"
            if rolls and not (called in SEEDED and (node.args or node.keywords)):
                found.append(f"{called} in line {node.lineno}")
    return found


@pytest.mark.parametrize("path", [*CORE, *ADAPTER_FILES], ids=relative)
def test_every_random_draw_of_trading_has_a_seed(path: Path):
    assert unseeded(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    ["import random; random.random()", "from random import choice; choice([1])", "import random; random.Random()",
     "import numpy as np; np.random.normal()", "import numpy as np; np.random.default_rng()",
     "from numpy.random import default_rng; default_rng()", "import uuid; uuid.uuid4()", "import os; os.urandom(4)"],
)
def test_dice_without_a_seed_are_noticed(line: str):
    assert len(unseeded(ast.parse(line))) == 1


def test_only_main_names_concrete_brokers_and_feeds():
    for path in sources():
        mine = module_name(path)
        if mine == "main" or mine.startswith("trading."):
            continue
        concrete = {name for name in imports_of(path) if name.startswith("trading.brokers.")}
        assert not concrete, f"{relative(path)} names {concrete}"


PROBE = """
import importlib, json, os, sys, threading
before = set(threading.enumerate())
started = []
start = threading.Thread.start
threading.Thread.start = lambda self: (started.append(self.name), start(self))[1]
for name in sys.argv[1:]:
    importlib.import_module(name)
left = [t.name for t in threading.enumerate() if t not in before]
print(json.dumps({"started": started, "left": left}))
"""


def test_importing_every_module_starts_no_thread_and_writes_no_file(tmp_path: Path):
    names = [module_name(path) for path in sources()]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "COCKPIT_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", PROBE, *names], cwd=tmp_path, env=environment, timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"started": [], "left": []}
    assert done.stdout.count("\n") == 1, "importing prints"
    assert [p.relative_to(tmp_path) for p in tmp_path.rglob("*")] == []
