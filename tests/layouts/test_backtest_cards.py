"""What the page "Backtest" makes of a run."""

import csv
import io
import json
import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from plotly.io.json import to_json_plotly

from layouts import backtest_csv, ids
from layouts.backtest import checks, curves, form, months, page, plateau, runs, sweep, tabs, tiles, trade
from services.strategies import parse_strategy, shipped_strategies, to_document
from tests.fakes import fake_runs
from tests.fakes.fake_account import PROFILES
from tests.fakes.fake_backtests import FakeBacktests
from trading.domain import INTERVAL_MS, Candles
from trading.domain.backtests import BacktestProgress, Check, CostSettings, Plateau, StrategyChoice

PORT = FakeBacktests(seconds=0.0, check_s=0.0)
CHOICES = form.Choices(PORT.strategies(), PORT.markets(), PROFILES, CostSettings())
NOTHING = form.Choices(PORT.strategies(), (), PROFILES, CostSettings())


@pytest.fixture(scope="module")
def view():
    return PORT.view("past0")


@pytest.fixture(scope="module")
def silent():
    asked = form.request_of(replace(form.first(CHOICES), strategy="never"), CHOICES)
    return fake_runs.view_of("silent", asked, 0.1)


def drawn(component):
    return json.dumps(json.loads(to_json_plotly(component)), ensure_ascii=False)


def test_a_new_form_asks_for_all_that_is_stored_of_the_first_strategy():
    asked = form.request_of(form.first(CHOICES), CHOICES)
    assert asked.strategy == "RSI reversion" and asked.symbols == ("BTCUSDT", "ETHUSDT") and asked.interval == "1h"
    assert asked.start == fake_runs.FIRST_MS
    assert asked.end == 1_719_273_600_000  # the midnight after the last day, 2024-06-24
    assert asked.costs == CostSettings() and asked.capital == Decimal(10_000)
    assert (asked.train_days, asked.test_days, asked.sweep) == (0, 0, "")


def test_a_stored_question_survives_the_form():
    first = form.request_of(replace(form.first(CHOICES), mode=form.WALK, train_days=90, test_days=10), CHOICES)
    again = form.request_of(form.of_request(first, CHOICES), CHOICES)
    assert again == first


