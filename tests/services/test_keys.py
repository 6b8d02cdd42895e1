"""API keys: kept once a venue, readable by nobody, and never shown."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from services.commandline import parse_arguments
from services.keys import vault as vault_module
from services.keys.command import forget_key, needed_key, run_keys, set_key
from services.keys.vault import REHEARSAL, ApiKey, Vault, with_dotenv
from services.settings import load_settings
from trading.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
KEY = ApiKey("KEYCANARY" * 7, "SECRETCANARY" * 5)


class MemoryRing(KeyringBackend):
    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept, self.locked = {}, False

    def set_password(self, service, username, password):
        if self.locked:
            raise KeyringError("locked")
        self.kept[service, username] = password

    def get_password(self, service, username):
        if self.locked:
            raise KeyringError("locked")
        return self.kept.get((service, username))

    def delete_password(self, service, username):
        del self.kept[service, username]


class NoRing(MemoryRing):
    priority = 0


@pytest.fixture(autouse=True)
def cheap_scrypt(monkeypatch):
    monkeypatch.setattr(vault_module, "SCRYPT_COST", 2**10)


@pytest.fixture
def ring():
    before = keyring.get_keyring()
    ring = MemoryRing()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def no_ring():
    before = keyring.get_keyring()
    keyring.set_keyring(NoRing())
    yield
    keyring.set_keyring(before)


def vault_of(tmp_path: Path, phrase: str = "correct horse", **environment: str) -> Vault:
    return Vault(tmp_path / "keys.json", environment | {"COCKPIT_KEYS_PASSPHRASE": phrase})


def test_the_keyring_is_taken_where_there_is_one(tmp_path, ring):
    vault = vault_of(tmp_path)
    assert vault.keep("binance", KEY) == "the keyring of this computer"
    assert (vault.load("binance").key, vault.load("binance").secret) == (KEY.key, KEY.secret)
    assert vault.load("testnet") is None
    assert not (tmp_path / "keys.json").exists()
    assert vault.forget("binance") == ["the keyring of this computer"]
    assert ring.kept == {} and vault.load("binance") is None


def test_without_a_keyring_an_encrypted_file_of_ones_own_keeps_one_entry_a_venue(tmp_path, no_ring):
    vault = vault_of(tmp_path)
    vault.keep("binance", ApiKey("old", "old"))
    vault.keep("testnet", ApiKey("k2", "s2"))
    assert "encrypted" in vault.keep("binance", KEY)
    path = tmp_path / "keys.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "CANARY" not in path.read_text() and set(json.loads(path.read_text())["venues"]) == {"binance", "testnet"}
    assert (vault.load("binance").key, vault.load("testnet").secret) == (KEY.key, "s2")
    assert vault.forget("testnet") == [str(path)] and vault.forget("testnet") == []
    assert vault.load("binance").secret == KEY.secret
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_a_locked_keyring_is_no_keyring(tmp_path, ring):
    ring.locked = True
    assert "encrypted" in vault_of(tmp_path).keep("binance", KEY)
    assert vault_of(tmp_path).load("binance").key == KEY.key


def test_a_wrong_passphrase_and_a_damaged_file_are_said_without_a_secret(tmp_path, no_ring):
    vault_of(tmp_path).keep("binance", KEY)
    with pytest.raises(BadInput, match="does not open"):
        vault_of(tmp_path, "wrong").load("binance")
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        vault_of(tmp_path).load("binance")


def test_without_keyring_terminal_or_passphrase_it_says_what_to_do(tmp_path, no_ring, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))
    with pytest.raises(BadInput, match="COCKPIT_KEYS_PASSPHRASE"):
        Vault(tmp_path / "keys.json", {}).keep("binance", KEY)
    assert not (tmp_path / "keys.json").exists()


def test_the_environment_comes_last_and_only_whole(tmp_path, no_ring):
    vault = vault_of(tmp_path, COCKPIT_API_KEY="ek", COCKPIT_API_SECRET="es")
    assert vault.load("binance").source == "the environment (COCKPIT_API_KEY)"
    vault.keep("binance", KEY)
    assert vault.load("binance").key == KEY.key
    with pytest.raises(BadInput, match="belong together"):
        vault_of(tmp_path, COCKPIT_API_KEY="ek").load("demo")


def test_the_rehearsal_exchange_needs_no_key_and_never_gets_the_environments(tmp_path, no_ring):
    assert vault_of(tmp_path, COCKPIT_API_KEY="ek", COCKPIT_API_SECRET="es").load("rehearsal") == REHEARSAL


def test_a_missing_key_is_refused_with_the_command_that_gives_one(tmp_path, no_ring):
    with pytest.raises(BadInput, match="--mode keys set --venue testnet"):
        needed_key(vault_of(tmp_path), "testnet")
    with pytest.raises(BadInput, match="no key of demo"):
        forget_key(vault_of(tmp_path), "demo")


def test_a_key_is_in_no_text_made_from_it():
    assert "CANARY" not in repr(KEY) + str(KEY) + f"{[KEY]}"
    assert KEY.fingerprint("https://a") != KEY.fingerprint("https://b") and len(KEY.fingerprint("https://a")) == 32
    assert KEY.fingerprint("https://a") == ApiKey(KEY.key, "another").fingerprint("https://a")


def test_a_private_key_is_read_from_the_file_that_was_named(tmp_path, ring, monkeypatch):
    pem = "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----\n"
    (tmp_path / "my.pem").write_text(pem)
    lines = iter(["key", str(tmp_path / "my.pem")])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, readline=lambda: next(lines)))
    set_key(vault_of(tmp_path), "binance")
    assert vault_of(tmp_path).load("binance").secret == pem


@pytest.mark.parametrize("typed", ["", "two words", "ключ", "x" * 600])
def test_what_is_no_key_is_not_kept(tmp_path, ring, monkeypatch, typed):
    lines = iter([typed, "secret"])
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False, readline=lambda: next(lines)))
    with pytest.raises(BadInput, match="api key: one word"):
        set_key(vault_of(tmp_path), "binance")
    assert ring.kept == {}


@pytest.mark.parametrize("words", [["keys"], ["keys", "show"], ["live", "--venue", "paper"], ["keys", "set", "--venue",
                                   "paper"], ["backtest", "--venue", "binance"], ["paper", "set"]])
def test_what_makes_no_sense_is_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["--mode", *words])
    assert ended.value.code == 2 and capsys.readouterr().err.startswith("error: ")


def test_a_secret_in_the_settings_file_is_refused_and_never_repeated(tmp_path):
    (tmp_path / "cockpit.toml").write_text('api_secret = "SECRETCANARY"\n')
    done = run(tmp_path, "forget")
    assert done.returncode == 2 and "withdraw that key" in done.stderr and "CANARY" not in done.stderr


@pytest.mark.parametrize(("body", "words"), [
    ('{"version": 2, "venues": {}}', "of another release"),
    ('{"version": 1, "venues": {"testnet": {"salt": "!!", "token": 5}}}', "or the file is damaged"),
    ('{"venues": {}}', "cannot be read as a file of keys"), ("[]", "cannot be read as a file of keys")])
def test_a_file_of_keys_that_is_odd_is_one_line(tmp_path, no_ring, body, words):
    vault = vault_of(tmp_path)
    (tmp_path / "keys.json").write_text(body)
    with pytest.raises(BadInput, match=words):
        vault.load("testnet")


def test_no_key_is_forgotten_without_saying_which(tmp_path):
    with pytest.raises(BadInput, match="add --venue"):
        run_keys(load_settings(data_dir=tmp_path), parse_arguments(["--mode", "keys", "forget"]), lambda key: None)


def test_keys_go_through_the_command_line_and_show_nowhere(tmp_path):
    kept = run(tmp_path, "set", text=f"{KEY.key}\n{KEY.secret}\n")
    assert kept.returncode == 0, kept.stderr
    seen = kept.stdout + kept.stderr + "".join(
        path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file())
    assert "CANARY" not in seen and "encrypted" in kept.stdout
    gone = run(tmp_path, "forget")
    assert (gone.returncode, "forgotten" in gone.stdout) == (0, True)
    assert run(tmp_path, "forget").returncode == 2


def run(folder: Path, action: str, text: str = "") -> subprocess.CompletedProcess:
    environment = os.environ | {
        "COCKPIT_DATA_DIR": str(folder), "COCKPIT_KEYS_PASSPHRASE": "correct horse", "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    command = [sys.executable, "main.py", "--mode", "keys", action, "--venue", "testnet"]
    return subprocess.run(command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, check=False,
                          timeout=60)


def test_a_dotenv_that_others_can_read_is_refused_once_it_holds_a_secret(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / ".env"
    path.write_text("COCKPIT_PORT=8051\n")
    path.chmod(0o644)
    assert with_dotenv({})["COCKPIT_PORT"] == "8051"
    path.write_text("COCKPIT_API_KEY=k\nCOCKPIT_API_SECRET=SECRETCANARY\n")
    with pytest.raises(BadInput, match="chmod 600") as refused:
        with_dotenv({})
    assert "CANARY" not in str(refused.value)
    path.chmod(0o600)
    assert with_dotenv({"COCKPIT_API_KEY": "mine"})["COCKPIT_API_KEY"] == "mine"
    assert with_dotenv({})["COCKPIT_API_SECRET"] == "SECRETCANARY"
