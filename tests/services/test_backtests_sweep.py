"""Sweeps: the same results with any number of workers, streamed to disk, counted and judged."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import services.backtests.spread as spread_module
from services.backtests.ask import ask
from services.backtests.markets import Source
from services.backtests.rows import SWEPT, Rows, run_rows, spans
from services.backtests.spread import Hands, spread
from services.backtests.station import BacktestStation, Job
from services.backtests.sweep import ROW_GROUP, overfitting, plateau_of, sweep
from storage.candle_store import CandleStore
from tests.fakes.asked import asked, loaded, still, waves, work
from trading.brokers.paper import PaperBroker
from trading.errors import BadInput

SWEEP = "rsi.period=6:14:2,rsi.buy_below=20:40:5"


def same(one: Rows, other: Rows) -> bool:
    columns = ("parameters", "figures", "bar_sharpe", "returns", "train")
    return one.hashes == other.hashes and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in columns)


@pytest.fixture(scope="module")
def alone() -> Rows:
    return run_rows(work(SWEEP, waves(1_500)), 0, 25)


def test_processes_give_the_same_results_as_one(alone, monkeypatch):
    monkeypatch.setattr(spread_module, "WORTH_S", 0.0)
    monkeypatch.setattr(spread_module, "TRIED_S", 0.0)
    found = Rows.joined(list(spread(work(SWEEP, waves(1_500)), Hands(n_jobs=2))))
    assert same(alone, found)


def test_a_cluster_that_loses_a_worker_gives_the_same_results(alone, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(spread_module, "CHUNK", 2)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        results = spread(work(SWEEP, waves(1_500)), Hands(cluster=cluster.scheduler_address))
        parts = [next(results)]
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        parts += results
    assert same(alone, Rows.joined(parts))


def test_a_cluster_that_does_not_answer_is_one_clear_line(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(spread_module, "CONNECT", "1s")
    with pytest.raises(BadInput, match="does not answer"):
        list(spread(work(SWEEP, waves(300)), Hands(cluster="tcp://127.0.0.1:9")))


def test_a_combination_in_a_sweep_is_the_run_of_those_parameters(alone):
    candles = waves(1_500)
    row = 7
    chosen = work(SWEEP, candles).grid.combination(row)
    document = asked().document
    parameters = {name: {**p, "value": chosen.get(name, p["value"])} for name, p in document["parameters"].items()}
    request = asked(document={**document, "parameters": parameters})
    found = ask(request, loaded(candles), Hands(1), None, still)
    for name in SWEPT:
        value = found.view.figures[name]
        swept = alone.figures[row, SWEPT.index(name)]
        assert np.isnan(swept) if value is None else swept == value, name
    assert [t.parameters for t in found.trials] == [alone.hashes[row]]


def test_results_are_written_in_whole_row_groups_and_match(tmp_path: Path):
    target = tmp_path / "deep" / "sweep.parquet"
    big = work("rsi.period=5:30:1,rsi.buy_below=15:45:1,rsi.sell_above=50:55:5", waves(120))
    swept = sweep(big, Hands(1), target, {"about": 1}, still)
    file = pq.ParquetFile(target)
    n = len(big.grid)
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [ROW_GROUP, n - ROW_GROUP]
    table = file.read().to_pandas()
    assert list(table.columns) == [*big.grid.names, *SWEPT, "bar_sharpe"]
    assert np.array_equal(table["total_return"], swept.rows.figures[:, 0], equal_nan=True)
    assert not list(tmp_path.rglob("*.partial"))


def test_only_the_newest_results_of_sweeps_are_kept(tmp_path: Path):
    station = BacktestStation(Source(tmp_path / "candles"), tmp_path, PaperBroker)
    for number in range(25):
        file = tmp_path / f"sweep-q{number:02}.parquet"
        file.write_text("")
        os.utime(file, (number, number))
    (tmp_path / "sweep.parquet").write_text("")
    CandleStore(tmp_path / "candles").append(waves(300))
    station.do(Job("qnew", asked(sweep="rsi.period=6:8:2")), still)
    kept = sorted(file.name for file in tmp_path.glob("*.parquet"))
    assert kept == ["sweep-q" + end + ".parquet" for end in (*(f"{n:02}" for n in range(6, 25)), "new")] + [
        "sweep.parquet"]


def test_a_sweep_that_is_stopped_leaves_no_file(tmp_path: Path):
    def stop(_share: float, _stage: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(work(SWEEP, waves(300)), Hands(1), tmp_path / "out.parquet", {}, stop)
    assert list(tmp_path.iterdir()) == []


def test_combinations_that_the_strategy_forbids_are_left_out():
    swept = sweep(work("rsi.buy_below=20:95:25", waves(300)), Hands(1), None, {}, still)
    assert [bool(name) for name in swept.rows.hashes] == [True, True, False, False]
    assert np.isnan(swept.rows.figures[2:]).all()


def test_a_sweep_of_an_unknown_parameter_is_refused():
    with pytest.raises(BadInput, match="is no parameter of RSI reversion"):
        ask(asked(sweep="nothing.period=1:3"), loaded(waves(300)), Hands(1), None, still)


def test_a_sweep_shows_its_best_run_a_plateau_and_how_overfit_it_is():
    found = ask(asked(sweep=SWEEP), loaded(waves(3_000)), Hands(1), None, still)
    plateau = found.view.plateau
    assert plateau is not None
    assert (plateau.x_name, plateau.y_name, plateau.values.shape) == ("rsi.period", "rsi.buy_below", (5, 5))
    at = plateau.y.index(plateau.chosen[1]), plateau.x.index(plateau.chosen[0])
    assert plateau.values[at] == np.nanmax(plateau.values) == found.view.figures["sharpe"]
    assert 0 <= found.view.figures["pbo"] <= 1
    assert len(found.trials) == 25 == len({t.parameters for t in found.trials})
    assert "25 combinations" in found.view.notes[0]


def test_a_plateau_of_one_or_three_parameters_is_drawn_through_the_best():
    one = sweep(work("rsi.period=6:14:2", waves(600)), Hands(1), None, {}, still)
    assert plateau_of(one).values.shape == (1, 5)
    cube = work("rsi.period=6:10:2,rsi.buy_below=20:30:5,rsi.sell_above=50:60:5", waves(600))
    three = sweep(cube, Hands(1), None, {}, still)
    drawn = plateau_of(three)
    assert drawn.values.shape == (3, 3)
    assert np.nanmax(drawn.values) == np.nanmax(three.rows.figures[:, SWEPT.index("sharpe")])


def test_returns_are_kept_in_spans_that_compound_to_the_whole():
    returns = np.random.default_rng(1).normal(0, 0.01, 1_003)
    kept = spans(returns, 40)
    assert len(kept) == 40
    assert np.prod(1 + kept.astype(float)) == pytest.approx(np.prod(1 + returns), rel=1e-5)


def test_overfitting_needs_two_combinations_and_enough_spans():
    assert overfitting(np.zeros((1, 100), np.float32)) is None
    assert overfitting(np.zeros((5, 8), np.float32)) is None


def test_combinations_that_never_trade_say_nothing_of_overfitting():
    returns = np.zeros((5, 100), np.float32)
    assert overfitting(returns) is None
    returns[0] = np.random.default_rng(1).normal(0, 0.01, 100)
    assert overfitting(returns) is None


def test_without_a_trade_the_first_allowed_combination_is_shown():
    found = ask(asked(sweep="rsi.period=1:9:4"), loaded(waves(30)), Hands(1), None, still)
    assert "shown is the best by Sharpe ratio: rsi.period 5" in " ".join(found.view.notes)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_combinations_stay_in_bounded_memory(tmp_path: Path):
    def used() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    big = work("rsi.period=5:30:1,rsi.buy_below=15:45:1,rsi.sell_above=50:85:3", waves(60))
    run_rows(big, 0, 2)
    before = used()
    swept = sweep(big, Hands(1), tmp_path / "sweep.parquet", {}, still)
    assert len(swept.rows.hashes) == 9_672
    assert used() - before < 250e6
