"""A model in the whole cockpit: votes beside the rules, shows why, fails alone, leaves no trace where there is none."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import main as root
from models.calibration import Calibration
from models.registry import Registry
from models.source import NAME
from models.training import OutOfSample, Trained
from services.learning.ask import learn
from services.learning.markets import SIMULATED, Market
from services.settings import load_settings
from services.version import training_version
from storage.database import Database
from tests.models.made_models import made_model, request_for
from tests.services.cockpits import DAY_MS, START_MS, SYMBOLS, whole_cockpit
from trading.domain import Candles
from trading.feeds.replay import ReplayFeed
from trading.feeds.simulated import SimulatedFeed

N_BARS = 200


def simulated_past() -> tuple[Candles, object]:
    """What the simulated market of `whole_cockpit` did before it is opened."""
    feed = SimulatedFeed(SYMBOLS, 11, 0.0, START_MS - 3 * DAY_MS, clock=lambda: START_MS / 1000, n_bars=1)
    return feed.history("BTCUSDT", None), feed.specs()["BTCUSDT"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A data folder whose model was trained on the simulated past and appointed by hand.

    That market has nothing to learn, so an honest calibration says the base rate for every bar and the model never
    trades; here the calibration lets the vote through as it is.
    """
    folder = tmp_path_factory.mktemp("trained")
    candles, spec = simulated_past()
    registry = Registry(folder / "models", training_version())
    version = learn(request_for(), Market(candles[-2_000:], spec, SIMULATED), registry, lambda *_: None)
    bold = replace(registry.load(version.id), calibration=Calibration(1.0, 0.0), enter_above=0.51, exit_below=0.48)
    trained = Trained(bold, registry.report(version.id), version.trained_from, version.trained_until, version.n_bars,
                      "bold", OutOfSample(**registry.out_of_sample(version.id)))
    kept = registry.save(trained, request_for(), None, SIMULATED)
    registry.appoint(kept.id, "by hand", "for this test")
    registry.remove(version.id)
    return folder


@pytest.fixture
def folder(trained, tmp_path) -> Path:
    """A copy of the trained folder."""
    import shutil

    shutil.copytree(trained / "models", tmp_path / "models")
    return tmp_path


def records(folder: Path, n_bars: int = N_BARS) -> list[tuple]:
    """Every row that a run leaves in the database, but for the diary, which holds the wall clock."""
    with whole_cockpit(folder, n_bars) as whole:
        whole.start()
        whole.trade()
        whole.engine.save()
        whole.engine.bus.drain()
    from sqlalchemy import create_engine, inspect, text

    source = create_engine(f"sqlite:///{folder / 'cockpit.db'}")
    with source.connect() as connection:
        return [(name, *row) for name in sorted(set(inspect(source).get_table_names()) - {"evidence"})
                for row in connection.execute(text(f"select * from {name}"))]


def test_a_source_without_a_model_leaves_every_record_as_it_was(tmp_path, monkeypatch):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    (tmp_path / "refused").mkdir()
    Registry(tmp_path / "refused" / "models").save(made_model(), request_for())
    with_sources, with_challenger = records(tmp_path / "with"), records(tmp_path / "refused")
    monkeypatch.setattr(root, "model_sources", lambda *_: (None, None, []))
    assert with_sources == records(tmp_path / "without")
    assert with_challenger == with_sources
    assert len(with_sources) > N_BARS


def test_a_model_trained_in_the_cockpit_votes_and_its_decisions_carry_contributions(folder):
    with whole_cockpit(folder, N_BARS) as whole:
        whole.start()
        whole.trade()
        view = whole.portfolio.view()
        (status,) = view.models
        assert (status.symbol, status.state) == ("BTCUSDT", "voting")
        assert 0.0 < status.probability < 1.0
        assert len(status.top) == 5
        assert NAME in {signal.strategy for signal in view.signals if signal.symbol == "BTCUSDT"}
        assert NAME not in {signal.strategy for signal in view.signals if signal.symbol == "ETHUSDT"}
        voted = [d for d in whole.cockpit.history.decisions(N_BARS) if d.symbol == "BTCUSDT"]
        shown = whole.portfolio.decision(f"BTCUSDT@{voted[0].time}")
        said = [text for stage, text, _ in shown.lines if stage == "SIGNAL" and text.startswith("model:")]
        assert "for a higher next close (buys above" in said[0]
        assert any(mark in said[0] for mark in (" +0.", " -0."))
        models = [text for stage, text, _ in shown.lines if stage == "MODEL"]
        assert models[0].startswith(f"version {status.version} · forest ")
        inputs = [text for stage, text, _ in shown.lines if stage == "INPUTS"]
        assert inputs[-1].count(" · ") == 4
        assert any(NAME in {s.source for s in d.signals} and d.action == "BUY" for d in voted)


