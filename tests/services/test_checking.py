"""`--mode check`: one line a check, and exit code 1 when a strategy looks ahead."""

import dataclasses
import json

import numpy as np
import pytest

import main
from services import checking
from services.strategies import find_strategy, parse_strategy
from trading.indicators import INDICATORS

PEEKING = {"version": 2, "name": "peek", "symbols": ["BTCUSDT"],
           "entry": {"all": [{"left": "close", "op": ">", "right": 0},
                             {"left": "peek_3", "op": ">", "right": "close"}]},
           "exit": {"left": "peek_3", "op": "<", "right": "close"}}


def _peek(state, close, out):
    out[0] = np.append(close[1:], np.nan)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty data folder, on few bars."""
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(checking, "MADE_BARS", 1_500)
    row = dataclasses.replace(INDICATORS["sma"], name="peek", outputs=("peek",), primary="peek", loop=_peek)
    monkeypatch.setitem(INDICATORS, "peek", row)
    return lambda *arguments: main.main(["--mode", "check", *arguments])


def test_honest_strategy_passes_with_a_line_a_check(run, capsys):
    assert run("--strategy", "sma-cross") == 0
    out, err = capsys.readouterr()
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["length", "look-ahead", "warm-up", "signals"]
    assert out.startswith("document     ok      SMA cross: SMA 20 + SMA 50 on BTCUSDT 1h")
    assert "each of 1,500 bars decides the same without its future" in out
    assert "no stored candles" in err


def test_strategy_that_looks_ahead_fails_and_the_field_is_named(run, tmp_path, capsys):
    path = tmp_path / "peek.json"
    path.write_text(json.dumps(PEEKING))
    assert run("--strategy", str(path)) == 1
    line = next(line for line in capsys.readouterr().out.splitlines() if "look-ahead" in line)
    assert "FAILED  entry.all[1].left on bar 0: " in line
    assert line.endswith("UTC)")


def test_findings_are_written_as_json(run, tmp_path, capsys):
    target = tmp_path / "found.json"
    assert run("--strategy", "demo", "--json", str(target)) == 0
    found = json.loads(target.read_text())
    assert found["strategy"] == "demo"
    assert {one["outcome"] for one in found["findings"]} == {"ok"}


def test_bad_document_and_missing_data_are_one_line(run, tmp_path, capsys):
    path = tmp_path / "bad.json"
    path.write_text('{"version": 2, "symbols": ["BTCUSDT"], "entry": {}, "exit": {"any": []}}')
    assert run("--strategy", str(path)) == 2
    assert capsys.readouterr().err.startswith("error: entry: {} is not allowed; use an object with all, any")
    assert run("--strategy", "demo", "--assets", "XRPUSDT") == 2
    assert "no stored candles of XRPUSDT" in capsys.readouterr().err


def test_too_few_bars_fail():
    lines = checking.check(find_strategy("macd-cross"), checking.made_walk("BTCUSDT", "1h", 150))
    assert lines[0].outcome == "FAILED"
    assert lines[0].text == "entry.all[1].right: 'ema_200' needs 200 bars, there are 150"


def test_bars_are_folded_into_the_timeframe_of_the_strategy():
    lines = checking.check(find_strategy("sma-cross"), checking.made_walk("BTCUSDT", "15m", 4_000))
    assert "1,000 bars of 1h" in lines[0].text


def test_strategy_that_never_speaks_is_noted():
    silent = parse_strategy({"version": 2, "symbols": ["BTCUSDT"], "entry": {"any": []}, "exit": {"any": []}})
    lines = checking.check(silent, checking.made_walk("BTCUSDT", "1h", 200))
    assert [one.outcome for one in lines] == ["ok", "ok", "ok", "note"]
    assert "0 bars say enter" in lines[-1].text
