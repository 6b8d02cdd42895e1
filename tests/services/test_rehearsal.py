"""A rehearsal with a real child process and real sockets; the exchange is a small one, the cockpit a fake."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from services.candles import file_candles
from services.rehearsal.catalog import CARDS, GROUPS
from services.rehearsal.child import ROOT, Child, free_port
from services.rehearsal.compose import SYMBOLS, exchange_command, settings_there
from services.rehearsal.prices import N_BARS
from services.rehearsal.service import RehearsalParts, RehearsalService
from services.settings import Settings
from services.strategies import find_strategy
from storage.candle_store import CandleStore
from tests.fakes.fake_cockpit import FakeCockpit
from tests.fakes.made_candles import made_candles
from trading.domain.rehearsal import DIFFERENT, EQUAL, RehearsalRequest, RehearsalUrls
from trading.errors import BadInput, CockpitError
from trading.simulation.exchange.fault_table import COMMON, FAULTS
from trading.simulation.exchange.symbols import default_symbols

SCRIPT = str(Path(__file__).resolve().parents[1] / "fakes" / "small_exchange.py")
ASKED = RehearsalRequest(("BTCUSDT",))
WITHIN_S = 20.0


def until(found, within=WITHIN_S):
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + within
    while not (value := found()):
        assert time.monotonic() < deadline, "waited too long"
        threading.Event().wait(0.02)
    return value


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"  # not yet waited for


class Stage:
    """A service and what it composed."""

    def __init__(self, *more, fails=""):
        self.cockpits, self.asked, self.fails, self.makes = [], [], fails, FakeCockpit
        command = lambda request, port: [SCRIPT, "--port", str(port), *more]  # noqa: E731
        self.service = RehearsalService(RehearsalParts(command, self.compose, ("BTCUSDT", "ETHUSDT"), look_s=0.05))

    def compose(self, request, urls):
        self.asked.append((request, urls))
        if self.fails:
            raise CockpitError(self.fails)
        self.cockpits.append(self.makes())
        return self.cockpits[-1]

    def begun(self):
        self.service.start(ASKED)
        until(lambda: self.service.view().oracle.checked or self.service.view().state == "failed")
        return self.service.view()

    def post(self, page):
        url = f"{self.service.view().urls.rest}/rehearsal/{page}"
        urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=5).close()


@pytest.fixture
def make():
    stages = []

    def make_one(*more, **choices):
        stages.append(Stage(*more, **choices))
        return stages[-1]

    yield make_one
    for stage in stages:
        stage.service.close()


def test_a_rehearsal_shows_book_trades_latency_account_and_the_oracle(make):
    stage = make()
    view = stage.begun()
    assert (view.state, view.request, view.pid > 0) == ("running", ASKED, True)
    book = view.books[0]
    assert (book.display, len(book.bids), len(book.asks)) == ("BTC/USDT", 10, 10)
    assert book.bids[0][0] < book.asks[0][0]
    assert [str(level[2]) for level in book.asks[:4]] == ["0", "0", "0.05000000", "0"]
    assert [one.is_ours for one in until(lambda: [p for p in stage.service.view().prints if p.is_ours]
                                         and stage.service.view().prints)] == [False, False, True, False, False, False]
    assert view.requests[-1].fault == "drop_reply" and view.p50_ms == 10.0 and view.n_minute == 21
    assert view.account.session.broker == "REHEARSAL" and view.venue.state == "ready"
    assert (view.oracle.state, view.oracle.n_orders, view.oracle.n_fills) == (EQUAL, 1, 1)


def test_the_cockpit_is_composed_on_the_addresses_of_the_exchange(make):
    stage = make()
    view = stage.begun()
    request, urls = stage.asked[0]
    assert request == ASKED and urls == view.urls
    assert urls.ws_api == urls.rest.replace("http", "ws") + "/ws-api/v3"


def test_a_switch_is_thrown_counted_and_put_back(make):
    stage = make()
    stage.begun()
    service = stage.service
    service.set_fault("drop_reply", True)
    on = {f.card.name: f for f in service.view().faults}["drop_reply"]
    assert (on.is_on, on.n_thrown, on.settings) == (True, 2, "rate 0.5")
    service.set_fault("http_503", True)
    service.clear_faults()
    assert not any(f.is_on for f in service.view().faults)


def test_a_quarantine_is_released_by_the_cockpit_there(make):
    stage = make()
    with pytest.raises(BadInput, match="nothing is in quarantine"):
        stage.service.release()
    stage.begun()
    stage.service.release()
    assert stage.cockpits[0].released == ["SOLUSDT"]


def test_what_was_survived_is_kept_for_good_by_the_cockpit_there(make):
    stage = make()
    stage.begun()
    stage.service.set_fault("drop_reply", True)
    stage.service.set_fault("drop_reply", False)
    until(lambda: {f.card.name: f.survived for f in stage.service.view().faults}["drop_reply"])
    assert stage.cockpits[0].proofs == [("drop_reply", 2, True)]


def test_a_switch_that_the_exchange_does_not_know_is_shown_as_such_and_refused(make):
    stage = make()
    view = stage.begun()
    assert [f.is_known for f in view.faults if f.card.name in ("ws_mute", "spike")] == [True, False]
    with pytest.raises(CockpitError, match="spike is no fault"):
        stage.service.set_fault("spike", True)
    with pytest.raises(BadInput, match="no switch"):
        stage.service.set_fault("nonsense", True)


def test_stop_ends_the_process_and_the_cockpit_and_keeps_the_last_picture(make):
    stage = make()
    pid = stage.begun().pid
    stage.service.stop()
    view = until(lambda: stage.service.view() if stage.service.view().state == "idle" else None)
    assert not is_alive(pid) and stage.cockpits[0].is_stopped
    assert view.account is not None and view.oracle.state == EQUAL
    assert not any(f.is_known for f in view.faults)
    with pytest.raises(BadInput, match="start one first"):
        stage.service.set_fault("drop_reply", True)


def test_a_second_rehearsal_can_follow_the_first_but_not_overlap_it(make):
    stage = make()
    stage.begun()
    with pytest.raises(BadInput, match="runs already"):
        stage.service.start(ASKED)
    stage.service.close()
    assert stage.begun().state == "running" and len(stage.cockpits) == 2


def test_an_exchange_that_crashes_is_told_with_its_last_words(make):
    stage = make()
    stage.begun()
    with pytest.raises(OSError):
        stage.post("crash")
    view = until(lambda: stage.service.view() if stage.service.view().state == "failed" else None)
    assert "ended by itself (exit code 70): the book is crossed" in view.detail
    assert "error: the book is crossed" in view.tail
    until(lambda: stage.cockpits[0].is_stopped)


def test_an_exchange_that_is_killed_is_told_as_such(make):
    stage = make()
    os.kill(stage.begun().pid, signal.SIGKILL)
    view = until(lambda: stage.service.view() if stage.service.view().state == "failed" else None)
    assert view.detail == "the rehearsal exchange was killed (SIGKILL); start it again"


def test_a_crash_is_told_at_once_while_the_cockpit_there_still_ends(make):
    stage = make()
    stage.begun()
    stage.cockpits[0].may_stop.clear()
    with pytest.raises(OSError):
        stage.post("crash")
    until(lambda: stage.service.view().state == "failed")
    assert not stage.cockpits[0].is_stopped
    with pytest.raises(BadInput, match="is ending; try again"):
        stage.service.start(ASKED)
    stage.cockpits[0].may_stop.set()
    until(lambda: stage.cockpits[0].is_stopped)
    assert stage.service.view().state == "failed"


def test_an_exchange_that_refuses_to_start_says_why(make):
    view = make("--dies-with", "there are no candles").begun()
    assert view.state == "failed" and "exit code 2): there are no candles" in view.detail


def test_a_cockpit_that_cannot_be_composed_ends_the_exchange_too(make):
    stage = make(fails="the clock is off by 4 s")
    view = stage.begun()
    assert view.state == "failed" and view.detail == "the clock is off by 4 s" and view.pid == 0


def test_a_cockpit_that_fails_because_the_exchange_died_says_that_the_exchange_died(make):
    stage = make()

    def compose(request, urls):
        with pytest.raises(OSError):
            urllib.request.urlopen(urllib.request.Request(f"{urls.rest}/rehearsal/crash", b"{}", method="POST"))
        raise CockpitError("the market does not answer")

    stage.compose = compose
    stage.service = RehearsalService(RehearsalParts(lambda _, port: [SCRIPT, "--port", str(port)], compose,
                                                    ("BTCUSDT",), look_s=0.05))
    view = stage.begun()
    assert view.state == "failed" and "ended by itself" in view.detail


class Stubborn(FakeCockpit):
    """A cockpit that does not end in order."""

    def stop(self):
        raise CockpitError("the engine did not answer to disarm")


def test_a_cockpit_that_cannot_end_in_order_is_told_and_the_exchange_ends_all_the_same(make):
    stage = make()
    stage.makes = Stubborn
    pid = stage.begun().pid
    stage.service.close()
    assert not is_alive(pid)
    assert (stage.service.view().state, stage.service.view().detail) == (
        "failed", "the engine did not answer to disarm")


def test_stopping_while_the_exchange_starts_leaves_nothing_behind(make):
    stage = make("--silent")
    stage.service.start(ASKED)
    pid = until(lambda: stage.service.view().pid)
    stage.service.close()
    assert stage.service.view().state == "idle" and not is_alive(pid) and stage.asked == []


def test_a_fill_that_only_the_exchange_knows_is_named(make):
    stage = make()
    stage.begun()
    stage.post("fill")
    oracle = until(lambda: stage.service.view().oracle if stage.service.view().oracle.differences else None)
    assert [(d.what, d.name, d.cockpit) for d in oracle.differences] == [("fill", "BTCUSDT 4", "not there")]
    assert oracle.state != EQUAL and oracle.state != DIFFERENT


@pytest.mark.parametrize(
    ("asked", "words"),
    [(RehearsalRequest(()), "choose 1 to 8"), (RehearsalRequest(("DOGEUSDT",)), "no prices of DOGEUSDT"),
     (RehearsalRequest(("BTCUSDT",), "candles"), "download them"), (RehearsalRequest(("BTCUSDT",), speed=0), "Speed"),
     (RehearsalRequest(("BTCUSDT",), "moon"), "Prices"), (RehearsalRequest(("BTCUSDT",), faults_every_s=-1), "every")],
)
def test_a_request_that_makes_no_sense_starts_nothing(make, asked, words):
    stage = make()
    with pytest.raises(BadInput, match=words):
        stage.service.start(asked)
    assert stage.service.view().state == "idle"


PARENT = """
import sys
from services.rehearsal.child import Child
child = Child(sys.argv[1:], "the rehearsal exchange")
while not any("listening" in line for line in child.tail()):
    pass
