import json
from dataclasses import replace

import pytest

from services.downloading import binance_factory, download
from services.rest_calls import Pace, public_client
from storage.candle_store import CandleStore
from tests.fakes.binance_rest import BANNED, BROKEN, FIREWALL, HANG_UP, LIMITED, LOGIN_PAGE, Answer, BinanceRest
from tests.fakes.made_candles import START_MS, assert_same, made_candles, without
from trading.binance.wire import forget_wire, wire_of
from trading.domain import Candles
from trading.domain.venue import Purpose
from trading.errors import BadInput, FeedFailed
from trading.feeds.binance_specs import spec_of

MINUTE = 60_000
BARS = made_candles(3_500)
END = START_MS + 3_500 * MINUTE


@pytest.fixture
def rest():
    with BinanceRest(BARS, END + 5_000) as server:
        yield server


@pytest.fixture
def store(tmp_path):
    return CandleStore(tmp_path)


class Waits(list):
    """A clock that only remembers how long it was asked to sleep; then it is as if that time had passed."""

    def __init__(self, url=""):
        self.url = url

    def __call__(self, seconds):
        self.append(seconds)
        forget_wire(self.url)


def fetch(rest, store, waits=None, symbols=("BTCUSDT",), start=START_MS, end=None, **pace):
    waits = Waits() if waits is None else waits
    waits.url = rest.url
    pace = Pace(sleep=waits, **pace)
    return download(store, symbols, "1m", start, end, binance_factory(rest.url), False, pace)


def test_all_closed_bars_arrive_page_by_page(rest, store):
    [report] = fetch(rest, store)
    assert_same(store.read("BTCUSDT", "1m"), BARS)
    assert (report.bars_received, report.requests, report.gaps) == (3_500, 4, ())
    starts = [int(page["startTime"]) for page in rest.pages]
    assert starts == [START_MS + (n * 1000 * MINUTE - MINUTE + 1 if n else 0) for n in range(4)]
    assert {page["limit"] for page in rest.pages} == {"1000"}
    assert "3,500 bars received in 4 requests" in report.text()


def test_the_forming_bar_is_left_out_by_the_exchanges_clock(rest, store):
    rest.now = START_MS + 100 * MINUTE + 59_999
    fetch(rest, store)
    assert_same(store.read("BTCUSDT", "1m"), BARS[:100])


def test_a_second_download_asks_only_for_what_is_new(rest, store):
    rest.now = START_MS + 1_200 * MINUTE
    fetch(rest, store)
    rest.asked.clear()
    [report] = fetch(rest, store)
    assert (report.bars_received, rest.pages) == (0, [])
    rest.now = END
    [report] = fetch(rest, store)
    assert report.bars_received == 2_300
    assert int(rest.pages[0]["startTime"]) == START_MS + 1_200 * MINUTE
    assert_same(store.read("BTCUSDT", "1m"), BARS)


def test_holes_inside_the_stored_range_are_filled(rest, store):
    store.append(without(BARS, [*range(100, 150), 700, *range(2_000, 3_400)]))
    [report] = fetch(rest, store)
    assert report.bars_received == 50 + 1 + 1_400
    assert_same(store.read("BTCUSDT", "1m"), BARS)


def test_bars_that_the_exchange_lacks_too_remain_gaps(rest, store):
    rest.bars = without(BARS, [*range(500, 580)])
    [report] = fetch(rest, store, start=START_MS - 10 * MINUTE)
    assert report.gaps == ((START_MS - 10 * MINUTE, 10), (START_MS + 500 * MINUTE, 80))
    assert_same(store.read("BTCUSDT", "1m"), rest.bars)


def test_an_end_in_the_past_is_not_passed(rest, store):
    fetch(rest, store, end=START_MS + 42 * MINUTE)
    assert_same(store.read("BTCUSDT", "1m"), BARS[:42])


def test_a_server_that_ignores_the_end_does_not_get_later_bars_stored(rest, store):
    answer = rest.answer
    rest.answer = lambda path, query: answer(path, {k: v for k, v in query.items() if k != "endTime"})
    rest.now = START_MS + 500 * MINUTE + 30_000
    fetch(rest, store)
    assert_same(store.read("BTCUSDT", "1m"), BARS[:500])


def test_retry_after_is_honoured(rest, store):
    waits = Waits()
    rest.next_answers.append(LIMITED)
    fetch(rest, store, waits)
    assert waits == [7.0]
    assert_same(store.read("BTCUSDT", "1m"), BARS)


