"""The journal's callbacks: what is asked of the service, and what is shown when it fails."""

import asyncio
import base64
import json
from decimal import InvalidOperation

import pytest

from callbacks import journal, journal_drawer, journal_lists
from layouts import ids
from layouts.journal import filters, lists
from tests.fakes.fake_services import FakeWorld
from tests.layouts.test_live_cards import texts
from tests.services.test_journal_logs import GOOD

ALL = filters.values(("",) * len(ids.JR_FILTERS))


@pytest.fixture
def world():
    return FakeWorld()


def run(coroutine):
    return asyncio.run(coroutine)


def upload(content: bytes) -> str:
    return "data:application/json;base64," + base64.b64encode(content).decode()


def test_figures_come_whole_and_trouble_is_said_in_their_place(world):
    found = run(journal.on_figures(world.services, "All", "month"))
    assert set(found) == set(journal.FRAME) and "2024-01" in texts(found[ids.JR_GROUPS, "children"])
    world.journal.trouble = "the file is locked"
    assert "the file is locked" in texts(run(journal.on_figures(world.services, "All", "week"))[
        ids.JR_CALENDAR, "children"])
    assert "the file is locked" in texts(journal.page(world.services, {}))


def test_tick_says_only_what_is_new(world):
    trades, minute = run(journal.on_tick(world.services, None, None))
    assert trades == [world.portfolio.view().account.n_trades]
    again = run(journal.on_tick(world.services, trades, minute))
    assert trades not in again and minute not in again


def words(patch) -> str:
    """All that a toast says."""
    return json.dumps(patch.to_plotly_json(), default=lambda each: each.to_plotly_json())


def walk(world, tab, asked=ALL):
    """Turn the pages forth to the end and back, and return what each showed."""
    place, seen = journal_lists.FIRST_PLACE, []
    key = (ids.JR_TRADES if tab == "trades" else ids.JR_DECISIONS, "rowData")
    while True:
        found = run(journal_lists.on_list(world.services, tab, asked, place))
        seen.append([row["time"] for row in found[key]])
        place = found[ids.JR_PLACE, "data"]
        if found[ids.JR_OLDER, "disabled"]:
            break
        place = journal_lists.turned(place, ids.JR_OLDER)
    back = [seen[-1]]
    while not found[ids.JR_NEWER, "disabled"]:
        found = run(journal_lists.on_list(world.services, tab, asked, journal_lists.turned(
            found[ids.JR_PLACE, "data"], ids.JR_NEWER)))
        back.append([row["time"] for row in found[key]])
    return seen, back


@pytest.mark.parametrize(("tab", "n"), [("trades", 140), ("decisions", 130)])
def test_pages_go_to_the_end_and_the_same_way_back(world, tab, n):
    seen, back = walk(world, tab)
    assert [len(page) for page in seen] == [lists.PER_PAGE, n - lists.PER_PAGE] and back == seen[::-1]
    flat = [time for page in seen for time in page]
    assert flat == sorted(flat, reverse=True)


def test_a_filter_begins_with_the_first_page_and_a_tick_never_turns_one():
    far = {"offset": 100, "stack": [[1, "a", "b", "c"]]}
    assert journal_lists.turned(far, ids.journal_filter("symbol")) == journal_lists.FIRST_PLACE
    assert not journal_lists.is_news(ids.JR_SEEN, "trades", far)
    assert journal_lists.is_news(ids.JR_SEEN, "trades", journal_lists.FIRST_PLACE)
    assert not journal_lists.is_news(ids.JR_SEEN, "decisions", journal_lists.FIRST_PLACE)
    assert journal_lists.is_news(ids.JR_MINUTE, "decisions", journal_lists.FIRST_PLACE)


def test_list_that_cannot_be_read_says_why(world):
    world.journal.trouble = "the file is locked"
    for tab in ("trades", "decisions"):
        found = run(journal_lists.on_list(world.services, tab, ALL, journal_lists.FIRST_PLACE))
        assert "the file is locked" in texts(found[ids.JR_EMPTY, "children"])


def test_import_adds_marks_and_is_taken_back(world):
    said = run(journal_lists.on_import(world.services, "BTCUSDT_trades.json", upload(json.dumps([GOOD]).encode())))
    assert "1 trade of BTCUSDT_trades.json added" in words(said)
    row = lists.trade_row(next(t for t in world.journal._all() if t.imported))
    assert row["note"].startswith("imported · ")
    assert world.journal.figures().n_trades == 140
    run(journal_lists.on_forget(world.services, "BTCUSDT_trades.json"))
    assert not world.journal.imported


@pytest.mark.parametrize("contents", ["data:x;base64,%%%", upload(b"{"), upload(json.dumps([{}]).encode()), "nonsense"])
def test_dirty_upload_is_refused_in_words(world, contents):
    assert "Import: refused" in words(run(journal_lists.on_import(world.services, "x.json", contents)))
    assert not world.journal.imported


