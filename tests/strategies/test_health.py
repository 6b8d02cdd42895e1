"""Health of a strategy: figures of the last trades, and a light that compares them with the backtest."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import betabinom

from services.strategies import health
from services.strategies.health import health_of, light_of, returns_of_trades, run_averages, wins_below
from trading.errors import BadInput


@dataclass
class Trade:
    exit_time: int
    pnl_rate: float


def trades(rates):
    return [Trade(number, float(rate)) for number, rate in enumerate(rates)]


def drawn(n, seed, shift=0.0):
    """Trades that win 45 % of the time and 0.4 % on average, as a trend follower's do."""
    draw = np.random.default_rng(seed)
    wins = draw.random(n) < 0.45
    return np.where(wins, draw.exponential(0.03, n), -draw.exponential(0.0175, n)) + shift


def row(pnl, entry="100", quantity="2", exit_time=1):
    return {"pnl": pnl, "entry_price": entry, "quantity": quantity, "exit_time": exit_time}


def test_figures_are_those_of_the_last_trades_rounded_to_three_decimals():
    found = health_of(trades([-0.5] * 5 + [0.01, -0.0212345, 0.0] + [0.01] * 17))
    assert found.count == 20
    assert found.win_rate == 0.9
    assert found.avg_profit == round(100 * (18 * 0.01 - 0.0212345) / 20, 3)
    assert found.recent_drawdown == -2.123


def test_number_of_trades_can_be_set_and_none_is_no_zero():
    assert health_of(trades([-0.5, 0.1, 0.1]), 2).win_rate == 1.0
    assert health_of(trades([0.1]), 5).recent_drawdown == 0.0
    assert health_of([]) == type(health_of([]))(None, None, None, 0)
    with pytest.raises(BadInput, match="last: 0"):
        health_of([], 0)


def test_rows_of_the_database_and_views_give_the_same_returns():
    rows = [row("4.00000000", exit_time=2), row("-1.5", exit_time=1)]
    assert returns_of_trades(rows).tolist() == [-0.0075, 0.02]
    assert returns_of_trades([Trade(2, 0.02), Trade(1, -0.0075)]).tolist() == [-0.0075, 0.02]


@pytest.mark.parametrize("bad", [{}, row("x"), row("1", quantity="0"), row(None), row("NaN"), 3,
                                 Trade(1, float("inf"))])
def test_trade_that_is_none_is_refused_in_words(bad):
    with pytest.raises(BadInput, match="correct the file"):
        health_of([bad])


def test_too_few_trades_are_said_to_be_too_few():
    assert light_of(trades(drawn(29, 1)), trades(drawn(20, 2))).words.startswith("Too few to tell: the backtest has 29")
    found = light_of(trades(drawn(200, 1)), trades(drawn(9, 2)))
    assert (found.state, found.p_value, found.band) == ("too few to tell", None, None)


def test_loss_within_the_band_is_green_and_says_so():
    reference = drawn(300, 1)
    recent = np.sort(np.random.default_rng(3).choice(reference, 20))
    recent -= recent.mean() + 0.002
    found = light_of(trades(reference), trades(recent))
    assert found.state == "green" and found.average == -0.2
    assert found.band[0] < -0.2 < found.band[1]
    assert "Within the band: the last 20 trades made -0.20 %" in found.words


def test_edge_that_is_gone_is_red_by_its_average_or_by_its_wins_alone():
    reference = drawn(300, 1)
    worse = light_of(trades(reference), trades(np.concatenate([[0.001] * 9, [-0.05] * 11])))
    assert worse.state == "red" and "probably gone or never was" in worse.words
    rarely = light_of(trades(reference), trades([-0.001] * 19 + [0.2]))
    assert rarely.average > 0 and rarely.state == "red" and rarely.least_wins >= 4


def test_backtest_without_an_edge_is_named():
    assert "no edge to lose" in light_of(trades(drawn(300, 1, -0.02)), trades(drawn(20, 2, -0.02))).words


def test_same_trades_give_the_same_light():
    reference, recent = trades(drawn(100, 1)), trades(drawn(20, 2))
    assert light_of(reference, recent) == light_of(reference, recent)


@pytest.mark.parametrize(("wins", "expected", "n"), [(45, 100, 20), (0, 30, 10), (30, 30, 10), (900, 2_000, 60)])
def test_chance_of_wins_is_the_beta_binomial(wins, expected, n):
    want = betabinom.cdf(np.arange(n + 1), n, wins + 0.5, expected - wins + 0.5)
    assert np.allclose(wins_below(wins, expected, n), want, atol=1e-9)


def test_short_backtest_has_the_wider_band():
    reference = np.tile(drawn(40, 1), 60)
    short = run_averages(reference[:40], 20, np.random.default_rng(1)).std()
    assert short > 1.1 * run_averages(reference, 20, np.random.default_rng(1)).std()


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 0.0, 0.09), (-0.02, 0.75, 1.0)])
def test_light_warns_seldom_of_an_edge_that_is_there_and_mostly_of_one_that_is_gone(monkeypatch, shift, least, most):
    monkeypatch.setattr(health, "N_RUNS", 400)
    warned = sum(light_of(trades(drawn(200, 2 * k)), trades(drawn(20, 2 * k + 1, shift))).state != "green"
                 for k in range(150))
    assert least <= warned / 150 <= most
