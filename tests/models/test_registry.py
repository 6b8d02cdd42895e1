"""Models come back as they were kept; whatever else lies in their place is refused and never run."""

import json
import os
import pickle
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest

from models import registry as registries
from models.features import matrix
from models.folders import AWAY, PARTIAL, sha256
from models.manifest import MANIFEST, is_id
from models.packing import BOOST, FOREST, OUT_OF_SAMPLE, REPORT, json_bytes
from models.registry import Registry
from tests.models.made_models import SETTINGS, made_model, made_report, pulled_candles, request_for
from trading.errors import BadInput, ModelRefused, StateFailed

MARKET = ("BTCUSDT", "1m")


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        self.now += 60.0
        return self.now


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models", "code-1", Clock())


@pytest.fixture
def kept(registry):
    return registry.save(made_model(), request_for())


def later(minutes, seed=5):
    """The same model as if it had been trained on later bars."""
    trained = made_model(seed)
    return replace(trained, trained_until=trained.trained_until + 60_000 * minutes, data_hash=f"{minutes} later")


def folder_of(registry, version):
    return registry.folder / "BTCUSDT-1m" / version.id


def forge(folder, name, body):
    """Put other bytes in the place of a file and make the description agree, as somebody who means harm would."""
    (folder / name).write_bytes(body)
    document = json.loads((folder / MANIFEST).read_bytes())
    document.pop("seal")
    document["files"][name] = sha256(body)
    (folder / MANIFEST).write_bytes(json_bytes(document | {"seal": sha256(json_bytes(document))}))


def test_a_kept_model_forecasts_as_before_to_the_bit(registry, kept):
    rows = matrix(pulled_candles(300, 8))
    again = registry.load(kept.id)
    before = made_model().ensemble
    np.testing.assert_array_equal(again.answers(rows), before.answers(rows))
    assert (again.enter_above, again.exit_below, again.weights) == (
        before.enter_above, before.exit_below, before.weights)
    assert again.settings == SETTINGS
    forecast, same = (one.compiled().explain(rows[250]) for one in (again, before))
    assert forecast.probability == same.probability
    np.testing.assert_array_equal(forecast.contributions, same.contributions)


def test_report_and_forecasts_out_of_sample_come_back(registry, kept):
    report, expected = registry.report(kept.id), made_report()
    assert (report.figures, report.folds, report.calibration, report.confusion, report.importance, report.notes) == (
        expected.figures, expected.folds, expected.calibration, expected.confusion, expected.importance, expected.notes)
    np.testing.assert_array_equal(report.curve.equity, expected.curve.equity)
    columns = registry.out_of_sample(kept.id)
    np.testing.assert_array_equal(columns["probability"], made_model().out_of_sample.probability)


def test_version_tells_what_it_was_made_from(registry, kept):
    assert (kept.symbol, kept.interval, kept.code, kept.status, kept.votes) == ("BTCUSDT", "1m", "code-1", "challenger",
                                                                               False)
    assert kept.data_hash == made_model().data_hash
    assert kept.trained_until == made_model().trained_until
    assert kept.figures["accuracy"] == 0.61
    assert registry.versions() == (kept,)
    assert registry.markets() == (MARKET,)


def test_names_rise_with_time_and_the_same_question_has_the_same_name(registry, kept):
    assert is_id(kept.id)
    assert registry.save(made_model(), request_for()) == kept
    assert len(registry.versions()) == 1
    newer = registry.save(later(90), request_for())
    assert newer.id > kept.id
    assert registry.versions() == (newer, kept)
    other = registry.save(made_model(), request_for(replace(SETTINGS, seed=8)))
    assert other.id != kept.id


@pytest.mark.parametrize("name", ["", "..", "BTCUSDT-1m-20240101T0000-../../etc", "BTCUSDT-2m-20240101T0000-0123abcd",
                                  "btcusdt-1m-20240101T0000-0123abcd", "BTCUSDT-1m-20240101T0000-0123abcd\n"])
def test_a_name_that_is_none_never_becomes_a_path(registry, name):
    with pytest.raises(ModelRefused, match="not the name of a model"):
        registry.load(name)