@pytest.mark.parametrize("failure", [UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates"), OverflowError("inf"),
                                     InvalidOperation(), RecursionError("deep")])
def test_upload_never_fails_without_a_word_whatever_the_file_does(world, monkeypatch, failure):
    def broken(name, content):
        raise failure

    monkeypatch.setattr(world.journal, "import_log", broken)
    said = words(run(journal_lists.on_import(world.services, "x\ud800.json", upload(b"[]"))))
    assert "x?.json could not be read" in said and said.encode()


def test_files_hold_what_the_filters_let_through(world):
    won = {**ALL, "result": "win", "symbol": "ETHUSDT"}
    n = world.journal.trades(filters.trades(won), 0, 10**6).n_matching
    content, _ = run(journal_lists.on_csv(world.services, "trades", won))
    assert content["content"].count("\r\n") == n + 1 and content["filename"] == "journal-trades.csv"
    log, _ = run(journal_lists.on_json(world.services, won))
    assert len(json.loads(log["content"])) == n and log["filename"] == "ETHUSDT_trades.json"
    records, _ = run(journal_lists.on_csv(world.services, "decisions", ALL))
    assert records["content"].count("\r\n") == 131


def test_click_opens_the_trade_with_its_record_and_its_note(world):
    key = world.journal.booked[3].trade.key
    run(journal_drawer.on_save(world.services, key, "too early", "news, fast"))
    asked = journal_drawer.asked_by(ids.JR_TRADES, {"rowId": key}, None)
    found = run(journal_drawer.on_open(world.services, asked))
    assert found[ids.JR_DRAWER, "is_open"] and found[ids.JR_NOTE, "value"] == "too early"
    assert found[ids.JR_TAGS, "value"] == "news, fast"
    assert "closed at 42,000.00" in texts(found[ids.JR_DRAWER_BODY, "children"])


def test_click_on_a_record_and_the_address_open_it(world):
    key = world.journal.records[7].key
    asked = journal_drawer.asked_by(ids.JR_DECISIONS, {"rowId": f"{key}#3"}, None)
    assert asked == {"decision": key}
    found = run(journal_drawer.on_open(world.services, asked))
    assert "RSI 7" in texts(found[ids.JR_DRAWER_BODY, "children"]) and found[ids.JR_KEY, "data"] is None
    assert found[ids.JR_NOTES, "className"].endswith("hidden")
    assert journal_drawer.asked_by(None, None, {"decision": key}) == {"decision": key}
    assert run(journal_drawer.on_open(world.services, {})) == {}
    gone = run(journal_drawer.on_open(world.services, {"trade": "no such"}))
    assert "No record" in texts(gone[ids.JR_DRAWER_BODY, "children"])


def test_note_that_is_refused_says_so(world):
    said, shown, *_ = run(journal_drawer.on_save(world.services, "no such", "x", ""))
    assert said == "not saved" and "there is no trade" in words(shown)


def test_note_that_is_not_saved_waits_while_other_rows_are_opened(world):
    first, other = (world.journal.booked[n].trade.key for n in (3, 4))
    left = run(journal_drawer.on_open(world.services, {"trade": other}, (first, "half a thou", "fomo")))
    drafts = left[ids.JR_DRAFTS, "data"]
    assert left[ids.JR_NOTE, "value"] == "" and left[ids.JR_SAVED, "children"] == ""
    asked = {"decision": world.journal.records[7].key}
    record = run(journal_drawer.on_open(world.services, asked, (other, "", ""), drafts))
    back = run(journal_drawer.on_open(world.services, {"trade": first}, (None, "", ""), record[ids.JR_DRAFTS, "data"]))
    assert (back[ids.JR_NOTE, "value"], back[ids.JR_TAGS, "value"]) == ("half a thou", "fomo")
    assert back[ids.JR_SAVED, "children"] == journal_drawer.UNSAVED
    *_, kept = run(journal_drawer.on_save(world.services, first, "half a thought", "fomo", drafts))
    assert kept == {}
    again = run(journal_drawer.on_open(world.services, {"trade": other}, (first, "half a thought", " fomo,"), kept))
    assert again[ids.JR_DRAFTS, "data"] == {}


def test_note_that_was_saved_is_no_draft_and_one_that_was_emptied_is(world):
    key = world.journal.booked[3].trade.key
    run(journal_drawer.on_save(world.services, key, "saved", "a, b"))
    assert journal_drawer.with_draft(world.services, (key, "saved", "a,b"), {key: ["old", ""]}) == {}
    assert journal_drawer.with_draft(world.services, (key, "", ""), {}) == {key: ["", ""]}
    assert journal_drawer.with_draft(world.services, ("gone", "x", ""), {"z": ["y", ""]}) == {"z": ["y", ""]}


def test_file_that_is_too_large_to_be_sent_is_refused_in_words():
    said = words(journal_lists.on_too_large({"name": "year.json", "bytes": 3_200_000}))
    assert "Import: refused" in said and "year.json has 3.2 MB, 1.4 MB are taken at most; split the file." in said
