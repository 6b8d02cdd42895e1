"""The table of errors: one row, one meaning, and the page that is written from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from trading.binance.answers import failure
from trading.binance.refusals import REMEDY_WORDS, ROWS, Outcome, Remedy, Row, document, refusal_of
from trading.domain.venue import Call
from trading.errors import NoAnswer, NotSent, OutcomeUnknown, Refused

PAGE = Path(__file__).resolve().parents[2] / "docs" / "binance-errors.md"
KINDS = {Outcome.REFUSED: Refused, Outcome.NOT_SENT: NotSent, Outcome.UNKNOWN: OutcomeUnknown}


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), (
        "write it again: python -m trading.binance.refusals > docs/binance-errors.md"
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.code} {r.text}")
def test_every_row_is_reached_and_becomes_its_kind_of_error(row: Row) -> None:
    text = f"Filter failure: {row.text.upper()}." if row.text else "something else"
    assert refusal_of(400, row.code, text) is row.refusal
    order = failure(Call("POST", "order"), 400, (row.code, text))
    assert type(order) is KINDS[row.refusal.outcome] and row.refusal.words in str(order)
    question = failure(Call("GET", "order"), 400, (row.code, text))
    assert type(question) is (Refused if row.refusal.outcome is Outcome.REFUSED else NoAnswer)


def test_what_may_have_happened_is_never_to_be_asked_anew() -> None:
    for row in ROWS:
        assert row.refusal.retry == (row.refusal.outcome is Outcome.NOT_SENT)
    assert {row.code for row in ROWS if row.refusal.retry} == {-1003, -1015, -1021, -1034}
    assert set(REMEDY_WORDS) == set(Remedy)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1008, -1016, -2021, -2022])
def test_codes_that_do_not_exclude_an_execution_are_unknown(code: int) -> None:
    assert refusal_of(400, code).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_trouble_at_the_venue_is_unknown_whatever_its_code(status: int) -> None:
    for code in (0, -2010, -1021, -1003, -1111):
        assert refusal_of(status, code).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [200, 204, 301, 400, 401, 403, 404, 409, 451])
def test_an_answer_without_a_code_is_unknown(status: int) -> None:
    assert refusal_of(status).outcome is Outcome.UNKNOWN


def test_limits_are_not_carried_out_whatever_the_body() -> None:
    for status in (418, 429):
        for code in (0, -1003, -1015, -1007, -9999):
            assert refusal_of(status, code).outcome is Outcome.NOT_SENT


def test_codes_that_are_not_in_the_table_are_unknown_unless_they_speak_of_a_malformed_request() -> None:
    assert refusal_of(400, -1199).outcome is refusal_of(400, -1250).outcome is Outcome.REFUSED
    for code in (-1, -999, -1005, -1300, -2999, -5000):
        assert refusal_of(400, code).outcome is Outcome.UNKNOWN
