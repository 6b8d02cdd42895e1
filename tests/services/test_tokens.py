"""Tokens of the REST API: shown once, kept as hashes, made and withdrawn beside a running cockpit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.commandline import parse_arguments
from services.keys import tokens as tokens_module
from services.keys.command import run_keys
from services.keys.tokens import TokenBook
from services.settings import load_settings
from storage.instance import InstanceLock
from trading.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "api-tokens.json"


def test_a_token_is_known_by_its_whole_text_and_kept_as_a_hash(path):
    made, text = TokenBook(path).add("my script", "trade")
    book = TokenBook(path)
    assert book.find(text).name == "my script" and book.find(text).may_trade
    wrong = ("", text[:-1], text + "A", text.upper(), f"cockpit_{made.id}_" + "A" * 43)
    assert [book.find(one) for one in wrong] == [None] * 5
    assert text.split("_", 2)[2] not in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    assert made.hash not in repr(made)


def test_two_tokens_share_nothing_and_a_name_is_given_once(path):
    book = TokenBook(path)
    texts = [book.add(f"n{i}", "read")[1] for i in range(20)]
    assert len({text.split("_", 2)[2] for text in texts}) == len({text.split("_")[1] for text in texts}) == 20
    with pytest.raises(BadInput, match="already"):
        book.add("n3", "read")
    for name, scope in (("", "read"), ("a\nb", "read"), ("x" * 41, "read"), ("ok", "admin")):
        with pytest.raises(BadInput):
            book.add(name, scope)
    assert len(book.tokens()) == 20


def test_the_secret_is_compared_in_constant_time(path, monkeypatch):
    compared = []
    book = TokenBook(path)
    made, text = book.add("one", "read")
    monkeypatch.setattr(tokens_module.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    for tried in (text, text[:-1] + ("A" if text[-1] != "A" else "B"), "cockpit_00000000_" + "A" * 43, "nothing"):
        book.find(tried)
    assert len(compared) == 4 and compared[0] == (made.hash, made.hash)
    assert all(len(a) == len(b) == 64 for a, b in compared)


def test_when_it_was_last_used_is_kept_once_a_minute(path):
    clock = [1_000_000]
    book = TokenBook(path, lambda: clock[0])
    _, text = book.add("one", "read")
    seen = []
    for later in (0, 30_000, 59_999, 60_000, 119_000):
        clock[0] = 1_000_000 + later
        book.find(text)
        seen.append(TokenBook(path).tokens()[0].last_used)
    assert seen == [1_000_000, 1_000_000, 1_000_000, 1_060_000, 1_060_000]


def test_a_use_that_is_kept_late_brings_no_withdrawn_token_back(path):
    book, other = TokenBook(path), TokenBook(path)
    _, text = book.add("one", "read")
    known = book.tokens()[0]
    other.revoke("one")
    book._used(known)
    assert TokenBook(path).tokens() == () and book.find(text) is None


def test_a_file_that_cannot_be_read_lets_nobody_in_and_says_so(path):
    _, text = TokenBook(path).add("one", "read")
    for content in ("{", "[]", '{"version": 2, "tokens": []}', '{"version": 1, "tokens": [{}]}'):
        path.write_text(content)
        with pytest.raises(BadInput, match="cannot be read"):
            TokenBook(path).find(text)


def cli(settings, *words):
    return run_keys(settings, parse_arguments(["--mode", "keys", "token", *words]), None)


def test_the_command_line_shows_a_token_once_and_never_its_hash(tmp_path, capsys):
    settings = load_settings(data_dir=tmp_path)
    assert cli(settings, "add", "grafana") == 0
    text = capsys.readouterr().out.strip()
    assert TokenBook(settings.tokens_path).find(text).scope == "read"
    assert cli(settings, "list") == cli(settings, "list", "--json") == 0
    shown = capsys.readouterr().out
    assert "grafana" in shown and text.split("_", 2)[2] not in shown and "hash" not in shown
    assert json.loads(shown.splitlines()[-1])["tokens"][0]["name"] == "grafana"
    assert cli(settings, "revoke", "grafana") == 0
    with pytest.raises(BadInput, match="no token"):
        cli(settings, "revoke", "grafana")
    for words in ((), ("add",), ("list", "x"), ("frob", "x"), ("add", "a", "b")):
        with pytest.raises(BadInput, match="token add NAME"):
            cli(settings, *words)


def test_a_token_is_made_while_a_cockpit_holds_the_data_folder(tmp_path):
    lock = InstanceLock(tmp_path)
    lock.acquire("a test")
    environment = os.environ | {"COCKPIT_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "main.py", "--mode", "keys", "token", "add", "bot", "--scope", "trade"],
                          cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    lock.release()
    assert done.returncode == 0 and TokenBook(tmp_path / "api-tokens.json").find(done.stdout.strip()).may_trade


@pytest.mark.parametrize("words", [["keys", "set", "more"], ["keys", "test", "more"], ["backtest", "x"]])
def test_words_that_mean_nothing_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        parse_arguments(["--mode", *words])
    assert "is not understood" in capsys.readouterr().err
