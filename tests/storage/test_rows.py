"""Domain values survive the trip through rows to the last unit."""

import json
from dataclasses import asdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import rows, tables
from trading.domain import (
    Action,
    Decision,
    EquityPoint,
    Fill,
    JournalLine,
    Order,
    OrderStatus,
    OrderType,
    Side,
    Signal,
    SymbolSpec,
    Trade,
    Verdict,
)

fast = settings(max_examples=150, deadline=None)
units = st.integers(-(2**63), 2**63 - 1)
counts = st.integers(0, 10**15)
times = st.integers(0, 2**42)
words = st.text(max_size=30)
floats = st.floats(allow_nan=False)
specs = st.builds(
    lambda tick, lot: SymbolSpec("BTCUSDT", Decimal(1).scaleb(tick), Decimal(1).scaleb(lot), *map(Decimal, (1, 9, 5))),
    st.integers(-8, 2), st.integers(-8, 2),
)
orders = st.builds(
    Order, st.integers(1, 10**9).map(lambda n: f"paper-{n}"), st.just("BTCUSDT"), st.sampled_from(Side),
    st.sampled_from(OrderType), counts, times, words, counts, counts, st.sampled_from(OrderStatus), counts, st.just(0),
    words,
)
fills = st.builds(Fill, counts, words, st.just("BTCUSDT"), st.sampled_from(Side), counts, counts, units, units, units,
                  times, words)
trades = st.builds(Trade, counts, st.just("BTCUSDT"), st.just("LONG"), counts, times, words, times, words, units, units,
                   words, words)
texts = st.dictionaries(words, words, max_size=3)
signals = st.lists(
    st.builds(Signal, st.just("BTCUSDT"), st.just(7), words, st.sampled_from(Action), floats, words, texts,
              st.dictionaries(words, floats, max_size=3)), max_size=3,
).map(tuple)
decisions = st.builds(Decision, st.just("BTCUSDT"), st.just(7), floats, words, words, words, signals,
                      st.lists(st.builds(Verdict, words, st.booleans(), words), max_size=3).map(tuple), words)


def plain_columns(table, row: dict) -> None:
    """Every column of the table is there, and holds what SQLite and PostgreSQL store without a loss."""
    assert {column.name for column in table.columns} - {"account"} == set(row)
    assert all(isinstance(value, str | int) for value in row.values())


@fast
@given(specs, orders)
def test_order_survives(spec, order):
    row = rows.order_row(spec, order)
    plain_columns(tables.orders, row)
    assert rows.order_of(spec, row) == order


@fast
@given(specs, fills)
def test_fill_survives(spec, fill):
    row = rows.fill_row(spec, fill)
    plain_columns(tables.fills, row)
    assert rows.fill_of(spec, row) == fill


@fast
@given(specs, trades)
def test_trade_survives(spec, trade):
    row = rows.trade_row(spec, trade)
    plain_columns(tables.trades, row)
    assert rows.trade_of(spec, row) == trade


@fast
@given(decisions)
def test_decision_survives(decision):
    row = rows.decision_row(decision)
    plain_columns(tables.decisions, row)
    assert rows.decision_of(row) == decision


@fast
@given(st.builds(EquityPoint, times, units, units, st.integers(0, 10**6)))
def test_equity_point_survives(point):
    row = rows.equity_row(point)
    plain_columns(tables.equity, row)
    assert rows.equity_of(row) == point


@fast
@given(st.builds(JournalLine, counts, times, words, words, words))
def test_journal_line_survives(line):
    assert rows.line_of(asdict(line)) == line


@fast
@given(units)
def test_money_is_decimal_text_with_eight_digits_and_no_exponent(value):
    text = rows.money(value)
    assert len(text.partition(".")[2]) == 8 and "E" not in text
    assert Decimal(text) * 10**8 == value == rows.units(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345678901212345678, "123456789012.12345678"), (1, "0.00000001"), (-1, "-0.00000001"), (0, "0.00000000"),
     (10**8, "1.00000000"), (2**63 - 1, "92233720368.54775807")],
)
def test_money_text_is_exact(value, text):
    assert rows.money(value) == text
    assert rows.units(text) == value


def test_infinite_and_undefined_inputs_of_a_signal_survive_too():
    signal = Signal("BTCUSDT", 7, "s", Action.HOLD, 0.5, "r", {}, {"rsi": float("inf"), "adx": float("nan")})
    row = rows.decision_row(Decision("BTCUSDT", 7, 1.5, "HOLD", "hold", "r", (signal,)))
    inputs = rows.decision_of(row).signals[0].inputs
    assert inputs["rsi"] == float("inf") and inputs["adx"] != inputs["adx"]
    assert json.loads(row["body"])
