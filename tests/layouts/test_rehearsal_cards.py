"""What the page "Rehearsal" says in each of its states."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from plotly.io.json import to_json_plotly

from layouts import ids
from layouts.rehearsal import account, controls, faults, form, latency, ledger, market, page, tiles, verdict
from layouts.rehearsal.form import Choices, RehearsalForm
from tests.fakes.fake_rehearsal import START, FakeRehearsal
from trading.domain.rehearsal import (
    SETTLING,
    STARTING,
    STOPPING,
    BookView,
    Difference,
    OracleView,
    RehearsalRequest,
    RequestView,
)

ASKED = RehearsalRequest(("BTCUSDT", "ETHUSDT"), faults_every_s=30)


def view(**choices):
    port = FakeRehearsal(clock=lambda: 0.0, **choices)
    port.start(ASKED)
    return port.view()


def idle():
    return FakeRehearsal(clock=lambda: 0.0).view()


def said(component):
    """The component as JSON, spelled alike whether the package orjson is there or not."""
    return json.dumps(json.loads(to_json_plotly(component)), ensure_ascii=False, separators=(",", ":"))


def words(rehearsal):
    return verdict.said(rehearsal)


def test_an_equal_ledger_is_said_with_what_was_compared_and_when():
    mark, tone, title, rest = words(view())
    assert (mark, tone, title) == ("✓", "good", "Ledger equals the exchange's: yes.")
    assert rest == "34 orders, 21 fills and 3 balances, checked 3 s ago, 40 checks so far."


def test_a_comparison_without_an_order_proves_nothing():
    rehearsal = view()
    title = words(replace(rehearsal, oracle=replace(rehearsal.oracle, n_orders=0)))[2]
    assert title == "No order yet: nothing to compare."


def test_differences_are_said_loudly_and_listed_with_both_sides():
    broken = view(broken=True)
    mark, tone, title, rest = words(broken)
    assert (mark, tone, title) == ("✗", "bad", "Ledger equals the exchange's: no.")
    assert rest.startswith("2 differences, the oldest for 14 s")
    listed = said(ledger.inside(broken))
    assert "fill BTCUSDT 4711" in listed and "not there" in listed and "1 differ" in listed


def test_what_is_on_its_way_is_no_alarm_yet():
    young = Difference("order", "ck-1", "NEW", "not there", START - 2_000)
    oracle = OracleView(SETTLING, START, 3, 2, 1, 5, 0, (young,))
    mark, tone, title, rest = words(replace(view(), oracle=oracle))
    assert (mark, tone, title) == ("◔", "stopped", "On its way.") and "due within 10 s" in rest
    assert "on the way" in said(ledger.inside(replace(view(), oracle=oracle)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"state": STARTING, "detail": "the exchange starts"}, ("Starting:", "the exchange starts.")),
     ({"state": STOPPING}, ("Stopping.", "The cockpit there cancels its entries, then the exchange ends.")),
     ({"detail": "no answer"}, ("The exchange is silent.", "No answer. The figures are those of the last answer.")),
     ({"oracle": OracleView()}, ("Not compared yet.", "The first comparison of the ledgers comes within seconds.")),
     ({"oracle": OracleView(error="database is locked")},
      ("The ledgers could not be compared.", "database is locked")),
     ({"state": "failed", "detail": "it ended"}, ("The rehearsal failed.", f"It ended. {verdict.SAFE}"))],
)
def test_every_state_has_its_words(changes, expected):
    assert words(replace(view(), **changes))[2:] == expected


def test_before_the_first_rehearsal_the_page_explains_itself_and_after_one_it_keeps_the_last_picture():
    assert words(idle())[2] == "Rehearse before it costs money."
    ended = replace(view(), state="idle")
    assert words(ended)[2] == "Stopped. Ledger equals the exchange's: yes."
    assert page.body_class(ended).endswith("is-past") and page.body_class(view()) == "bt-body"


def test_a_crash_shows_the_last_words_of_the_exchange():
    failed = replace(view(), state="failed", detail="it ended by itself", tail=("listening", "error: crossed"))
    assert "error: crossed" in said(verdict.strip(failed))


def test_start_and_stop_can_be_pressed_when_they_make_sense():
    def able(rehearsal):
        found = controls.buttons(rehearsal)
        return not found[ids.RH_GO, "disabled"], not found[ids.RH_STOP, "disabled"]

    assert able(idle()) == (True, False)
    assert able(view()) == able(view(stuck=True)) == (False, True)
    assert able(replace(view(), state=STOPPING)) == (False, False)


def test_a_switch_says_in_words_whether_it_is_on_what_it_does_and_what_is_promised():
    port = FakeRehearsal(clock=lambda: 0.0)
    port.start(ASKED)
    port.set_fault("drop_reply", True)
    shown = {fault.card.name: fault for fault in port.view().faults}
    assert "ON" in said(faults.switch(shown["drop_reply"])) and "struck 1×" in said(faults.switch(shown["drop_reply"]))
    row = said(faults.row(shown["drop_reply"]))
    assert "its answer never comes" in row and "Never sent again" in row
    assert "detected ≤ 2 s · alerted ≤ 30 s" in row
    assert faults.n_on(list(shown.values())) == "1 on"


def test_a_switch_says_what_came_of_it_once_it_is_put_back():
    fault = replace(view().faults[0], n_thrown=4, survived=True)
    assert "✓ ledgers equal" in said(faults.switch(fault)) and "4× " in said(faults.switch(fault))
    assert "✗ ledgers differ" in said(faults.switch(replace(fault, survived=False)))
    assert "ledgers" not in said(faults.switch(replace(fault, is_on=True)))


def test_switches_can_be_thrown_only_while_an_exchange_knows_them():
    assert faults.live(idle())[ids.RH_SWITCHES, "disabled"] is True
    assert faults.live(view())[ids.RH_SWITCHES, "disabled"] is False


def test_every_switch_has_its_own_place_on_the_page():
    drawn = said(page.page(view(), Choices(("BTCUSDT",), ())))
    for fault in view().faults:
        assert drawn.count(f'"{ids.fault(fault.card.name)}"') == 1


def test_the_ladder_has_the_best_prices_in_the_middle_and_marks_what_is_ours():
    rows = market.ladder(view(), "BTCUSDT")
    prices = [row.children[1].children for row in rows if row.className == "rh-level"]
    assert prices == sorted(prices, reverse=True) and len(prices) == 2 * market.N_LEVELS
    assert "◆ 0.045" in said(rows)
    assert "spread 0.06" in said(rows)


def test_a_one_sided_or_missing_book_says_so():
    level = (Decimal(10), Decimal(1), Decimal(0))
    one_sided = replace(view(), books=(BookView("BTCUSDT", "BTC/USDT", 2, (level,), ()),))
    assert "nobody asks" in said(market.ladder(one_sided, None))
    assert "No order book yet" in said(market.ladder(idle(), None))


def test_the_chosen_symbol_decides_book_and_trades():
    eth = market.live(view(), "ETHUSDT")
    assert eth[ids.RH_SYMBOL, "value"] == "ETHUSDT" and "3,400" in said(eth[ids.RH_LADDER, "children"])
    assert market.live(view(), "GONEUSDT")[ids.RH_SYMBOL, "value"] == "BTCUSDT"


def test_requests_are_told_apart_by_shape_and_word():
    found = [RequestView(START, "GET", "account", 200, 2.0), RequestView(START, "POST", "order", 400, 3.0),
             RequestView(START, "POST", "order", 0, 5000.0, "drop_reply")]
    drawn = latency.figure(found)
    assert [(t["name"], t["marker"]["symbol"]) for t in drawn["data"]] == [
        ("answered", "circle"), ("refused", "x"), ("no answer", "diamond")]
    assert drawn["layout"]["yaxis"]["ticktext"] == ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]
    assert latency.figure(found[:1])["layout"]["yaxis"]["ticktext"] == ["1 ms", "10 ms"]
    listed = said(latency.rows(found))
    assert "✗ 400" in listed and "◆ no answer" in listed and "drop_reply" in listed
    assert latency.figure(())["layout"]["annotations"]


def test_the_account_there_shows_positions_orders_flights_and_quarantine():
    shown = said(account.inside(view()))
    for part in ("In quarantine", "sold by hand", "Positions", "Working orders", "ckabc123-7", "unknown", "1.3 s"):
        assert part in shown, part
    assert "REHEARSAL" in said(account.state(view()))


def test_an_account_that_has_done_nothing_says_what_comes():
    shown = said(account.inside(view(empty=True)))
    assert "It enters when a candle's close says so" in shown and "Nothing is on its way" in shown
    assert "No cockpit there yet" in said(account.inside(idle()))
    assert "No line yet" in said(account.journal(None))


def test_a_position_without_a_stop_is_named():
    account_view = view().account
    bare = replace(account_view.positions[0], stop=None)
    shown = said(account.inside(replace(view(), account=replace(account_view, positions=(bare,)))))
    assert "no stop" in shown


def test_unprotected_time_beyond_the_promise_is_red():
    late = replace(view(), venue=replace(view().venue, unprotected_worst_ms=3_400))
    assert tiles.unprotected(late).tone == "down" and tiles.unprotected(late).value == "3.40 s"
    assert tiles.unprotected(view()).tone == ""


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"symbols": []}, "Symbols"), ({"seed": 1.5}, "Seed"), ({"seed": None}, "Seed"), ({"speed": 0}, "Speed"),
     ({"speed": "fast"}, "Speed"), ({"every": -1}, "A fault every")],
)
def test_what_is_wrong_in_the_form_is_named(changes, problem):
    good = RehearsalForm("sim", ["BTCUSDT"], "drill", 7, 60, 0)
    with pytest.raises(ValueError, match=problem):
        form.request_of(replace(good, **changes))
    assert form.request_of(good) == RehearsalRequest(("BTCUSDT",), "sim", 7, 60.0, 0.0)


def test_another_source_keeps_the_symbols_that_it_has():
    choices = Choices(("BTCUSDT", "ETHUSDT", "SOLUSDT"), FakeRehearsal().markets())
    assert form.kept("sim", ["ETHUSDT", "XUSDT"], choices) == ["ETHUSDT"]
    assert form.kept("sim", ["XUSDT"], choices) == ["BTCUSDT", "ETHUSDT"]
    assert form.first(choices, ASKED).every == 30


