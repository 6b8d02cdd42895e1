"""The store of the user's strategies: what is kept, found, listed and refused."""

import inspect
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.backtests.catalog import strategy_choices
from services.container import StrategyPort
from services.runs import strategies_for
from services.settings import load_settings
from services.strategies import StrategyStore, find_strategy, parse_strategy
from services.strategies.workshop import Workshop
from trading.errors import BadInput, BadStrategy, StateFailed, StrategyChanged, UnknownStrategy

BELOW = {"left": "rsi_14", "op": "<", "right": 30}
ABOVE = {"left": "rsi_14", "op": ">", "right": 70}
FORM_1 = {"symbol": "btcusdt", "indicators": {"rsi": {"period": 9}}}
FORM_2 = {"strategy_name": "Words", "symbol": "BTCUSDT", "exit_conditions": [],
          "entry_conditions": [{"indicator": "rsi", "condition": "< 30", "timeframe": "1h"}]}


def document(**changes):
    return {"version": 2, "name": "Dips", "symbols": ["BTCUSDT"], "entry": BELOW, "exit": ABOVE} | changes


class Clock:
    def __init__(self):
        self.time = 1_700_000_000_000

    def __call__(self):
        self.time += 1_000
        return self.time


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "strategies"


@pytest.fixture
def store(folder):
    return StrategyStore(folder, Clock())


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_saved_strategy_is_one_plain_file_that_a_person_can_read(store, folder):
    entry = store.save("btcusdt", "dips", document(notes="Käufe"), 0)
    assert (entry.ref, entry.version, entry.kind, entry.name) == ("BTCUSDT/dips", 1, "saved", "Dips")
    assert json.loads((folder / "BTCUSDT" / "dips.json").read_text()) == document(notes="Käufe")
    assert "Käufe" in (folder / "BTCUSDT" / "dips.json").read_text()
    assert store.load("BTCUSDT", "dips").document == document(notes="Käufe")


def test_every_version_is_kept_and_can_be_read(store):
    for number, period in enumerate((9, 10, 11)):
        entry = {**BELOW, "left": f"rsi_{period}"}
        store.save("BTCUSDT", "dips", document(entry=entry), number)
    assert [(one.number, one.kind) for one in store.versions("BTCUSDT", "dips")] == \
        [(3, "saved"), (2, "saved"), (1, "saved")]
    assert store.load("BTCUSDT", "dips", 2).document["entry"]["left"] == "rsi_10"
    assert store.load("BTCUSDT", "dips").version == 3
    times = [one.time for one in store.versions("BTCUSDT", "dips")]
    assert times == sorted(times, reverse=True)


def test_same_document_once_more_is_no_version(store):
    store.save("BTCUSDT", "dips", document(), 0)
    assert store.save("BTCUSDT", "dips", document(), 1).version == 1