def test_an_open_period_is_shown_as_what_is_stored():
    asked = replace(form.request_of(form.first(CHOICES), CHOICES), start=None, end=None)
    shown = form.of_request(asked, CHOICES)
    assert (shown.start, shown.end) == ("2022-01-01", "2024-06-24")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategy": "gone"}, "Strategy: choose one"),
        ({"symbols": []}, "Symbols: choose at least one"),
        ({"interval": None}, "Timeframe: choose one"),
        ({"start": "2024-13-01"}, "From: '2024-13-01' is not a date"),
        ({"start": "2024-05-01", "end": "2024-04-01"}, "From 2024-05-01 is after To 2024-04-01"),
        ({"capital": None}, "Capital: enter an amount"),
        ({"capital": "nan"}, "Capital: enter an amount"),
        ({"capital": 0}, "Capital: enter an amount above 0"),
        ({"capital": 900_000_001}, "at most 900,000,000"),
        (
            {"costs": form.cost_figures(CostSettings()) | {"volume_share": 0}},
            "Volume limit: enter a share above 0 %",
        ),
        ({"profile": "none"}, "Risk profile: choose one"),
        ({"mode": form.WALK, "train_days": 1.5}, "Train: enter whole days"),
        ({"mode": form.WALK, "test_days": None}, "Test: enter whole days"),
        ({"costs": form.cost_figures(CostSettings()) | {"spread_bps": -1}}, "Spread: enter a number from 0 to 500 bp"),
        ({"costs": {}}, "Commission: enter a number"),
    ],
)
def test_what_is_missing_or_senseless_is_named(change, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        form.request_of(replace(form.first(CHOICES), **change), CHOICES)


@pytest.mark.parametrize("capital", ["0.5", 900_000_000])
def test_what_the_core_can_count_is_a_capital(capital):
    asked = form.request_of(replace(form.first(CHOICES), capital=capital), CHOICES)
    assert asked.capital == Decimal(str(capital))


@pytest.mark.parametrize("value", [1, 14, 300, None])
@pytest.mark.parametrize("step", [1, 0.5, 100])
def test_a_wide_range_is_proposed_around_the_present_value(value, step):
    document = {"parameters": {"a": {"value": value, "low": 1, "high": 300, "step": step}}}
    low, high, coarse = sweep.grid_of(document, "a")
    assert 1 <= sweep.size((low, high, coarse), "a") <= sweep.MOST_PROPOSED
    assert low >= 1 and high <= 300 and coarse >= step
    assert value is None or step == 100 or (value - low) / coarse == pytest.approx(round((value - low) / coarse))


def test_the_proposed_sweep_of_every_shipped_strategy_can_be_started():
    for key, document in shipped_strategies():
        one = parse_strategy(document, key)
        found = StrategyChoice(key, one.name, "", to_document(one), one.symbols, one.interval, tuple(one.parameters))
        grids = [(name, (low, high, step)) for name, low, high, step in sweep.filled(found).values()]
        said, ready = sweep.note(grids)
        assert ready and math.prod(sweep.size(grid, name) for name, grid in grids if name) < 400, (key, said)


def test_one_day_is_a_period():
    asked = form.request_of(replace(form.first(CHOICES), start="2024-05-01", end="2024-05-01"), CHOICES)
    assert asked.end - asked.start == 86_400_000


def test_costs_and_mode_are_written_in_short():
    assert form.costs_word(form.cost_figures(CostSettings())) == "0.10 % + 2 bp"
    more = form.cost_figures(CostSettings(slippage_atr=0.05, impact_rate=0.1))
    assert form.costs_word(more) == "0.10 % + 2 bp + volatility + impact"
    assert form.mode_word(form.WHOLE, 1, 1) == "Whole period"
    assert form.mode_word(form.WALK, 180, None) == "Walk-forward 180/?"


def test_only_timeframes_that_all_symbols_have_are_offered():
    short = replace(fake_runs.MARKETS[1], intervals=("1h", "4h"))
    choices = replace(CHOICES, markets=(fake_runs.MARKETS[0], short))
    assert choices.intervals(["BTCUSDT", "ETHUSDT"]) == ("1h", "4h")
    assert choices.intervals([]) == ()


def test_a_grid_is_counted_and_written_as_the_request_wants_it():
    typed = [("rsi.period", (5, 30, 1)), ("rsi.buy_below", (20, 40, 2.5))]
    assert sweep.text_of(typed) == "rsi.period=5:30:1,rsi.buy_below=20:40:2.5"
    assert sweep.note(typed) == ("26 × 9 = 234 runs, each counted as a trial", True)
    assert sweep.size((0.1, 0.3, 0.1), "x") == 3  # 0.30000000000000004 is still 0.3
    assert sweep.filled(CHOICES.strategies[0])["y"] == ["rsi.buy_below", 20.0, 40.0, 2.0]
    assert sweep.filled(CHOICES.strategies[2]) == {"x": ["", None, None, None], "y": ["", None, None, None]}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ([(None, (1, 2, 1))], "choose at least one"),
        ([("a", (1, 2, 1)), ("a", (1, 2, 1))], "a is chosen twice"),
        ([("a", (1, None, 1))], "a: enter from, to and step"),
        ([("a", (1, 2, 0))], "a: 'to' must not be below"),
        ([("a", (1, 1000, 1)), ("b", (1, 1000, 1))], "1,000,000 runs are more than 20,000"),
    ],
)
def test_a_grid_that_is_none_is_named_and_cannot_be_started(typed, words):
    said, ready = sweep.note(typed)
    assert words in said and not ready


def test_tiles_say_what_the_picture_says(view):
    shown = {key: tile for key, (_, tile) in tiles.made(view).items()}
    assert shown["sharpe"].value == "1.38" and shown["sharpe"].note == "95 %: 0.92 – 1.81"
    assert shown["deflated"].note == "37 trials counted"
    assert shown["overfitting"].value == "PBO 0.18" and "71 % of in-sample" in shown["overfitting"].note
    assert shown["drawdown"].tone == "warning" and shown["drawdown"].note == "83 days"
    assert shown["drawdown"].value.startswith("−") and shown["cagr"].note == "2.48 years"


def test_figures_that_are_undefined_are_not_invented():
    for label, tile in tiles.TILES.values():
        made = tile({})
        assert "–" in made.value, label
    assert tiles.overfitting({}).note == "needs a sweep"
    assert tiles.win_rate({"n_trades": 0.0}).note == "no trade"


