"""The comparison of Mother AI with her agents on stored bars, and the lights that follow from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from services.agents.engaging import Engaged
from services.agents.study import players_of, studied
from services.strategies.health import light_of
from trading.backtest import Setup
from trading.domain import TradeView
from trading.domain.agents import MotherStudy, Roster
from trading.domain.strategies import HealthLight
from trading.engine import Engine
from trading.errors import CockpitError

STUDY_BARS = 60_000
log = logging.getLogger(__name__)


class Comparison:
    """Compares when asked and keeps the answer. Any thread may ask."""

    def __init__(self, engine: Engine, charts: Any, read: Callable[[Roster], Engaged], interval: str) -> None:
        self._engine, self._charts, self._rules, self._interval = engine, charts, read, interval
        self.found: MotherStudy | None = None
        self.state = ""
        self._n_compared = 0
        self._expected: dict[str, list[dict[str, Any]]] = {}
        self._lights: dict[str, tuple[tuple[int, int], HealthLight]] = {}
        self._lock = threading.Lock()

    def run(self, read: Callable[[], Roster], symbols: Sequence[str]) -> None:
        """Compare; `found` has the answer, or `state` says why there is none."""
        with self._lock:
            self.state = "running"
            try:
                self.found = self._studied(read(), symbols)
                self.state = ""
            except CockpitError as error:
                self.state = str(error)
            except Exception as error:
                log.exception("the comparison failed")
                self.state = f"internal error: {type(error).__name__}: {error}"

    def _studied(self, roster: Roster, symbols: Sequence[str]) -> MotherStudy:
        portfolio = self._engine.portfolio
        setup = Setup(portfolio.specs, portfolio.start_units, portfolio.costs, self._engine.risk.profile)
        bars = {symbol: self._charts.chart(symbol, self._interval, STUDY_BARS + 1, ()).candles[:-1]
                for symbol in symbols if symbol in portfolio.specs}
        players = players_of(self._rules(roster).rules, bars, setup)
        self._expected = {p.config.key: [_expected(gain) for gain in p.firings.gain.tolist()] for p in players}
        self._n_compared += 1
        return studied(players, setup, roster.mother)

    def light(self, key: str, seen: list[TradeView], n: int) -> HealthLight:
        """Return the light; it draws thousands of runs, so it is worked out anew only after a trade or a comparison."""
        expected = self._expected.get(key, [])
        stamp = n, self._n_compared
        known = self._lights.get(key)
        if known is None or known[0] != stamp:
            known = self._lights[key] = stamp, light_of(expected, seen)
        return known[1]


def _expected(gain: float) -> dict[str, Any]:
    """Return a hypothetical trade as the health light takes one."""
    return {"pnl": gain, "entry_price": 1, "quantity": 1, "exit_time": 0}