def test_newer_version_is_never_overwritten(store):
    store.save("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "dips", document(name="Theirs"), 1)
    with pytest.raises(StrategyChanged, match="was changed since version 1: version 2 was saved") as refused:
        store.save("BTCUSDT", "dips", document(name="Mine"), 1)
    assert refused.value.version == 2
    with pytest.raises(StrategyChanged, match="exists already"):
        store.save("BTCUSDT", "dips", document(name="Mine"), 0)
    with pytest.raises(StrategyChanged):
        store.delete("BTCUSDT", "dips", 1)
    assert store.load("BTCUSDT", "dips").document["name"] == "Theirs"


def test_update_needs_a_strategy_that_exists(store):
    with pytest.raises(UnknownStrategy, match="BTCUSDT/dips is not among"):
        store.update("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "dips", document(), 0)
    assert store.update("BTCUSDT", "dips", document(name="New"), 1).version == 2


def test_deleted_strategy_leaves_its_versions_and_comes_back(store, folder):
    store.save("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "dips", document(name="Second"), 1)
    assert store.delete("BTCUSDT", "dips", 2).is_deleted
    assert not (folder / "BTCUSDT" / "dips.json").exists()
    assert store.list() == ()
    (gone,) = store.list(deleted=True)
    assert (gone.version, gone.kind, gone.name, gone.is_sound) == (3, "deleted", "Second", False)
    with pytest.raises(UnknownStrategy, match="deleted with version 3; restore it"):
        store.load("BTCUSDT", "dips")
    assert store.load("BTCUSDT", "dips", 1).document["name"] == "Dips"
    back = store.restore("BTCUSDT", "dips")
    assert (back.version, back.kind, back.name, back.is_registered) == (4, "restored", "Second", True)


def test_new_strategy_under_a_deleted_id_goes_on_counting(store):
    store.save("BTCUSDT", "dips", document(), 0)
    store.delete("BTCUSDT", "dips")
    assert store.save("BTCUSDT", "dips", document(name="Other"), 0).version == 3


def test_restoring_undoes_the_last_change_and_itself(store):
    store.save("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "dips", document(name="Second"), 1)
    assert store.restore("BTCUSDT", "dips").name == "Dips"
    assert store.restore("BTCUSDT", "dips").name == "Second"
    assert store.restore("BTCUSDT", "dips", 1, 4).name == "Dips"
    with pytest.raises(UnknownStrategy, match="no version 77"):
        store.restore("BTCUSDT", "dips", 77)


def test_edit_by_hand_becomes_a_version_when_it_is_seen(store, folder):
    store.save("BTCUSDT", "dips", document(), 0)
    put(folder, "BTCUSDT/dips.json", document(name="By hand"))
    (entry,) = store.list()
    assert (entry.version, entry.kind, entry.name) == (2, "edited", "By hand")
    with pytest.raises(StrategyChanged, match="version 2 was edited since"):
        store.save("BTCUSDT", "dips", document(name="Stale"), 1)


def test_edit_by_hand_that_nobody_saw_is_not_overwritten(store, folder):
    store.save("BTCUSDT", "dips", document(), 0)
    put(folder, "BTCUSDT/dips.json", "{ half")
    with pytest.raises(StrategyChanged):
        store.save("BTCUSDT", "dips", document(name="Stale"), 1)
    assert store.save("BTCUSDT", "dips", document(name="Seen"), 2).version == 3
    assert store.text("BTCUSDT", "dips", 2) == "{ half"


def test_file_put_there_by_hand_is_a_strategy_with_one_version(store, folder):
    put(folder, "ETHUSDT/mine.json", document(symbols=["ETHUSDT"]))
    (entry,) = store.list()
    assert (entry.ref, entry.version, entry.kind, entry.is_registered) == ("ETHUSDT/mine", 1, "edited", True)


def test_file_removed_by_hand_does_not_vanish(store, folder):
    store.save("BTCUSDT", "dips", document(), 0)
    (folder / "BTCUSDT" / "dips.json").unlink()
    (gone,) = store.list(deleted=True)
    assert (gone.kind, gone.version) == ("removed", 2)
    assert store.restore("BTCUSDT", "dips").is_sound


@pytest.mark.parametrize(("content", "place", "line", "column", "words"), [
    ('{\n "version": 2,\n "name" "x"}', "document", 3, 9, "Expecting ':' delimiter"),
    ('{\n "version": 2,\n "version": 2}', "version", 3, 2, "appears twice"),
    ('{"version": 2,\n "risk": {"stop_atr": NaN}}', "risk.stop_atr", 2, 23, "NaN is no JSON number"),
    (json.dumps(document(entry={"all": [BELOW, {"left": "emma_20", "op": ">", "right": 1}]}), indent=1),
     "entry.all[1].left", 15, 5, "'emma_20' is no indicator"),
    (json.dumps(document(symbols=["ETHUSDT"]), indent=1), "symbols", 4, 2, "not allowed in the folder BTCUSDT"),
    ("[]", "document", 1, 1, "use an object"),
    ("", "document", 1, 1, "Expecting value"),
    ("[" * 100_000, "document", 1, 1, "correct the JSON"),
])
def test_broken_file_is_listed_with_place_line_and_column(store, folder, content, place, line, column, words):
    put(folder, "BTCUSDT/broken.json", content)
    store.save("BTCUSDT", "dips", document(), 0)
    broken, sound = store.list()
    mistake = broken.mistakes[0]
    assert (mistake.place, mistake.line, mistake.column) == (place, line, column)
    assert words in mistake.text
    assert sound.is_sound and not broken.is_sound
    assert [one.id for one in store.by_symbol("btcusdt")] == ["dips"]
    with pytest.raises(BadStrategy, match="BTCUSDT/broken"):
        store.load("BTCUSDT", "broken")


def test_strange_things_in_the_folder_are_listed_and_harm_nobody(store, folder, tmp_path):
    store.save("BTCUSDT", "dips", document(), 0)
    put(folder, "BTCUSDT/My_Rule.json", document())
    put(folder, "btcusdt/dips.json", document())
    put(folder, "deep/er/x.json", document())
    put(folder, "BTCUSDT/bytes.json", "").write_bytes(b"\xff\xfe{")
    put(folder, "BTCUSDT/large.json", " " * 300_000)
    (folder / "BTCUSDT" / "folder.json").mkdir()
    os.mkfifo(folder / "BTCUSDT" / "pipe.json")
    put(tmp_path, "secret.json", document(name="secret"))
    (folder / "BTCUSDT" / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "BTCUSDT" / "circle.json").symlink_to(folder / "BTCUSDT" / "circle.json")
    (folder / "ETHUSDT").symlink_to(tmp_path)
    found = {entry.ref: entry for entry in store.list()}
    assert {ref for ref, entry in found.items() if entry.is_sound} == \
        {"BTCUSDT/dips", "BTCUSDT/My_Rule", "btcusdt/dips", "deep/er/x"}
    assert set(found) == {"BTCUSDT/dips", "BTCUSDT/My_Rule", "btcusdt/dips", "deep/er/x", "BTCUSDT/bytes",
                          "BTCUSDT/large", "BTCUSDT/folder", "BTCUSDT/pipe", "BTCUSDT/link", "BTCUSDT/circle"}
    assert "larger than 256 KB" in found["BTCUSDT/large"].mistakes[0].text
    assert "no UTF-8" in found["BTCUSDT/bytes"].mistakes[0].text
    assert all(found[f"BTCUSDT/{name}"].mistakes for name in ("folder", "pipe", "link", "circle"))
    with pytest.raises(BadInput, match="is a link"):
        store.load("BTCUSDT", "link")
    with pytest.raises(BadStrategy, match="larger than 256 KB"):
        store.save("BTCUSDT", "large", document(), 0)


def test_ids_are_known_with_and_without_their_symbol_in_any_case(store):
    store.save("BTC/usdt", "BTCUSDT_strategy_dips", document(), 0)
    for name in ("dips", "btcusdt-dips", "BTCUSDT_dips", "dips-BTCUSDT", "dips_btcusdt", "btcusdt_strategy_dips"):
        assert store.load("BtcUsdt", name).entry.ref == "BTCUSDT/dips"
    assert store.save("BTCUSDT", "btcusdt", document(), 0).id == "btcusdt"


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"symbols": {"BTCUSDT": {}}}', '{"symbols": []}',
                                     '{"symbols": {"BTCUSDT": {"strategies": ["../x"], "unregistered": [], '
                                     '"default": null}}}'])
def test_registry_that_cannot_be_believed_is_made_anew_with_what_was_chosen(store, folder, content):
    for name in ("one", "two", "three"):
        store.save("BTCUSDT", name, document(), 0)
    store.set_default("BTCUSDT", "two")
    store.unregister("BTCUSDT", "three")
    before = (folder / "registry.json").read_text()
    if content is None:
        (folder / "registry.json").unlink()
    else:
        (folder / "registry.json").write_text(content)
    found = {entry.id: entry for entry in store.list()}
    assert found["two"].is_default and not found["three"].is_registered
    assert (folder / "registry.json").read_text() == before


def test_stale_registry_follows_the_files(store, folder):
    store.save("BTCUSDT", "one", document(), 0)
    store.set_default("BTCUSDT", "one")
    (folder / "BTCUSDT" / "one.json").rename(folder / "BTCUSDT" / "uno.json")
    store.list()
    said = json.loads((folder / "registry.json").read_text())
    assert said["symbols"]["BTCUSDT"] == {"strategies": ["uno"], "unregistered": [], "default": None}


def test_default_is_the_chosen_one_or_the_first_that_is_sound(store, folder):
    assert store.default("BTCUSDT") is None
    put(folder, "BTCUSDT/a.json", "{")
    store.save("BTCUSDT", "b", document(), 0)
    store.save("BTCUSDT", "c", document(name="C"), 0)
    assert store.default("BTCUSDT").id == "b"
    store.unregister("BTCUSDT", "c")
    assert store.set_default("btcusdt", "btcusdt-c").is_default
    assert store.default("BTCUSDT").id == "c"
    assert not store.unregister("BTCUSDT", "c").is_default
    assert store.register("BTCUSDT", "c").is_registered
    with pytest.raises(BadStrategy, match="BTCUSDT/a"):
        store.set_default("BTCUSDT", "a")
    store.set_default("BTCUSDT", "c")
    put(folder, "BTCUSDT/c.json", "{")
    assert store.default("BTCUSDT").mistakes
    with pytest.raises(BadStrategy, match="BTCUSDT/c"):
        store.find("BTCUSDT")
    with pytest.raises(UnknownStrategy):
        store.set_default("BTCUSDT", "nothing")


def test_broken_file_stays_registered_and_may_be_unregistered(store, folder):
    put(folder, "BTCUSDT/a.json", "{")
    assert store.list()[0].is_registered
    assert not store.unregister("BTCUSDT", "a").is_registered


def test_copy_gets_a_free_id_and_on_wish_another_symbol(store):
    store.save("BTCUSDT", "dips", document(), 0)
    assert store.duplicate("BTCUSDT", "dips").ref == "BTCUSDT/dips-2"
    assert store.duplicate("BTCUSDT", "dips").ref == "BTCUSDT/dips-3"
    other = store.duplicate("BTCUSDT", "dips", "eth-dips", "ethusdt")
    assert (other.ref, other.symbols) == ("ETHUSDT/eth-dips", ("ETHUSDT",))
    with pytest.raises(StrategyChanged, match="exists already"):
        store.duplicate("BTCUSDT", "dips", "dips-2")


@pytest.mark.parametrize(("name", "content", "ref"), [
    ("BTCUSDT/dips.json", document(), "BTCUSDT/dips"), ("btcusdt_strategy_dips.json", document(), "BTCUSDT/dips"),
    ("BTCUSDT_strategy_My Rule (2).json", FORM_1, "BTCUSDT/my-rule-2"), ("Wörter.json", FORM_2, "BTCUSDT/worter"),
    ("btcusdt-dips.json", FORM_1, "BTCUSDT/dips"), ("con.json", document(), "BTCUSDT/strategy-con"),
    ("日本.json", document(), "BTCUSDT/strategy"), ("x" * 200 + ".json", document(), "BTCUSDT/" + "x" * 60),
])
def test_files_of_both_names_and_all_forms_are_imported_as_version_2(store, tmp_path, name, content, ref):
    path = put(tmp_path, name, content)
    entry = store.import_file(path)
    assert (entry.ref, entry.kind) == (ref, "imported")
    kept = store.load(entry.symbol, entry.id).document
    assert kept["version"] == 2
    rules = parse_strategy(content, "", path.stem)
    assert parse_strategy(kept, "", "").entry == rules.entry
    assert store.import_file(path).ref == ref
    assert len(store.versions(entry.symbol, entry.id)) == 1


def test_import_never_overwrites_and_names_what_is_wrong(store, tmp_path):
    store.save("BTCUSDT", "dips", document(), 0)
    assert store.import_text("dips.json", json.dumps(document(name="Other")).encode()).ref == "BTCUSDT/dips-2"
    with pytest.raises(BadStrategy, match=r"bad.json: line 1: entry: is missing"):
        store.import_text("bad.json", b'{"version": 2, "symbols": ["BTCUSDT"], "exit": {"any": []}}')
    with pytest.raises(BadInput, match=r"symbols: BTCUSDT has no ETHUSDT"):
        store.import_text("ethusdt_strategy_dips.json", json.dumps(document()).encode())
    assert store.import_text("dips.json", json.dumps(document()).encode(), "ethusdt").ref == "ETHUSDT/dips"
    with pytest.raises(BadInput, match="cannot be read"):
        store.import_file(tmp_path / "none.json")


def test_export_can_be_imported_elsewhere_unchanged(store, tmp_path):
    store.save("BTCUSDT", "dips", document(), 0)
    name, text = store.export("BTCUSDT", "dips")
    assert name == "btcusdt_strategy_dips.json"
    other = StrategyStore(tmp_path / "elsewhere")
    entry = other.import_text(name, text.encode())
    assert other.load(entry.symbol, entry.id).document == document()


def test_difference_between_versions_is_told(store):
    store.save("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "dips", document(entry={"all": [BELOW, {"rising": "adx_14", "bars": 3}]}), 1)
    assert [change.words for change in store.diff("BTCUSDT", "dips", 1)] == \
        ["entry: added condition ADX(14) has risen for 3 bars"]


def test_everyone_finds_the_users_strategies_before_the_shipped_ones(store, folder, tmp_path):
    assert find_strategy("ema-cross", tmp_path).name == "EMA cross"
    store.save("BTCUSDT", "ema-cross", document(name="Mine"), 0)
    for text in ("ema-cross", "BTCUSDT/ema-cross", "own/BTCUSDT/ema-cross", "btcusdt-ema-cross", "BTCUSDT"):
        assert find_strategy(text, tmp_path).name == "Mine"
    assert find_strategy("", tmp_path).name == "demo"
    store.save("ETHUSDT", "ema-cross", document(symbols=["ETHUSDT"]), 0)
    with pytest.raises(BadInput, match="is there for BTCUSDT, ETHUSDT; write BTCUSDT/ema-cross"):
        find_strategy("ema-cross", tmp_path)
    put(folder, "loose.json", document(name="Loose"))
    assert find_strategy("own/loose", tmp_path).name == "Loose"
    choices = [choice.id for choice in strategy_choices(folder)]
    assert choices[0] == "demo" and choices[-3:] == ["own/BTCUSDT/ema-cross", "own/ETHUSDT/ema-cross", "own/loose"]
    for choice in choices[-3:]:
        assert find_strategy(choice, tmp_path)
    with pytest.raises(BadInput, match="yours are own/BTCUSDT/ema-cross"):
        find_strategy("nothing", tmp_path)


def test_runs_and_checks_get_the_users_strategy_from_the_settings(store, tmp_path):
    store.save("BTCUSDT", "dips", document(name="Mine"), 0)
    settings = load_settings(data_dir=tmp_path, strategy="dips")
    assert [rules.name for rules in strategies_for(settings, ["BTCUSDT"])] == ["Mine"]


def test_broken_strategy_of_the_user_is_never_replaced_by_a_shipped_one(folder, tmp_path):
    put(folder, "BTCUSDT/ema-cross.json", "{")
    with pytest.raises(BadStrategy, match="BTCUSDT/ema-cross: line 1 column 2"):
        find_strategy("ema-cross", tmp_path)


def test_finding_writes_nothing(tmp_path, folder):
    find_strategy("ema-cross", tmp_path)
    assert not list(tmp_path.iterdir())
    put(folder, "BTCUSDT/dips.json", document())
    find_strategy("dips", tmp_path)
    strategy_choices(folder)
    assert [path.name for path in folder.rglob("*.json")] == ["dips.json"]


def test_empty_store_lists_nothing_and_makes_no_folder(store, folder):
    assert store.list() == () and store.by_symbol("BTCUSDT") == ()
    assert not folder.exists()


def test_store_that_cannot_be_written_still_shows_what_it_holds(store, folder, monkeypatch):
    put(folder, "BTCUSDT/dips.json", document())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store._disk, "write", full)
    assert store.list()[0].is_sound
    assert store.load("BTCUSDT", "dips").document == document()
    with pytest.raises(StateFailed, match=r"cannot hold the strategies \(No space left on device\); free some space"):
        store.save("BTCUSDT", "other", document(), 0)


@pytest.mark.parametrize("shut", ["dips.json", "saved.json"])
def test_file_that_cannot_be_read_is_listed_with_the_reason(store, folder, monkeypatch, shut):
    store.save("BTCUSDT", "dips", document(), 0)
    store.save("BTCUSDT", "other", document(), 0)
    opened = Path.open

    def guarded(self, *args, **kwargs):
        if self.name.endswith(shut) and "other" not in str(self):
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", guarded)
    one, other = store.list()
    assert other.is_sound and one.is_sound == (shut == "saved.json")
    names = [name for name, _ in store.sound()]
    assert names == ["own/BTCUSDT/dips", "own/BTCUSDT/other"][shut == "dips.json":]
    if shut == "dips.json":
        assert "Permission denied" in one.mistakes[0].text


def test_threads_that_save_at_once_lose_no_version(store):
    def work(number):
        try:
            store.save("BTCUSDT", "dips", document(name=f"Writer {number}"), 0)
            return 1
        except StrategyChanged:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(16))) == 1
        saved = list(pool.map(lambda n: store.duplicate("BTCUSDT", "dips").ref, range(12)))
    assert len(set(saved)) == 12
    assert len(store.list()) == 13


def test_check_names_the_mistakes_of_a_text_that_is_being_edited(store):
    assert store.check(json.dumps(document())) == ()
    (mistake,) = store.check('{"version": 2,\n "symbols": ["BTCUSDT"], "entry": {"any": []}, "exit": 3}')
    assert (mistake.place, mistake.line) == ("exit", 2)


def test_store_is_what_the_screen_was_promised():
    for name, promised in vars(StrategyPort).items():
        if not name.startswith("_"):
            kept = list(inspect.signature(getattr(Workshop, name)).parameters.values())
            assert kept == list(inspect.signature(promised).parameters.values()), name


def test_a_loose_file_outside_a_symbols_folder_is_not_named_after_the_folder_of_all(store, folder):
    put(folder, "loose.json", "{")
    put(folder, "BTCUSDT/dips.2.json", "{")
    put(folder, "notes/old/kept.json", "{")
    symbols = {entry.ref: entry.symbol for entry in store.list() if entry.kind == "loose"}
    assert symbols == {"loose": "", "BTCUSDT/dips.2": "BTCUSDT", "notes/old/kept": ""}
