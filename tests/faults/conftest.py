"""The scene of each test: an exchange of its own and a cockpit that is ready to trade there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.scene import BTC, Scene
from tests.fakes.rehearsal_exchange import HostedExchange, simulated

Stage = Callable[..., Scene]


@pytest.fixture
def hosted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HostedExchange]:
    """An exchange that listens on a port of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with HostedExchange(simulated((BTC,))) as exchange:
        yield exchange


@pytest.fixture
def stage(hosted: HostedExchange, tmp_path: Path) -> Iterator[Stage]:
    """Make scenes with settings of their own on the exchange; what is made is closed at the end, faults off."""
    with ExitStack() as ending:
        def made(folder: str = "one", **settings: Any) -> Scene:
            scene = Scene(tmp_path / folder, hosted, **settings)
            ending.callback(scene.close)
            ending.callback(hosted.right)
            return scene

        yield made


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A cockpit that is ready to trade."""
    return stage().start()
