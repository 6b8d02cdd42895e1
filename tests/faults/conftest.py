"""The scene of each test: an exchange of its own and a cockpit that is ready to trade there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.rehearsal_exchange import HostedExchange, simulated
from tests.faults.scene import BTC, Scene
from trading.binance.clock import VenueClock
from trading.simulation.exchange.rehearsal import Terms

Host = Callable[..., HostedExchange]
Stage = Callable[..., Scene]
MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Walls:
    """The wall clocks of the cockpit and of the exchange, which a test may set; both go on by themselves."""

    def __init__(self) -> None:
        self.ours_ms = self.theirs_ms = 0

    def ours(self) -> float:
        """The cockpit's, in seconds."""
        return time.time() + self.ours_ms / 1000

    def theirs(self) -> int:
        """The exchange's, UTC ms."""
        return int(time.time() * 1000) + self.theirs_ms

    def jump(self, ms: int) -> None:
        """Let time pass for both, as if the computer had slept."""
        self.ours_ms += ms
        self.theirs_ms += ms

    def go_to(self, second: float, span_ms: int = MINUTE_MS) -> None:
        """Go forward until so many seconds of the minute (or of another span) have passed."""
        self.jump((int(second * 1000) - self.theirs()) % span_ms)


@pytest.fixture
def walls(monkeypatch: pytest.MonkeyPatch) -> Walls:
    """Clocks that stand still for nobody but can be set."""
    made = Walls()
    monkeypatch.setattr(VenueClock.__init__, "__defaults__", (made.ours, time.monotonic))
    return made


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walls: Walls) -> Iterator[Host]:
    """Open an exchange on terms of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with ExitStack() as ending:
        def opened(terms: Terms | None = None, symbols: tuple[str, ...] = (BTC,)) -> HostedExchange:
            return ending.enter_context(HostedExchange(simulated(symbols, now=walls.theirs, terms=terms)))

        yield opened


@pytest.fixture
def hosted(host: Host) -> HostedExchange:
    """An exchange that listens on a port of its own."""
    return host()


@pytest.fixture
def stage_at(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Make scenes at an exchange with settings of their own; what is made is closed at the end, faults off."""
    with ExitStack() as ending:
        def made(exchange: HostedExchange, folder: str = "one", **settings: Any) -> Scene:
            scene = Scene(tmp_path / folder, exchange, **settings)
            ending.callback(scene.close)
            ending.callback(exchange.right)
            return scene

        yield made


@pytest.fixture
def stage(hosted: HostedExchange, stage_at: Callable[..., Scene]) -> Stage:
    """Make scenes at the exchange."""
    return lambda folder="one", **settings: stage_at(hosted, folder, **settings)


@pytest.fixture
def scene(stage: Stage) -> Scene:
    """A cockpit that is ready to trade."""
    return stage().start()
