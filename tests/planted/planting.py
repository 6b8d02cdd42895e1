"""Tests run on a tree with one bug in it: the changed module is compiled from memory, no file is touched."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from tests.planted.patches import ROOT, Patch

SECONDS_A_TEST = 60
OPTIONS = ("-x", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin", "-p", "no:terminal",
           "-p", "no:cacheprovider", "-o", "addopts=")


class Planter(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds one module, and gives it a source with the bug."""

    def __init__(self, patch: Patch) -> None:
        super().__init__(patch.module, str(ROOT / patch.path))
        self._source = patch.applied((ROOT / patch.path).read_text())
        self.is_planted = False

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> Any:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def get_code(self, fullname: str) -> Any:
        self.is_planted = True
        return compile(self._source, self.path, "exec")


class Found(NamedTuple):
    """What became of one bug ("" for none): by which test it was found, or why it could not be shown."""

    name: str
    by: str
    broken: str
    seconds: float


@dataclass(eq=False)
class Witness:
    """Remembers the first test that failed, and what could not even be collected."""

    found_by: str = ""
    broken: str = ""
    n_passed: int = field(default=0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.found_by:
            self.found_by = report.nodeid
        self.n_passed += report.when == "call" and report.passed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.broken:
            self.broken = str(report.longrepr)[-500:]


def run(patch: Patch | None, tests: Sequence[str]) -> Witness:
    """Run tests until the first fails, with a bug planted unless there is none; in a process of its own."""
    if early := sorted(name for name in sys.modules if name.split(".")[0] in ("trading", "storage", "services")):
        raise RuntimeError(f"{early[0]} was imported before anything was planted")
    planter = Planter(patch) if patch is not None else None
    if planter is not None:
        sys.meta_path.insert(0, planter)
    witness = Witness()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # most of the time would be theirs
    code = pytest.main([*OPTIONS, "--timeout", str(SECONDS_A_TEST), *tests], plugins=[witness])
    if planter is not None and not planter.is_planted:
        witness.broken = f"{planter.name} was never imported"
    elif not witness.found_by and not witness.n_passed:
        witness.broken = witness.broken or f"no test was run (pytest ended with {code})"
    return witness


def show(patch: Patch | None, tests: Sequence[str]) -> Found:
    """Let tests look at one bug; in a process of its own."""
    began = time.monotonic()
    witness = run(patch, tests)
    return Found(patch.name if patch else "", witness.found_by, witness.broken, time.monotonic() - began)
