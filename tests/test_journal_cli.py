"""The journal from the command line: one file that needs nothing, and a document whose sums are the trades'."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from tests.test_parity_cli import run, traded

__all__ = ["traded"]  # the fixture: a data folder with a finished replay


@pytest.fixture(scope="module")
def reported(traded):
    folder, _, account = traded
    said = run(folder, "--mode", "report", "--account", account, "--html", str(folder / "out.html"), "--json")
    return json.loads(said.stdout), (folder / "out.html").read_text()


def test_document_adds_up_and_agrees_with_the_ledger(reported):
    document, _ = reported
    assert document["agrees"] is True and document["n_trades"] == len(document["trades"]) > 20
    assert sum(Decimal(trade["pnl"]) for trade in document["trades"]) == Decimal(document["pnl"])
    assert Decimal(document["realized"]) == Decimal(document["pnl"]) + Decimal(document["open_realized"])
    for slices in document["groups"].values():
        assert sum(Decimal(each["pnl"]) for each in slices) == Decimal(document["pnl"])


def test_page_is_one_file_without_scripts_or_requests(reported):
    document, page = reported
    assert "<script" not in page and not re.search(r"(src|href)=|url\(|@import|https?://", page)
    assert "default-src 'none'" in page and f"Trades ({document['n_trades']:,})" in page and "✓ agrees" in page
    assert page.count("<svg") == 2 and "Under water" in page


def test_a_part_of_the_time_has_its_own_trades(traded, reported):
    folder, _, account = traded
    days = [each["name"] for each in reported[0]["groups"]["day"]]
    parts = []
    for begin, end in ((days[0], days[0]), (days[1], days[-1])):
        said = run(folder, "--mode", "report", "--account", account, "--from", begin, "--to", end, "--json")
        parts.append(json.loads(said.stdout))
    assert sum(Decimal(each["pnl"]) for each in parts) == Decimal(reported[0]["pnl"])
    assert [each["agrees"] for each in parts] == [None, None] and parts[0]["groups"]["day"][0]["name"] == days[0]


@pytest.mark.parametrize(("arguments", "words"), [
    (("--account", "nobody", "--html", "x.html"), "there is no account 'nobody'"), ((), "--html FILE or --json"),
    (("--html", "no/such/folder/x.html"), "make it first"),
    (("--from", "2024-02-01", "--to", "2024-01-01", "--json"), "--from is not before --to"),
    (("--mode", "backtest", "--from", "2024-02-01"), "use --start and --end")])
def test_wrong_question_is_one_clear_line(traded, arguments, words):
    said = run(traded[0], "--mode", "report", *arguments, status=2).stderr
    assert words in said and said.count("\n") == 1
