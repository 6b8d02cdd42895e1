"""What holds for all documents: a round trip through the store, mutations, names. FUZZ=10000 makes it thorough."""

import copy
import json
import os
import random
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.strategies import StrategyStore, parse_strategy, shipped_strategies, to_document
from services.strategies.changes import changes
from services.strategies.forms import path_text
from services.strategies.judging import judged
from services.strategies.names import id_of, is_id, numbered, slug, symbol_of
from services.strategies.words import words_of
from tests.fakes.made_strategies import documents
from trading.errors import BadInput, StrategyChanged, UnknownStrategy

N_MUTANTS = int(os.environ.get("FUZZ", "2000"))
names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40)
dressed = st.builds(
    lambda document, name, notes, risk, side: document | {"name": name, "notes": notes, "risk": risk, "side": side},
    documents, names, names, st.fixed_dictionaries({}, optional={
        "stop_atr": st.floats(0.1, 20), "target_atr": st.integers(0, 50), "max_positions": st.integers(1, 100)}),
    st.sampled_from(("long", "short")))


@settings(max_examples=40)
@given(dressed)
def test_document_survives_save_load_save_unchanged(document):
    with tempfile.TemporaryDirectory() as folder:
        store = StrategyStore(Path(folder))
        store.save("BTCUSDT", "made", document, 0)
        loaded = store.load("BTCUSDT", "made")
        assert json.dumps(loaded.document) == json.dumps(document)
        text = store.text("BTCUSDT", "made")
        assert store.save("BTCUSDT", "made", loaded.document, loaded.version).version == 1
        assert store.text("BTCUSDT", "made") == text
        _, exported = store.export("BTCUSDT", "made")
        assert store.import_text("other.json", exported.encode()).version == 1
        assert json.dumps(store.load("BTCUSDT", "other").document) == json.dumps(document)


VALUES = (None, True, -1, 0, 1.5, 10**400, float("nan"), "", "x", "$none", "rsi_14", "emma_3", "../../etc", "\ud800",
          [], {}, [[]], {"all": []}, {"price": "clsoe"}, {"indicator": "rsi"}, "2h", {"not": {"not": {"any": []}}})


def _parts(node, path=()):
    """Give the path of every part of a document."""
    yield path
    for key in node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ():
        yield from _parts(node[key], (*path, key))


def _mutated(draw, document):
    """Return a document with one part changed, dropped, doubled, renamed or put in another's place."""
    mutant = copy.deepcopy(document)
    path = draw.choice([path for path in _parts(mutant) if path])
    parent = mutant
    for key in path[:-1]:
        parent = parent[key]
    kind, key = draw.randrange(5), path[-1]
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, dict):
        parent[draw.choice(("left", "al", "", "x.y", "time", "times", "any"))] = parent.pop(key)
    elif kind == 2 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    elif kind == 3:
        other = draw.choice(list(_parts(document)))
        found = document
        for step in other:
            found = found[step]
        parent[key] = copy.deepcopy(found)
    else:
        parent[key] = draw.choice(VALUES)
    return mutant


def _torn(draw, text):
    """Return a text with a piece cut out, doubled or overwritten."""
    start = draw.randrange(len(text))
    end = min(len(text), start + draw.randrange(1, 12))
    return draw.choice((text[:start], text[:start] + text[end:], text[:end] + text[start:],
                        text[:start] + draw.choice(('"', "{", "]", ",", "\x00", "é", "NaN", "\\u")) + text[end:]))


BASES = [document for _, document in shipped_strategies()]