def test_a_position_can_be_opened_by_the_model_alone(folder):
    with whole_cockpit(folder, N_BARS) as whole:
        whole.start()
        whole.trade()
        trades = [trade for trade in whole.portfolio.view().trades if trade.symbol == "BTCUSDT"]
        positions = [position.opened_by for position in whole.portfolio.view().positions]
        assert NAME in {trade.opened_by for trade in trades} | set(positions)


def test_the_quality_of_rules_is_not_mixed_with_that_of_the_model(folder, tmp_path):
    with whole_cockpit(folder, N_BARS) as whole:
        whole.trade()
        mixed = whole.portfolio.view()
    bare = tmp_path / "bare"
    bare.mkdir()
    with whole_cockpit(bare, N_BARS) as whole:
        whole.trade()
        alone = whole.portfolio.view()
    assert mixed.signal_quality == alone.signal_quality
    assert mixed.models[0].figures["live_n"] > 0
    assert alone.models == ()


@pytest.mark.parametrize("harm", ["damaged", "pickle"])
def test_a_corrupt_model_disables_only_its_source_with_one_alert(folder, harm):
    (path,) = (folder / "models").rglob("boost.ubj")
    if harm == "damaged":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        (path.parent / "model.pkl").write_bytes(pickle.dumps({}))
    with whole_cockpit(folder, N_BARS) as whole:
        whole.start()
        whole.engine.bus.drain()
        whole.trade()
        view = whole.portfolio.view()
        (status,) = view.models
        assert status.state == "failed"
        alerts = [line for line in view.log if line.kind == "ALERT"]
        assert len(alerts) == 1
        assert "BTC/USDT model only abstains" in alerts[0].text
        assert ("boost.ubj" if harm == "damaged" else "model.pkl") in alerts[0].text
        decisions = whole.cockpit.history.decisions(2 * N_BARS)
        said = [s for d in decisions if d.symbol == "BTCUSDT" for s in d.signals if s.source == NAME]
        assert said
        assert all(s.reason.startswith("abstains: ") for s in said)
        assert any(s.source != NAME and s.action != "HOLD" for d in decisions for s in d.signals), "rules go on"


def test_a_model_of_the_simulated_market_does_not_vote_on_a_real_one(folder):
    from services.learning.shelf import ModelShelf

    told = []
    shelf = ModelShelf(Registry(folder / "models"), lambda *said: told.append(said), is_simulated=False, inline=True)
    shelf.open([("BTCUSDT", "1m")])
    assert shelf.standing("BTCUSDT", "1m").state == "failed"
    assert "trained on the SIMULATED market" in told[0][1]


def test_a_replay_has_no_model_votes(folder):
    candles, spec = simulated_past()
    settings = load_settings(data_dir=folder, feed="replay", speed=0)
    database = Database(folder / "cockpit.db")
    database.open()
    try:
        cockpit = root.compose(settings, ReplayFeed([candles[:50]], {"BTCUSDT": spec}, 0.0), database, None)
        assert cockpit.shelf is None
        assert [agent.symbol for agent in cockpit.engine.agents.agents] == ["BTCUSDT"]
    finally:
        database.close()


def test_a_version_that_is_appointed_while_trading_votes_from_the_next_bar_on(folder):
    registry = Registry(folder / "models")
    (version,) = registry.versions()
    registry.silence("BTCUSDT", "1m", "not yet")
    with whole_cockpit(folder, N_BARS) as whole:
        whole.trade()
        assert whole.portfolio.view().models == ()
        registry.appoint(version.id, "by hand", "now")
        whole.cockpit.shelf.changed("BTCUSDT", "1m")
        whole.portfolio.refresh()
        (status,) = whole.portfolio.view().models
        assert (status.version, status.state, status.detail) == (version.id, "warming", "votes from the next bar on")
