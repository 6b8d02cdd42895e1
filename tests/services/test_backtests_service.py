"""The service behind the page: one process, a queue, cancel, checks that come one by one, recovery."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.backtests.compose import backtest_service
from services.backtests.markets import SimulatedPast, Source, load, market_choices
from services.backtests.service import MAX_WAITING, BacktestService
from services.settings import load_settings
from storage.candle_store import CandleStore
from storage.database import Database
from tests.fakes.asked import asked, waves
from trading.brokers.paper import PaperBroker
from trading.errors import BadInput

PATIENCE_S = 90.0
LONG = "rsi.period=5:30:1,rsi.buy_below=15:45:1,rsi.sell_above=55:69:1"


def opened(folder: Path, past: SimulatedPast | None = None) -> tuple[BacktestService, Database]:
    settings = load_settings(data_dir=folder)
    database = Database(settings.database_path)
    database.open()
    return backtest_service(settings, database, past, PaperBroker), database


def wait(until, what: str = "the end"):
    limit = time.monotonic() + PATIENCE_S
    while not (found := until()):
        assert time.monotonic() < limit, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def over(service: BacktestService, key: str):
    return wait(lambda: (p := service.progress(key)).state in ("done", "failed", "cancelled") and p)


def checked(service: BacktestService, key: str):
    return wait(lambda: all(c.state not in ("waiting", "running") for c in service.view(key).checks)
                and service.view(key).checks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cockpit")
    store = CandleStore(folder / "candles")
    store.append(waves(3_000))
    store.append(waves(3_000, symbol="ETHUSDT", seed=2))
    store.append(waves(1, symbol="SOLUSDT"))
    return folder


@pytest.fixture(scope="module")
def service(folder: Path):
    service, database = opened(folder)
    yield service
    service.close()
    database.close()


def test_a_question_is_answered_and_every_check_with_it(service):
    key = service.start(asked())
    assert over(service, key).state == "done"
    view = service.view(key)
    assert view.figures["n_trades"] == len(view.trades) > 0
    assert (view.figures["n_trials"], view.quote, len(view.curve.time)) == (1, "USDT", 2_000)
    states = {check.name: check.state for check in checked(service, key)}
    assert set(states.values()) <= {"pass", "warn", "fail", "skipped"}
    assert states["Engine replay gives the same trades"] == "pass"
    assert states["No look-ahead: every bar re-decided without its future"] == "pass"
    assert service.runs()[0].key == view.key


def test_the_same_question_has_the_same_key_and_is_not_run_again(service):
    key = service.start(asked())
    over(service, key)
    version = service.progress(key).version
    assert service.start(asked()) == key
    assert service.progress(key).version == version


def test_another_process_finds_the_run_and_its_checks(service, folder):
    key = service.start(asked())
    over(service, key)
    checked(service, key)
    other, database = opened(folder)
    try:
        view = other.view(key)
        assert view.checks == service.view(key).checks
        assert other.view(view.key).trades == service.view(key).trades
        assert other.progress(key).state == "done"
    finally:
        other.close()
        database.close()


def test_checks_that_a_closed_process_left_go_on_in_the_next(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(2_000))
    first, database = opened(tmp_path)
    key = first.start(asked())
    over(first, key)
    first.close()
    database.close()
    second, database = opened(tmp_path)
    try:
        assert len(checked(second, key)) == 6
        assert second.view(key).checks[1].state == "pass"
    finally:
        second.close()
        database.close()


def test_two_symbols_share_the_wallet(service):
    key = service.start(asked(("BTCUSDT", "ETHUSDT")))
    assert over(service, key).state == "done"
    assert {trade.symbol for trade in service.view(key).trades} == {"BTCUSDT", "ETHUSDT"}


def test_a_running_sweep_is_cancelled_and_the_next_question_is_answered(service, folder):
    key = service.start(asked(sweep=LONG, capital=asked().capital + 1))
    wait(lambda: service.progress(key).done > 0.02, "the sweep's progress")
    service.cancel(key)
    assert over(service, key).state == "cancelled"
    assert service.view(key) is None
    assert not list((folder / "backtests").glob("*.partial"))
    following = service.start(asked(capital=asked().capital + 2))
    assert over(service, following).state == "done"


def test_a_cancelled_question_can_be_asked_again(service):
    request = asked(sweep="rsi.period=6:8:1", capital=asked().capital + 3)
    key = service.start(request)
    service.cancel(key)
    over(service, key)
    assert service.start(request) == key
    assert over(service, key).state == "done"


def test_a_cancelled_run_that_is_still_stopping_can_be_run_again_at_once(service):
    request = asked(sweep=LONG, capital=asked().capital + 10)
    key = service.start(request)
    wait(lambda: service.progress(key).done > 0.02, "the sweep's progress")
    service.cancel(key)
    assert service.start(request) == key
    wait(lambda: service.progress(key).state == "running" and service.progress(key).done > 0.02, "the second run")
    assert service.progress(key).state == "running"
    service.cancel(key)
    assert over(service, key).state == "cancelled"


def test_cancelled_questions_take_no_place_in_the_queue(service):
    busy = service.start(asked(sweep=LONG, capital=asked().capital + 11))
    for _ in range(MAX_WAITING + 5):
        service.cancel(service.start(asked(capital=asked().capital + 12)))
    assert not service._waiting - {service._live[busy].number}
    last = service.start(asked(capital=asked().capital + 12))
    service.cancel(busy)
    assert over(service, last).state == "done"
    wait(service._queue.empty, "an empty queue")
    assert service.progress(last).state == "done"


def test_a_view_is_judged_by_what_was_tried_after_it(service):
    first = service.start(asked(capital=asked().capital + 13))
    over(service, first)
    before = service.view(first)
    checked(service, first)
    over(service, service.start(asked(sweep="rsi.period=6:24:2,rsi.buy_below=20:40:10")))
    after = service.view(first)
    assert after.figures["n_trials"] >= before.figures["n_trials"] + 20
    assert after.figures["deflated_sharpe"] < before.figures["deflated_sharpe"]
    assert f"{after.figures['n_trials']:.0f} trials counted" in after.checks[-1].detail


def test_a_question_that_a_restart_cut_off_is_not_lost(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(2_000))
    first, database = opened(tmp_path)
    request = asked(sweep=LONG)
    key = first.start(request)
    assert first.request(key) == request
    wait(lambda: first.progress(key).done > 0.02, "the sweep's progress")
    first.close()
    database.close()
    second, database = opened(tmp_path)
    try:
        state = second.progress(key)
        assert (state.state, state.error) == ("failed", "interrupted by a restart; run it again")
        assert second.request(key) == request
        assert second.request("q" + "0" * 16) is None
        assert second.request("../../etc") is None
        short = second.start(asked())
        over(second, short)
        assert second.request(short) == second.request(second.view(short).key) == asked()
    finally:
        second.close()
        database.close()


def test_a_process_that_cannot_start_fails_the_question(tmp_path, monkeypatch):
    CandleStore(tmp_path / "candles").append(waves(300))
    service, database = opened(tmp_path)

    def refused() -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(service._worker, "start", refused)
    try:
        state = over(service, service.start(asked()))
        assert (state.state, "no more processes" in state.error) == ("failed", True)
    finally:
        service.close()
        database.close()


def test_a_process_that_is_killed_is_started_again_and_the_question_answered(service):
    key = service.start(asked(sweep=LONG, capital=asked().capital + 4))
    wait(lambda: service.progress(key).done > 0.02, "the sweep's progress")
    before = service._worker.pid
    os.kill(before, signal.SIGKILL)
    wait(lambda: service._worker.pid not in (None, before), "a new process")
    service.cancel(key)
    over(service, key)
    following = service.start(asked(capital=asked().capital + 5))
    assert over(service, following).state == "done"


def test_a_process_that_dies_of_every_try_fails_the_question_in_one_line(service):
    key = service.start(asked(sweep=LONG, capital=asked().capital + 6))
    for _ in range(2):
        pid = wait(lambda: service._worker.pid, "the process")
        wait(lambda: service.progress(key).done > 0.02, "the sweep's progress")
        os.kill(pid, signal.SIGKILL)
        wait(lambda old=pid: service._worker.pid != old or service.progress(key).state == "failed", "its end")
    state = over(service, key)
    assert (state.state, "process" in state.error, "\n" in state.error) == ("failed", True, False)


@pytest.mark.parametrize(("changed", "said"), [
    ({"start": 2_000, "end": 1_000}, "not before the end"), ({"symbols": ()}, "no symbol"),
    ({"symbols": ("DOGEUSDT",)}, "no stored candles of DOGEUSDT"), ({"train_days": 5}, "days of training and of"),
    ({"document": {"version": 2}}, "entry"), ({"symbols": ("BTCUSDT", "BTCUSDT")}, "twice"),
])
def test_a_question_that_makes_no_sense_is_refused_at_once(service, changed, said):
    with pytest.raises(BadInput, match=said):
        service.start(asked(**changed))


@pytest.mark.parametrize(("changed", "said"), [
    ({"start": 1, "end": 1_000}, "no candles between these dates; there are some from 2022-05-10"),
    ({"sweep": "nothing=1:2"}, "is no parameter"), ({"train_days": 500, "test_days": 5}, "span 125 days"),
    ({"interval": "1m"}, "not one whole bar of 1m"),
])
def test_what_only_the_candles_can_tell_fails_with_one_line(service, changed, said):
    state = over(service, service.start(asked(**changed)))
    assert state.state == "failed"
    assert said in state.error
    assert "\n" not in state.error


def test_one_bar_gives_an_answer_with_a_note(service):
    key = service.start(asked(("SOLUSDT",)))
    assert over(service, key).state == "done"
    view = service.view(key)
    assert not view.trades
    assert "1 bar, " in " ".join(view.notes)
    assert "finished no trade" in " ".join(view.notes)
    assert {c.state for c in checked(service, key)} <= {"skipped", "pass"}


def test_an_unknown_run_says_so(service):
    assert service.progress("nothing").state == "failed"
    assert service.view("nothing") is None


def test_no_more_than_a_number_of_questions_wait(service, monkeypatch):
    monkeypatch.setattr(service, "_waiting", set(range(-MAX_WAITING, 0)))
    with pytest.raises(BadInput, match="wait already"):
        service.start(asked(capital=asked().capital + 7))
    monkeypatch.undo()


def test_strategies_and_markets_can_be_chosen(service, folder):
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / "mine.json").write_text('{"symbol": "BTCUSDT", "indicators": {"rsi": {"period": 9}}}')
    (folder / "strategies" / "broken.json").write_text("{")
    names = [choice.id for choice in service.strategies()]
    assert names[0] == "demo"
    assert names[-1] == "own/mine"
    assert len(names) == 14
    btc = next(market for market in service.markets() if market.symbol == "BTCUSDT")
    assert (btc.display, btc.intervals) == ("BTC/USDT", ("1h", "4h", "1d"))
    assert len(service.candles("BTCUSDT", "4h", btc.first, btc.first + 40 * 3_600_000)) == 10
    assert len(service.candles("DOGEUSDT", "4h", 0, 1)) == 0


def test_the_simulated_past_stands_in_for_an_empty_store(tmp_path):
    genesis = (int(time.time()) // 86_400 - 3) * 86_400_000
    source = Source(tmp_path / "candles", simulated=SimulatedPast(("BTCUSDT",), 7, genesis))
    (choice,) = market_choices(source)
    assert "SIMULATED" in choice.display
    found = load(source, asked(interval="1h"))
    assert len(found.candles[0]) == 72
    assert "SIMULATED" in found.notes[0]
    CandleStore(tmp_path / "candles").append(waves(10, symbol="ETHUSDT"))
    assert [market.display for market in market_choices(source)] == ["ETH/USDT"]


def test_holes_in_the_candles_are_told(tmp_path):
    candles = waves(500)
    keep = np.ones(500, np.bool_)
    keep[[100, 200, 201]] = False
    CandleStore(tmp_path / "candles").append(candles.map(lambda column: column[keep]))
    service, database = opened(tmp_path)
    try:
        key = service.start(asked())
        over(service, key)
        assert "2 holes, 3 bars missing, the longest 2" in " ".join(service.view(key).notes)
    finally:
        service.close()
        database.close()


def test_closing_ends_the_process(tmp_path):
    CandleStore(tmp_path / "candles").append(waves(300))
    service, database = opened(tmp_path)
    over(service, service.start(replace(asked())))
    pid = service._worker.pid
    service.close()
    database.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