def test_curves_share_a_time_axis_and_compared_runs_begin_with_the_same_capital(view):
    other = PORT.view("past1")
    figure = curves.figure(view, [other])
    names = [trace["name"] for trace in figure["data"]]
    assert names == [
        "resampled, low",
        "resampled, high",
        "Buy & hold",
        "Equity",
        "SMA cross · BTC/USDT · 1h",
        "Drawdown",
        "Exposure",
    ]
    assert figure["data"][4]["y"][0] == pytest.approx(float(view.curve.equity[0]))
    assert all("xaxis" not in trace for trace in figure["data"])
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < view.curve.equity.min() and view.curve.equity.max() < high


def test_log_axis_holds_the_same_values(view):
    axis = curves.figure(view, log=True)["layout"]["yaxis"]
    assert axis["type"] == "log" and axis["range"][0] < np.log10(view.curve.equity.min())
    assert len(axis["tickvals"]) > 1


def test_a_run_without_bars_or_band_is_still_drawn(view):
    none = np.zeros(0)
    bare = replace(view, curve=replace(view.curve, band_low=none, band_high=none))
    assert "band" not in curves.note(bare) and curves.figure(bare)["data"][0]["name"] == "Buy & hold"
    empty = replace(view, curve=type(view.curve)(np.zeros(0, np.int64), none, none, none, none, none, none))
    assert "no bar" in str(curves.figure(empty))


def test_of_the_stored_runs_five_can_be_compared_and_never_the_one_on_screen():
    stored = PORT.runs()
    options = curves.compare_options(stored, "past0", [run.key for run in stored[1:6]])
    assert "past0" not in [o["value"] for o in options]
    assert [o["disabled"] for o in options] == [False] * 5 + [True]
    assert curves.compare_word([]) == "Compare" and curves.compare_word(["a", "b"]) == "Compare 2"


def test_a_month_is_coloured_by_its_size_and_never_so_much_that_it_cannot_be_read():
    assert months.ink(None) == months.ink(0.0) == "transparent"
    assert months.ink(0.5) == "rgba(46,189,133,0.55)" and months.ink(-0.5) == "rgba(246,70,93,0.55)"
    assert months.words(0.061) == "+6.1" and months.words(-0.033) == "−3.3" and months.words(None) == ""
    for red, green, blue in ((46, 189, 133), (246, 70, 93)):
        ground = [0.55 * c + 0.45 * g for c, g in zip((red, green, blue), (0x16, 0x1A, 0x1E), strict=True)]
        assert contrast((0xEA, 0xEC, 0xEF), ground) >= 4.5


def contrast(a, b):
    def light(colour):
        parts = [c / 255 for c in colour]
        parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_plateau_shows_the_chosen_point_and_losses_in_red_only_where_there_are_any():
    good = Plateau("a", "b", (1.0, 2.0), (1.0,), np.array([[0.2, 1.0]]), "Sharpe", (2.0, 1.0))
    figure = plateau.figure(good)
    assert figure["data"][0]["zmin"] == 0 and figure["data"][1]["x"] == [2.0]
    bad = replace(good, values=np.array([[-1.0, np.nan]]), chosen=None)
    figure = plateau.figure(bad)
    assert figure["data"][0]["zmin"] == -1 and len(figure["data"]) == 1 and figure["data"][0]["z"] == [[-1.0, None]]
    assert plateau.figure(replace(bad, values=np.array([[np.nan, np.nan]])))["data"][0]["zmax"] == 1.0


def test_a_run_without_sweep_says_how_to_get_a_plateau(silent):
    assert "No sweep in this run" in drawn(plateau.card(silent))


def test_checks_fill_up_and_sum_up_in_words(view):
    waiting = replace(view, checks=(Check("a", "pass", "1 of 1"), Check("b", "running", ""), Check("c", "waiting", "")))
    assert checks.unfinished(waiting) and checks.verdict(waiting) == "1 of 3 answered"
    assert not checks.unfinished(view) and "1 of 6 failed" in checks.verdict(view)
    clean = replace(view, checks=(Check("a", "pass", ""), Check("b", "skipped", "")))
    assert checks.verdict(clean) == "nothing found against it; 1 of 2 answered, 1 skipped"
    assert checks.verdict(replace(view, checks=(Check("a", "pass", ""),))) == "nothing found against it"
    assert checks.verdict(replace(view, checks=(Check("a", "warn", ""),))) == "nothing failed, read the warnings"


