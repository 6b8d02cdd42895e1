"""What the API tells of the account is what the screen shows: money as text, to the last digit."""

import re
from decimal import Decimal

import pytest

from tests.api.served import Place, problem, served
from tests.fakes.fake_services import FakeWorld

MONEY = re.compile(r"-?\d+(\.\d+)?")


def test_the_account_and_its_positions_are_those_of_the_screen(place):
    view = place.world.portfolio.view()
    account = place.get("/api/portfolio").json()
    assert Decimal(account["equity"]) == view.account.equity and account["n_trades"] == view.account.n_trades
    found = place.get("/api/portfolio/positions").json()
    assert [(p["symbol"], Decimal(p["quantity"]), Decimal(p["pnl"])) for p in found] == [
        (p.symbol, p.quantity, p.pnl) for p in view.positions]
    assert all(MONEY.fullmatch(p[name]) for p in found for name in ("quantity", "entry_price", "value", "pnl"))
    assert [p["symbol"] for p in place.get("/api/portfolio/positions?symbol=btc/usdt").json()] == ["BTCUSDT"]


def test_orders_and_trades_come_newest_first_and_no_more_than_asked_for(place):
    view = place.world.portfolio.view()
    assert [o["client_id"] for o in place.get("/api/orders").json()] == [o.client_id for o in view.orders]
    times = [t["exit_time"] for t in place.get("/api/trades").json()]
    assert len(times) == len(view.trades) > 1 and times == sorted(times, reverse=True)
    assert len(place.get("/api/trades?limit=1").json()) == 1
    for limit in ("0", "1001", "x", "1e3"):
        problem(place.get(f"/api/orders?limit={limit}"), 422)


def test_profits_add_up(place):
    told = place.get("/api/profits").json()
    pnl = [each.trade.pnl for each in place.world.journal.booked]
    assert told["wins"] + told["losses"] + told["breakeven"] == told["n_trades"] == len(pnl)
    assert told["wins"] == sum(one > 0 for one in pnl)
    assert Decimal(told["realized_pnl"]) == place.world.portfolio.view().account.realized_pnl
    assert (Decimal(told["best"]), Decimal(told["worst"])) == (max(pnl), min(pnl))
    assert abs(Decimal(told["average_pnl"]) - sum(pnl) / len(pnl)) < Decimal("1e-7")


def test_an_account_that_has_not_traded_has_no_invented_figures(tmp_path):
    with served(Place(tmp_path, FakeWorld(empty=True))) as own:
        told = own.get("/api/profits").json()
        assert (told["n_trades"], told["win_rate"], told["best"], told["average_pnl"]) == (0, None, None, None)
        assert own.get("/api/portfolio/positions").json() == own.get("/api/trades").json() == []
        problem(own.get("/api/backtest/results"), 404)


def test_metrics_count_requests_and_errors_and_speak_to_prometheus(tmp_path):
    with served(Place(tmp_path)) as own:
        own.get("/api/orders")
        own.get("/api/orders")
        own.get("/api/no-such-route-17")
        own.ask("GET", "/api/orders")
        told = own.get("/api/metrics").json()
        assert Decimal(told["account"]["equity"]) == own.world.portfolio.view().account.equity
        routes = {(r["method"], r["route"]): r for r in told["service"]["routes"]}
        assert routes["GET", "/api/orders"]["statuses"] == {"200": 2}
        assert routes["*", "(none)"]["statuses"] == {"401": 1, "404": 1}
        assert (told["service"]["requests"], told["service"]["error_rate"]) == (4, 0.0)
        assert 0 < told["service"]["p50_ms"] <= told["service"]["p99_ms"] and told["service"]["uptime_s"] > 0
        text = own.get("/api/metrics", headers={"Accept": "text/plain"})
        assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "no-such-route" not in text.text
        assert re.search(r'^cockpit_api_requests_total\{method="GET",route="/api/orders",status="200"\} 2$', text.text,
                         re.M)


SAMPLE = re.compile(r'[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? (-?\d+(\.\d+)?([eE][-+]?\d+)?)')


def test_prometheus_text_has_only_lines_of_its_format_and_histograms_that_rise(place):
    text = place.get("/api/metrics", headers={"Accept": "text/plain"}).text
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(samples) > 20 and [line for line in samples if not SAMPLE.fullmatch(line)] == []
    counts = [float(line.rpartition(" ")[2]) for line in samples if '_bucket{method="GET",route="/api/orders"' in line]
    assert counts == sorted(counts) and len(counts) in (0, 12)


@pytest.mark.parametrize("query", ["symbol=BTCUSDT&interval=1h&limit=20", "symbol=ethusdt"])
def test_bars_are_those_of_the_chart_and_a_forming_one_is_not_closed(place, query):
    told = place.get(f"/api/binance/ohlcv?{query}").json()
    charts = place.world.services.charts
    bars = charts.chart(told["symbol"], told["interval"], len(told["bars"]), ()).candles
    assert [bar["time"] for bar in told["bars"]] == bars.open_time.tolist()
    assert float(told["bars"][-1]["close"]) == pytest.approx(float(bars.close[-1]), abs=0.01)
    names = ("open", "high", "low", "close", "volume")
    assert all(MONEY.fullmatch(bar[name]) for bar in told["bars"] for name in names)
    closed = [bar["closed"] for bar in told["bars"]]
    assert all(closed[:-1]) and closed == sorted(closed, reverse=True)


def test_prices_and_symbols_are_those_that_are_traded(place):
    view = place.world.portfolio.view()
    assert [p["symbol"] for p in place.get("/api/binance/prices").json()] == [q.symbol for q in view.quotes]
    (one,) = place.get("/api/binance/prices?symbol=sol/usdt").json()
    assert one["symbol"] == "SOLUSDT" and MONEY.fullmatch(one["price"])
    told = place.get("/api/binance/symbols").json()
    assert told["symbols"] == list(view.session.symbols) and "1h" in told["intervals"]
    for path in ("prices?symbol=XRPUSDT", "ohlcv?symbol=XRPUSDT"):
        assert "not traded here" in problem(place.get(f"/api/binance/{path}"), 404)["detail"]
    problem(place.get("/api/binance/ohlcv"), 422)
    problem(place.get("/api/binance/ohlcv?symbol=BTCUSDT&interval=2h"), 422)
