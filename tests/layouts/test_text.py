"""Figures as traders read them."""

from decimal import Decimal

import pytest

from layouts import text


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (Decimal("-1234.5"), 2, "−1,234.50"),
        (67388, 1, "67,388.0"),
        (-0.0001, 2, "0.00"),
        (0, 0, "0"),
        (None, 2, "–"),
        (Decimal("123456789012.12345678"), 8, "123,456,789,012.12345678"),
    ],
)
def test_number_has_separators_a_real_minus_and_no_negative_zero(value, decimals, written):
    assert text.number(value, decimals) == written


def test_sign_is_written_for_gains_and_losses_and_not_for_zero():
    assert [text.signed(v) for v in (8.47, -8.47, 0.001, None)] == ["+8.47", "−8.47", "0.00", "–"]
    assert text.signed_percent(0.00741) == "+0.74 %"
    assert text.percent(None) == "–"


def test_colour_follows_what_is_written():
    assert [text.tone(v, 2) for v in (1, -1, 0, None, -0.001)] == ["up", "down", "", "", ""]


@pytest.mark.parametrize(
    ("milliseconds", "written"),
    [(0, "0 m 00 s"), (1_673_000, "27 m 53 s"), (3_723_000, "1 h 02 m"), (90_000_000, "1 d 01 h"), (-5, "0 m 00 s")],
)
def test_span_names_its_two_largest_units(milliseconds, written):
    assert text.span(milliseconds) == written


def test_counts_and_ages():
    assert (text.plural(1, "position"), text.plural(1200, "trade")) == ("1 position", "1,200 trades")
    assert (text.age(180), text.age(61_000)) == ("0.2 s", "1 m 01 s")
    assert text.clock(1_730_000_040_000) == "03:34:00"