print(child.pid, flush=True)
import time; time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_the_exchange_ends_when_the_cockpit_is_killed():
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT, SCRIPT, "--port", str(free_port())], cwd=ROOT,
                              env=environment, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    parent.wait(5)
    parent.stdout.close()
    until(lambda: not is_alive(pid))


def test_a_child_that_never_answers_is_given_up():
    child = Child([SCRIPT, "--silent"], "the rehearsal exchange")
    try:
        with pytest.raises(CockpitError, match="does not answer after 0 s"):
            child.await_answer(lambda: False, 0.2, threading.Event())
    finally:
        child.stop()
    assert child.code is not None


def test_every_switch_has_a_group_and_a_promise():
    assert len({card.name for card in CARDS}) == len(CARDS)
    for card in CARDS:
        assert card.group in GROUPS and card.does.endswith(".") and card.promise.endswith(".") and card.rows


def test_the_catalogue_has_words_for_every_fault_of_the_exchange_and_no_other():
    assert {card.name for card in CARDS} == set(FAULTS)
    for card in CARDS:
        assert set(card.settings) <= {*COMMON, *FAULTS[card.name].settings}
        assert set(FAULTS[card.name].rows) <= set(card.rows)


def test_the_exchange_lists_what_the_page_offers():
    assert set(SYMBOLS) <= {document["symbol"] for document in default_symbols()}