@pytest.mark.parametrize("part", range(4))
def test_mutated_document_is_a_strategy_or_an_error_that_names_the_place(part):
    draw = random.Random(f"mutants-{part}")
    n_sound = n_broken = 0
    for _ in range(N_MUTANTS // 4):
        document = draw.choice(BASES)
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            document = _mutated(draw, document) if len(document) > 1 else document
        text = json.dumps(document, indent=draw.choice((None, 1)))
        if draw.random() < 0.3:
            text = _torn(draw, text)
        content = text.encode("utf-8", "surrogatepass")
        found = judged(content, "mutant")
        if found.strategy is not None:
            n_sound += 1
            assert parse_strategy(to_document(found.strategy)) == found.strategy
            assert words_of(found.strategy)
            continue
        n_broken += 1
        assert found.mistakes
        for mistake in found.mistakes:
            _names_a_place(mistake, text)
    assert n_sound > N_MUTANTS // 100 and n_broken > N_MUTANTS // 10


def _names_a_place(mistake, text):
    lines = text.split("\n")
    assert mistake.text and "\n" not in mistake.text and len(mistake.text) < 1_000
    assert mistake.place
    assert 1 <= mistake.line <= len(lines)
    assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1
    if mistake.place != "document":
        assert mistake.text.startswith(f"{mistake.place}: ") or mistake.text.endswith("; correct the JSON")
        head = re.split(r"[.\[]", mistake.place)[0]
        assert "is missing" in mistake.text or head in text or head in json.dumps(text) or head.endswith("...")


ELSEWHERE = ("is not used", "is no parameter", "is no multiple", "because operands")
"""What a change in one place makes wrong in another one."""


def test_mistake_is_named_where_it_was_made():
    draw = random.Random("one value")
    for _ in range(N_MUTANTS // 2):
        document = copy.deepcopy(draw.choice(BASES))
        path = draw.choice([path for path in _parts(document) if path])
        parent = document
        for key in path[:-1]:
            parent = parent[key]
        parent[path[-1]] = draw.choice(VALUES)
        found, place = judged(json.dumps(document).encode(), "mutant"), path_text(list(path))
        said = [one for one in found.mistakes if not any(words in one.text for words in ELSEWHERE)]
        near = [one for one in said if one.place.startswith(place) or place.startswith(one.place)]
        assert near or not said, (place, said)


@settings(max_examples=150)
@given(dressed, dressed)
def test_two_versions_differ_exactly_when_a_change_is_told(one, other):
    old, new = parse_strategy(one), parse_strategy(other)
    assert (changes(old, new) == ()) == (to_document(old) == to_document(new))
    assert changes(old, old) == ()
    for change in changes(old, new):
        assert change.words and change.place and change.kind in ("added", "removed", "changed", "moved")


TRICKS = ["", ".", "..", "../x", "../../etc/passwd", "/etc/passwd", "/", "x/../y", "a/b", "a\\b", "..\\x", "C:\\x",
          "C:x", "x\x00", "x\x00.json", "x.json", "x.versions", "-x", "x-", " x", "x ", "x\n", "X", "é",
          "x\u2024\u2024/y",
          "\uff0e\uff0e\uff0fx", "\u202ex", "x\u0301", "ſ", "İ", "con", "nul", "com1", "lpt9", "aux", "x" * 61,
          "x" * 100_000, "registry.json", ".lock", "~", "$HOME", "%2e%2e%2f", "x:y", "x*", "x?", "own/x", None, 3, b"x",
          ["x"], True, "btcusdt-../x", "../x_BTCUSDT", "BTCUSDT_strategy_../../x"]


@pytest.mark.parametrize("trick", TRICKS, ids=ascii)
def test_path_tricks_in_ids_and_symbols_are_refused_and_touch_nothing(tmp_path, trick):
    store = StrategyStore(tmp_path / "in" / "strategies")
    document = BASES[1]
    for act in (store.load, store.delete, store.versions, store.restore, store.register, store.set_default, store.text,
                store.duplicate, store.export, lambda s, i: store.save(s, i, document, 0),
                lambda s, i: store.import_text("x.json", json.dumps(document).encode(), s, i or "..")):
        with pytest.raises(BadInput):
            act("BTCUSDT", trick)
        if trick not in ("a/b", "own/x"):  # as BASE/QUOTE these are symbols
            with pytest.raises(BadInput):
                act(trick or "..", "dips")
    assert not list(tmp_path.rglob("*.json"))


@given(st.text(max_size=80), st.from_regex(r"[A-Z0-9]{2,12}", fullmatch=True))
def test_ids_are_normal_after_one_pass_and_safe_as_names(text, symbol):
    for wrapped in (text, f"{symbol}-{text}", f"{text}_{symbol.lower()}", f"{symbol}_strategy_{text}"):
        try:
            found = id_of(wrapped, symbol)
        except BadInput:
            continue
        assert id_of(found, symbol) == found
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,59}", found)


@given(st.text(max_size=120), st.integers(1, 1_999))
def test_every_name_has_an_id_near_it(text, number):
    assert is_id(slug(text))
    assert is_id(numbered(slug(text), number))


@given(st.text(max_size=40))
def test_symbols_are_safe_as_names_of_folders(text):
    try:
        found = symbol_of(text)
    except BadInput:
        return
    assert re.fullmatch(r"[A-Z0-9][A-Z0-9._-]{1,29}", found) and ".." not in found
    assert symbol_of(found) == found


class Model:
    """What the store of one strategy should hold: every text that it ever had, None after a deletion."""

    def __init__(self, store, path):
        self.store, self.path, self.texts = store, path, []

    @property
    def now(self):
        return self.texts[-1] if self.texts else None

    def seen(self):
        """Count what was done by hand as a version."""
        held = self.path.read_text() if self.path.exists() else None
        if held != self.now:
            self.texts.append(held)

    def save(self, draw):
        self.seen()
        edited = draw.choice((len(self.texts), len(self.texts), 0, 1, len(self.texts) + 1))
        document = BASES[1] | {"name": f"N{draw.randrange(3)}"}
        text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        fits = edited == len(self.texts) or (edited == 0 and self.now is None)
        try:
            self.store.save("BTCUSDT", "made", document, edited)
        except StrategyChanged:
            assert not fits
            return
        assert fits
        self.texts += [text] * (text != self.now)

    def delete(self, draw):
        self.seen()
        try:
            self.store.delete("BTCUSDT", "made")
        except UnknownStrategy:
            assert self.now is None
            return
        self.texts.append(None)

    def restore(self, draw):
        self.seen()
        number = draw.randrange(1, len(self.texts) + 2)
        wanted = self.texts[number - 1] if number <= len(self.texts) else None
        try:
            self.store.restore("BTCUSDT", "made", number)
        except BadInput:
            assert wanted is None or wanted == "{"
            return
        self.texts += [wanted] * (self.now in (None, "{") or json.loads(wanted) != json.loads(self.now))

    def edit(self, draw):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(draw.choice(("{", json.dumps(BASES[1]), json.dumps(BASES[1], indent=2) + "\n")))

    def erase(self, draw):
        self.path.unlink(missing_ok=True)

    def look(self, draw):
        self.store.list()
        self.seen()


@pytest.mark.parametrize("part", range(3))
def test_any_order_of_acts_and_edits_by_hand_keeps_every_text_there_ever_was(tmp_path, part):
    draw = random.Random(f"acts-{part}")
    store = StrategyStore(tmp_path)
    model = Model(store, tmp_path / "BTCUSDT" / "made.json")
    acts = [model.save, model.save, model.restore, model.delete, model.edit, model.erase, model.look]
    for _ in range(40):
        draw.choice(acts)(draw)
    model.look(draw)
    kept = store.versions("BTCUSDT", "made")
    assert [one.number for one in kept] == list(range(len(model.texts), 0, -1))
    for number, text in enumerate(model.texts, 1):
        if text is None:
            assert kept[len(kept) - number].kind in ("deleted", "removed")
        else:
            assert store.text("BTCUSDT", "made", number) == text