@pytest.mark.parametrize("name", [FOREST, BOOST, REPORT, OUT_OF_SAMPLE, MANIFEST])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "missing", "folder", "link"])
def test_a_harmed_file_breaks_its_version_and_no_other(registry, kept, name, harm, tmp_path):
    sound = registry.save(later(5), request_for())
    registry.appoint(sound.id, "promoted", "better")
    path = folder_of(registry, kept) / name
    body = bytearray(path.read_bytes())
    if harm == "flip":
        body[len(body) // 2] ^= 1
        path.write_bytes(body)
    elif harm in ("cut", "empty"):
        path.write_bytes(body[: len(body) // 2 if harm == "cut" else 0])
    else:
        path.unlink()
        if harm == "folder":
            path.mkdir()
        if harm == "link":
            (tmp_path / "elsewhere").write_bytes(bytes(body))
            path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelRefused, match=name):
        registry.load(kept.id)
    listed = {version.id: version for version in registry.versions()}
    assert listed[kept.id].status == "broken"
    assert name in listed[kept.id].detail
    assert not listed[kept.id].votes
    assert listed[sound.id].status == "champion"
    registry.load(sound.id)


def test_damage_is_noticed_after_the_version_was_listed_as_sound(registry, kept):
    path = folder_of(registry, kept) / BOOST
    assert registry.versions()[0].status == "challenger"
    body = bytearray(path.read_bytes())
    body[-10] ^= 1
    path.write_bytes(body)
    os.utime(path, ns=(1, 1))
    assert registry.versions()[0].status == "broken"


class Trap:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", [FOREST, BOOST, REPORT, OUT_OF_SAMPLE])
def test_a_pickle_in_the_place_of_a_file_is_refused_and_never_run(registry, kept, name, tmp_path):
    proof = tmp_path / "was-run"
    forge(folder_of(registry, kept), name, pickle.dumps(Trap(proof)))
    read = {REPORT: registry.report, OUT_OF_SAMPLE: registry.out_of_sample}.get(name, registry.load)
    with pytest.raises(ModelRefused, match=name):
        read(kept.id)
    registry.versions()
    assert not proof.exists()
    pickle.loads(pickle.dumps(Trap(proof)))
    assert proof.exists(), "the trap works"


def test_columns_that_hold_pickles_are_refused_and_never_run(registry, kept, tmp_path):
    proof = tmp_path / "was-run"
    path = tmp_path / "objects.npz"
    np.savez(path, probability=np.array([Trap(proof)], object))
    forge(folder_of(registry, kept), OUT_OF_SAMPLE, path.read_bytes())
    with pytest.raises(ModelRefused, match=OUT_OF_SAMPLE):
        registry.out_of_sample(kept.id)
    assert not proof.exists()


@pytest.mark.parametrize("name", ["model.pkl", "forest.joblib", "x.pickle", "notes.txt", ".hidden.pkl"])
def test_a_foreign_file_beside_the_model_is_refused(registry, kept, name):
    (folder_of(registry, kept) / name).write_bytes(pickle.dumps({}))
    with pytest.raises(ModelRefused, match=name):
        registry.load(kept.id)
    assert registry.versions()[0].status == "broken"


def test_a_forest_file_with_a_type_that_no_forest_needs_is_refused(registry, kept):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import FunctionTransformer
    from skops.io import dumps

    for foreign in (LogisticRegression(), FunctionTransformer(os.getcwd), [made_model().ensemble.forest]):
        forge(folder_of(registry, kept), FOREST, dumps(foreign))
        with pytest.raises(ModelRefused, match=r"which no forest needs|is no RandomForestClassifier"):
            registry.load(kept.id)


def test_a_type_that_skops_trusts_is_not_even_made(registry, kept, monkeypatch):
    import skops.io
    from sklearn.linear_model import LogisticRegression

    forge(folder_of(registry, kept), FOREST, skops.io.dumps(LogisticRegression()))
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was made"))
    with pytest.raises(ModelRefused, match="LogisticRegression, which no forest needs"):
        registry.load(kept.id)


def test_a_forest_whose_nodes_point_outside_is_refused(registry, kept):
    from skops.io import dumps, loads

    forest = loads(dumps(made_model().ensemble.forest), trusted=["sklearn.tree._tree.Tree"])
    tree = forest.estimators_[2].tree_
    for array, value in ((tree.children_left, 10**6), (tree.children_right, 0), (tree.feature, 4_000)):
        before = array[0]
        array[0] = value
        forge(folder_of(registry, kept), FOREST, dumps(forest))
        with pytest.raises(ModelRefused, match="a node"):
            registry.load(kept.id)
        array[0] = before
    shared, tree.children_left[0] = tree.children_left[0], tree.children_right[0]
    forge(folder_of(registry, kept), FOREST, dumps(forest))
    with pytest.raises(ModelRefused, match="no parent, or two"):
        registry.load(kept.id)
    tree.children_left[0] = shared
    forge(folder_of(registry, kept), FOREST, dumps(forest))
    registry.load(kept.id)


def test_a_booster_of_another_objective_is_refused(registry, kept):
    import xgboost

    rows = np.random.default_rng(1).normal(size=(50, len(made_model().ensemble.features))).astype(np.float32)
    other = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 2)
    forge(folder_of(registry, kept), BOOST, bytes(other.save_raw("ubj")))
    with pytest.raises(ModelRefused, match="objective"):
        registry.load(kept.id)
    forge(folder_of(registry, kept), BOOST, b"")
    with pytest.raises(ModelRefused, match=BOOST):
        registry.load(kept.id)


def test_members_of_different_widths_are_refused(registry, kept):
    document = json.loads((folder_of(registry, kept) / MANIFEST).read_bytes())
    document.pop("seal")
    document["ensemble"]["features"].pop()
    (folder_of(registry, kept) / MANIFEST).write_bytes(json_bytes(document | {"seal": sha256(json_bytes(document))}))
    with pytest.raises(ModelRefused, match="features"):
        registry.load(kept.id)


def test_a_model_of_other_features_is_listed_as_broken_but_its_report_stays(registry, kept, monkeypatch):
    registry.appoint(kept.id, "promoted", "better")
    monkeypatch.setattr(registries, "features_hash", lambda: "other")
    with pytest.raises(ModelRefused, match="features changed since it was trained: train again"):
        registry.load(kept.id)
    (listed,) = registry.versions()
    assert (listed.status, listed.votes) == ("broken", False)
    assert "features changed" in listed.detail
    assert registry.champion(*MARKET).status == "broken"
    assert registry.report(kept.id).figures["accuracy"] == 0.61


def test_the_newest_appointment_says_who_votes(registry, kept):
    assert registry.champion(*MARKET) is None
    second = registry.save(later(60), request_for())
    registry.appoint(kept.id, "promoted", "better than the base rate")
    assert (registry.champion(*MARKET).id, registry.champion(*MARKET).votes) == (kept.id, True)
    registry.appoint(second.id, "refused", "not better")
    assert registry.champion(*MARKET).id == kept.id
    assert registry.version(second.id).detail == "not better"
    registry.appoint(second.id, "by hand", "wanted")
    assert registry.champion(*MARKET).id == second.id
    assert registry.version(kept.id).status == "retired"
    assert registry.predecessor(*MARKET) == kept.id
    registry.appoint(registry.predecessor(*MARKET), "rolled back", "it was better")
    assert registry.champion(*MARKET).id == kept.id
    assert [(line.kind, line.version, line.before) for line in registry.history(*MARKET)] == [
        ("promoted", kept.id, ""), ("refused", second.id, kept.id), ("by hand", second.id, kept.id),
        ("rolled back", kept.id, second.id)]
    assert [version.status for version in registry.versions()] == ["retired", "champion"]


def test_each_roll_back_goes_one_further_back(registry, kept):
    second, third = (registry.save(later(minutes), request_for()) for minutes in (60, 120))
    for version in (kept, second, third):
        registry.appoint(version.id, "by hand", "wanted")
    for expected in (second, kept):
        registry.appoint(registry.predecessor(*MARKET), "rolled back", "it was better")
        assert registry.champion(*MARKET).id == expected.id
    assert registry.predecessor(*MARKET) == ""
    assert registry.version(third.id).status == registry.version(second.id).status == "retired"


@pytest.mark.parametrize("name", ['"x"', "5", '"../../../etc"', "null"])
def test_a_line_about_a_version_that_cannot_be_is_left_out(registry, kept, name):
    registry.appoint(kept.id, "by hand", "wanted")
    path = folder_of(registry, kept).parent / "appointments.jsonl"
    line = json.loads(path.read_text().splitlines()[-1])
    path.write_text(path.read_text() + json.dumps(line).replace(f'"version": "{kept.id}"', f'"version": {name}') + "\n")
    assert registry.champion(*MARKET).id == kept.id
    assert [version.id for version in registry.versions()] == [kept.id]


def test_what_a_person_silenced_stays_silent_until_a_person_appoints(registry, kept):
    second = registry.save(later(60), request_for())
    registry.appoint(kept.id, "promoted", "better")
    registry.silence(*MARKET, "news day")
    assert (registry.champion(*MARKET).id, registry.champion(*MARKET).votes) == (kept.id, False)
    registry.appoint(second.id, "promoted", "better still")
    assert (registry.champion(*MARKET).id, registry.champion(*MARKET).votes) == (second.id, False)
    registry.appoint(second.id, "by hand", "back")
    assert registry.champion(*MARKET).votes


def test_who_votes_already_is_not_appointed_a_second_time(registry, kept):
    registry.appoint(kept.id, "by hand", "wanted")
    with pytest.raises(BadInput, match="votes on BTCUSDT 1m already"):
        registry.appoint(kept.id, "by hand", "a second click")
    assert [(line.version, line.before) for line in registry.history(*MARKET)] == [(kept.id, "")]
    registry.silence(*MARKET, "news day")
    registry.appoint(kept.id, "by hand", "back")
    assert registry.champion(*MARKET).votes


def test_an_appointment_does_not_wait_until_the_model_is_read(registry, kept, monkeypatch):
    monkeypatch.setattr(Registry, "load", lambda *_: pytest.fail("read"))
    registry.appoint(kept.id, "by hand", "wanted")
    assert registry.champion(*MARKET).votes


def test_a_broken_version_cannot_be_appointed(registry, kept):
    (folder_of(registry, kept) / BOOST).write_bytes(b"x")
    with pytest.raises(ModelRefused):
        registry.appoint(kept.id, "by hand", "wanted")
    assert registry.history(*MARKET) == ()


def test_a_champion_whose_folder_is_gone_is_listed_as_broken(registry, kept):
    registry.appoint(kept.id, "promoted", "better")
    shutil.rmtree(folder_of(registry, kept))
    champion = registry.champion(*MARKET)
    assert (champion.id, champion.status, champion.votes) == (kept.id, "broken", False)
    assert "missing" in champion.detail
    assert champion.trained_until == kept.trained_until // 60_000 * 60_000
    assert registry.versions() == (champion,)


def test_an_appointment_cut_off_by_a_crash_is_left_out_and_the_next_one_counts(registry, kept):
    registry.appoint(kept.id, "promoted", "better")
    path = registry.folder / "BTCUSDT-1m" / "appointments.jsonl"
    path.write_bytes(path.read_bytes() + b'{"time":1,"symbol":"BTCU')
    assert len(registry.history(*MARKET)) == 1
    registry.silence(*MARKET, "enough")
    assert [line.kind for line in registry.history(*MARKET)] == ["promoted", "silenced"]


def test_a_process_killed_while_it_wrote_leaves_nothing_half(registry, kept, monkeypatch):
    market = registry.folder / "BTCUSDT-1m"
    monkeypatch.setattr(registries, "write_folder", killed_halfway)
    with pytest.raises(KeyboardInterrupt):
        registry.save(later(60), request_for())
    monkeypatch.undo()
    assert [version.id for version in registry.versions()] == [kept.id]
    assert any(path.name.startswith(PARTIAL) for path in market.iterdir())
    newer = registry.save(later(120), request_for())
    assert not any(path.name.startswith((PARTIAL, AWAY)) for path in market.iterdir())
    assert registry.load(newer.id)


def killed_halfway(target, files):
    partial = target.with_name(f"{PARTIAL}{target.name}")
    partial.mkdir(parents=True)
    (partial / FOREST).write_bytes(files[FOREST][:100])
    raise KeyboardInterrupt


def test_a_broken_version_is_replaced_when_it_is_trained_again(registry, kept):
    (folder_of(registry, kept) / BOOST).write_bytes(b"x")
    again = registry.save(made_model(), request_for())
    assert (again.id, again.status) == (kept.id, "challenger")
    assert registry.load(kept.id)


def test_the_oldest_spare_versions_go_but_never_who_votes_or_voted_before(tmp_path):
    registry = Registry(tmp_path, clock=Clock(), kept=3)
    names = [registry.save(later(minutes), request_for()).id for minutes in range(2)]
    for name in names:
        registry.appoint(name, "promoted", "better")
    names += [registry.save(later(minutes), request_for()).id for minutes in range(2, 8)]
    assert [version.id for version in registry.versions()] == [*reversed(names[5:]), names[1], names[0]]
    with pytest.raises(ModelRefused, match="is the champion"):
        registry.remove(names[1])
    registry.remove(names[7])
    assert names[7] not in [version.id for version in registry.versions()]


def test_a_full_disk_is_told_and_leaves_what_was_there(registry, kept, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateFailed, match="No space left"):
        registry.save(later(60), request_for())
    with pytest.raises(StateFailed, match="No space left"):
        registry.silence(*MARKET, "enough")
    monkeypatch.undo()
    assert [version.id for version in registry.versions()] == [kept.id]


def test_many_threads_may_appoint_at_once(registry, kept):
    def appoint(number):
        Registry(registry.folder, clock=Clock()).silence(*MARKET, f"thread {number}")

    threads = [threading.Thread(target=appoint, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line.reason for line in registry.history(*MARKET)} == {f"thread {number}" for number in range(8)}


def test_the_stamp_changes_with_every_appointment(registry, kept):
    stamps = [registry.stamp(*MARKET)]
    registry.appoint(kept.id, "promoted", "better")
    stamps.append(registry.stamp(*MARKET))
    registry.silence(*MARKET, "enough")
    stamps.append(registry.stamp(*MARKET))
    assert len(set(stamps)) == 3
    assert stamps[0] == (0, 0)