def test_a_download_shares_the_limits_of_feed_and_orders(rest, store):
    waits = Waits()
    wire_of(rest.url).clock.set(START_MS // MINUTE * MINUTE + 20_000, 0)
    rest.weights.extend([2, 2, 2, 2, 2_999])
    fetch(rest, store, waits, share_rate=1, weight_limit=6_000)
    governor = wire_of(rest.url).governor
    assert governor.weight_used == 2_999 and 20 < governor.wait_s(Purpose.DATA, 2) <= 40.1
    rest.bars, rest.now = made_candles(3_600), END + 90 * MINUTE
    fetch(rest, store, waits)
    assert len(waits) == 1 and 20 < waits[0] <= 40.1
    wire_of(rest.url).governor.heed(418, {"Retry-After": "90000"})
    with pytest.raises(FeedFailed, match=r"silence.*90,000 s"):
        fetch(rest, store, waits)


def test_a_long_ban_fails_at_once_and_says_for_how_long(rest, store):
    waits = Waits()
    rest.next_answers.append(BANNED)
    with pytest.raises(FeedFailed, match=r"banned.*90,000 s"):
        fetch(rest, store, waits)
    assert waits == []


@pytest.mark.parametrize("fault", [BROKEN, HANG_UP, Answer(503, b'"oops"'), Answer(502, b"")])
def test_troubles_of_the_exchange_are_tried_again_with_growing_waits(rest, store, fault):
    waits = Waits()
    rest.next_answers.extend([fault, fault, fault])
    fetch(rest, store, waits)
    assert waits == [1.0, 2.0, 4.0]
    assert_same(store.read("BTCUSDT", "1m"), BARS)


def test_after_the_last_try_it_fails_and_keeps_what_came_before(rest, store):
    store.append(BARS[1_000:3_500])
    store.append(BARS[:500])
    rest.next_answers.extend([BROKEN] * 3)
    with pytest.raises(FeedFailed, match="3 tries"):
        fetch(rest, store, tries=3)
    assert len(store.read("BTCUSDT", "1m")) == 3_000
    rest.next_answers.clear()
    fetch(rest, store)
    assert_same(store.read("BTCUSDT", "1m"), BARS)


def test_pages_before_a_failure_are_stored(rest, store):
    def third_page_fails(path, query):
        if len(rest.pages) == 2:
            rest.next_answers.append(FIREWALL)
        return answer(path, query)

    answer, rest.answer = rest.answer, third_page_fails
    with pytest.raises(FeedFailed, match="firewall"):
        fetch(rest, store)
    assert_same(store.read("BTCUSDT", "1m"), BARS[:2_000])


@pytest.mark.parametrize(
    "body",
    [
        LOGIN_PAGE.body,
        b"\x00\xff\xfe",
        b'{"code": 0}',
        b"[1, 2]",
        b'[["x", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]',
        b"[[1652140800000, null, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]",
        b"[[1652140800000,1,2,1,2,1,0,1,1,1,0,0],[1652140800000,1,2,1,2,1,0,1,1,1,0,0]]",
        b"[[1,1,2,1,2,1,0,1,1,1,0,0]]",
        b"null",
    ],
)
def test_garbage_is_one_clear_error_and_stores_nothing(rest, store, body):
    rest.next_answers.append(Answer(200, body))
    with pytest.raises(FeedFailed, match="BTCUSDT") as caught:
        fetch(rest, store)
    assert len(str(caught.value)) < 300
    assert store.symbols() == ()


def test_a_bar_that_contradicts_itself_is_dropped_and_counted(rest, store):
    high = BARS.high.copy()
    high[5] = 1.0
    rest.bars = replace(BARS, high=high)
    [report] = fetch(rest, store)
    assert sum(report.dropped.values()) >= 1
    assert_same(store.read("BTCUSDT", "1m"), without(BARS, [5]))
    assert "dropped" in report.text()


def test_the_weight_limit_is_never_neared(rest, store):
    waits = Waits()
    rest.weights.extend([2, 599, 600, 610, 20, 30])
    fetch(rest, store, waits, share_rate=0.5, weight_limit=1200)
    assert waits == [13.0, 13.0]  # the server's clock says second 48 of its minute
    assert len(rest.pages) == 4


def test_an_unknown_symbol_and_a_wrong_range_are_bad_input(rest, store):
    with pytest.raises(BadInput, match=r"NOPEUSDT.*spelling"):
        fetch(rest, store, symbols=("nopeusdt",))
    with pytest.raises(BadInput, match="nothing to download"):
        fetch(rest, store, start=END + 10 * MINUTE)
    with pytest.raises(BadInput):
        fetch(rest, store, symbols=("../etc",))


def test_another_web_server_is_recognised(rest, store):
    rest.exchange_info = {}
    with pytest.raises(FeedFailed, match="rest_url"):
        download(store, ["BTCUSDT"], "1m", 0, None, binance_factory(rest.url.replace("/api", "/x/api")), False, Pace())


def test_nobody_at_the_address_is_a_clear_error(store):
    with BinanceRest(BARS, END) as gone:
        url = gone.url
    waits = Waits()
    with pytest.raises(FeedFailed, match="not reachable"):
        download(store, ["BTCUSDT"], "1m", 0, None, binance_factory(url), False, Pace(sleep=waits, tries=3))
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    "url", ["", "ftp://x/api", "127.0.0.1:80", "http://{x}/api"]
)
def test_an_address_that_python_binance_cannot_use_is_refused(url):
    with pytest.raises(BadInput, match="looks like https:"):
        public_client(url)


def test_the_client_reads_exchange_info_of_the_loopback_server(rest, shared_data):
    rest.exchange_info = json.loads((shared_data / "reference" / "exchangeInfo-BTCUSDT-2022-12.json").read_text())
    document = public_client(rest.url).get_exchange_info()
    assert str(spec_of(document["symbols"][0]).tick_size) == "0.01"


def test_nothing_is_shown_where_standard_error_is_no_terminal(rest, store, capfd):
    download(store, ["BTCUSDT"], "1m", START_MS, None, binance_factory(rest.url), True, Pace())
    assert capfd.readouterr() == ("", "")
    assert len(Candles.columns()) == 9