def test_the_exchange_is_started_with_what_was_asked(tmp_path):
    settings = Settings(data_dir=tmp_path)
    made = exchange_command(settings, RehearsalRequest(("BTCUSDT", "ETHUSDT"), "sim", 9, 60.0, 30.0), 9321)
    assert made[1:] == ["--mode", "exchange", "--port", "9321", "--assets", "BTCUSDT,ETHUSDT", "--seed", "9", "--speed",
                        "60", "--sim", "--faults-every", "30"]


def test_stored_candles_are_laid_out_for_the_exchange_the_newest_only(tmp_path):
    settings = Settings(data_dir=tmp_path)
    asked = RehearsalRequest(("BTCUSDT", "ETHUSDT"), "candles")
    with pytest.raises(BadInput, match="no candles of BTCUSDT are stored"):
        exchange_command(settings, asked, 9321)
    for symbol in asked.symbols:
        CandleStore(settings.candles_dir).append(made_candles(N_BARS + 10, symbol=symbol))
    folder = Path(exchange_command(settings, asked, 9321)[-1])
    assert sorted(path.name for path in folder.iterdir()) == ["BTCUSDT-1m.parquet", "ETHUSDT-1m.parquet"]
    found, _ = file_candles(folder, "ETHUSDT", None)
    assert len(found) == N_BARS and found.interval == "1m"
    exchange_command(settings, replace(asked, symbols=("BTCUSDT",)), 9321)
    assert [path.name for path in folder.iterdir()] == ["BTCUSDT-1m.parquet"]


def test_the_cockpit_there_trades_the_drill_on_the_exchange_and_nowhere_else(tmp_path):
    settings = Settings(data_dir=tmp_path, strategy="ema-cross", interval="1h")
    urls = RehearsalUrls("http://127.0.0.1:9321", "ws://127.0.0.1:9321", "ws://127.0.0.1:9321/ws-api/v3")
    there = settings_there(settings, ASKED, urls)
    assert (there.venue, there.exchange_url, there.rest_url) == ("rehearsal", urls.rest, urls.rest)
    assert (there.assets, there.interval) == (("BTCUSDT",), "1m")
    assert find_strategy(there.strategy).name == "Drill"
    assert settings_there(settings, replace(ASKED, drill=False), urls).strategy == "ema-cross"
