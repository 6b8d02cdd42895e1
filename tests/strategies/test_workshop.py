"""The workshop behind the page: drafts of stored and broken files, versions with figures, previews by the kernel."""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest

from services.backtests.figures import figures_of
from services.backtests.markets import Source
from services.backtests.trial import bench_of, run
from services.strategies import parse_strategy
from services.strategies.preview import N_BARS
from tests.fakes.fake_strategies import DIPS, MadePreviewer, fake_workshop
from trading.domain.backtests import BacktestRequest, CostSettings
from trading.errors import BadInput, StrategyChanged
from trading.risk import PROFILES


@pytest.fixture
def workshop(tmp_path):
    return fake_workshop(tmp_path)


class ShortPast(MadePreviewer):
    """As many bars as are judged, so that a preview and a backtest see the same."""

    def _loaded(self, request):
        found = super()._loaded(request)
        return type(found)((found.candles[0][-N_BARS:],), found.specs)


def test_a_preview_has_the_figures_and_trades_of_a_backtest_on_the_same_bars(tmp_path):
    previewer = ShortPast(Source(tmp_path), Decimal(10_000), CostSettings(), PROFILES[1])
    rules = parse_strategy(DIPS | {"entry": {"left": "rsi_14", "op": "<", "right": 40}, "parameters": {}})
    document = DIPS | {"entry": {"left": "rsi_14", "op": "<", "right": 40}, "parameters": {}}
    found = previewer.preview(rules, document, "BTCUSDT", "1h")
    request = BacktestRequest(rules.name, document, ("BTCUSDT",), "1h", None, None, Decimal(10_000), CostSettings(),
                              PROFILES[1])
    bench = bench_of(request, previewer._loaded(request))
    simulation = run(bench)
    assert dict(found.figures) == figures_of(bench, simulation) and found.figures["n_trades"] > 10
    exits = [mark for mark in found.marks if mark.kind == "exit"]
    assert len(exits) == simulation.n_trades and found.n_entries >= len(exits)
    step = 3_600_000
    entered = {mark.time for mark in found.marks if mark.kind == "entry"}
    assert {trade.entry_time // step * step for trade in simulation.trades} <= entered


def test_what_fired_in_vain_is_marked_and_never_where_something_was_entered(workshop):
    found = workshop.preview(DIPS | {"entry": {"left": "rsi_14", "op": "<", "right": 45}, "parameters": {}}, "BTCUSDT",
                             "1h")
    entered = {mark.time for mark in found.marks if mark.kind == "entry"}
    fired = {mark.time for mark in found.marks if mark.kind == "fired"}
    assert entered and fired and not entered & fired


@pytest.mark.parametrize(("document", "words"), [
    ({"version": 2}, "not complete"), (DIPS | {"side": "short"}, "research"),
    (DIPS | {"symbols": ["XYZUSDT"]}, "XYZUSDT")])
def test_a_preview_that_cannot_be_says_why(workshop, document, words):
    symbol = document.get("symbols", ["BTCUSDT"])[0]
    found = workshop.preview(document, symbol, "1h")
    assert words in found.error and not found.figures


def test_a_broken_file_opens_with_its_text_and_its_mistake(workshop):
    view = workshop.open("ETHUSDT", "broken")
    assert view.mistakes and view.text.startswith('{"version": 2') and not view.rows and view.version == 1
    mended = workshop.edit(view.state, [{"n": 1, "op": "json", "value": json.dumps(DIPS | {"symbols": ["ETHUSDT"]})}])
    assert workshop.keep(mended.state).version == 2


def test_an_older_form_written_by_hand_opens_as_version_2_and_counts_as_edited(workshop, tmp_path):
    (tmp_path / "strategies" / "BTCUSDT" / "old.json").write_text('{"symbol": "BTCUSDT", "indicators": {"rsi": {}}}')
    view = workshop.open("BTCUSDT", "old")
    assert view.document["version"] == 2 and view.is_changed and not view.mistakes


def test_new_strategies_of_one_name_get_ids_of_their_own(workshop):
    kept = [workshop.keep(workshop.blank().state) for _ in range(3)]
    assert [one.id for one in kept] == ["new-strategy", "new-strategy-2", "new-strategy-3"]
    assert not kept[0].is_changed


def test_a_draft_that_was_overtaken_is_refused_and_saved_only_on_wish(workshop):
    view = workshop.open("BTCUSDT", "rsi-dips")
    edited = workshop.edit(view.state, [{"n": 1, "op": "remove", "node": "n3"}])
    workshop.keep(workshop.edit(view.state, [{"n": 1, "op": "remove", "node": "n4"}]).state)
    with pytest.raises(StrategyChanged):
        workshop.keep(edited.state)
    assert workshop.keep(workshop.newest(edited.state).state).version == 4


def test_a_draft_keeps_the_symbol_under_which_it_is_stored(workshop):
    view = workshop.open("BTCUSDT", "rsi-dips")
    moved = workshop.edit(view.state, [{"n": 1, "op": "head", "path": ["symbols"], "value": "ETH/USDT"}])
    with pytest.raises(BadInput, match="must stay among its symbols"):
        workshop.keep(moved.state)
    assert workshop.keep(workshop.apart(moved.state).state).symbol == "ETHUSDT"


def test_versions_say_what_changed_and_what_they_would_have_done(workshop):
    newest, first = workshop.history("BTCUSDT", "rsi-dips")
    assert "70" in newest.words and "65" in newest.words and first.words == ""
    assert newest.figures["total_return"] is not None and newest.figures != first.figures


def test_a_rule_that_takes_long_holds_up_no_list_of_versions(workshop):
    with workshop._previewer._lock:
        newest, first = workshop.history("BTCUSDT", "rsi-dips")
    assert newest.figures == first.figures == {} and "65" in newest.words


def test_an_old_version_opens_as_an_edit_of_the_newest(workshop):
    view = workshop.open("BTCUSDT", "rsi-dips", 1)
    assert view.version == 2 and view.is_changed
    assert workshop.keep(view.state).version == 3


def test_a_loose_file_is_adopted_and_nothing_else_is(workshop, tmp_path):
    (tmp_path / "strategies" / "loose.json").write_text(json.dumps(DIPS))
    assert workshop.adopt("loose").ref == "BTCUSDT/loose"
    for ref in ("BTCUSDT/rsi-dips", "../x", "/etc/passwd", ""):
        with pytest.raises(BadInput):
            workshop.adopt(ref)


@dataclass(frozen=True)
class Done:
    """A trade as the health wants it."""

    symbol: str
    opened_by: str
    exit_time: int
    pnl_rate: float


def test_the_list_shows_how_a_strategy_fares_where_it_traded(tmp_path):
    trades = [Done("BTCUSDT", "RSI dips", n, 0.01 if n % 4 else -0.02) for n in range(12)]
    trades += [Done("BTCUSDT", "another", 99, -0.5), Done("SOLUSDT", "RSI dips", 99, -0.5)]
    shelf = fake_workshop(tmp_path, trades=trades).shelf()
    by_ref = {one.entry.ref: one for one in shelf.own}
    dips = by_ref["BTCUSDT/rsi-dips"]
    assert dips.health.count == 12 and dips.health.win_rate == 0.75 and dips.light.state == "too few to tell"
    assert by_ref["ETHUSDT/night-hours"].health.count == 0
