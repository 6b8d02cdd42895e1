"""A report stands alone: everything in one file, nothing from elsewhere, nothing that could run."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from layouts import report_charts as charts
from layouts import report_plateau
from layouts.report import MOST_TRADES, report
from tests.fakes import fake_runs
from tests.fakes.fake_backtests import FakeBacktests
from trading.domain.backtests import Plateau

PORT = FakeBacktests(seconds=0.0, check_s=0.0)
EVIL = "<script>alert('1')</script>\"><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def view():
    return PORT.view("past0")


class Tags(HTMLParser):
    """Collects tags, and every tag that was not closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.wrong = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def parsed(text):
    found = Tags()
    found.feed(text)
    assert not found.wrong and not found.open
    return found.tags


def test_report_has_every_part(view):
    made = report(view)
    for words in (
        "Net return",
        "Drawdown",
        "Exposure",
        "Monthly return",
        "Parameter plateau",
        "Is it real?",
        "Costs",
        "Returns of the trades",
        f"Trades ({len(view.trades)})",
        "Hash of candles",
        "Strategy document",
        view.hashes["code"],
        view.notes[0],
        view.key,
    ):
        assert words in made, words
    assert made.count("<svg") == 5


def test_report_asks_for_nothing_and_runs_nothing(view):
    tags = parsed(report(view))
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "base"}
    assert not [a for _, attributes in tags for a in attributes if a in ("src", "href") or a.startswith("on")]
    assert re.search(r"https?://|url\(", report(view)) is None


def test_whatever_a_strategy_writes_is_shown_as_text(view):
    document = {"name": EVIL}
    evil = replace(
        view,
        key=EVIL,
        notes=(EVIL,),
        request=replace(view.request, strategy=EVIL, document=document, symbols=(EVIL,)),
        trades=(replace(view.trades[0], opened_by=EVIL, closed_because=EVIL, display=EVIL),),
        checks=tuple(replace(c, name=EVIL, detail=EVIL, explanation=EVIL) for c in view.checks),
        costs=((EVIL, 1.0),),
        hashes={EVIL: EVIL},
        plateau=replace(view.plateau, x_name=EVIL, figure=EVIL),
    )
    tags = parsed(report(evil))
    assert not {tag for tag, _ in tags} & {"script", "img"}


def test_the_same_run_gives_the_same_bytes_and_a_large_one_stays_small(view):
    assert report(view) == report(view)
    many = replace(view, trades=tuple(replace(view.trades[0], number=n) for n in range(20_000)))
    made = report(many)
    assert len(made.encode()) < 2_000_000
    assert f"first {20_000 - MOST_TRADES:,} trades are left out" in made


def test_a_run_without_trades_sweep_or_windows_has_a_report_too():
    asked = replace(fake_runs.request_of(PORT.runs()[1]), strategy="Never trades", sweep="")
    made = report(fake_runs.view_of("silent", asked, 0.1))
    parsed(made)
    assert "Trades (0)" not in made and "never met" in made


def test_a_walk_forward_lists_its_windows(view):
    walked = fake_runs.view_of("walked", replace(view.request, train_days=180, test_days=30), 1.0)
    assert "Walk-forward windows" in report(walked)


def test_a_heat_map_has_values_and_a_scale_and_one_parameter_is_a_line():
    values = np.array([[0.25, -1.0], [np.nan, 0.5]])
    heat = report_plateau.chart(Plateau("a", "b", (1.0, 2.0), (3.0, 4.0), values, "Sharpe", (1.0, 3.0)))
    assert heat.count("value-in") == 3 and heat.count("<rect") == 3 + 7 and ">−1.00</text>" in heat
    line = report_plateau.chart(Plateau("a", "", (1.0, 2.0), (0.0,), values[:1], "Sharpe", (1.0, 0.0)))
    assert "<rect" not in line and line.count("<circle") == 2 and line.count("dot chosen") == 1


def test_a_short_position_is_not_lost_between_the_drawn_points():
    column = np.zeros(5_000)
    column[1_234], column[4_321] = 0.7, -0.9
    drawn = charts.peaks(column, charts.thinned(5_000))
    assert len(drawn) <= 1_000 and drawn.max() == 0.7 and drawn.min() == -0.9


def test_ticks_are_round_and_inside():
    assert charts.ticks(9_553, 11_895, 4) == [10_000, 11_000]
    assert charts.ticks(1.0, 1.0) == [1.0]
    assert charts.ticks(-0.031, 0.0, 4) == pytest.approx([-0.03, -0.02, -0.01, 0.0])


def test_gaps_are_left_out_of_a_line():
    assert charts.path([0, 1, 2], [0, float("nan"), 5]) == "M0.0 0.0L2.0 5.0"
    assert charts.path([], []) == ""
    assert list(charts.thinned(3)) == [0, 1, 2] and charts.thinned(5_000)[-1] == 4_999
    assert charts.histogram(np.zeros(0), []) == ""
