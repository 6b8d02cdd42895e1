"""Every shipped strategy is read, speaks on both sides, and says when it fails."""

import pytest

from services.checking import made_walk
from services.strategies import parse_strategy, shipped_strategies, to_document
from tests.fakes.made_candles import stored_candles
from trading.folding import divides, fold
from trading.strategies.causality import first_lie

SHIPPED = dict(shipped_strategies())
EXAMPLES = [name for name in SHIPPED if name != "demo"]


def shipped(name):
    return parse_strategy(SHIPPED[name], name, name)


def test_a_dozen_is_shipped_beside_the_demo():
    assert len(EXAMPLES) >= 12
    assert next(iter(SHIPPED)) == "demo"
    assert len({shipped(name).name for name in SHIPPED}) == len(SHIPPED)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_says_in_two_sentences_when_it_works_and_when_it_fails(name):
    works, fails = shipped(name).notes.split(". Fails")
    assert works.startswith("Works ")
    assert len(fails) > 40


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_parameter_of_an_example_has_a_range_to_search(name):
    parameters = shipped(name).parameters
    assert parameters
    for tunable in parameters.values():
        assert tunable.low <= tunable.value <= tunable.high
        assert tunable.low < tunable.high
    for end in ("low", "high"):
        for key, tunable in parameters.items():
            shipped(name).with_parameters({key: getattr(tunable, end)})


@pytest.mark.parametrize("name", SHIPPED)
def test_example_enters_and_leaves_and_decides_without_its_future(name):
    strategy = shipped(name)
    candles = made_walk("BTCUSDT", strategy.interval or "1h", 2_500)
    directions = strategy.directions(candles)
    assert (directions == 1).sum() > 3
    assert (directions == -1).sum() > 3
    assert strategy.warm_up_bars <= 400
    assert strategy.ready(candles)[strategy.warm_up_bars - 1:].all()
    assert first_lie(strategy, candles) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_example_decides_without_its_future_on_real_candles(name, shared_data):
    strategy = shipped(name)
    for file, n_bars in (("BTCUSDT-1h", 3_000), ("SOLUSDT-1m", 6_000)):
        candles = stored_candles(shared_data / "ohlcv" / f"{file}.parquet")[:n_bars]
        if strategy.interval and divides(candles.interval, strategy.interval):
            candles = fold(candles, strategy.interval)
        assert first_lie(strategy, candles) is None


@pytest.mark.parametrize("name", SHIPPED)
def test_example_survives_the_round_trip(name):
    assert parse_strategy(to_document(shipped(name))) == shipped(name)
    if name != "demo":
        assert set(to_document(shipped(name))) == set(SHIPPED[name])


def test_rotation_ranks_several_symbols():
    rotation = shipped("momentum-rotation")
    assert len(rotation.symbols) == 4
    assert rotation.rank.top_n == 2
