"""An account beside its replay: what differs on purpose lands in its own part, and the parts sum to the whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from services.parity.document import parity_document, parity_lines
from services.parity.split import Bars, split
from services.parity.trips import Trip
from services.strategies import parse_strategy
from storage import tables
from storage.history import History
from tests.services.lived import ACCOUNT, MINUTE, SYMBOLS, Life, lived, market, row_of
from trading.brokers.paper import PaperBroker
from trading.domain import Action, Candle, Candles, Fill, Order, Side, Signal, Trade
from trading.domain.backtests import CostSettings
from trading.domain.parity import PARTS, ParityReport
from trading.events import OrderEnded
from trading.ranking import TOO_LATE, Mother, Ranking
from trading.rules import Costs, Market

NOTHING = Decimal(0)


def assert_exact(report: ParityReport) -> None:
    for line in report.lines:
        assert line.gap == line.live.pnl - line.replay.pnl


def parts_of(report: ParityReport) -> set[str]:
    """The parts that are not nothing in at least one trade."""
    return {part for line in report.lines for part in PARTS if getattr(line, part)}


def test_an_account_that_only_followed_its_rules_has_no_gap_to_the_last_unit(tmp_path: Path):
    with lived(tmp_path, Life()) as (_, compare):
        report = compare()
    assert len(report.lines) > 20
    assert {line.gap for line in report.lines} == {NOTHING}
    assert all(line.live == line.replay and line.cause == "" for line in report.lines)
    assert report.unmatched == () and report.n_bars_differing == 0
    assert report.mean_bps == report.median_bps == 0.0


def test_a_replay_ranks_without_the_bar_that_missed_the_deadline_of_its_moment(tmp_path: Path):
    competing = parse_strategy({
        "version": 2, "name": "Competing dips", "symbols": ["BTCUSDT", "ETHUSDT"], "timeframe": "1m",
        "entry": {"left": "rsi_5", "op": "<", "right": 40}, "exit": {"left": "rsi_5", "op": ">", "right": 50},
        "rank": {"by": "rsi_5", "top_n": 1}})
    with lived(tmp_path / "plain", Life(300, rules=competing)) as (database, compare):
        report = compare()
        beaten = [made for made in History(database, ACCOUNT, market(1)[1]).all_decisions()
                  if made.outcome == "denied: rank" and made.reason.endswith("place 2, the best 1 may buy")]
    assert report.unmatched == ()
    loser = beaten[len(beaten) // 2]
    row, (winner,) = row_of(loser.time), {*SYMBOLS} - {loser.symbol}
    with lived(tmp_path / "late", Life(300, rules=competing, absent={row: winner})) as (database, compare):
        report = compare()
        history = History(database, ACCOUNT, market(1)[1])
        decided = {made.symbol: made for made in history.all_decisions() if made.time == loser.time}
        said = [line.text for line in history.lines(None) if line.kind == "RANK"]
    assert decided[loser.symbol].outcome == "entry" and TOO_LATE.detail in decided[winner].reason
    assert said == [f"ranked without {winner.removesuffix('USDT')}/USDT: no bar by the deadline"]
    assert report.unmatched == () and {line.gap for line in report.lines} == {NOTHING}


def test_a_candle_seen_otherwise_is_a_gap_of_the_data_alone(tmp_path: Path):
    with lived(tmp_path / "plain", Life(200)) as (_, compare):
        trade = next(line.live for line in compare().lines if line.symbol == "BTCUSDT")
    row = row_of(trade.entry_time)

    def opened_higher(bar: dict[str, float]) -> None:
        bar["open"] = round(bar["open"] * 1.0005, 2)

    with lived(tmp_path / "changed", Life(200, {("BTCUSDT", row): opened_higher})) as (_, compare):
        report = compare()
    assert report.n_bars_differing == 1
    assert_exact(report)
    assert parts_of(report) == {"data"}
    line = next(line for line in report.lines if line.live.entry_time == trade.entry_time)
    assert line.data != 0 and line.live.entry_price > line.replay.entry_price


def test_a_trade_that_only_one_set_of_candles_makes_is_named_with_both_decisions(tmp_path: Path):
    with lived(tmp_path / "plain", Life(300)) as (_, compare):
        busy = [row_of(time) for line in compare().lines if line.symbol == "BTCUSDT"
                for time in range(line.live.entry_time, line.live.exit_time + 1, MINUTE)]
    quiet = next(row for row in range(340, 590) if not set(range(row - 8, row + 9)) & set(busy))

    def crashed(bar: dict[str, float]) -> None:
        bar["close"] = round(bar["close"] * 0.99, 2)

    with lived(tmp_path / "changed", Life(300, {("BTCUSDT", quiet): crashed})) as (_, compare):
        report = compare()
    assert_exact(report)
    assert report.unmatched and {each.cause for each in report.unmatched} == {"data"}
    first = report.unmatched[0]
    assert first.live_decision.startswith("on the candles seen: ")
    assert first.replay_decision.startswith("on the recorded candles: ")


def test_another_fill_price_is_a_gap_of_the_fill_alone(tmp_path: Path):
    with lived(tmp_path, Life(200)) as (database, compare):
        t = tables.fills
        fill = next(row for row in database.rows(select(t)) if row["side"] == "SELL")
        price, quantity = Decimal(fill["price"]) - 7, Decimal(fill["quantity"])
        quote = price * quantity
        worse = {"price": str(price), "quote_quantity": f"{quote:.8f}", "commission_quote": f"{quote / 1000:.8f}"}
        with database.write() as connection:
            connection.execute(update(t).where(t.c.trade_id == fill["trade_id"]).values(worse))
        report = compare()
    assert_exact(report)
    assert parts_of(report) == {"fill"}
    (line,) = [line for line in report.lines if line.gap]
    assert line.fill == pytest.approx(-7 * quantity * Decimal("0.999"), abs=Decimal("0.0000001"))


class LateBroker(PaperBroker):
    """Takes one entry a bar later than it was sent."""

    def place(self, order: Order) -> None:
        """Hold the third order back for a bar."""
        is_late = order.client_id == "ck-1"
        super().place(replace(order, time=order.time + MINUTE) if is_late else order)


def test_acting_a_bar_late_is_a_gap_of_the_timing_alone(tmp_path: Path):
    with lived(tmp_path, Life(200, broker=LateBroker)) as (_, compare):
        report = compare()
    assert_exact(report)
    late = next(line for line in report.lines if line.gap)
    assert late.live.entry_time == late.replay.entry_time + MINUTE
    assert late.timing == late.gap
    assert parts_of(report) == {"timing"}


def test_another_commission_is_a_gap_of_the_commission_alone(tmp_path: Path):
    with lived(tmp_path, Life(200, costs=CostSettings(commission_rate=0.0015))) as (_, compare):
        report = compare()
    assert_exact(report)
    assert parts_of(report) == {"commission"}
    assert all(line.commission < 0 for line in report.lines)


def test_what_a_person_did_is_named_done_again_and_left_out_of_the_means(tmp_path: Path):
    with lived(tmp_path / "plain", Life(300)) as (_, compare):
        first, second = [line.live for line in compare().lines if line.symbol == "BTCUSDT"
                         and line.live.exit_time - line.live.entry_time > 3 * MINUTE][:2]
    acts = {row_of(first.entry_time) + 2: ("close", {"symbol": "BTCUSDT", "rate": 1.0}),
            row_of(second.entry_time) + 2: ("flatten", {}), row_of(second.entry_time) + 40: ("start", {})}
    with lived(tmp_path / "acted", Life(300, acts=acts)) as (_, compare):
        report = compare()
    by_hand = {line.live.closed_because: line for line in report.lines if line.cause == "manual"}
    assert {"manual", "flatten"} <= set(by_hand)
    assert {line.gap for line in report.lines} == {NOTHING} and report.unmatched == ()
    assert not any(line.cause for line in report.counted)
    commands = [each.text for each in report.circumstances if each.kind == "command"]
    assert [text.split(":")[0] for text in commands] == ["close", "flatten", "start"]


def test_bars_that_came_late_are_a_stop_and_no_fault_of_the_rules(tmp_path: Path):
    with lived(tmp_path, Life(400, late=range(400, 480))) as (_, compare):
        report = compare()
    assert {line.gap for line in report.lines} == {NOTHING} and report.unmatched == ()
    stops = [each for each in report.circumstances if each.kind == "stopped"]
    assert len(stops) == 2 and "80 bars came late" in stops[0].text


def test_other_rules_after_a_restart_are_replayed_from_there_on(tmp_path: Path):
    with lived(tmp_path / "one", Life(300, restart=(450, "sma-cross"))) as (_, compare):
        report = compare()
    assert {line.gap for line in report.lines} == {NOTHING} and report.unmatched == ()
    openers = {line.live.opened_by: row_of(line.live.entry_time) for line in report.lines}
    assert len(openers) == 2
    assert [each.kind for each in report.circumstances].count("start") == 2


class Coin:
    """Votes like a model: buys every fortieth bar."""

    def __init__(self, symbol: str) -> None:
        self.symbol, self.name = symbol, "model"

    def warm_up(self, candles: Candles) -> None:
        """Learn nothing."""

    def on_candle(self, candle: Candle) -> Signal:
        """Buy or hold."""
        action = Action.BUY if row_of(candle.open_time) % 40 == 0 else Action.HOLD
        return Signal(self.symbol, candle.close_time, self.name, action, 0.6, "heads", {"version": "v1"})


def test_what_a_model_voted_is_taken_from_the_record(tmp_path: Path):
    with lived(tmp_path, Life(300, voter=Coin)) as (_, compare):
        report = compare()
    assert "model" in {line.live.opened_by for line in report.lines}
    assert {line.gap for line in report.lines} == {NOTHING} and report.unmatched == ()
    assert report.notes == ("what models said is taken from the record, not asked again",)


def test_a_bar_on_which_an_agent_did_not_answer_is_one_on_which_it_does_not_answer_again(tmp_path: Path):
    with lived(tmp_path / "awake", Life(300)) as (_, compare):
        entries = [row_of(line.live.entry_time) - 1 for line in compare().lines]
    asleep = frozenset(entries[1:4])
    with lived(tmp_path / "asleep", Life(300, asleep=asleep)) as (database, compare):
        report = compare()
        t = tables.decisions
        said = database.rows(select(t.c.reason).where(t.c.reason == "abstains: TimeoutError: asleep"))
    assert len(said) == 2 * len(asleep)
    assert not asleep & {row_of(line.live.entry_time) - 1 for line in report.lines}
    assert report.lines and report.unmatched == ()
    assert {line.gap for line in report.lines} == {NOTHING}


def test_an_agent_of_a_later_start_does_not_speak_where_it_did_not_answer(tmp_path: Path):
    life = Life(400, restart=(450, "sma-cross"))
    with lived(tmp_path / "awake", life) as (_, compare):
        entries = [row_of(line.live.entry_time) - 1 for line in compare().lines]
    asleep = frozenset([row for row in entries if row > 460][:2])
    with lived(tmp_path / "asleep", replace(life, asleep=asleep)) as (_, compare):
        report = compare()
    assert len(asleep) == 2 and report.lines and report.unmatched == ()
    assert {line.gap for line in report.lines} == {NOTHING}


def confidences(folder: Path, life: Life) -> dict[tuple[str, int], float]:
    """What was said on each bar on which something was wanted, and how surely."""
    with lived(folder, life) as (database, _):
        past = History(database, ACCOUNT, market(1)[1])
        return {(made.symbol, made.time): signal.confidence for made in past.all_decisions()
                for signal in made.signals if signal.action is not Action.HOLD}


def test_a_bar_is_as_sure_after_a_restart_that_finds_few_bars_as_without_one(tmp_path: Path):
    whole = confidences(tmp_path / "whole", Life(500))
    assert len(set(whole.values())) > 10
    assert confidences(tmp_path / "restarted", Life(500, restart=(550, ""), known=250)) == whole


@pytest.mark.parametrize("life", [
    Life(600, ranking=Ranking(1, 0.19, Mother())),
    Life(400, restart=(450, ""), known=250, ranking=Ranking(1, 0.2, Mother())),
    Life(900, restart=(600, "sma-cross"), known=150, ranking=Ranking(1, 0.46, Mother()))],
    ids=("ranked", "ranked since a restart", "other rules since a restart"))
def test_the_replay_of_an_account_that_mother_ai_ranks_says_the_same(tmp_path: Path, life: Life):
    with lived(tmp_path, life) as (database, compare):
        report = compare()
        passed = Counter(row["outcome"] for row in database.rows(select(tables.decisions.c.outcome)))
    assert passed["denied: min_score"] >= 3 and passed["entry"] > 3
    assert report.unmatched == () and {line.gap for line in report.lines} == {NOTHING}


class RefusingBroker(PaperBroker):
    """Says no to the first entry."""

    def place(self, order: Order) -> None:
        """Refuse one order."""
        if order.client_id == "ck-1":
            self._publish(OrderEnded(order.client_id, order.symbol, "REJECTED", order.time, "no such luck"))
        else:
            super().place(order)


def test_an_entry_that_the_venue_refused_is_a_trade_of_the_replay_alone(tmp_path: Path):
    with lived(tmp_path, Life(200, broker=RefusingBroker)) as (_, compare):
        report = compare()
    first = report.unmatched[0]
    assert (first.whose, first.cause) == ("replay", "venue")
    assert "the order was rejected" in first.live_decision and first.replay_decision.startswith("entry")


def test_the_documents_say_the_same_as_the_report(tmp_path: Path):
    with lived(tmp_path, Life(200, broker=RefusingBroker)) as (_, compare):
        report = compare()
    document = parity_document(report)
    assert document["matched"] == len(report.lines)
    assert sum(Decimal(text) for text in document["parts"].values()) == Decimal(document["gap"])
    assert document["unmatched"][0]["cause"] == "venue"
    text = "\n".join(parity_lines(report))
    assert "only replay: " in text and "the venue or the gate to it said no" in text


MARKET = Market(1, 10, 1_000, 1, 0, 0)
COSTS = Costs(1_000, 50, 200, 100_000)
prices, lots, rates = st.integers(1_000, 90_000), st.integers(10, 5_000), st.integers(0, 5_000)


@st.composite
def trips(draw: st.DrawFn) -> Trip:
    bought, sold, n, rate = draw(prices), draw(prices), draw(lots), draw(rates)
    quote_in, quote_out = -(-bought * n // 10), sold * n // 10
    start = draw(st.integers(0, 5)) * MINUTE
    fills = (Fill(1, "a", "X", Side.BUY, n, bought, quote_in, n * 1_000 * rate // 10**6, 0, start, "entry"),
             Fill(2, "b", "X", Side.SELL, n, sold, quote_out, 0, quote_out * rate // 10**6, start + MINUTE, "signal"))
    pnl = quote_out - quote_in - draw(st.integers(0, 10**6))
    trade = Trade(1, "X", "LONG", n, start, "1", start + MINUTE, "1", 0, pnl, "s", "signal")
    return Trip(trade, fills[:1], fills[1:], start)


@given(trips(), trips())
def test_the_parts_of_any_two_trades_sum_to_their_gap(one: Trip, other: Trip):
    gap = split(one, other, MARKET, Bars(MINUTE, lambda _, time: 1_000 + time // MINUTE, COSTS))
    assert gap.total == one.trade.pnl - other.trade.pnl
    assert gap.data == 0
