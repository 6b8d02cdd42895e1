"""What a rule's confidence rests on: hypothetical trades after costs, closed before the bar that speaks."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from services.strategies import demo_strategy, parse_strategy, shipped_strategies
from tests.contracts.signal_source import advise, random_candles
from trading import book
from trading.agents.symbol_agent import SymbolAgent
from trading.backtest import Setup, Tape, simulate
from trading.domain import Action, SymbolSpec
from trading.domain.backtests import CostSettings
from trading.errors import BadInput
from trading.portfolio import costs_of
from trading.risk import PROFILES
from trading.shadow import Shadow, earned, terms_of

SPEC = SymbolSpec("BTCUSDT", Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(0), Decimal(0))
OPEN_HANDED = replace(PROFILES[1], max_drawdown_rate=0.99, daily_loss_rate=0.99, risk_rate=0.001)
PROFILES_TRIED = [
    OPEN_HANDED, replace(OPEN_HANDED, trail_atr=1.0, target_atr=0.0), replace(OPEN_HANDED, time_stop_bars=7),
    replace(OPEN_HANDED, breakeven_atr=0.5, stop_atr=4.0, target_atr=9.0),
]
FREE = costs_of(CostSettings(0.0, 0.0, 0.0))


def shipped():
    found = [demo_strategy("BTCUSDT")]
    for _, document in shipped_strategies():
        try:
            found.append(parse_strategy(document).for_symbol("BTCUSDT"))
        except BadInput:
            continue
    return [strategy for strategy in found if strategy.side == "long"]


def terms(profile=OPEN_HANDED, costs=None):
    return terms_of(SPEC, costs or costs_of(CostSettings()), profile)


def made(closes, opens=None):
    """Bars without wicks, so that what trades is easy to read."""
    closes = np.asarray(closes, float)
    opens = np.concatenate((closes[:1], closes[:-1])) if opens is None else np.asarray(opens, float)
    bars = random_candles(len(closes))
    return replace(bars, open=opens, high=np.maximum(opens, closes), low=np.minimum(opens, closes), close=closes)


def said(directions, closes, costs=FREE, profile=OPEN_HANDED):
    candles = made(closes)
    return Shadow(terms(profile, costs)).take(candles, np.ones(len(closes)), np.array(directions, np.int8))


def test_a_trade_opens_at_the_next_open_and_leaves_at_the_open_after_the_exit():
    # Buys at the open of row 1 (100), sells at the open of row 4 (101): a win, known from row 5 on.
    words, firings = said([1, 0, 0, -1, 1, 1, 1], [100, 100.5, 100.6, 101, 101, 101, 101])
    assert (firings.fired.tolist(), firings.closed.tolist()) == ([0], [4])
    assert firings.gain[0] == pytest.approx(0.01)
    assert words[4] == 0.5 and words[5] == 6 / 11


def test_costs_turn_a_small_gain_into_a_loss():
    directions, closes = [1, 0, 0, -1, 1, 1, 1], [100, 100.1, 100.1, 100.1, 100.1, 100.1, 100.1]
    _, free = said(directions, closes)
    words, paid = said(directions, closes, costs_of(CostSettings()))
    assert free.gain[0] > 0.0 > paid.gain[0]
    assert words[5] == 5 / 11


def test_buys_while_a_trade_is_open_are_the_same_trade():
    words, firings = said([1, 1, 1, 1, -1, 1, 1], [100, 101, 101, 101, 101, 101, 101])
    assert len(firings.fired) == 1 and words[-1] == 6 / 11


def test_a_stop_closes_a_trade_before_any_exit_signal():
    words, firings = said([1, 0, 0, 1, 1], [100, 100, 95, 95, 95])
    assert firings.closed.tolist() == [2]
    assert firings.gain[0] == pytest.approx(-0.02)  # two ATRs of 1 below 100
    assert words[3] == 5 / 11


def test_a_sell_is_right_when_buying_back_was_cheaper():
    words, _ = said([-1, 0, 1, -1, -1], [100, 90, 90, 90, 90])
    assert words[3] == 0.5, "the buy back at the open of row 3 does not count on row 3"
    assert words[4] == 6 / 11
    dearer, _ = said([-1, 0, 1, -1, -1], [100, 110, 110, 110, 110])
    assert dearer[4] == 5 / 11


def test_no_trade_is_opened_before_the_atr_is_known():
    candles = made([100.0] * 4)
    words, firings = Shadow(terms()).take(candles, np.full(4, np.nan), np.array([1, 0, -1, 1], np.int8))
    assert len(firings.fired) == 0 and words[3] == 0.5


@pytest.mark.parametrize("profile", PROFILES_TRIED)
@pytest.mark.parametrize("strategy", shipped(), ids=lambda strategy: strategy.name)
def test_bars_one_by_one_and_columns_say_the_same_to_the_bit(strategy, profile):
    candles = random_candles(1_500, seed=5)
    words, _ = earned(candles, strategy.directions(candles), terms(profile))
    agent = SymbolAgent(strategy, terms(profile))
    agent.warm_up(candles[:1])
    agent.warm_up(candles[1:400])
    assert [s.confidence for s in advise(agent, candles[400:])] == words[400:].tolist()


def test_hypothetical_trades_are_those_of_an_account_that_may_always_trade():
    candles = random_candles(4_000, seed=6)
    directions = demo_strategy("BTCUSDT").directions(candles)
    for profile in PROFILES_TRIED:
        costs = costs_of(CostSettings(volume_share=1.0))
        setup = Setup({"BTCUSDT": SPEC}, 10**10, costs, profile)
        run = simulate(setup, Tape.of([candles], setup.specs), [directions])
        _, firings = earned(candles, directions, terms(profile, costs))
        assert len(firings.fired) == run.n_trades > 50
        assert (candles.open_time[firings.fired + 1] == run.trade_columns[:, book.T_ENTRY_TIME]).all()
        closed = candles.open_time[firings.closed]
        exits = run.trade_columns[:, book.T_EXIT_TIME]
        assert ((closed == exits) | (closed + 59_999 == exits)).all()
        assert ((firings.gain > 0.0) == (run.trade_columns[:, book.T_PNL] > 0)).mean() > 0.99


def looks_ahead(confidences) -> bool:
    """Whether what is said of early bars changes with bars that come after them."""
    candles = random_candles(1_200, seed=8)
    shaken = random_candles(1_200, seed=9)
    for cut in (300, 700, 1_100):
        mixed = candles[:cut].then(shaken[cut:])
        if not np.array_equal(confidences(candles)[:cut], confidences(mixed)[:cut], equal_nan=True):
            return True
    return False


def test_no_later_bar_changes_what_was_said():
    strategy = demo_strategy("BTCUSDT")
    assert not looks_ahead(lambda candles: earned(candles, strategy.directions(candles))[0])


def test_a_confidence_from_the_whole_past_and_future_would_be_caught():
    strategy = demo_strategy("BTCUSDT")

    def cheating(candles):
        words, firings = earned(candles, strategy.directions(candles))
        return np.where(words > 0.0, np.mean(firings.gain > 0.0), 0.0)

    assert looks_ahead(cheating)


def test_a_confidence_counts_only_what_closed_before_its_bar():
    candles = random_candles(3_000, seed=10)
    directions = demo_strategy("BTCUSDT").directions(candles)
    words, firings = earned(candles, directions)
    assert len(firings.fired) > 100
    for row in np.flatnonzero(directions > 0):
        over = firings.closed < row
        assert words[row] == (np.count_nonzero(firings.gain[over] > 0.0) + 5) / (np.count_nonzero(over) + 10)


def test_a_hold_claims_nothing():
    candles = random_candles(300)
    agent = SymbolAgent(demo_strategy("BTCUSDT"))
    assert all(s.confidence == 0.0 for s in advise(agent, candles) if s.action is Action.HOLD)
