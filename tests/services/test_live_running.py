"""A run at a venue: reconciled before it starts, armed by the word, settled at its end."""

import threading
from argparse import Namespace
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from services.live import running
from services.live.running import at_venue, is_settled, let_out, refuse_unconfirmed, settle
from services.runtime import Runtime
from tests.trading.bench import Bench
from trading.domain import Side
from trading.domain.venue import FlightLine, VenueStatus
from trading.errors import BadInput, StateFailed
from trading.events import FeedStatus
from trading.gate import EntryGate

CHOSEN = Namespace(confirm="LIVE", resume_live=False)


class Screen:
    is_dirty = False

    def __init__(self) -> None:
        self.halted = threading.Event()

    def refresh(self) -> None:
        pass

    def halt(self, reason: str) -> None:
        self.halted.set()

    def feed_failed(self, reason: str) -> None:
        raise AssertionError(reason)


class Venue:
    """What a broker at a venue has beside the port."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.log, self.fails = bench, [], ""
        self.flights: tuple[FlightLine, ...] = ()
        broker = bench.broker
        broker.badge = "REHEARSAL"
        broker.start, broker.stop, broker.status = self.start, lambda: self.log.append("stop"), self.status

    def start(self) -> None:
        self.log.append("start" if not self.bench.session.armed else "started armed")
        if self.fails:
            raise StateFailed(self.fails)

    def status(self) -> VenueStatus:
        return VenueStatus("REHEARSAL", "ready", in_flight=self.flights)


@contextmanager
def running_engine(bench: Bench):
    feed = SimpleNamespace(run=lambda post, after, stop: None)
    screen = Screen()
    runtime = Runtime(bench.engine, feed, screen)
    runtime.start()
    try:
        yield screen
    finally:
        runtime.stop()


@pytest.fixture
def bench() -> Bench:
    bench = Bench().warm()
    bench.session.outside = True
    bench.engine.gate.close("armed", "not armed")
    return bench


@pytest.fixture
def venue(bench: Bench) -> Venue:
    return Venue(bench)


def at(bench: Bench, *leases: object):
    return at_venue(SimpleNamespace(engine=bench.engine), SimpleNamespace(leases=leases))


@pytest.mark.parametrize("word", [None, "", "live", "LIV"])
def test_nothing_starts_without_the_word(word) -> None:
    with pytest.raises(BadInput, match="add --confirm LIVE"):
        refuse_unconfirmed("binance", word)
    refuse_unconfirmed("binance", "LIVE")


def test_it_reconciles_first_arms_then_and_settles_at_the_end(bench, venue, capsys) -> None:
    with running_engine(bench):
        with at(bench) as hand:
            assert venue.log == ["start"] and bench.engine.gate.reason("BTCUSDT") == "not armed"
            let_out(bench.engine, hand, CHOSEN)
            assert bench.session.armed and bench.engine.gate.reason("BTCUSDT") == ""
        assert venue.log == ["start", "stop"]
        assert not bench.session.armed, "who stops in order was not interrupted"
    assert "REHEARSAL armed" in capsys.readouterr().err


def test_a_failed_reconciliation_is_no_start(bench, venue) -> None:
    venue.fails = "the venue has 0.1 BTC less than the ledger"
    with running_engine(bench), pytest.raises(StateFailed, match="less than the ledger"), at(bench):
        raise AssertionError("never inside")
    assert venue.log == ["start", "stop"]


def test_after_a_crash_while_armed_entries_wait_for_resume_live(bench, venue, capsys) -> None:
    bench.session.interrupted = True
    with running_engine(bench), at(bench) as hand:
        let_out(bench.engine, hand, CHOSEN)
        assert not bench.session.armed and "--resume-live" in capsys.readouterr().err
        let_out(bench.engine, hand, Namespace(confirm="LIVE", resume_live=True))
        assert bench.session.armed and not bench.session.interrupted


def test_what_is_not_armed_for_a_reason_ends_the_run_with_it(bench, venue) -> None:
    with running_engine(bench), at(bench) as hand:
        with pytest.raises(BadInput, match="type the word LIVE"):
            let_out(bench.engine, hand, Namespace(confirm="live", resume_live=False))
        bench.session.change("killed", "test")
        let_out(bench.engine, hand, CHOSEN)
        assert not bench.session.armed


def test_settling_cancels_entries_keeps_protection_and_waits_for_what_is_in_flight(bench, venue) -> None:
    bench.press("arm", word="LIVE")
    bench.candle("BTCUSDT", "BUY")
    bench.candle("BTCUSDT")
    bench.candle("ETHUSDT", "BUY")
    venue.flights = (FlightLine("x", "ETHUSDT", "SENT", 5, ""),)
    with running_engine(bench):
        hand = running.Hand(bench.engine)
        assert not settle(bench.engine, hand, 0.2), "a request is on its way"
        venue.flights = ()
        assert settle(bench.engine, hand, 5.0)
    assert [order.side for order in bench.orders.working.values()] == [Side.SELL]


def test_an_entry_that_works_is_not_settled(bench, venue) -> None:
    assert is_settled(bench.engine)
    bench.press("arm", word="LIVE")
    bench.candle("BTCUSDT", "BUY")
    assert not is_settled(bench.engine)
    (name, order), = bench.orders.working.items()
    bench.orders.working[name] = replace(order, side=Side.SELL)
    assert is_settled(bench.engine)


def test_an_engine_that_halted_lets_nothing_out_and_is_not_asked_to_settle(bench, venue) -> None:
    with running_engine(bench) as screen, at(bench) as hand:
        let_out(bench.engine, hand, CHOSEN)
        bench.engine.bus.subscribe(FeedStatus, lambda event: 1 // 0)
        bench.engine.bus.post(FeedStatus("live"))
        assert screen.halted.wait(5)
        assert "halted" in bench.engine.gate.reason("BTCUSDT")
    assert venue.log == ["start", "stop"]


def test_a_lost_lease_closes_the_gate(bench, venue) -> None:
    heard = []
    lease = SimpleNamespace(keep=heard.append)
    with running_engine(bench), at(bench, lease) as hand:
        let_out(bench.engine, hand, CHOSEN)
        heard[0]("another computer trades this account now")
        assert "another computer" in bench.engine.gate.reason("BTCUSDT")


def test_paper_has_nothing_to_reconcile(bench) -> None:
    with at_venue(SimpleNamespace(engine=bench.engine), None) as hand:
        assert hand is None
    assert EntryGate().reason("BTCUSDT") == ""
