"""Ten thousand malformed messages at each change; `make torture` sends a million."""

from __future__ import annotations

import json
import os
from random import Random

import pytest

from tests.fuzzing.__main__ import play
from tests.fuzzing.account import A_LIFE, run
from tests.fuzzing.market import run as run_market
from tests.fuzzing.spoiling import spoilt
from trading.brokers import binance_reconciling
from trading.feeds import binance_frames

N = int(os.environ.get("FRAMES", "10000"))


def test_malformed_messages_crash_nothing_and_order_nothing() -> None:
    found = play(7, N)
    assert found.wrong == [] and found.n_frames + found.n_bodies >= N
    asked = {"GET openOrders", "GET order", "GET myTrades", "GET account", "GET exchangeInfo", "GET allOrders",
             "GET time", "CandleClosed", "PriceMoved"}
    assert asked <= set(found.what), "not every endpoint was asked"


def test_messages_are_spoilt_the_same_way_again_and_in_every_way() -> None:
    text = json.dumps({"e": "kline", "k": {"o": "1.0", "x": True, "n": 3}})
    made = [spoilt(text, dice) for dice in [Random(3)] for _ in range(2_000)]
    assert made == [spoilt(text, dice) for dice in [Random(3)] for _ in range(2_000)]
    assert any(b"<html>" in m for m in made) and any(b"\xff" in m for m in made) and any(b"NaN" in m for m in made)
    assert max(map(len, made)) > 5_000 and len(set(made)) > 1_200


def test_a_reader_that_trusts_what_it_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binance_frames, "MOST_TRADES", 10**400)
    assert run_market(10_000, 0, 1)[1], "no archive can hold such a bar"
    monkeypatch.undo()

    monkeypatch.setattr(binance_reconciling, "UNREADABLE", (KeyError,))
    assert any("failed: " in line for line in run(A_LIFE, 1).wrong)
