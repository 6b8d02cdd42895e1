"""Facts behave as frozen dataclasses do, whatever way they are filled."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest

from trading.domain import Action, Candle, Decision, Signal
from trading.domain.facts import fact


@fact
class Fact:
    """A class with every kind of field."""

    name: str
    size: int = 3
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plain:
    """The same, made the usual way."""

    name: str
    size: int = 3
    notes: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("given", "named"), [(("a",), {}), (("a", 4), {}), (("a",), {"notes": {"b": 1}}), ((), {"name": "a"})]
)
def test_fact_is_filled_like_a_dataclass(given, named):
    made, usual = Fact(*given, **named), Plain(*given, **named)
    assert asdict(made) == asdict(usual) and repr(made) == repr(usual).replace("Plain", "Fact")
    assert [f.name for f in fields(made)] == [f.name for f in fields(usual)]


def test_fact_cannot_change_once_it_is_made():
    made = Fact("a")
    assert type(made) is Fact
    for change in (lambda: setattr(made, "size", 4), lambda: delattr(made, "size"), lambda: setattr(made, "other", 4)):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            change()
    assert made.size == 3


def test_facts_are_equal_by_value_and_do_not_share_what_they_hold():
    assert Fact("a") == Fact("a") != Fact("b")
    assert Fact("a").notes is not Fact("a").notes
    candle = Candle("BTCUSDT", "1m", 0, 1.0, 2.0, 0.5, 1.5, 3.0)
    assert hash(candle) == hash(replace(candle)) and {candle, replace(candle)} == {candle}


@pytest.mark.parametrize("made", [
    Fact("a", notes={"b": 1}), Candle("BTCUSDT", "1m", 0, 1.0, 2.0, 0.5, 1.5, 3.0),
    Signal("BTCUSDT", 7, "s", Action.BUY, 0.5, "why"), Decision("BTCUSDT", 7, 1.5, "HOLD", "hold", "why"),
])
def test_fact_survives_copies_and_other_processes(made):
    for again in (replace(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made and type(again) is type(made)


@pytest.mark.parametrize("given", [(), ("a", 1, {}, 2)])
def test_wrong_number_of_fields_is_an_error_that_names_the_fact(given):
    with pytest.raises(TypeError, match=r"Fact.__init__\(\)"):
        Fact(*given)
