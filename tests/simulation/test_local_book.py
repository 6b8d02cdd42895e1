"""A book rebuilt from a venue's snapshot and changes equals the venue's own."""

import gzip
import json
from bisect import bisect_right
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trading.simulation.local_book import LocalBook

FILES = ("btcusdt-spot-frames-20240808.jsonl.gz", "btcusdt-spot-frames-20240809.jsonl.gz")


def frames(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line.partition(" ")[2])


Top = tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]


def play(book: LocalBook, path: Path) -> tuple[dict[int, Top], list[tuple[int, Top]]]:
    """Feed a capture to a book; return its top by update id at every twentieth change, and the venue's bookTickers."""
    seen: dict[int, Top] = {}
    told: list[tuple[int, Top]] = []
    for number, frame in enumerate(frames(path)):
        if "lastUpdateId" in frame:
            assert book.take_snapshot(frame)
        elif frame["stream"].endswith("@bookTicker"):
            ticker = {name: Decimal(value) for name, value in frame["data"].items() if name in "bBaA"}
            told.append((frame["data"]["u"], ((ticker["b"], ticker["B"]), (ticker["a"], ticker["A"]))))
        elif "@depth" in frame["stream"]:
            book.take_event(frame["data"])
            if not book.needs_snapshot and number % 20 == 0:
                seen[book.update_id] = book.best_bid(), book.best_ask()
    seen[book.update_id] = book.best_bid(), book.best_ask()
    return seen, told


def pairs(levels: list[list[str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(quantity)) for price, quantity in levels]


def test_binances_own_book_is_rebuilt_exactly(shared_data: Path):
    expected = json.loads((shared_data / "ticks" / "btcusdt-spot-frames.expected.json").read_text())
    book = LocalBook()
    for name, part in zip(FILES, ("first_file_only", "both_files"), strict=True):
        seen, told = play(book, shared_data / "ticks" / name)
        ids = [update_id for update_id, _ in told]
        assert len(seen) > 100
        for update_id, top in seen.items():  # a ticker may arrive behind the change that holds it
            newest = bisect_right(ids, update_id)
            assert newest == 0 or top == told[newest - 1][1]
        wanted = expected[part]
        assert book.update_id == wanted["last_update_id"]
        assert (len(book.bids), len(book.asks)) == (wanted["bid_levels"], wanted["ask_levels"])
        assert book.top(20) == (pairs(wanted["top20_bids"]), pairs(wanted["top20_asks"]))


def event(first: int, last: int, price: str = "1", quantity: str = "2") -> dict[str, Any]:
    return {"U": first, "u": last, "b": [[price, quantity]], "a": []}


def snapshot(update_id: int) -> dict[str, Any]:
    return {"lastUpdateId": update_id, "bids": [["1.00000000", "1.00000000"]], "asks": []}


def test_a_snapshot_older_than_the_first_change_is_refused():
    book = LocalBook()
    book.take_event(event(10, 12))
    assert not book.take_snapshot(snapshot(9))
    assert book.needs_snapshot
    assert book.take_snapshot(snapshot(10))
    assert (book.update_id, book.bids) == (12, {Decimal(1): Decimal(2)})


def test_changes_that_the_snapshot_holds_already_are_dropped():
    book = LocalBook()
    book.take_event(event(1, 5, quantity="9"))
    assert book.take_snapshot(snapshot(7))
    assert book.bids == {Decimal(1): Decimal(1)}
    book.take_event(event(6, 8, quantity="3"))
    assert (book.update_id, book.bids) == (8, {Decimal(1): Decimal(3)})


@pytest.mark.parametrize("kept", [False, True])
def test_a_gap_throws_the_book_away(kept: bool):
    book = LocalBook()
    if kept:
        for each in (event(1, 5), event(9, 10)):
            book.take_event(each)
        assert not book.take_snapshot(snapshot(6))
    else:
        book.take_snapshot(snapshot(5))
        book.take_event(event(7, 8))
    assert book.needs_snapshot
    assert book.bids == {}


def test_zero_removes_a_level_however_it_is_spelt_and_absent_ones_are_normal():
    book = LocalBook()
    book.take_snapshot(snapshot(1))
    book.take_event(event(2, 2, "7", "0.00"))
    book.take_event(event(3, 3, "1.0", "0"))
    assert book.bids == {}