def test_a_check_says_its_state_in_words_and_explains_bad_news():
    row = drawn(checks.row(Check("Edge", "fail", "−0.02 %", "It is gone.")))
    assert "failed" in row and "It is gone." in row and "✗" in row
    assert "check-why" not in drawn(checks.row(Check("Edge", "pass", "x", "It stays.")))
    assert "skipped" in drawn(checks.row(Check("Edge", "of the future", "")))


def test_the_details_of_checks_are_typeset():
    assert "−1.01 % a trade (was +0.20 %)" in drawn(checks.row(Check("a", "fail", "-1.01% a trade (was +0.20%)")))


def test_a_column_that_would_be_empty_is_left_out(view):
    none = replace(view, trades=tuple(replace(t, confidence=None) for t in view.trades))
    fields = [[column["field"] for column in tabs.trade_columns(v)] for v in (view, none)]
    assert "confidence" in fields[0] and "confidence" not in fields[1]


def test_a_sweep_of_one_parameter_is_a_line_without_an_invented_axis():
    one = Plateau("a", "", (1.0, 2.0, 3.0), (0.0,), np.array([[0.2, 1.0, np.nan]]), "Sharpe", (2.0, 0.0))
    figure = plateau.figure(one)
    assert figure["data"][0]["y"] == [0.2, 1.0, None] and figure["layout"]["yaxis"]["title"]["text"] == "Sharpe"
    assert plateau.chosen_words(one) == "● chosen 2"


def test_every_figure_has_its_name_and_unit(view):
    rows = dict(tabs.all_figures(view))
    assert rows["Volatility a year"] == "15.50 %" and rows["Longest drawdown"] == "83 days"
    assert rows["Fees"] == "812.40 USDT" and rows["Trades"] == "164"
    assert rows["Turnover a year, of mean equity"] == "42.00 ×"


def test_trades_become_rows_with_both_reasons_the_newest_first(view):
    grid = tabs.trades(view)
    assert grid.rowData[0]["number"] == len(view.trades)
    assert {"opened_by", "closed_because", "confidence"} <= set(grid.rowData[0])
    fields = [column["field"] for column in grid.columnDefs]
    assert set(fields) <= set(grid.rowData[0])


def test_many_trades_are_cut_on_screen_and_whole_in_the_file(view):
    many = replace(view, trades=tuple(replace(view.trades[0], number=n) for n in range(1, 6_001)))
    assert len(tabs.trades(many).rowData) == tabs.MOST_ROWS
    assert backtest_csv.text_of(many, "trades").count("\n") == 6_001


def test_a_run_without_a_trade_says_why_on_every_tab(silent):
    for name, draw in tabs.PANES.items():
        assert draw(silent) is not None, name
    assert "never met" in drawn(tabs.trades(silent)) and "Nothing was paid" in drawn(tabs.costs(silent))
    assert "No trade to distribute" in drawn(tabs.distribution(silent))
    assert ids.BT_TRADES not in drawn(page.result(silent, ()))


def test_settings_name_every_hash_and_the_costs_as_they_were_typed(view):
    rows = dict(tabs.settings_rows(view))
    assert {f"Hash of {name}" for name in view.hashes} <= set(rows)
    assert rows["Costs"].startswith("commission 0.1 %, spread 1 bp, slippage 2 bp")
    assert rows["Symbols"] == "BTC/USDT, ETH/USDT"


def test_windows_show_training_beside_the_untouched_part():
    asked = replace(fake_runs.request_of(PORT.runs()[0]), train_days=180, test_days=30)
    walked = fake_runs.view_of("walked", asked, 1.0)
    assert "2022-06-30" in drawn(tabs.windows(walked)) and curves.note(walked).startswith("out of sample")


@pytest.mark.parametrize("tab", list(tabs.TITLES))
def test_every_tab_can_be_saved_also_when_it_is_empty(view, silent, tab):
    for run in (view, silent):
        lines = backtest_csv.text_of(run, tab).splitlines()
        assert "," in lines[0]


