"""A click on a line of the log opens the decision behind it."""

import pytest

from callbacks import trace
from tests.fakes.fake_services import FakeWorld
from tests.services.cockpits import whole_cockpit


class Shown:
    """What the screen gets of a lived account."""

    def __init__(self, portfolio):
        self.portfolio = portfolio


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    with whole_cockpit(tmp_path_factory.mktemp("log"), 900) as whole:
        whole.start()
        whole.trade()
        yield Shown(whole.portfolio)


def lines(services, kind):
    return [line for line in services.portfolio.view().log if line.kind == kind and line.time]


def opened(services, line):
    return trace.found(services, trace.ids.table("log"), {"rowId": str(line.number), "colId": "text"})


def test_line_of_an_order_opens_the_decision_of_its_bar(lived):
    found = [(line, opened(lived, line)) for line in lines(lived, "ORDER")]
    assert found and all(d.time in (line.time, line.time - 1) for line, d in found)
    assert {d.outcome for line, d in found if " BUY " in line.text and "of equity" in line.text} == {"entry"}
    assert all(line.text.startswith(d.display) for line, d in found)


def test_line_of_a_fill_opens_the_decision_of_its_order_or_of_the_entry(lived):
    found = [(line, opened(lived, line)) for line in lines(lived, "FILL")]
    assert any("SELL" in line.text for line, _ in found)
    for line, decision in found:
        assert decision.display in line.text and decision.time <= line.time
        wanted = ("entry",) if "BUY" in line.text or "signal" not in line.text else ("exit",)
        assert decision.outcome in wanted, line.text


def test_line_of_a_finished_trade_opens_what_closed_or_opened_it(lived):
    assert {opened(lived, line).outcome for line in lines(lived, "TRADE")} <= {"entry", "exit"}


def test_line_without_a_symbol_has_no_record():
    services = FakeWorld().services
    assert trace.of_line(services, "no such line") is None
