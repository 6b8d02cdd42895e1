"""Agents and decision records by script."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from services.api.agents import levels
from tests.api.served import problem
from trading.domain import Candle, Candles, ChartView

HOUR = 3_600_000


@pytest.mark.parametrize("prefix", ["/api/agents", "/api/agent"])
def test_agents_and_what_they_said_are_those_of_the_signals_card(place, prefix):
    view = place.world.portfolio.view()
    told = place.get(prefix).json()
    assert [(a["symbol"], a["name"]) for a in told if a["kind"] == "strategy"] == [
        (s.symbol, s.strategy) for s in view.signals]
    assert {a["state"] for a in told if a["kind"] == "model"} == {m.state for m in view.models}
    said = place.get(f"{prefix}/predictions").json()
    assert [(p["prediction"], p["confidence"]) for p in said] == [
        (s.action.lower(), pytest.approx(100 * s.confidence)) for s in view.signals]
    assert place.get(f"{prefix}/btcusdt/predict").json() == next(p for p in said if p["symbol"] == "BTCUSDT")
    problem(place.get(f"{prefix}/XRPUSDT/predict"), 404)


class Charts:
    """Three hours of one symbol with an ATR of 10."""

    def __init__(self, atr=10.0):
        candles = Candles.of([Candle("BTCUSDT", "1h", row * HOUR, *[100.0 * (row + 1)] * 4, 1.0) for row in range(3)])
        self.view = ChartView(candles, {"atr_14": np.array([10.0, atr, 10.0])}, 2)

    def indicator_names(self):
        return {"atr_14": "ATR 14"}

    def chart(self, *_):
        return self.view


def level(place, charts, time=2 * HOUR - 1, **profile):
    view = place.world.portfolio.view()
    session = replace(view.session, profile=replace(view.session.profile, stop_atr=2.0, **profile))
    said = replace(view.signals[0], time=time, action="BUY")
    return levels(replace(place.world.services, charts=charts), replace(view, session=session), said)


def test_prices_of_a_buy_follow_from_the_bar_the_atr_and_the_profile(place):
    assert level(place, Charts(), target_atr=3.0) == (Decimal(200), Decimal(180), Decimal(230))
    assert level(place, Charts(), target_atr=0.0) == (Decimal(200), Decimal(180), None)
    assert level(place, Charts(), time=7, target_atr=3.0) == (None, None, None)
    assert level(place, Charts(float("nan")), target_atr=3.0) == (None, None, None)


def test_a_decision_is_found_by_its_key_and_no_other(place):
    (first, *_) = place.get("/api/decisions").json()
    seen = place.world.portfolio.view().decisions[0]
    assert first["key"] == seen.key and [line["text"] for line in first["lines"]] == [text for _, text, _ in seen.lines]
    assert place.get(f"/api/decisions/{first['key']}").json() == first
    problem(place.get("/api/decisions/BTCUSDT@1"), 404)
    problem(place.get("/api/decisions/a%20b"), 422)


def test_trades_of_mother_ai_are_the_trades_of_the_account(place):
    assert place.get("/api/mother-ai/trades").json() == place.get("/api/trades").json()
