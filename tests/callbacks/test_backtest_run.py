"""A run from the click to the result, without a browser."""

import asyncio
import time
from dataclasses import replace

import pytest
from dash import no_update
from plotly.io.json import to_json_plotly

from callbacks import backtest, backtest_form, backtest_result
from layouts import ids
from layouts.backtest import form
from tests.fakes.fake_backtests import FakeBacktests
from tests.fakes.fake_services import FakeWorld
from trading.errors import BadInput


def services_of(**choices):
    return FakeWorld(backtests=FakeBacktests(**choices)).services


def asked(services, **changes):
    return replace(form.first(backtest_form.choices_of(services)), **changes)


def run(services, swept="", **changes):
    return asyncio.run(backtest.on_run(services, asked(services, **changes), swept))


def key_of(parts):
    return parts[ids.BT_RUN, "data"]


def test_a_quick_run_is_answered_by_the_click_itself():
    services = services_of(seconds=0.05)
    parts = run(services)
    assert key_of(parts)["state"] == "done" and parts[ids.BT_TICK, "disabled"]
    assert parts[ids.BT_GO, "children"] == "▶ Run · 0.05 s"
    assert "Net return" in to_json_plotly(parts[ids.BT_BODY, "children"])
    assert key_of(parts)["key"] in to_json_plotly(parts[ids.BT_RUNS, "children"])


def test_a_long_run_shows_its_progress_and_leaves_the_result_before_it_on_screen():
    services = services_of()
    parts = asyncio.run(backtest.on_run(services, asked(services, strategy="long"), over="done"))
    assert key_of(parts)["state"] == "running" and not parts[ids.BT_TICK, "disabled"]
    assert (ids.BT_BODY, "children") not in parts and parts[ids.BT_BODY, "className"] == "bt-body is-busy"
    assert parts[ids.BT_GO, "disabled"]


def test_a_long_run_over_an_error_takes_its_place():
    services = services_of()
    parts = asyncio.run(backtest.on_run(services, asked(services, strategy="long"), over="failed"))
    assert "Computing" in to_json_plotly(parts[ids.BT_BODY, "children"])


def test_a_cancelled_run_says_so_and_can_be_begun_again():
    services = services_of()
    began = run(services, strategy="long")
    ended = asyncio.run(backtest.on_cancel(services, key_of(began)))
    assert key_of(ended)["state"] == "cancelled" and not ended[ids.BT_GO, "disabled"]
    assert "Cancelled" in to_json_plotly(ended[ids.BT_BODY, "children"])
    assert key_of(run(services, strategy="long")) == key_of(began)


def test_a_failing_run_writes_its_error_beside_the_controls():
    parts = run(services_of(seconds=0.05), strategy="breaks")
    assert "import them again" in parts[ids.BT_ERROR, "children"] and key_of(parts)["state"] == "failed"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"start": "2020-01-01", "end": "2020-02-01"}, "no candles of BTC/USDT before 2022-01-01"),
        ({"start": "2024-02-01", "end": "2020-02-01"}, "choose an earlier From"),
        ({"symbols": []}, "Symbols"),
    ],
)
def test_a_question_that_is_refused_changes_nothing_but_the_error(changes, words):
    parts = run(services_of(), **changes)
    assert list(parts) == [(ids.BT_ERROR, "children")] and words in parts[ids.BT_ERROR, "children"]
    assert [v for v in backtest.in_order(parts) if v is not no_update] == [*parts.values()]


def test_the_page_of_an_unknown_run_says_so():
    services = services_of()
    made = to_json_plotly(backtest.page(services, {"run": "nowhere"}))
    assert "there is no run nowhere" in made
    assert "This run has no result" in made


def test_the_page_of_a_stored_run_asks_its_question_again():
    services = services_of(seconds=0.0)
    parts = run(services, strategy="sma_cross", capital="777", symbols=["SOLUSDT"])
    made = to_json_plotly(backtest.page(services, {"run": key_of(parts)["key"]}))
    assert '"value":"sma_cross"' in made and '"value":"777"' in made and '"value":["SOLUSDT"]' in made


def test_a_result_says_whose_it_is_and_that_the_form_has_changed_since():
    services = services_of(seconds=0.0)
    parts = run(services, capital="777", symbols=["SOLUSDT"])
    heading = str(parts[ids.BT_HEADING, "children"])
    for words in ("RSI reversion", "SOL/USDT", "1h", "2022-01-01 to 2024-06-24", "whole period", "777 USDT"):
        assert words in heading
    shown, same = parts[ids.BT_ASKED, "data"], asked(services, capital=777.0, symbols=["SOLUSDT"])
    assert asyncio.run(backtest_form.on_form(services, shown, same)) == ("", "bt-result")
    for change in ({"strategy": "sma_cross"}, {"capital": 778}, {"symbols": []}, {"mode": form.WALK}):
        said, look = asyncio.run(backtest_form.on_form(services, shown, replace(same, **change)))
        assert "press Run" in said and "is-changed" in look
    assert asyncio.run(backtest_form.on_form(services, None, same))[0] == ""


def test_an_interrupted_run_leaves_its_question_in_the_form():
    services = services_of()
    question = form.request_of(asked(services, strategy="sma_cross", capital="432"), backtest_form.choices_of(services))
    services.backtests.questions["lost"] = question
    made = to_json_plotly(backtest.page(services, {"run": "lost"}))
    assert '"value":"sma_cross"' in made and '"value":"432"' in made and "This run has no result" in made


