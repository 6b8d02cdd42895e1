"""What the page "Live" says: on paper, at a venue, armed, and when something is wrong."""

from dataclasses import replace
from decimal import Decimal

import pytest

from layouts import arming as cockpit_arming
from layouts import header, ids
from layouts.autotrade import CONTROLS
from layouts.live import arming, ladder, parity, standing, venue, way
from layouts.live import page as layout
from layouts.sending import sending
from tests.fakes import fake_live
from tests.fakes.fake_live import READY, TROUBLED
from tests.fakes.fake_services import FakeWorld
from trading.domain.live import Override, losses_of
from trading.domain.parity import PARTS, ParityState


def world(status=None, here="paper", **session):
    found = FakeWorld()
    found.live.here = here
    if status is not None:
        found.portfolio.trade_at(status)
    found.portfolio.session = replace(found.portfolio.session, **session)
    found.portfolio.refresh()
    return found.portfolio.view(), found.live.view()


def texts(component) -> str:
    """All words of a component."""
    if isinstance(component, list | tuple):
        return " ".join(texts(each) for each in component)
    if isinstance(component, str | int | float):
        return str(component)
    return texts(getattr(component, "children", None) or "")


def test_on_paper_the_page_names_every_step_with_its_command_and_nothing_to_arm():
    view, live = world()
    said = texts(layout.page(view, live))
    for command in ("--feed binance", "--mode exchange", "--venue rehearsal", "keys set --venue binance", "--capital"):
        assert command in said
    assert arming.changing(view, live)[ids.LV_FORM, "className"].endswith("hidden")
    assert standing.said(view, live)[2] == "Paper."


