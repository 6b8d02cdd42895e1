"""A model's settings: each window forecast by a model from before it, the untouched candles by one from before them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.automl.arena import inside, outside, split_of
from services.automl.modelling import AXES, N_WINDOWS, axes_of, modeller, settings_of
from services.automl.study import read_view, run_study
from services.automl.trials import read_trials
from services.backtests.spread import Hands
from tests.evolution_campaign import loaded_of, market
from trading.domain.backtests import CostSettings
from trading.domain.learning import ModelSettings
from trading.domain.studies import StudyRequest
from trading.errors import BadInput
from trading.risk import PROFILES

LOADED = loaded_of(market(-0.2, 3, 2_600))
SMALL = {"trees": 10, "rounds": 20, "label": "next_bar"}
ASKED = StudyRequest("model", "", SMALL, ("BTCUSDT",), "1h", None, None, CostSettings(0.0, 0.0, 0.0), PROFILES[2],
                     budget=3)


def test_a_search_names_settings_and_a_verdict(tmp_path: Path):
    view = run_study(ASKED, LOADED, tmp_path, Hands(1), lambda *_: None)
    rows = read_trials(tmp_path / "trials.jsonl")
    assert view.n_trials == len(rows) == 3
    assert rows[0].genome == {name: AXES[name].value for name in rows[0].genome}
    assert set(view.champion.parameters) == {"depth", "learning_rate", "enter_share"}
    replace(ModelSettings(), **view.champion.parameters)
    assert view.champion.document is None
    assert view.gate.lines[0][1].count("best of 3 without skill") == 1
    assert {one.state for one in [read_view(tmp_path)]} == {"done"}


def test_the_same_seed_gives_the_same_settings(tmp_path: Path):
    for name in ("one", "two"):
        run_study(replace(ASKED, budget=2), LOADED, tmp_path / name, Hands(1), lambda *_: None)
    files = [(tmp_path / name / "champion.json").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]


def test_windows_know_nothing_of_the_untouched_candles_and_the_last_model_nothing_of_what_it_trades(tmp_path: Path):
    split = split_of(ASKED, LOADED)
    row, values = split.rows[0], {"depth": 3}
    wild = LOADED.candles[0].map(lambda column: column.copy())
    for name in ("open", "high", "low", "close"):
        getattr(wild, name)[row + 200:] *= 3.0
    torn = replace(LOADED, candles=(wild,))
    found = [modeller(ASKED, loaded, tmp_path / str(number), None) for number, loaded in enumerate((LOADED, torn))]
    inside_returns = [search.workshop.do((values, N_WINDOWS - 1)).returns for search in found]
    assert np.array_equal(*inside_returns)
    later = [search._later.do((values, 0)).returns for search in found]
    assert len(later[0]) == len(LOADED.candles[0]) - row
    assert np.array_equal(later[0][:190], later[1][:190])
    assert len(inside(LOADED, split)[0].candles) == outside(LOADED, split)[0].first == row


def test_settings_that_the_label_does_not_need_are_not_searched():
    assert "horizon" not in axes_of(ASKED, settings_of(ASKED))
    barrier = replace(ASKED, document={"label": "triple_barrier"})
    assert set(axes_of(barrier, settings_of(barrier))) == set(AXES)
    assert "rounds" not in axes_of(ASKED, settings_of(ASKED)), "the document fixes it"


def test_an_unknown_setting_is_named():
    with pytest.raises(BadInput, match="'colour' is no setting of a model"):
        settings_of(replace(ASKED, document={"colour": 1}))
