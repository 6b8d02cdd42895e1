"""Genomes stay valid documents, whatever is bred, and mean the same on the short way as on the long one."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.automl.alphabet import FAMILIES, kind_of
from services.automl.breeding import crossed, mutated
from services.automl.genome import (
    MAX_DEPTH,
    MAX_LEAVES,
    RISKS,
    depth,
    document_of,
    draw_genome,
    fits,
    genome_key,
    genome_of,
    leaves,
    mirrored,
    plan_of,
    size,
    tidy,
)
from services.automl.numbers import searchable
from services.strategies import parse_strategy, shipped_strategies, to_document
from trading.controls import RANGES

SHIPPED = shipped_strategies()


def bred(seed: int, n_steps: int, n_members: int = 40):
    """Yield what thousands of crossovers and mutations make, each child taking a place in the population."""
    rng = random.Random(seed)
    population = [draw_genome(rng, with_risk=True) for _ in range(n_members)]
    for step in range(n_steps):
        one, other = crossed(rng.choice(population), rng.choice(population), rng)
        one = mutated(one, rng, with_risk=True, numbers_only=step % 3 == 0)
        for child in (one, other):
            population[rng.randrange(n_members)] = child
            yield child


def test_thousands_of_random_operations_leave_documents_that_parse_and_round_trip():
    for genome in bred(seed=1, n_steps=2_000):
        document = document_of(genome, "bred", ("BTCUSDT",), "1h", "a note")
        strategy = parse_strategy(document)
        assert to_document(strategy) == document
        assert json.loads(json.dumps(document)) == document
        assert fits(genome)


def test_the_short_way_to_trees_equals_parsing_the_document():
    for genome in bred(seed=2, n_steps=1_000):
        plan, parsed = plan_of(genome), parse_strategy(document_of(genome, "bred", ("BTCUSDT",), "1h")).plan
        assert (plan.entry, plan.exit) == (parsed.entry, parsed.exit)


@given(st.integers(0, 2**32))
def test_any_seed_breeds_within_the_bounds(seed: int):
    for genome in bred(seed, n_steps=20, n_members=6):
        for side in ("entry", "exit"):
            assert depth(genome[side]) <= MAX_DEPTH
            assert 1 <= len(leaves(genome[side])) <= MAX_LEAVES
        for name, value in genome["risk"].items():
            low, high, _ = RISKS[name]
            assert max(low, RANGES[name][0]) <= value <= min(high, RANGES[name][1])


def test_only_numbers_of_one_kind_are_compared():
    pairs = {("adx", "adx"), ("macd", "macd"), ("stoch", "stoch"), ("vortex", "vortex"), ("aroon", "aroon")}
    for genome in bred(seed=3, n_steps=1_500):
        for side in ("entry", "exit"):
            for _, leaf in leaves(genome[side]):
                if "op" not in leaf:
                    continue
                left, right = leaf["left"], leaf["right"]
                if isinstance(right, int | float):
                    assert kind_of(left) in ("level", "sign"), leaf
                elif kind_of(left) in ("price", "volume"):
                    assert kind_of(left) == kind_of(right), leaf
                else:
                    assert (left.partition("_")[0], right.partition("_")[0]) in pairs, leaf


def test_the_same_dice_breed_the_same_genomes_and_the_global_dice_are_left_alone():
    before = random.getstate()
    assert list(map(genome_key, bred(4, 200))) == list(map(genome_key, bred(4, 200)))
    assert random.getstate() == before


def test_genomes_that_say_the_same_in_another_order_are_one():
    one, other = {"left": "rsi_14", "op": "<", "right": 30}, {"left": "close", "op": ">", "right": "sma_50"}
    first = tidy({"entry": {"all": [one, {"all": [other, one]}]}, "exit": {"any": [one]}, "risk": {}})
    second = tidy({"entry": {"all": [other, one]}, "exit": one, "risk": {}})
    assert first == second
    assert genome_key(first) == genome_key(second)
    assert size(first) == 3


def test_a_mirror_image_turns_thresholds_and_operators_over():
    assert mirrored({"left": "rsi_14", "op": "<", "right": 30}) == {"left": "rsi_14", "op": ">", "right": 70}
    assert mirrored({"rising": "close", "bars": 2}) == {"falling": "close", "bars": 2}
    assert mirrored({"left": "close", "op": "crosses_above", "right": "sma_20"})["op"] == "crosses_below"


@pytest.mark.parametrize(("name", "document"), SHIPPED, ids=[name for name, _ in SHIPPED])
def test_shipped_strategies_are_ancestors_that_decide_as_before(name: str, document: dict):
    strategy = parse_strategy(document, name, name)
    plan = plan_of(genome_of(document))
    again = parse_strategy(document_of(genome_of(document), name, strategy.symbols, strategy.interval or "1h")).plan
    assert (plan.entry, plan.exit) == (again.entry, again.exit)
    ranked = {strategy.rank_cell} - {None}
    assert set(plan.cells) | ranked == set(strategy.plan.cells)


@pytest.mark.parametrize(("name", "document"), SHIPPED, ids=[name for name, _ in SHIPPED])
def test_a_strategy_without_parameters_gets_some_that_change_nothing_by_themselves(name: str, document: dict):
    settled = document_of(genome_of(document), name, ("BTCUSDT",), parse_strategy(document).interval or "1h")
    if not leaves(settled["entry"]) or all("time" in leaf for _, leaf in leaves(settled["entry"])):
        pytest.skip("has no number")
    found = searchable(settled)
    assert found.parameters
    assert all(one.low <= one.value <= one.high for one in found.parameters.values())
    plan, before = found.plan, parse_strategy(settled).plan
    assert (plan.entry, plan.exit) == (before.entry, before.exit)
    for parameter, one in found.parameters.items():
        for end in (one.low, one.high):
            found.with_parameters({parameter: end})


def test_every_family_draws_members_of_its_own_kind():
    rng = random.Random(5)
    for family in FAMILIES:
        for _ in range(20):
            assert kind_of(family.draw(rng)) == family.kind, family
