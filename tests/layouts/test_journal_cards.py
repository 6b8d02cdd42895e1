"""What the page "Journal" says, empty, full and in trouble."""

import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest

from layouts import ids
from layouts.journal import calendar, csv_text, curve, drawer, filters, groups, lists, page, tiles
from layouts.journal.report import report
from tests.fakes.fake_journal import FakeJournal, booked, made_decision
from tests.layouts.test_live_cards import texts
from trading.domain.journal import FOREVER, GROUPS, TradeFilter

UNITS = 10**8
FULL, EMPTY = FakeJournal(), FakeJournal(stored=False)


def journal_of(*made) -> FakeJournal:
    found = FakeJournal(stored=False)
    found.booked = list(made)
    return found


def test_empty_journal_says_so_everywhere_and_draws():
    figures = EMPTY.figures()
    assert "No finished trade" in texts(calendar.body(figures)) and "No finished trade" in texts(
        groups.body(figures, "week"))
    assert "Never below" in texts(curve.water(figures)) and "no finished trade" in texts(tiles.row(figures))
    assert "No trade here" in texts(lists.trades(EMPTY.trades(TradeFilter()))[ids.JR_EMPTY, "children"])
    assert "No record here" in texts(lists.decisions((), first=True, last=True)[ids.JR_EMPTY, "children"])


def test_page_shows_that_it_is_adding_up_before_anything_is_known():
    said = texts(page.page(FULL.choices(), "PAPER account", {}))
    assert "adding up…" in said and "Reading the trades…" in said and "PAPER account" in said


def test_calendar_has_every_day_with_trades_with_its_sign_and_the_months_sum():
    made = journal_of(booked(1, 12 * UNITS, 5), booked(2, -4 * UNITS, 9), booked(3, -3 * UNITS, 24 * 33)).figures()
    drawn = calendar.body(made)
    said = texts(drawn)
    assert said.index("Feb 2024") < said.index("Jan 2024")
    assert "+8.0" in said and "−3.0" in said and "+8.00 USDT" in said and "−3.00 USDT" in said
    assert [day["day"] for day in day_ids(drawn)] == ["2024-02-03", "2024-01-01"]


def day_ids(component) -> list[dict]:
    if isinstance(component, list | tuple):
        return [found for each in component for found in day_ids(each)]
    own = getattr(component, "id", None)
    mine = [own] if isinstance(own, dict) and own.get("type") == "jr-day" else []
    return mine + day_ids(getattr(component, "children", None) or [])


@pytest.mark.parametrize(("value", "said"), [
    (0.004, "0.00"), (-0.5, "−0.50"), (12.34, "+12.3"), (-250.4, "−250"), (1_240.0, "+1.2k"), (-52_000.0, "−52k")])
def test_a_day_is_written_short(value, said):
    assert calendar.short(value) == said


@pytest.mark.parametrize("group", GROUPS)
def test_each_grouping_lists_every_slice_with_its_profit(group):
    figures = FULL.figures()
    said = texts(groups.body(figures, group))
    assert all(f"{abs(each.pnl):,.2f}" in said for each in figures.groups[group])


def test_ledger_that_differs_is_said_loudly():
    figures = FULL.figures()
    assert "✓ agrees" in texts(tiles.row(figures))
    assert "✗ differs" in texts(tiles.row(replace(figures, agrees=False)))
    assert "choose All" in texts(tiles.row(replace(figures, agrees=None)))


def test_pages_of_trades_say_where_they_are_and_end_where_the_trades_end():
    first, last = (lists.trades(FULL.trades(TradeFilter(), offset, 100)) for offset in (0, 100))
    assert first[ids.JR_COUNT, "children"] == "1–100 of 140 trades"
    assert (first[ids.JR_NEWER, "disabled"], first[ids.JR_OLDER, "disabled"]) == (True, False)
    assert last[ids.JR_COUNT, "children"] == "101–140 of 140 trades"
    assert (last[ids.JR_NEWER, "disabled"], last[ids.JR_OLDER, "disabled"]) == (False, True)


def test_filters_of_the_other_list_are_hidden():
    shown = lists.trades(FULL.trades(TradeFilter()))
    assert shown[ids.journal_field("outcome"), "className"].endswith("hidden")
    assert not shown[ids.journal_field("result"), "className"].endswith("hidden")
    assert not shown[ids.journal_field("text"), "className"].endswith("hidden")


def test_days_are_meant_in_full_and_nonsense_narrows_nothing():
    asked = filters.values(("", "2024-01-02", "2024-01-02", *[""] * 8))
    wanted = filters.trades(asked)
    assert (wanted.start, wanted.end) == (1_704_153_600_000, 1_704_240_000_000)
    nonsense = filters.trades(filters.values(("", "soon", None, None, *[""] * 7)))
    assert (nonsense.start, nonsense.end, nonsense.text) == (0, FOREVER, "")
    assert filters.decisions(asked, [7, "BTCUSDT", "HOLD", "hold"]).below == (7, "BTCUSDT", "HOLD", "hold")


def test_drawer_tells_a_trade_its_reasons_and_its_record():
    trade = FULL.trades(TradeFilter()).trades[0]
    said = texts(drawer.body(trade, made_decision(0)))
    record = ("Why it was opened", "closed at 42,000.00")
    for words in (trade.result, "rsi_14 31.20", "0.58", trade.closed_because, *record):
        assert words in said
    assert "No record" in texts(drawer.body(trade, None))
    assert "not part of this account's ledger" in texts(drawer.facts(replace(trade, imported="x.json", fees=None)))


def test_csv_neutralises_what_a_spreadsheet_would_compute_and_keeps_numbers():
    trade = replace(booked(1, -5 * UNITS, 3).trade, note="=HYPERLINK(1)", tags=("@x", "+y"), closed_because="-1+2",
                    opened_by="\tDDE", strategy="+SUM(A1)")
    rows = list(csv.DictReader(io.StringIO(csv_text.trades([trade]))))
    assert rows[0]["note"] == "'=HYPERLINK(1)" and rows[0]["tags"] == "'@x +y"
    assert rows[0]["closed_because"] == "'-1+2" and rows[0]["opened_by"] == "'\tDDE"
    assert rows[0]["strategy"] == "'+SUM(A1)" and rows[0]["pnl"] == "-5.00000000"
    assert rows[0]["exit_time"] == "2024-01-01T03:00:00Z"
    told = next(csv.DictReader(io.StringIO(csv_text.decisions([made_decision(0)]))))
    assert told["outcome"] == "entry" and "SIGNAL: demo" in told["lines"]


def test_report_escapes_what_people_wrote_and_draws_an_empty_account():
    trade = replace(booked(1, 5 * UNITS, 3).trade, note="<script>alert(1)</script>", tags=("<b>",))
    page_ = report(FULL.figures(), [trade], "paper-<x>")
    assert "<script" not in page_ and "&lt;script&gt;" in page_ and "paper-&lt;x&gt;" in page_
    assert "no finished trade" in report(EMPTY.figures(), [], "paper")
    assert Decimal(0) == EMPTY.figures().pnl
