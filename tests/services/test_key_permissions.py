"""What a key may do, asked over the wire by the client that trades."""

import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import pytest

from services.keys.asking import ask_permissions
from services.keys.command import test_key as check_key
from services.keys.vault import ApiKey
from tests.fakes.key_server import KeyServer
from trading.binance.endpoints import ENVIRONMENTS
from trading.errors import BadInput

KEY = ApiKey("KEYCANARY" * 7, "SECRETCANARY" * 5, "a test")


@pytest.fixture
def server():
    with KeyServer(KEY.key, KEY.secret) as server:
        yield server


def at(server: KeyServer, name: str = "binance"):
    return replace(ENVIRONMENTS[name], rest_url=server.url)


def test_a_key_for_trading_only_brings_no_warning(server):
    found = ask_permissions(at(server), KEY)
    assert (found.can_trade, found.can_withdraw, found.is_bound, found.discount) == (True, False, True, False)
    assert (found.maker, found.taker, found.account_type) == ("0.00080000", "0.00090000", "SPOT")
    assert abs(found.clock_offset_ms) < 500
    assert found.warnings() == []


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        ("/sapi/v1/account/apiRestrictions", {"enableWithdrawals": True}, "may withdraw"),
        ("/sapi/v1/account/apiRestrictions", {"ipRestrict": False}, "any address"),
        ("/sapi/v1/account/apiRestrictions", {"enableSpotAndMarginTrading": False}, "may not trade"),
        ("/api/v3/account", {"canTrade": False}, "may not trade"),
        ("/api/v3/account/commission", {"discount": {"enabledForAccount": True, "enabledForSymbol": True}}, "BNB"),
    ],
)
def test_what_is_unwise_is_warned_about(server, path, change, said):
    server.answers[path] |= change
    (warning,) = ask_permissions(at(server), KEY).warnings()
    assert said in warning


def test_testnet_has_no_sapi_and_is_not_asked(server):
    found = ask_permissions(at(server, "testnet"), KEY)
    assert (found.can_trade, found.can_withdraw, found.is_bound) == (True, None, None)
    assert not [path for path in server.asked if path.startswith("/sapi")]


def test_a_question_that_the_venue_does_not_answer_is_told_as_not_told(server):
    del server.answers["/api/v3/account/commission"], server.answers["/sapi/v1/account/apiRestrictions"]
    found = ask_permissions(at(server), KEY)
    assert (found.can_trade, found.can_withdraw, found.discount, found.taker) == (True, None, None, "0.00100000")
    assert "may withdraw         not told" in found.lines()


@pytest.mark.parametrize("key", [ApiKey("UNKNOWNCANARY", KEY.secret), ApiKey(KEY.key, "WRONGCANARY")])
def test_a_key_that_the_venue_does_not_know_is_one_line_without_the_key(server, key, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BadInput, match="does not accept this API key") as refused:
        ask_permissions(at(server), key)
    assert "\n" not in str(refused.value)
    assert "CANARY" not in str(refused.value) + caplog.text + repr(refused.value.__cause__)


def test_a_venue_that_is_not_there_is_one_line(server):
    gone = replace(ENVIRONMENTS["binance"], rest_url="http://127.0.0.1:9")
    with pytest.raises(BadInput, match="check the connection"):
        ask_permissions(gone, KEY)


def test_the_command_prints_lines_or_json_without_the_key_and_fails_when_it_may_not_trade(server, capsys):
    vault = SimpleNamespace(load=lambda venue: KEY)
    assert check_key(vault, "binance", lambda key: ask_permissions(at(server), key), "-") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["can_trade"] is True and "CANARY" not in told.out + told.err
    server.answers["/api/v3/account"]["canTrade"] = False
    assert check_key(vault, "binance", lambda key: ask_permissions(at(server), key), None) == 2
    told = capsys.readouterr()
    assert "warning: this key may not trade" in told.out and "CANARY" not in told.out + told.err
