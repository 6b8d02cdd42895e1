"""A venue's key by script: asked first, kept where the vault keeps keys, never said again."""

import logging
from dataclasses import replace

import keyring
import pytest

from services.keys import vault as vault_module
from services.keys.asking import ask_permissions
from services.keys.connecting import connect_key
from services.keys.vault import ApiKey, Vault
from tests.api.served import Place, problem, served
from tests.fakes.key_server import KeyServer
from tests.services.test_keys import NoRing
from trading.binance.endpoints import ENVIRONMENTS

KEY = ApiKey("KEYCANARY" * 7, "SECRETCANARY" * 5)
BODY = {"apiKey": KEY.key, "secretKey": KEY.secret, "venue": "testnet"}
PHRASE = "correct horse"


@pytest.fixture
def venue():
    with KeyServer(KEY.key, KEY.secret) as server:
        yield server


@pytest.fixture
def own(tmp_path, venue, monkeypatch):
    monkeypatch.setattr(vault_module, "SCRYPT_COST", 2**10)
    monkeypatch.setenv("COCKPIT_KEYS_PASSPHRASE", PHRASE)
    before = keyring.get_keyring()
    keyring.set_keyring(NoRing())

    def ask(name, key):
        return ask_permissions(replace(ENVIRONMENTS[name], rest_url=venue.url), key)

    def connect(name, key, secret):
        return connect_key(tmp_path / "keys.json", ask, name, key, secret)

    with served(Place(tmp_path, connect=connect)) as place:
        yield place
    keyring.set_keyring(before)


def kept(tmp_path, phrase=PHRASE):
    return Vault(tmp_path / "keys.json", {"COCKPIT_KEYS_PASSPHRASE": phrase}).load("testnet")


def test_a_key_that_may_trade_is_kept_and_no_part_of_it_is_told(own, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    answer = own.post("/api/binance/connect", BODY)
    told = answer.json()
    assert (answer.status_code, told["venue"], told["can_trade"]) == (200, "testnet", True)
    assert "encrypted" in told["kept_in"] and "--venue testnet" in told["detail"]
    assert (kept(tmp_path).key, kept(tmp_path).secret) == (KEY.key, KEY.secret)
    files = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    for text in (answer.text, caplog.text, files, own.get("/api/metrics").text, own.get("/").text):
        assert "CANARY" not in text


@pytest.mark.parametrize("change", [{"apiKey": "other" * 5}, {"secretKey": "other"}, {"secretKey": "é"}])
def test_a_key_that_the_venue_does_not_know_is_a_400_and_is_not_kept(own, tmp_path, change):
    told = problem(own.post("/api/binance/connect", BODY | change), 400)
    assert "CANARY" not in str(told) and kept(tmp_path) is None


def test_a_key_that_may_not_trade_is_a_400_and_one_that_may_withdraw_a_warning(own, tmp_path, venue):
    venue.answers["/api/v3/account"] = venue.answers["/api/v3/account"] | {"canTrade": False}
    assert "may not trade" in problem(own.post("/api/binance/connect", BODY), 400)["detail"]
    assert kept(tmp_path) is None
    venue.answers["/api/v3/account"]["canTrade"] = True
    venue.answers["/sapi/v1/account/apiRestrictions"]["enableWithdrawals"] = True
    assert "withdraw" in str(own.post("/api/binance/connect", BODY | {"venue": "binance"}).json()["warnings"])


def test_a_body_that_is_wrong_is_named_without_the_key(own):
    for body in (BODY | {"venue": KEY.secret}, {"apiKey": KEY.key}, BODY | {KEY.secret[:20]: 1}, [KEY.key]):
        told = problem(own.post("/api/binance/connect", body), 422)
        assert KEY.key not in str(told) and KEY.secret not in str(told)


def test_a_venue_that_does_not_answer_is_a_failed_dependency(own, venue):
    venue.answers.pop("/api/v3/account")
    problem(own.post("/api/binance/connect", BODY), 424)


@pytest.mark.parametrize("key", ["short", "with a blank in the middle", "x" * 257, "sixteen-letters!"])
def test_what_cannot_be_a_key_is_a_400_without_asking_the_venue(own, venue, key):
    assert "not asked" in problem(own.post("/api/binance/connect", BODY | {"apiKey": key}), 400)["detail"]
    assert venue.asked == []


def test_without_a_place_for_keys_nobody_is_asked_at_the_terminal(own, tmp_path, monkeypatch):
    monkeypatch.delenv("COCKPIT_KEYS_PASSPHRASE")
    told = problem(own.post("/api/binance/connect", BODY), 409)
    assert "COCKPIT_KEYS_PASSPHRASE" in told["detail"] and not (tmp_path / "keys.json").exists()