def test_a_run_whose_result_is_gone_is_an_error_and_not_an_empty_page(monkeypatch):
    services = services_of(seconds=0.0)
    monkeypatch.setattr(services.backtests, "view", lambda key: None)
    parts = backtest.state_of(services, "past1")
    assert "run it again" in parts[ids.BT_ERROR, "children"]


def test_an_error_of_the_service_is_one_line(monkeypatch):
    services = services_of()

    def refuse(_request):
        raise BadInput("strategy.entry: 'ema_200' needs 200 bars")

    monkeypatch.setattr(services.backtests, "start", refuse)
    assert run(services)[ids.BT_ERROR, "children"] == "strategy.entry: 'ema_200' needs 200 bars"


def test_a_sweep_becomes_a_plateau_and_pbo():
    parts = run(services_of(seconds=0.0), swept="rsi.period=5:30:1,rsi.buy_below=20:40:2")
    body = to_json_plotly(parts[ids.BT_BODY, "children"])
    assert "PBO 0.18" in body and "heatmap" in body


def test_a_strategy_brings_its_timeframe_and_those_of_its_symbols_that_are_stored():
    services = services_of()
    note, symbols, interval = asyncio.run(backtest_form.on_strategy(services, "sma_cross", ["SOLUSDT"]))
    assert "sideways" in note and symbols == ["BTCUSDT", "ETHUSDT"] and interval == "1h"
    assert asyncio.run(backtest_form.on_strategy(services, "sma_cross", ["BTCUSDT", "ETHUSDT"]))[1] is no_update
    assert asyncio.run(backtest_form.on_strategy(services, "sma_cross", []))[1] == ["BTCUSDT", "ETHUSDT"]
    assert asyncio.run(backtest_form.on_strategy(services, "gone", [])) == (no_update,) * 3


def test_dates_outside_of_what_is_stored_move_to_its_edges():
    services = services_of()
    chosen = ("1h", "2020-01-01", "2024-01-01")
    _, interval, start, end = asyncio.run(backtest_form.on_symbols(services, ["BTCUSDT"], chosen))
    assert (interval, start, end) == ("1h", "2022-01-01", "2024-01-01")
    offered, interval, *_ = asyncio.run(backtest_form.on_symbols(services, [], chosen))
    assert offered == [] and interval is None


def test_checks_fill_up_until_the_last_is_answered():
    now = [0.0]
    services = services_of(seconds=0.0, check_s=1.0, clock=lambda: now[0])
    shown = key_of(run(services))
    answered = []
    for now[0] in (0.5, 1.5, 5.5, 6.5):
        rows, _, ended = asyncio.run(backtest_result.on_checks(services, shown))
        answered.append((to_json_plotly(rows).count("visually-hidden"), ended, "waiting" in to_json_plotly(rows)))
    assert [ended for _, ended, _ in answered] == [False, False, False, True]
    assert answered[0][2] and not answered[3][2]


def test_comparing_draws_at_most_five_and_forgets_runs_that_are_gone():
    services = services_of(seconds=0.0)
    shown = key_of(run(services))
    chosen = ["gone", *(f"past{n}" for n in range(6))]
    figure, legend, _, word = asyncio.run(backtest_result.on_curves(services, shown, ["log"], chosen))
    assert len(legend) == 4 and word == "Compare 5" and figure["layout"]["yaxis"]["type"] == "log"


def test_a_click_on_a_trade_opens_its_chart_and_the_arrows_stop_at_the_ends():
    services = services_of(seconds=0.0)
    shown = key_of(run(services))
    is_open, title, body, number = asyncio.run(backtest_result.on_trade(services, shown, 7))
    assert is_open and number == 7 and "Trade 7" in title[0] and "candlestick" in to_json_plotly(body)
    assert asyncio.run(backtest_result.on_trade(services, shown, 1, -1))[3] == 1
    assert asyncio.run(backtest_result.on_trade(services, shown, 7, 1))[3] == 8
    assert asyncio.run(backtest_result.on_trade(services, shown, 9_999)) == (no_update,) * 4


def test_files_carry_the_run_in_their_names():
    services = services_of(seconds=0.0)
    shown = key_of(run(services))
    saved = asyncio.run(backtest_result.on_save(services, shown))
    assert saved["filename"] == f"backtest-{shown['key']}.html" and saved["content"].startswith("<!DOCTYPE html>")
    table = asyncio.run(backtest_result.on_csv(services, shown, "trades"))
    assert table["filename"].endswith("-trades.csv") and table["content"].count("\n") == 165


def test_without_a_run_nothing_is_drawn_or_saved():
    services, none = services_of(), {"key": None, "state": "none"}
    assert asyncio.run(backtest_result.on_save(services, none)) is no_update
    assert asyncio.run(backtest_result.on_csv(services, none, "trades")) is no_update
    assert asyncio.run(backtest_result.on_checks(services, none))[2] is True
    assert asyncio.run(backtest.on_tick(services, none)) == {(ids.BT_TICK, "disabled"): True}


def test_drawing_a_result_does_not_take_longer_than_a_person_notices():
    services = services_of(seconds=0.0)
    shown = key_of(run(services))
    started = time.perf_counter()
    backtest.state_of(services, shown["key"])
    assert time.perf_counter() - started < 1.0
