"""The state machine of an order at the venue, every pair of states, and what reports may change."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from trading.brokers.binance_settling import (
    STATUSES,
    Report,
    barrier,
    contradiction,
    moved,
    of_document,
    of_event,
    told,
)
from trading.domain.venue import TRANSITIONS, VenueOrder, VenueState
from trading.errors import BrokenInvariant

S = VenueState
ORDER = VenueOrder("ck-1-1e", "ck-1", "BTCUSDT", "BUY", "LIMIT", Decimal(1), 1_000, params={"recvWindow": "2500"})
LEGAL = {
    S.INTENT: {S.SENT, S.UNKNOWN, S.VOID},
    S.SENT: {S.WORKING, S.FILLED, S.CANCELED, S.EXPIRED, S.UNKNOWN, S.REFUSED},
    S.UNKNOWN: {S.WORKING, S.FILLED, S.CANCELED, S.EXPIRED, S.REFUSED, S.VOID},
    S.WORKING: {S.FILLED, S.CANCELED, S.EXPIRED},
    S.VOID: {S.WORKING, S.FILLED, S.CANCELED, S.EXPIRED},
    S.FILLED: set(),
    S.CANCELED: set(),
    S.EXPIRED: set(),
    S.REFUSED: set(),
}
SAID = sorted(set(STATUSES.values()))


def test_table_is_the_one_of_the_documents():
    assert {state: set(after) for state, after in TRANSITIONS.items()} == LEGAL


@pytest.mark.parametrize(("before", "after"), list(product(S, S)))
def test_only_steps_of_the_table_are_possible(before: S, after: S):
    order = replace(ORDER, state=before)
    if after in LEGAL[before]:
        assert moved(order, after).state is after
    else:
        with pytest.raises(BrokenInvariant, match=f"{before} cannot become {after}"):
            moved(order, after)


@pytest.mark.parametrize(("before", "said", "executed"), list(product(S, SAID, (Decimal(0), Decimal("0.5")))))
def test_no_report_moves_an_order_off_the_table_or_unfills_it(before: S, said: S, executed: Decimal):
    order = replace(ORDER, state=before, executed=Decimal("0.2"))
    after = told(order, Report("ck-1-1e", 7, said, executed))
    start = S.SENT if before is S.INTENT else before
    assert after.state is start or after.state in LEGAL[start]
    assert after.executed == max(order.executed, executed) and after.venue_id == 7


@pytest.mark.parametrize("end", [S.FILLED, S.CANCELED, S.EXPIRED])
def test_older_news_of_an_ended_order_change_nothing(end: S):
    order = replace(ORDER, state=end, executed=Decimal(1), venue_id=7)
    assert told(order, Report("ck-1-1e", 7, S.WORKING, Decimal("0.3"))) == order


def test_fill_overtakes_the_answer_to_its_order():
    assert told(ORDER, Report("ck-1-1e", 7, S.FILLED, Decimal(1))).state is S.FILLED


def test_leg_that_the_venue_rejects_later_has_expired():
    assert told(replace(ORDER, state=S.WORKING), Report("ck-1-1e", 7, S.REFUSED, Decimal(0))).state is S.EXPIRED


@pytest.mark.parametrize(("state", "report", "wrong"), [
    (S.VOID, Report("x", 1, S.WORKING, Decimal(0)), True),
    (S.CANCELED, Report("x", 1, S.FILLED, Decimal(1)), True),
    (S.CANCELED, Report("x", 1, S.CANCELED, Decimal("0.2")), False),
    (S.WORKING, Report("x", 1, S.FILLED, Decimal(1)), False),
    (S.UNKNOWN, Report("x", 1, S.CANCELED, Decimal("0.5")), False),
])
def test_report_that_denies_what_was_certain_is_a_contradiction(state: S, report: Report, wrong: bool):
    assert bool(contradiction(replace(ORDER, state=state, executed=Decimal("0.2")), report)) is wrong


def test_barrier_is_the_window_and_the_margin_after_the_signed_time():
    assert barrier(ORDER, 1_500) == 1_000 + 2_500 + 1_500
    assert barrier(replace(ORDER, params={}), 1_500) == 1_000 + 5_000 + 1_500


def test_cancelled_order_is_read_under_its_own_id_and_not_the_cancels():
    document = {"origClientOrderId": "ck-1-1s", "clientOrderId": "ck-1-1c", "orderId": 9, "status": "CANCELED",
                "executedQty": "0.5"}
    assert of_document(document) == Report("ck-1-1s", 9, S.CANCELED, Decimal("0.5"))
    event = {"x": "CANCELED", "X": "CANCELED", "c": "ck-1-1c", "C": "ck-1-1s", "i": 9, "z": "0.5", "q": "1",
             "r": "NONE"}
    assert of_event(event) == Report("ck-1-1s", 9, S.CANCELED, Decimal("0.5"), "canceled by ck-1-1c", Decimal(1))


def test_acknowledgement_alone_means_working():
    assert of_document({"clientOrderId": "a", "orderId": 3}) == Report("a", 3, S.WORKING, Decimal(0))
