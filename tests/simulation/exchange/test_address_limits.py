import pytest

from trading.simulation.exchange.limits import RAW, Limit, Limited, RateLimits

NOW = 1_700_000_040_000
"""A whole minute."""
TIGHT = (Limit("REQUEST_WEIGHT", "MINUTE", 1, 100), RAW)


def refused(limits: RateLimits, now: int) -> Limited:
    with pytest.raises(Limited) as caught:
        limits.arrive("1.2.3.4", now)
    return caught.value


def test_a_full_window_is_429_until_the_clock_aligned_end_of_it():
    limits = RateLimits(TIGHT)
    limits.arrive("1.2.3.4", NOW + 20_000)
    limits.charge("1.2.3.4", 100, NOW + 20_000)
    error = refused(limits, NOW + 20_500)
    assert (error.status, error.code, error.retry_s) == (429, -1003, 40)
    limits.arrive("5.6.7.8", NOW + 20_500)
    limits.arrive("1.2.3.4", NOW + 60_000)
    assert limits.headers("1.2.3.4", NOW + 60_000)["X-MBX-USED-WEIGHT-1M"] == "0"


def test_who_goes_on_asking_while_limited_is_banned_for_two_minutes_then_longer():
    limits = RateLimits(TIGHT, patience=3)
    limits.charge("1.2.3.4", 100, NOW)
    assert [refused(limits, NOW + n).status for n in range(4)] == [429, 429, 429, 418]
    error = refused(limits, NOW + 60_000)
    assert error.status == 418
    assert f"banned until {NOW + 3 + 120_000}" in error.message
    limits.arrive("1.2.3.4", NOW + 3 + 120_000)
    limits.charge("1.2.3.4", 100, NOW + 180_000)
    assert [refused(limits, NOW + 180_000 + n).status for n in range(4)][-1] == 418
    assert refused(limits, NOW + 180_003).retry_s == 240


def test_raw_requests_are_counted_in_five_minutes():
    limits = RateLimits((Limit("RAW_REQUESTS", "MINUTE", 5, 3),))
    for n in range(3):
        limits.arrive("1.2.3.4", NOW + n)
    assert refused(limits, NOW + 3).status == 429
    limits.arrive("1.2.3.4", NOW // 300_000 * 300_000 + 300_000)
