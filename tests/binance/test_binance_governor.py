"""Rate limits: windows of the venue's clock, a reserve for what reduces risk, silence when told."""

from __future__ import annotations

import asyncio
import time
from threading import Thread

import pytest

from trading.binance.governor import ALLOWANCES, Governor
from trading.binance.signing import n_orders
from trading.domain.venue import Call, Purpose
from trading.errors import NotSent

MINUTE = 1_700_000_040_000
USED = "X-MBX-USED-WEIGHT-1M"


class Clocks:
    """The venue's clock and the monotonic one, moved by hand."""

    def __init__(self, now: int = MINUTE) -> None:
        self.ms, self.s = now, 100.0

    def now(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.s

    def go(self, seconds: float) -> None:
        self.ms, self.s = self.ms + int(seconds * 1000), self.s + seconds


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def governor(clocks: Clocks) -> Governor:
    return Governor(clocks.now, clocks.monotonic)


def ask(governor: Governor, weight: int, purpose: Purpose, orders: int = 0, **headers: str) -> None:
    """Ask and be answered."""
    ticket = asyncio.run(governor.admit(weight, purpose, orders))
    ticket.answered(200, {name.replace("_", "-"): value for name, value in headers.items()})


def test_half_of_the_weight_is_kept_from_market_data(governor: Governor, clocks: Clocks) -> None:
    clocks.go(59.3)
    ask(governor, 1, Purpose.DATA, **{USED: "2999"})
    assert governor.wait_s(Purpose.DATA) == 0
    ask(governor, 1, Purpose.DATA, **{USED: "3000"})
    assert governor.wait_s(Purpose.DATA) == pytest.approx(0.75)
    assert governor.wait_s(Purpose.ENTRY) == governor.wait_s(Purpose.EXIT) == 0


def test_what_reduces_risk_is_admitted_last_and_longest(governor: Governor) -> None:
    shares = {}
    for used in range(0, 6001, 20):
        ask(governor, 1, Purpose.EXIT, **{USED: str(used)}) if governor.wait_s(Purpose.EXIT) == 0 else None
        for purpose in Purpose:
            if governor.wait_s(purpose) > 0:
                shares.setdefault(purpose, used)
    assert shares[Purpose.DATA] < shares[Purpose.RECONCILE] < shares[Purpose.ENTRY] < shares[Purpose.QUERY]
    assert shares[Purpose.QUERY] < shares[Purpose.EXIT] == shares[Purpose.PROTECT] == shares[Purpose.CANCEL]


def test_the_window_is_the_venues_minute(governor: Governor, clocks: Clocks) -> None:
    clocks.go(30)
    ask(governor, 1, Purpose.DATA, **{USED: "5999"})
    assert governor.wait_s(Purpose.EXIT) == pytest.approx(30.05)
    clocks.go(30)
    assert governor.wait_s(Purpose.DATA) == 0 and governor.weight_used == 0


def test_requests_on_their_way_count_until_they_are_answered(governor: Governor) -> None:
    tickets = [asyncio.run(governor.admit(1_000, Purpose.DATA)) for _ in range(3)]
    assert governor.weight_used == 3_000 and governor.wait_s(Purpose.DATA) > 0
    tickets[0].answered(200, {USED: "1000"})
    tickets[1].lost()
    tickets[2].unused()
    tickets[2].lost()
    assert governor.weight_used == 2_000
    ask(governor, 0, Purpose.DATA, **{USED: "0"})
    assert governor.weight_used == 0, "a successful order weighs nothing, whatever was reckoned"


def test_a_header_of_the_last_minute_does_not_block_this_one(governor: Governor, clocks: Clocks) -> None:
    clocks.go(59.9)
    late = asyncio.run(governor.admit(2, Purpose.QUERY))
    clocks.go(0.2)
    late.answered(200, {USED: "5990"})
    assert governor.weight_used == 2


def test_whoever_has_no_patience_is_told_when_to_come_back(governor: Governor, clocks: Clocks) -> None:
    clocks.go(20)
    ask(governor, 1, Purpose.DATA, **{USED: "5999"})
    with pytest.raises(NotSent, match=r"ENTRY would have to wait 40\.0 s") as caught:
        asyncio.run(governor.admit(1, Purpose.ENTRY))
    assert caught.value.retry_s == pytest.approx(40.05)


def test_whoever_has_patience_waits_for_the_next_window() -> None:
    start = time.monotonic()
    now = MINUTE + 59_800
    governor = Governor(lambda: now + int((time.monotonic() - start) * 1000))
    ask(governor, 1, Purpose.DATA, **{USED: "5999"})
    asyncio.run(governor.admit(1, Purpose.DATA))
    assert 0.15 < time.monotonic() - start < 1


@pytest.mark.parametrize(("status", "default"), [(403, 300), (418, 120), (429, 60)])
def test_no_call_before_retry_after(governor: Governor, clocks: Clocks, status: int, default: float) -> None:
    governor.heed(status, {"Retry-After": "17"})
    assert {governor.wait_s(purpose) for purpose in Purpose} == {17.0}
    clocks.go(17)
    governor.heed(status, {"Retry-After": "soon"})
    assert governor.wait_s(Purpose.EXIT) == default
    governor.heed(status, {"Retry-After": "1"})
    assert governor.wait_s(Purpose.EXIT) == default, "a later, shorter word does not end a ban"


def test_a_ban_without_a_header_is_read_from_its_text(governor: Governor) -> None:
    governor.heed(418, {}, -1003, f"Way too much request weight used; IP banned until {MINUTE + 240_000}. Use")
    assert governor.wait_s(Purpose.EXIT) == 240


def test_order_counts_are_learned_and_leave_cancels_alone(governor: Governor, clocks: Clocks) -> None:
    clocks.go(4)
    ask(governor, 1, Purpose.ENTRY, 1, **{"X-MBX-ORDER-COUNT-10S": "40", "X-MBX-ORDER-COUNT-1D": "90"})
    assert governor.wait_s(Purpose.ENTRY, 1, 1) == pytest.approx(6.05)
    assert governor.wait_s(Purpose.EXIT, 1, 1) == governor.wait_s(Purpose.CANCEL) == 0
    governor.heed(429, {"Retry-After": "5"}, -1015)
    assert governor.wait_s(Purpose.EXIT, 1, 1) == 5 and governor.wait_s(Purpose.CANCEL) == 0


def test_limits_are_learned_from_exchange_info(governor: Governor) -> None:
    limits = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300000},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": -5},
        {"odd": 1}, "garbage", None,
    ]  # fmt: skip
    governor.learn_limits(limits)
    governor.learn_limits("garbage")
    assert governor.weight_limit == 1200
    assert [w.limit for w in governor._windows.values()] == [1200, 100, 200000]


def test_feed_and_broker_ask_from_loops_of_their_own(clocks: Clocks) -> None:
    governor = Governor(clocks.now, clocks.monotonic)

    def asker() -> None:
        async def main() -> None:
            for _ in range(100):
                (await governor.admit(5, Purpose.EXIT)).lost()

        asyncio.run(main())

    threads = [Thread(target=asker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert governor.weight_used == 2_000


def test_every_purpose_has_an_allowance() -> None:
    assert set(ALLOWANCES) == set(Purpose)
    assert all(0 < a.share < 1 and a.patience_s > 0 for a in ALLOWANCES.values())


@pytest.mark.parametrize(
    ("method", "path", "n"),
    [("POST", "order", 1), ("POST", "orderList/oco", 2), ("POST", "orderList/opoco", 3), ("POST", "order/test", 0),
     ("DELETE", "order", 0), ("GET", "order", 0), ("PUT", "order/amend/keepPriority", 0)],
)  # fmt: skip
def test_an_order_list_counts_as_its_legs(method: str, path: str, n: int) -> None:
    assert n_orders(Call(method, path)) == n
