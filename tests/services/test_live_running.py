"""A run at a venue: reconciled before it starts, armed by the word, settled at its end."""

import asyncio
import threading
from argparse import Namespace
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from services.live import running
from services.live.guard import ClockGuard
from services.live.running import LiveConsole, at_venue, introduce, let_out, refuse_unconfirmed, working
from services.live.status import with_health
from services.live.thread import VenueThread
from services.runtime import Runtime
from tests.trading.bench import Bench
from trading.domain import Side
from trading.domain.venue import Books, VenueStatus
from trading.errors import BadInput, StateFailed
from trading.events import FeedStatus, VenueSaid

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


class Outside:
    """A broker's work at a venue, and the venue: what was asked of them is in `log`."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.log, self.fails, self.dies = bench, [], "", threading.Event()
        self.settles, self.clock = True, ""
        broker = bench.broker
        broker.badge = "REHEARSAL"
        broker.recover, broker.run, broker.settle = self.recover, self.run, self.settle
        broker.status = lambda: VenueStatus("REHEARSAL", "ready")
        broker.limit_entries = lambda units: None

    async def recover(self, books: Books) -> None:
        self.log.append("recover" if not self.bench.session.armed else "recovered while armed")
        self.books = books
        if self.fails:
            raise StateFailed(self.fails)

    async def run(self) -> None:
        while not self.dies.is_set():
            await asyncio.sleep(0.01)
        raise OSError("the loop broke")

    async def settle(self) -> bool:
        self.log.append("settle")
        return self.settles

    def now(self) -> int:
        return 0

    def health(self) -> SimpleNamespace:
        return SimpleNamespace(clock_trouble=self.clock)

    async def close(self) -> None:
        self.log.append("close")


@pytest.fixture
def bench() -> Bench:
    bench = Bench().warm()
    bench.session.outside = True
    bench.engine.gate.close("armed", "not armed")
    return bench


@pytest.fixture
def venue(bench: Bench) -> Outside:
    return Outside(bench)


@contextmanager
def trading(bench: Bench, venue: Outside | None, *leases: object):
    """A cockpit at the venue, as `trade_at_venue` and the dashboard open one."""
    cockpit = SimpleNamespace(engine=bench.engine, venue=venue, outside=SimpleNamespace(leases=leases))
    screen = Screen()
    feed = SimpleNamespace(run=lambda post, after, stop: None)
    with at_venue(cockpit) as thread, working(cockpit, Runtime(bench.engine, feed, screen), thread) as hand:
        hand.screen = screen
        yield hand


@pytest.mark.parametrize("word", [None, "", "live", "LIV"])
def test_nothing_starts_without_the_word(word) -> None:
    with pytest.raises(BadInput, match="add --confirm LIVE"):
        refuse_unconfirmed("binance", word)
    refuse_unconfirmed("binance", "LIVE")


def test_it_reconciles_first_arms_then_and_settles_at_the_end(bench, venue, capsys) -> None:
    with trading(bench, venue) as hand:
        assert venue.log == ["recover"] and bench.engine.gate.reason("BTCUSDT") == "not armed"
        let_out(bench.engine, hand, CHOSEN)
        assert bench.session.armed and bench.engine.gate.reason("BTCUSDT") == ""
    assert venue.log == ["recover", "settle", "close"]
    assert venue.books.cash_units == bench.portfolio.cash
    assert not bench.session.armed, "who stops in order was not interrupted"
    assert "REHEARSAL armed" in capsys.readouterr().err


def test_a_failed_reconciliation_is_no_start(bench, venue) -> None:
    venue.fails = "the venue has 0.1 BTC less than the ledger"
    with pytest.raises(StateFailed, match="less than the ledger"), trading(bench, venue):
        raise AssertionError("never inside")
    assert venue.log == ["recover", "close"]


def test_a_reconciliation_that_takes_too_long_is_no_start(bench, venue) -> None:
    async def forever(books: Books) -> None:
        await asyncio.sleep(3_600)

    bench.broker.recover = forever
    thread = VenueThread(bench.broker, venue, pytest.fail, lambda: None)
    with pytest.raises(StateFailed, match="within"):
        thread.start(Books(0, {}), 0.05)
    assert venue.log == ["close"] and not thread.settle()


def test_a_gate_that_stays_closed_is_told(bench, venue, capsys, monkeypatch) -> None:
    monkeypatch.setattr(running, "STREAM_S", 0.1)
    bench.engine.gate.close("balance", "the account holds 5 USDT less than the books say")
    with trading(bench, venue) as hand:
        let_out(bench.engine, hand, CHOSEN)
    assert "held back for now: the account holds 5 USDT less" in capsys.readouterr().err


def test_after_a_crash_while_armed_entries_wait_for_resume_live(bench, venue, capsys) -> None:
    bench.session.interrupted = True
    with trading(bench, venue) as hand:
        let_out(bench.engine, hand, CHOSEN)
        assert not bench.session.armed and "--resume-live" in capsys.readouterr().err
        let_out(bench.engine, hand, Namespace(confirm="LIVE", resume_live=True))
        assert bench.session.armed and not bench.session.interrupted


def test_what_is_not_armed_for_a_reason_ends_the_run_with_it(bench, venue) -> None:
    with trading(bench, venue) as hand:
        with pytest.raises(BadInput, match="type the word LIVE"):
            let_out(bench.engine, hand, Namespace(confirm="live", resume_live=False))
        bench.session.change("killed", "test")
        let_out(bench.engine, hand, CHOSEN)
        assert not bench.session.armed


def test_stopping_cancels_entries_and_keeps_protection(bench, venue, capsys) -> None:
    bench.press("arm", word="LIVE")
    bench.candle("BTCUSDT", "BUY")
    bench.candle("BTCUSDT")
    bench.candle("ETHUSDT", "BUY")
    venue.settles = False
    with trading(bench, venue):
        pass
    assert [order.side for order in bench.orders.working.values()] == [Side.SELL]
    assert "not everything is settled" in capsys.readouterr().err


def test_an_engine_that_halted_lets_nothing_out_and_the_venue_is_settled_without_it(bench, venue) -> None:
    with trading(bench, venue) as hand:
        let_out(bench.engine, hand, CHOSEN)
        bench.engine.bus.subscribe(FeedStatus, lambda event: 1 // 0)
        bench.engine.bus.post(FeedStatus("live"))
        assert hand.screen.halted.wait(5)
        assert "halted" in bench.engine.gate.reason("BTCUSDT")
    assert venue.log == ["recover", "settle", "close"]


def test_a_connection_that_breaks_lets_nothing_out_and_is_told(bench, venue) -> None:
    said, heard = [], threading.Event()
    bench.bus.subscribe(VenueSaid, lambda event: (said.append(event), heard.set()))
    with trading(bench, venue) as hand:
        let_out(bench.engine, hand, CHOSEN)
        venue.dies.set()
        assert heard.wait(5)
        assert "OSError: the loop broke" in bench.engine.gate.reason("BTCUSDT")
    assert said[0].tone == "bad" and "restart the cockpit" in said[0].text
    assert venue.log == ["recover", "settle", "close"]


def test_a_clock_that_goes_wrong_lets_nothing_in_until_it_is_right_and_both_are_told_once(bench, venue) -> None:
    said: list[VenueSaid] = []
    guard = ClockGuard(venue, bench.engine.gate, said.append)
    bench.engine.gate.open("armed")
    guard.look()
    venue.clock = "this computer's clock is 2.0 s behind the venue's"
    guard.look()
    guard.look()
    assert "2.0 s behind" in bench.engine.gate.reason("BTCUSDT")
    venue.clock = ""
    guard.look()
    guard.look()
    assert bench.engine.gate.reason("BTCUSDT") == ""
    assert [event.tone for event in said] == ["bad", "good"] and "nothing is entered" in said[0].text


def test_the_clock_is_looked_at_while_the_connection_lasts(bench, venue) -> None:
    heard = threading.Event()
    bench.bus.subscribe(VenueSaid, lambda event: heard.set())
    venue.clock = "this computer's clock is 2.0 s behind the venue's"
    with trading(bench, venue):
        assert heard.wait(5)


def test_a_lost_lease_closes_the_gate(bench, venue) -> None:
    heard = []
    with trading(bench, venue, SimpleNamespace(keep=heard.append)) as hand:
        let_out(bench.engine, hand, CHOSEN)
        heard[0]("another computer trades this account now")
        assert "another computer" in bench.engine.gate.reason("BTCUSDT")


def test_who_trades_with_how_much_is_said_and_a_capital_that_is_not_used(bench, capsys) -> None:
    cockpit = SimpleNamespace(engine=bench.engine, outside=SimpleNamespace(name="live-rehearsal"))
    introduce(cockpit, None)
    said = capsys.readouterr().err
    assert said.startswith("account live-rehearsal: 10,000.00 USDT, 10,000.00 at its start; it holds nothing")
    assert "not used" not in said
    introduce(cockpit, "5")
    assert "--capital 5 is not used: the account exists and began with 10,000.00 USDT" in capsys.readouterr().err


def test_console_says_new_lines_of_the_log_once(bench, capsys) -> None:
    console = LiveConsole(bench.engine.journal)
    bench.engine.journal.write(1_700_000_000_000, "FILL", "BUY 0.1 @ 20,000", "plain", "BTC/USDT")
    bench.engine.journal.write(1_700_000_000_000, "FEED", "live")
    console.refresh()
    console.refresh()
    assert capsys.readouterr().err == "2023-11-14 22:13:20 BTC/USDT BUY 0.1 @ 20,000\n"


def test_paper_has_nothing_to_reconcile_or_to_settle(bench) -> None:
    with trading(bench, None) as hand:
        assert hand.give("pause").accepted


def test_the_clock_and_the_limits_of_the_wire_are_part_of_the_status() -> None:
    status = VenueStatus("LIVE", "ready")
    health = SimpleNamespace(clock_offset_ms=12.0, clock_trouble="", weight_used=40, weight_limit=6000)
    told = with_health(status, health)
    assert (told.state, told.clock_offset_ms, told.weight_used, told.weight_limit) == ("ready", 12.0, 40, 6000)
    health.clock_trouble = "this computer's clock is 3.0 s behind the venue's"
    assert (with_health(status, health).state, with_health(status, health).detail) == ("degraded", health.clock_trouble)
    assert with_health(VenueStatus("LIVE", "halted", "why"), health).detail == "why"
