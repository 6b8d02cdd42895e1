"""A fault is survived when the ledgers are equal in a comparison that was made after it was over."""

from services.rehearsal.catalog import CARDS
from services.rehearsal.proof import Proof, Trials
from trading.domain.rehearsal import DIFFERENT, EQUAL, SETTLING, FaultView, OracleView

CARD = next(card for card in CARDS if card.name == "drop_reply")


def see(trials, now, struck, *, on, state=EQUAL, checked=None):
    fault = FaultView(CARD, True, on, struck)
    return trials.see([fault], OracleView(state, now if checked is None else checked), now)


def mark(trials):
    return trials.marked([FaultView(CARD, True)])[0].survived


def test_a_fault_is_judged_after_it_is_over_and_only_once():
    trials = Trials()
    assert see(trials, 1, 0, on=True) == []
    assert see(trials, 2, 3, on=True) == []
    assert see(trials, 3, 4, on=False) == []
    assert mark(trials) is None
    assert see(trials, 4, 4, on=False) == [Proof("drop_reply", 4, True)]
    assert mark(trials) is True
    assert see(trials, 5, 4, on=False) == []


def test_a_comparison_from_before_its_end_proves_nothing_nor_one_that_settles():
    trials = Trials()
    see(trials, 1, 2, on=False)
    assert see(trials, 5, 2, on=False, checked=1) == []
    assert see(trials, 6, 2, on=False, state=SETTLING) == []
    assert see(trials, 7, 2, on=False, state=DIFFERENT) == [Proof("drop_reply", 2, False)]
    assert mark(trials) is False


def test_a_switch_that_never_struck_proves_nothing():
    trials = Trials()
    see(trials, 1, 0, on=True)
    assert see(trials, 2, 0, on=False) == [] and see(trials, 3, 0, on=False) == []


def test_thrown_again_it_is_counted_and_judged_anew():
    trials = Trials()
    see(trials, 1, 2, on=False)
    see(trials, 2, 2, on=False)
    assert see(trials, 3, 3, on=True) == [] and mark(trials) is None
    see(trials, 4, 5, on=False)
    assert see(trials, 5, 5, on=False) == [Proof("drop_reply", 3, True)]