def test_the_first_thing_that_is_not_done_is_next():
    _, live = world()
    done = [step.is_done for step in way.to_do(live)]
    assert done == [True, False, True, False]
    assert [("next" in texts(item), "done" in texts(item)) for item in way.inside(live)] == [
        (False, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize(("status", "session", "title"), [
    (READY, {}, "LIVE, not armed."), (READY, {"armed": True}, "LIVE, armed."), (TROUBLED, {}, "LIVE, degraded."),
    (replace(READY, state="reconciling"), {}, "LIVE, reconciling."), (READY, {"state": "killed"}, "LIVE, killed."),
    (replace(READY, badge="REHEARSAL"), {}, "REHEARSAL, not armed.")])
def test_the_strip_says_where_the_account_stands(status, session, title):
    assert standing.said(*world(status, "small", **session))[2] == title


def test_what_may_be_lost_is_in_the_quote_asset_and_follows_the_profile():
    view, _ = world(READY, "small")
    profile = view.session.profile
    account = replace(view.account, equity=Decimal(9_000), day_pnl=Decimal(-500), drawdown_rate=-0.1)
    expected = [9_000, profile.daily_loss_rate * 9_500, profile.max_drawdown_rate * 10_000,
                profile.max_position_rate * 9_000]
    found = [float(loss.amount) for loss in losses_of(replace(view, account=account))]
    assert found == pytest.approx(expected, abs=0.01)


BARE = replace(READY, state="degraded", bare=("BTCUSDT",), detail="BTC/USDT has NO STOP at the venue: it is being sold")


@pytest.mark.parametrize(("status", "session", "words"), [
    (READY, {}, "entries are sent"),
    (BARE, {}, "entries are sent"),
    (READY, {"state": "paused"}, "auto-trading is paused, nothing is entered by itself"),
    (READY, {"mode": "signals"}, "the mode is signals, nothing is entered by itself"),
    (replace(READY, state="reconciling"), {}, "no entry is sent: reconciling"),
    (replace(READY, state="degraded", closed="the account's events are not heard"), {},
     "no entry is sent: the account's events are not heard"),
    (replace(READY, held=("BTCUSDT", "ETHUSDT")), {}, "no entry is sent on BTC/USDT, ETH/USDT"),
    (TROUBLED, {}, "no entry is sent on BTC/USDT")])
def test_whether_entries_are_sent_is_said_as_it_is(status, session, words):
    view, live = world(status, "small", armed=True, **{"state": "running", **session})
    assert sending(view) == words
    assert status.state != "ready" or f"{words[0].upper()}{words[1:]}. " in standing.said(view, live)[3]
    assert words in str(arming.changing(view, live)) and words in str(cockpit_arming.live(view))


def test_no_entry_is_sent_while_prices_are_not_live():
    view, live = world(READY, "small", armed=True, state="running")
    stale = replace(view, feed=replace(view.feed, state="stale", detail="no kline for 15 s"))
    assert sending(stale) == "no entry is sent, prices are not live: no kline for 15 s"
    assert "No entry is sent" in standing.said(stale, live)[3]


def test_after_the_kill_switch_no_word_is_said_to_be_waited_for():
    view, _ = world(READY, "small", state="killed", kill_reason="news")
    assert dict(standing._of_venue(view, READY))["Entries"].note == "the kill switch is on, nothing is entered"
    assert "the word" not in str(cockpit_arming.live(view)[ids.ARM_NOTE, "children"])


def test_a_position_without_a_stop_is_the_loudest_of_the_venues_badges():
    view, _ = world(replace(BARE, quarantined=TROUBLED.quarantined), "small", armed=True)
    (badge,) = header.venue_badges(view)
    assert badge.children == "1 NO STOP" and badge.title == BARE.detail


def test_the_kill_switch_says_that_stops_are_kept_unless_one_is_not():
    reason = {"state": "killed", "kill_reason": ""}
    assert standing.said(*world(READY, **reason))[3] == "no reason was recorded. Stops are kept at the venue."
    assert standing.said(*world(BARE, **reason))[3] == f"no reason was recorded. {BARE.detail}"
    unknown = replace(READY, state="reconciling", resting=())
    assert standing.said(*world(unknown, **reason))[3] == "no reason was recorded."


def test_while_the_venue_is_degraded_nothing_says_that_every_entry_is_sent():
    view, live = world(TROUBLED, "small", armed=True)
    shown = (f"{standing.tiles(view, live)} {arming.changing(view, live)} {header.badges(view)} "
             f"{cockpit_arming.live(view)}")
    assert "degraded" in shown and "entries are sent" not in shown


def test_arming_asks_for_a_reason_exactly_while_a_step_below_is_open():
    view, live = world(READY, "small")
    now = arming.changing(view, live)
    assert now[ids.LV_REASON_BOX, "className"] == "" and "Rehearsal: " in now[ids.LV_FORM_NOTE, "children"]
    passed = replace(live, ladder=replace(live.ladder, needs=("paper",)))
    now = arming.changing(view, passed)
    assert now[ids.LV_REASON_BOX, "className"] == "hidden" and "Type the word LIVE" in now[ids.LV_FORM_NOTE, "children"]


@pytest.mark.parametrize(("session", "arm", "disarm"), [
    ({"armed": False}, False, True), ({"armed": True}, True, False), ({"state": "killed"}, True, True)])
def test_only_the_button_that_does_something_can_be_pressed(session, arm, disarm):
    now = arming.changing(*world(READY, "small", **session))
    assert (now[ids.LV_ARM, "disabled"], now[ids.LV_DISARM, "disabled"]) == (arm, disarm)


def test_the_four_controls_stand_where_they_are_explained():
    said = texts(arming.controls())
    assert all(cell in said for line in CONTROLS for cell in line)


def test_trouble_at_the_venue_comes_first_and_can_be_released():
    view, live = world(TROUBLED, "small")
    found = venue.inside(view.venue, live)
    assert texts(found[0]).startswith("In quarantine")
    said = texts(found)
    assert "BTC/USDT" in said and "UNKNOWN" in said and "✗ not agreed" in said and "312.5" in said
    assert found[1].children[-1].id == ids.release("BTCUSDT")


def test_latency_that_was_not_measured_is_not_nought():
    for status, shown in ((TROUBLED, "–"), (READY, "88 ms")):
        assert dict(standing._of_venue(world(status, "small")[0], status))["Close → POST"].value == shown


def test_a_ladder_shows_what_is_missing_and_who_went_on_without_it():
    _, live = world(READY, "small")
    said = texts(ladder.inside(replace(live.ladder, overrides=(Override(1, "small", "rehearsed elsewhere"),))))
    assert "6 more faults" in said and "rehearsed elsewhere" in said and "you are here" in said


def test_a_parity_row_has_all_its_parts_and_they_sum_to_the_gap():
    for n, line in enumerate(fake_live.parity().lines):
        row = parity.row(n, line)
        assert sum(row[part] for part in PARTS) == pytest.approx(row["gap"])
    assert "a person acted" in parity.row(0, fake_live.parity().lines[2])["remark"]


def test_the_report_names_what_has_no_partner_and_what_shaped_the_account():
    said = texts(parity.inside(ParityState("ready", fake_live.parity())))
    assert "only replayed" in said and "denied: session: stopped" in said and "start: auto-trading started" in said
    assert "12 bars are not in the candle store" in said


@pytest.mark.parametrize(("state", "words"), [
    (ParityState(), "Not compared yet"), (ParityState("running"), "Replaying the account"),
    (ParityState("never", None, "give --data"), "give --data"),
    (ParityState("failed", None, "the store is empty"), "the store is empty")])
def test_without_a_report_the_card_says_why(state, words):
    assert words in texts(parity.inside(state))


def test_a_tick_draws_again_only_what_is_new():
    view, live = world()
    quiet = layout.moving(view, live, layout.seen(view, live))
    assert (ids.LV_TABLE, "children") not in quiet and (ids.LV_LADDER, "children") not in quiet
    compared = replace(live, parity=ParityState("ready", fake_live.parity()))
    assert (ids.LV_TABLE, "children") in layout.moving(view, compared, layout.seen(view, live))
