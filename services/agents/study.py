"""What would Mother AI have done? She learns on the first half of stored bars and trades the second.

Beside her: each agent alone with all the capital, and all of them with equal parts of it. Confidences count what closed
before each bar, so the first half is their past too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.agents.engaging import mother_of
from trading.agents.threshold import Threshold, learnt_threshold
from trading.backtest import Setup, Simulation, Tape, simulate
from trading.domain import Candles, FloatArray, IntArray
from trading.domain.agents import AgentConfig, CalibrationBin, MotherConfig, MotherStudy, StudyCurve
from trading.errors import BadInput
from trading.ranking import UNRANKED, Ranking
from trading.shadow import Firings, earned, terms_of
from trading.strategies import RuleStrategy

MIN_BARS, MAX_POINTS = 400, 600
BIN = 0.05
MOTHER, EQUAL = "Mother AI", "Equal weight"


@dataclass(frozen=True, slots=True)
class Player:
    """An agent with its rules on its symbol's bars, and what it said on them."""

    config: AgentConfig
    strategy: RuleStrategy
    candles: Candles
    directions: NDArray[np.int8]
    said: FloatArray
    firings: Firings

    @classmethod
    def of(cls, config: AgentConfig, strategy: RuleStrategy, candles: Candles, setup: Setup) -> Player:
        """Let the rules look at the bars."""
        directions = strategy.directions(candles)
        terms = terms_of(setup.specs[candles.symbol], setup.costs, setup.profile)
        said, firings = earned(candles, directions, terms)
        return cls(config, strategy, candles, directions, said, firings)

    def rows(self, start: int, end: int) -> Player:
        """Return the same between two open times, the first included."""
        low, high = (int(x) for x in np.searchsorted(self.candles.open_time, (start, end)))
        return replace(self, candles=self.candles[low:high], directions=self.directions[low:high],
                       said=self.said[low:high])


def studied(players: Sequence[Player], setup: Setup, config: MotherConfig) -> MotherStudy:
    """Compare Mother AI with each agent alone and with equal weight.

    Raises
    ------
    BadInput
        No agent with rules, or too few bars for two halves.
    """
    chosen = _one_a_symbol(players)
    start, middle, end = _halves(chosen)
    early = [player.rows(start, middle) for player in chosen]
    late = [player.rows(middle, end) for player in chosen]
    free = replace(setup, ranking=Ranking(len(chosen), mother=mother_of(config)))
    threshold = learnt_threshold(free, _tape(early, setup), *_columns(early))
    least = threshold.min_score if config.min_score is None else config.min_score
    ranking = Ranking(config.top_n, threshold.floor if least is None else least, mother_of(config))
    tape = _tape(late, setup)
    mother = simulate(replace(setup, ranking=ranking, ends_flat=True), tape, *_columns(late))
    time = tape.time
    alone = [(p, _alone(p.rows(middle, end), setup)) for p in players]
    curves = [_curve(MOTHER, mother.equity, mother.n_trades, setup.capital_units),
              _equal([_spread(run, time) for p, run in alone if p in chosen],
                     sum(run.n_trades for p, run in alone if p in chosen), setup.capital_units)]
    curves += [_curve(_name(p), _spread(run, time), run.n_trades, setup.capital_units) for p, run in alone]
    kept = _thinned(len(time))
    return MotherStudy(
        int(time[0]), int(time[-1]), len(time), _least_words(config, threshold), least,
        tuple(replace(curve, equity=curve.equity[kept]) for curve in curves), time[kept],
        {p.config.key: calibration(p.firings) for p in players},
        _notes(players, chosen, [mother, *(run for _, run in alone)]),
    )


def _least_words(config: MotherConfig, threshold: Threshold) -> str:
    """Say which least score was used and where it comes from."""
    if config.min_score is not None:
        return f"the score {config.min_score:g} that is set was used; nothing was learnt"
    return f"threshold from the first half: {threshold.words}"


