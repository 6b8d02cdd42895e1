"""Twenty simulated hours of bad days: nothing wrong, and the same seed comes to the same in any process."""

from __future__ import annotations

import pytest

from tests.live_campaign import Outcome, play, play_elsewhere

N_SEEDS, HOURS = 8, 2.5


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    return [play(seed, HOURS) for seed in range(1, N_SEEDS + 1)]


def test_twenty_hours_of_bad_days_leave_books_that_are_the_exchanges(outcomes: list[Outcome]):
    assert [one.wrong for one in outcomes] == [""] * N_SEEDS
    assert sum(one.hours for one in outcomes) == 20
    assert sum(one.n_fills for one in outcomes) > 300
    assert sum(one.n_crashes for one in outcomes) > 10


def test_each_seed_is_another_day(outcomes: list[Outcome]):
    assert len({one.digest for one in outcomes}) == N_SEEDS


def test_a_process_that_hashes_otherwise_comes_to_the_same(outcomes: list[Outcome]):
    assert play_elsewhere(2, HOURS) == outcomes[1].digest
