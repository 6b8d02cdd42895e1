"""What a genome is worth: the figures of a whole backtest, on candles that end where the search may not look."""

import random
from dataclasses import replace

import numpy as np
import pytest

from services.automl.arena import Arena, inside, outside, split_of
from services.automl.figures import figures_of, figures_of_returns
from services.automl.fitness import CAPITAL_UNITS, Field, Ground, Rules, Shelf, judge
from services.automl.genome import document_of, draw_genome
from services.strategies import parse_strategy
from services.symbols import specs_for
from tests.evolution_campaign import FREE, loaded_of, market
from trading.backtest import Setup, Tape, simulate
from trading.domain.backtests import CostSettings
from trading.domain.studies import StudyRequest
from trading.errors import BadInput
from trading.metrics import moments, returns_of
from trading.portfolio import costs_of
from trading.research import Semantics, research
from trading.risk import PROFILES

CANDLES = market(0.0, 3, 3_000)
SPEC = specs_for(["BTCUSDT"], {"BTCUSDT": CANDLES})["BTCUSDT"]
RULES = Rules(CostSettings(), PROFILES[1])


def genomes(n: int, with_risk: bool = True):
    rng = random.Random(11)
    return [draw_genome(rng, with_risk) for _ in range(n)]


def question(**changes) -> StudyRequest:
    asked = StudyRequest("evolution", "", {}, ("BTCUSDT",), "1h", None, None, CostSettings(), PROFILES[1], 100)
    return replace(asked, **changes)


def test_figures_equal_those_of_a_whole_backtest_of_the_document():
    field = Field(Ground(CANDLES, SPEC), RULES)
    n_traded = 0
    for genome in genomes(60):
        strategy = parse_strategy(document_of(genome, "bred", ("BTCUSDT",), "1h"))
        setup = Setup({"BTCUSDT": SPEC}, CAPITAL_UNITS, costs_of(RULES.costs),
                      replace(RULES.profile, **strategy.risk), ends_flat=True)
        run = simulate(setup, Tape.of([CANDLES], setup.specs), [strategy.directions(CANDLES)])
        figures = field.figures(genome)
        assert (figures.n_trades, figures.n) == (run.n_trades, len(CANDLES))
        assert figures.total_return == pytest.approx(run.equity[-1] / CAPITAL_UNITS - 1, abs=1e-15)
        assert figures.max_drawdown == pytest.approx(run.worst_drawdown_ppm / 1e6, abs=2e-6)
        n_traded += run.n_trades
    assert n_traded > 500


def test_long_and_short_figures_equal_those_of_research():
    field = Field(Ground(CANDLES, SPEC), Rules(FREE, PROFILES[1], short=True))
    for genome in genomes(40, with_risk=False):
        strategy = parse_strategy(document_of(genome, "bred", ("BTCUSDT",), "1h"))
        done = research(CANDLES, strategy.directions(CANDLES),
                        Semantics(side="both", commission_rate=0.0, slippage_rate=0.0))
        found = moments(returns_of(np.concatenate(([10_000.0], done.equity))))
        figures = field.figures(genome)
        assert figures.n_trades == done.n_trades
        assert figures.sharpe == (found.mean / found.deviation if found.deviation else 0.0)


def test_what_comes_after_the_split_cannot_change_a_figure_inside():
    loaded = loaded_of(CANDLES)
    split = split_of(question(), loaded)
    row = split.rows[0]
    wild = CANDLES.map(lambda column: column.copy())
    for name in ("open", "high", "low", "close", "volume"):
        getattr(wild, name)[row:] = np.nan
    for genome in genomes(30):
        calm = Arena(inside(loaded, split), RULES).do((0, genome))
        torn = Arena(inside(replace(loaded, candles=(wild,)), split), RULES).do((0, genome))
        assert calm == torn


def test_the_untouched_window_begins_flat_where_the_search_ended():
    loaded = loaded_of(CANDLES)
    split = split_of(question(holdout_rate=0.25), loaded)
    (ground,) = outside(loaded, split)
    field = Field(ground, RULES)
    assert ground.first == 2_250
    assert field.times[0] == CANDLES.open_time[2_250] == split.moment
    setup = Setup({"BTCUSDT": SPEC}, CAPITAL_UNITS, costs_of(RULES.costs), RULES.profile, ends_flat=True)
    for genome in genomes(20, with_risk=False):
        wishes = parse_strategy(document_of(genome, "bred", ("BTCUSDT",), "1h")).directions(CANDLES)
        wishes[:2_250] = 0
        figures, run = field.figures(genome), simulate(setup, Tape.of([CANDLES], setup.specs), [wishes])
        assert (figures.n, figures.n_trades) == (750, run.n_trades)
        assert figures.total_return == pytest.approx(run.equity[-1] / CAPITAL_UNITS - 1, abs=1e-4)


def test_several_symbols_are_judged_in_equal_parts():
    other = replace(market(0.0, 4, 3_000), symbol="ETHUSDT")
    specs = specs_for(["BTCUSDT", "ETHUSDT"], {"BTCUSDT": CANDLES, "ETHUSDT": other})
    fields = [Field(Ground(c, specs[c.symbol]), RULES) for c in (CANDLES, other)]
    for genome in genomes(10, with_risk=False):
        alone = [field.figures(genome) for field in fields]
        both = judge(fields, genome)
        assert both.n_trades == alone[0].n_trades + alone[1].n_trades
        assert judge([fields[0], fields[0]], genome).sharpe == pytest.approx(alone[0].sharpe, abs=1e-12)


def test_kept_columns_stay_bounded_and_change_nothing():
    shelf, column = Shelf(3_000, least=1), {"value": np.zeros(100)}  # 800 bytes
    for name in "abc":
        shelf[name] = column
    shelf["a"]
    shelf["d"] = column
    assert list(shelf) == ["c", "a", "d"]
    shelf["e"] = {"upper": np.zeros(200), "lower": np.zeros(150)}
    assert list(shelf) == ["e"]
    field = Field(Ground(CANDLES, SPEC), RULES)
    field._shelf = Shelf(1, least=2)
    fresh = [Field(Ground(CANDLES, SPEC), RULES).figures(genome) for genome in genomes(20)]
    assert [field.figures(genome) for genome in genomes(20)] == fresh


def test_a_curve_that_never_moves_has_no_sharpe_ratio():
    figures = figures_of_returns(np.zeros(50), 0)
    assert (figures.sharpe, figures.sample, figures.n) == (0.0, None, 50)


@pytest.mark.parametrize("rate", [0.0, 0.04, 0.95, 0.9])
def test_a_split_that_leaves_too_little_is_refused(rate: float):
    with pytest.raises(BadInput, match="holdout_rate"):
        split_of(question(holdout_rate=rate), loaded_of(CANDLES[:900]))


def test_a_lost_account_loses_all_of_it_once():
    curve = np.concatenate((np.linspace(100.0, -20.0, 200), np.linspace(-20.0, 400.0, 300)))
    found = figures_of(curve, 50)
    assert (found.total_return, found.max_drawdown) == (-1.0, 1.0)