def calibration(firings: Firings, width: float = BIN) -> tuple[CalibrationBin, ...]:
    """Return how often firings made money, by what was said of them when they fired."""
    places = np.floor(firings.confidence / width).astype(np.int64)
    found = []
    for place in np.unique(places):
        mine = places == place
        found.append(CalibrationBin(float(firings.confidence[mine].mean()), float((firings.gain[mine] > 0.0).mean()),
                                    int(np.count_nonzero(mine))))
    return tuple(found)


def _one_a_symbol(players: Sequence[Player]) -> list[Player]:
    """Return the first agent of each symbol that is not paused: the kernel trades one rule a symbol."""
    found: dict[str, Player] = {}
    for player in players:
        if not player.config.paused:
            found.setdefault(player.candles.symbol, player)
    if not found:
        raise BadInput("no agent with rules is running; start one")
    return list(found.values())


def _halves(players: Sequence[Player]) -> tuple[int, int, int]:
    """Return the open times between which all have bars, and their middle."""
    start = max(int(p.candles.open_time[0]) if len(p.candles) else 0 for p in players)
    end = min(int(p.candles.open_time[-1]) if len(p.candles) else 0 for p in players) + 1
    times = players[0].candles.open_time
    common = times[(times >= start) & (times < end)]
    if len(common) < MIN_BARS:
        raise BadInput(f"{len(common)} common bars are stored, {MIN_BARS} are needed: download or wait for more")
    return start, int(common[len(common) // 2]), end


def _tape(players: Sequence[Player], setup: Setup) -> Tape:
    return Tape.of([player.candles for player in players], setup.specs)


def _columns(players: Sequence[Player]) -> tuple[list[NDArray[np.int8]], list[FloatArray]]:
    return [player.directions for player in players], [player.said for player in players]


def _alone(player: Player, setup: Setup) -> Simulation:
    own = replace(setup, ranking=UNRANKED, ends_flat=True)
    return simulate(own, _tape([player], setup), [player.directions])


def _spread(run: Simulation, time: IntArray) -> IntArray:
    """Return a run's equity at other moments: the last one known, the capital before the first."""
    known = np.concatenate(([run.setup.capital_units], run.equity))
    spread: IntArray = known[np.searchsorted(run.time, time, "right")]
    return spread


def _equal(equities: Sequence[IntArray], n_trades: int, capital: int) -> StudyCurve:
    return _curve(EQUAL, np.mean(equities, axis=0), n_trades, capital)


def _curve(name: str, equity: NDArray[np.int64] | FloatArray, n_trades: int, capital: int) -> StudyCurve:
    worth: FloatArray = np.asarray(equity, np.float64) / capital
    peak = np.maximum(np.maximum.accumulate(worth), 1.0)
    return StudyCurve(name, float(worth[-1]) - 1.0, float((worth / peak).min()) - 1.0, n_trades, worth)


def _thinned(n: int) -> IntArray:
    return np.unique(np.linspace(0, n - 1, min(n, MAX_POINTS)).astype(np.int64))


def _name(player: Player) -> str:
    return f"{player.strategy.name} · {player.candles.symbol}"


def _notes(players: Sequence[Player], chosen: Sequence[Player], runs: Sequence[Simulation]) -> tuple[str, ...]:
    left = [_name(player) for player in players if player not in chosen]
    notes = ["a rule whose numbers were chosen on these bars looks better than it is"]
    n_killed = sum(run.killed_at > 0 for run in runs)
    if n_killed:
        notes.append(f"the kill switch ended {n_killed} of {len(runs)} runs at a drawdown of "
                     f"{runs[0].setup.profile.max_drawdown_rate:.0%}")
    if left:
        notes.append(f"Mother AI and equal weight take one running agent a symbol; {', '.join(left)} only alone")
    return tuple(notes)


def players_of(rules: Sequence[tuple[AgentConfig, RuleStrategy]], candles: Mapping[str, Candles],
               setup: Setup) -> list[Player]:
    """Return the agents whose symbols have bars."""
    return [Player.of(config, strategy, candles[config.symbol], setup) for config, strategy in rules
            if len(candles.get(config.symbol, ()))]