def test_text_that_a_spreadsheet_would_run_is_only_text(view):
    evil = replace(view, trades=(replace(view.trades[0], opened_by="=cmd|'/c calc'!A1", side="SHORT"),))
    saved = backtest_csv.text_of(evil, "trades")
    assert "'=cmd" in saved and ",2022" in saved and "Z," in saved


def test_a_loss_is_a_number_in_the_file(view):
    lost = replace(view, trades=(replace(view.trades[0], pnl=Decimal("-7.25"), pnl_rate=-0.0127496),))
    row = next(csv.DictReader(io.StringIO(backtest_csv.text_of(lost, "trades"))))
    assert (row["pnl"], row["pnl_rate"]) == ("-7.25", "-0.0127496")


def test_a_return_is_rounded_once_so_that_table_dialog_and_file_agree(view):
    lost = replace(view.trades[0], pnl_rate=-0.012748)
    assert tabs.trade_row(lost)["pnl_rate"] == -0.012748
    assert "−1.27 %" in drawn(trade.title(lost, "USDT"))


def test_the_chart_of_a_trade_marks_entry_and_exit_on_their_bars(view):
    one = view.trades[3]
    start, end = trade.span(one, "1h")
    candles = PORT.candles(one.symbol, "1h", start, end)
    opens = set((candles.open_time // 1000).tolist())
    marks = trade.markers(one, candles)
    assert [m["text"] for m in marks] == ["entry", one.closed_because] and {m["time"] for m in marks} <= opens
    assert start <= one.entry_time - 60 * INTERVAL_MS["1h"] and end > one.exit_time
    short = trade.markers(replace(one, side="SHORT"), candles)
    assert [m["shape"] for m in short] == ["arrowDown", "arrowUp"]
    assert "not stored any more" in drawn(trade.body(one, Candles.empty(one.symbol, "1h"), "USDT"))


@pytest.mark.parametrize("held_days", [0, 1, 30, 365, 900])
@pytest.mark.parametrize("interval", ["1m", "1h"])
def test_the_chart_of_a_long_trade_has_fewer_bars_of_a_longer_timeframe(view, held_days, interval):
    one = replace(view.trades[0], exit_time=view.trades[0].entry_time + held_days * 86_400_000)
    chosen = trade.chart_interval(one, interval)
    start, end = trade.span(one, chosen)
    assert (end - start) / INTERVAL_MS[chosen] <= 1_500 and INTERVAL_MS[chosen] >= INTERVAL_MS[interval]
    assert chosen == interval or held_days
    assert f'"{chosen}"' in drawn(trade.body(one, PORT.candles(one.symbol, chosen, start, end), "USDT"))


def test_without_candles_the_page_says_how_to_get_them_and_cannot_run():
    made = drawn(page.page(form.first(NOTHING), NOTHING, None, None, ()))
    assert "--mode download" in made and "--mode import" in made and '"disabled": true' in made
    assert "No run is stored yet" in made


@pytest.mark.parametrize(
    ("state", "words"),
    [("running", "Computing"), ("waiting", "Computing"), ("cancelled", "Cancelled"), ("failed", "the disk is full")],
)
def test_a_run_without_result_says_what_became_of_it(state, words):
    progress = BacktestProgress("k", state, 0.4, "simulating", "the disk is full" if state == "failed" else "")
    made = drawn(page.page(form.first(CHOICES), CHOICES, None, progress, ()))
    assert words in made
    active = state in ("running", "waiting")
    parts = page.moving(progress) if active else page.outcome(progress, None, ())
    assert parts[ids.BT_TICK, "disabled"] is not active and parts[ids.BT_GO, "disabled"] is active
    assert ((ids.BT_BODY, "children") in parts) is not active


def test_stored_runs_are_links_and_the_one_on_screen_is_marked():
    made = drawn(runs.table(PORT.runs(), "past2"))
    assert "/backtest?run=past2" in made and made.count("is-shown") == 1
    for words in ("sweep", "whole period", "2022-01-01 to 2024-06-24", "10,000"):
        assert words in made and words in " ".join(curves.run_words(run) for run in PORT.runs())


def test_a_run_that_was_stored_without_its_mode_is_listed_too():
    old = replace(PORT.runs()[0], mode="", start=None, end=None, capital="")
    assert "–" in drawn(runs.table([old], None)) and "whole" not in curves.run_words(old)
