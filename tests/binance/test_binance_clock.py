"""The venue's clock, whatever this computer's says; and where venues are."""

from __future__ import annotations

import pytest

from trading.binance.clock import VenueClock
from trading.binance.endpoints import ENVIRONMENTS, Credentials, environment_of, local_exchange
from trading.binance.redaction import redacted
from trading.binance.wire import forget_wire, wire_of
from trading.errors import BadInput


class Computer:
    """A wall clock and a monotonic one, in seconds."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = 1_700_000_000.0, 50.0

    def clock(self) -> VenueClock:
        return VenueClock(lambda: self.wall_s, lambda: self.monotonic_s)

    def go(self, seconds: float) -> None:
        self.wall_s, self.monotonic_s = self.wall_s + seconds, self.monotonic_s + seconds


def test_it_runs_on_the_monotonic_clock_with_half_the_trip_taken_off() -> None:
    computer = Computer()
    clock = computer.clock()
    assert clock.now() == 1_700_000_000_000 and not clock.is_measured and clock.is_due()
    clock.set(1_800_000_000_000, 80)
    computer.go(2.5)
    computer.wall_s += 7_200
    assert clock.now() == 1_800_000_002_540


def test_a_jump_of_the_wall_clock_is_noticed_either_way() -> None:
    for jump_s, jumped in ((1.9, False), (2.1, True), (-1.9, False), (-2.1, True)):
        computer = Computer()
        clock = computer.clock()
        clock.set(1_700_000_000_000, 0)
        computer.go(100)
        computer.wall_s += jump_s
        assert clock.has_jumped() is jumped and clock.is_due() is jumped
        clock.set(1_700_000_100_000, 0)
        assert not clock.has_jumped()


def test_the_wall_clocks_lead_leaps_with_every_jump_and_with_nothing_else() -> None:
    computer = Computer()
    clock = computer.clock()
    first = clock.lead_ms()
    computer.go(3_600)
    clock.set(1_700_000_000_000, 0)
    assert clock.lead_ms() == pytest.approx(first)
    for n in (1, 2, 3):
        computer.wall_s += 60
        assert clock.lead_ms() == pytest.approx(first + n * 60_000), "whoever measured, or nobody"


def test_it_is_measured_again_every_few_minutes() -> None:
    computer = Computer()
    clock = computer.clock()
    clock.set(1_700_000_000_000, 0)
    computer.go(179)
    assert not clock.is_due()
    computer.go(2)
    assert clock.is_due()


@pytest.mark.parametrize(
    ("ahead_ms", "word"), [(1_500, "1.5 s behind"), (-3_000, "3.0 s ahead"), (900, ""), (-900, "")]
)
def test_a_computer_that_is_off_by_more_than_a_second_is_told_so(ahead_ms: int, word: str) -> None:
    computer = Computer()
    clock = computer.clock()
    clock.set(1_700_000_000_000 + ahead_ms, 0)
    assert clock.offset_ms() == pytest.approx(ahead_ms, abs=0.01)
    assert word in clock.trouble() and bool(clock.trouble()) == bool(word)


def test_environments_are_named_and_only_production_is_live() -> None:
    assert {name: each.badge for name, each in ENVIRONMENTS.items()} == {
        "binance": "LIVE", "testnet": "TESTNET", "demo": "DEMO", "rehearsal": "REHEARSAL",
    }  # fmt: skip
    rehearsal = environment_of("rehearsal", "http://127.0.0.1:9333/")
    assert (rehearsal.rest_url, rehearsal.stream_url) == ("http://127.0.0.1:9333", "ws://127.0.0.1:9333")
    assert rehearsal.ws_api_url == "ws://127.0.0.1:9333/ws-api/v3"
    assert environment_of("demo", "http://127.0.0.1:9333").rest_url == "https://demo-api.binance.com"


@pytest.mark.parametrize("wrong", ["127.0.0.1:9100", "ftp://x", "http://", "http://a{}b", "http://u:p@h", "http://h?x"])
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match="address"):
        local_exchange(wrong)
    with pytest.raises(BadInput, match="unknown"):
        environment_of(wrong)


def test_an_address_has_one_wire_for_the_whole_process() -> None:
    wire = wire_of("http://127.0.0.1:1/")
    assert wire_of("http://127.0.0.1:1") is wire and wire_of("http://127.0.0.1:2") is not wire
    assert wire.governor is wire_of("http://127.0.0.1:1").governor
    forget_wire("http://127.0.0.1:1")
    assert wire_of("http://127.0.0.1:1") is not wire


def test_secrets_are_cut_out_of_any_text() -> None:
    keys = Credentials("KEY/1+2", "SECRET\nLINE")
    text = "url?a=1&signature=ab%2Fc&x=KEY/1+2 {'apiKey': 'other', \"signature\": \"def=\"} SECRET\nLINE " + "z" * 500
    line = redacted(text, keys)
    assert not any(word in line for word in ("ab%2F", "KEY/1", "other", "def=", "SECRET")) and len(line) == 200
    assert redacted(None) == "None" and "SECRET" not in repr(keys) + str(keys)
