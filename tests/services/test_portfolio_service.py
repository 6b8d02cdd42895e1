"""The picture on the screen: every figure agrees with the ledger, before and after a restart."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.services.cockpits import Whole, whole_cockpit
from trading.domain.venue import Legs, VenueStatus


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("cockpit")
    with whole_cockpit(folder) as whole:
        whole.start()
        whole.trade()
        yield folder, whole


def test_tiles_tables_and_ledger_agree_to_the_last_digit(traded: tuple[Path, Whole]) -> None:
    _, whole = traded
    view = whole.portfolio.view()
    account, rows = view.account, whole.cockpit.history.trade_rows()
    assert account.n_trades == len(rows) == len(view.trades) > 10
    assert sum(trade.pnl for trade in view.trades) + sum(
        whole.engine.portfolio.holdings[p.symbol].trade_pnl * Decimal("1e-8") for p in view.positions
    ) == account.realized_pnl
    assert account.equity - account.start_equity == account.realized_pnl + account.unrealized_pnl
    assert account.win_rate == pytest.approx(sum(t.pnl > 0 for t in view.trades) / len(view.trades))
    assert [Decimal(row["pnl"]) for row in rows] == [trade.pnl for trade in view.trades]


def test_stop_and_target_are_those_that_stand_at_the_venue(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path, n_bars=160) as whole:
        whole.start()
        whole.trade()
        assert all(position.stop and position.target for position in whole.portfolio.view().positions)
        whole.portfolio._venue_status = lambda: VenueStatus("LIVE", "degraded", bare=("BTCUSDT",))
        whole.portfolio.refresh()
        bare, covered = whole.portfolio.view().positions
        resting = (Legs("BTCUSDT", Decimal(60_000), Decimal(70_000)), Legs("ETHUSDT", Decimal(3_000)))
        whole.portfolio._venue_status = lambda: VenueStatus("LIVE", "ready", resting=resting)
        whole.portfolio.refresh()
        seen = [(position.stop, position.target) for position in whole.portfolio.view().positions]
    assert (bare.symbol, bare.stop, bare.target) == ("BTCUSDT", None, None)
    assert covered.stop and covered.target
    assert seen == [(60_000, 70_000), (3_000, None)]


def test_price_is_the_same_in_header_position_and_chart(traded: tuple[Path, Whole]) -> None:
    _, whole = traded
    view = whole.portfolio.view()
    for quote in view.quotes:
        bar, _ = whole.cockpit.charts.last_bar(quote.symbol, "1m", ())
        assert float(quote.price) == bar.close
    prices = {quote.symbol: quote.price for quote in view.quotes}
    assert all(position.price == prices[position.symbol] for position in view.positions)


def test_series_end_where_the_tiles_stand(traded: tuple[Path, Whole]) -> None:
    _, whole = traded
    view, series = whole.portfolio.view(), whole.portfolio.series()
    assert series.equity[-1] == pytest.approx(float(view.account.equity), abs=1e-8)
    assert series.drawdown[-1] == pytest.approx(view.account.drawdown_rate, abs=1e-6)
    assert series.drawdown.min() >= view.account.max_drawdown_rate - 1e-6
    assert (np.diff(series.time) > 0).all()


def test_every_order_has_a_decision_that_explains_it(traded: tuple[Path, Whole]) -> None:
    _, whole = traded
    entries = [order for order in whole.portfolio.view().orders if order.side == "BUY"]
    assert entries
    decided = {d.client_id: d for d in whole.cockpit.history.decisions(100_000)}
    for order in entries:
        key = f"{order.symbol}@{decided[order.client_id].time}"
        lines = whole.portfolio.decision(key).lines
        stages = [stage for stage, _, _ in lines]
        assert {"BAR", "SIGNAL", "INPUTS", "RISK", "OUTCOME", "ORDER"} <= set(stages)
        assert ("FILL" in stages) == (order.filled > 0)
    assert whole.portfolio.decision("NOPE@1") is None
    assert whole.portfolio.decision("BTCUSDT@x") is None


def test_a_new_process_shows_the_same_account(traded: tuple[Path, Whole]) -> None:
    folder, whole = traded
    before = whole.portfolio.view()
    with whole_cockpit(folder, n_bars=0) as again:
        after = again.portfolio.view()
        for name in ("account", "positions", "trades", "orders", "log", "signal_quality"):
            assert getattr(after, name) == getattr(before, name), name
        assert replace(after.session, control_version=0) == replace(before.session, control_version=0)
        assert after.session.state == "running"
        assert np.array_equal(again.portfolio.series().equity, whole.portfolio.series().equity)
        assert [d.key for d in after.decisions] == [d.key for d in before.decisions]


def test_going_on_after_a_restart_equals_never_having_stopped(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path / "one", 300) as straight:
        straight.start()
        straight.trade()
        expected = straight.engine.snapshot()
    for n_bars in (120, 180):
        with whole_cockpit(tmp_path / "two", n_bars) as part:
            if n_bars == 120:
                part.start()
            part.trade()
            found = part.engine.snapshot()
    for name in ("portfolio", "orders", "broker", "outcomes", "session", "cursor", "performance"):
        assert found[name] == expected[name], name


def test_long_series_are_thinned_but_keep_the_end_and_the_deepest_drawdown(tmp_path: Path) -> None:
    with whole_cockpit(tmp_path, 0) as whole:
        for minute in range(9_001):
            point = whole.engine.portfolio.point(minute * 60_000)
            whole.portfolio._add_point(replace(point, equity=10**12 + minute, drawdown_ppm=70_000 * (minute == 4_321)))
        series = whole.portfolio.series()
        assert len(series.time) <= 2_000
        assert series.time[-1] == 9_000 * 60_000
        assert series.drawdown.min() == -0.07
