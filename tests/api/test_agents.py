"""Agents, Mother AI and decision records by script."""

import pytest

from tests.api.served import Place, problem, served
from tests.fakes.fake_services import FakeWorld


@pytest.mark.parametrize("prefix", ["/api/agents", "/api/agent"])
def test_agents_and_what_they_said_are_those_of_the_page(place, prefix):
    seen = place.world.agents.view().agents
    told = place.get(prefix).json()
    assert [(a["symbol"], a["name"], a["wins"], a["shrunk"]) for a in told] == [
        (a.config.symbol, a.name, a.wins, pytest.approx(a.shrunk)) for a in seen]
    assert [a["confidence"] for a in told] == [pytest.approx(a.confidence) for a in seen]
    said = place.get(f"{prefix}/predictions").json()
    assert [(p["prediction"], p["confidence"], p["entryPrice"]) for p in said] == [
        (a.prediction.prediction.lower(), a.prediction.confidence, str(a.prediction.entry_price)) for a in seen]
    assert place.get(f"{prefix}/btcusdt/predict").json() == next(p for p in said if p["symbol"] == "BTCUSDT")
    problem(place.get(f"{prefix}/XRPUSDT/predict"), 404)


def test_mother_ai_decides_by_the_documents_numbers_unless_others_are_asked_for(place):
    asked = []
    decide = place.world.agents.decide

    def watched(*given):
        asked.extend([given] if given else [])
        return decide(*given)

    place.world.agents.decide = watched
    told = place.get("/api/mother-ai/decision").json()
    place.post("/api/mother-ai/evaluate")
    place.post("/api/mother-ai/evaluate", {"top_n": 2, "min_score": 0.5})
    place.world.agents.decide = decide
    assert asked == [(3, 0.75), (1, 0.7), (2, 0.5)]
    assert [one["place"] for one in told["ranking"]] == list(range(1, len(told["ranking"]) + 1))
    assert told["chosen"] == [one for one in told["ranking"] if one["chosen"]]
    assert told["best_score"] == max(one["score"] for one in told["ranking"])
    for wrong in ({"top_n": 0}, {"min_score": 1.1}, {"more": 1}):
        problem(place.post("/api/mother-ai/evaluate", wrong), 422)
    assert place.world.session.sent == [], "nothing is ordered"


def test_agents_that_have_not_spoken_say_nothing(tmp_path):
    with served(Place(tmp_path, FakeWorld(empty=True))) as own:
        assert own.get("/api/agents/predictions").json() == []
        problem(own.get("/api/agents/BTCUSDT/predict"), 404)
        assert own.get("/api/mother-ai/decision").json()["best_score"] is None


def test_a_broken_roster_is_told_and_breaks_nothing_else(tmp_path):
    with served(Place(tmp_path)) as own:
        own.world.agents.broken = "agents.json: line 3 column 1"
        assert "line 3" in problem(own.get("/api/agents"), 503)["detail"]
        assert own.get("/api/session").status_code == 200


def test_a_decision_is_found_by_its_key_and_no_other(place):
    (first, *_) = place.get("/api/decisions").json()
    seen = place.world.portfolio.view().decisions[0]
    assert first["key"] == seen.key and [line["text"] for line in first["lines"]] == [text for _, text, _ in seen.lines]
    assert place.get(f"/api/decisions/{first['key']}").json() == first
    problem(place.get("/api/decisions/BTCUSDT@1"), 404)
    problem(place.get("/api/decisions/a%20b"), 422)


def test_trades_of_mother_ai_are_the_trades_of_the_account(place):
    assert place.get("/api/mother-ai/trades").json() == place.get("/api/trades").json()
