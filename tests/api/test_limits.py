"""Buckets: a burst, an even rate, and no memory of those who have gone."""

from services.api.limits import MAX_CALLERS, Buckets
from services.api.meter import Meter


def test_after_a_burst_one_may_ask_at_the_even_rate():
    clock = [0.0]
    buckets = Buckets(60, lambda: clock[0])
    assert [buckets.wait_s("a") for _ in range(10)] == [0.0] * 10
    assert buckets.wait_s("a") == 1.0
    clock[0] = 0.5
    assert buckets.wait_s("a") == 0.5, "asking too early costs nothing"
    clock[0] = 1.0
    assert (buckets.wait_s("a"), buckets.wait_s("a") > 0, buckets.wait_s("b")) == (0.0, True, 0.0)
    clock[0] = 1_000.0
    assert sum(buckets.wait_s("a") == 0 for _ in range(20)) == 10, "a rest fills no more than the bucket"


def test_the_slowest_rate_still_lets_one_in():
    clock = [0.0]
    buckets = Buckets(1, lambda: clock[0])
    assert (buckets.wait_s("a"), buckets.wait_s("a")) == (0.0, 60.0)


def test_callers_without_number_cost_no_memory():
    buckets = Buckets(60, lambda: 0.0)
    for number in range(3 * MAX_CALLERS):
        buckets.wait_s(str(number))
    assert len(buckets._filled) == MAX_CALLERS


def test_the_meter_tells_quantiles_and_its_own_faults_only():
    meter = Meter()
    assert meter.quantile_ms(0.5) is None
    for number in range(1, 101):
        meter.count("GET", "/api/x", 500 if number == 100 else 404, number / 1_000)
    assert (meter.quantile_ms(0.5), meter.quantile_ms(0.95)) == (51.0, 96.0)
    found = meter.routes["GET", "/api/x"]
    assert (found.n, found.n_failed, sum(found.buckets)) == (100, 1, 100)
    assert found.buckets[:3] == [5, 5, 15]
