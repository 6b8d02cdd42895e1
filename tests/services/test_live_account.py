"""Whoever may not, cannot, or should not trade at a venue is refused in one line before anything is sent."""

from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from time import monotonic

import pytest

from services.keys.vault import REHEARSAL
from services.live import account as account_module
from services.live.account import refuse_capital, venue_account
from services.settings import load_settings
from storage.database import Database
from tests.fakes.key_server import KeyServer
from trading.errors import AlreadyRunning, BadInput


@pytest.fixture
def server():
    with KeyServer(REHEARSAL.key, REHEARSAL.secret) as server:
        server.answers["/rehearsal/state"] = {"run": "r1"}
        yield server


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two cockpits of one user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with ExitStack() as stack:
        databases = []
        for name in ("one", "two"):
            databases.append(Database(tmp_path / name / "cockpit.db"))
            databases[-1].open()
            stack.callback(databases[-1].close)
        yield databases


def settings_at(server: KeyServer, tmp_path: Path):
    return load_settings(data_dir=tmp_path, venue="rehearsal", exchange_url=server.url)


def test_paper_needs_no_account(tmp_path, folders):
    with venue_account(load_settings(data_dir=tmp_path), folders[0], "test") as account:
        assert account is None


def test_the_account_is_named_by_venue_and_by_the_run_of_a_rehearsal_exchange(tmp_path, server, folders):
    with venue_account(settings_at(server, tmp_path), folders[0], "test") as account:
        assert (account.name, account.facts.uid, account.facts.free) == ("live-rehearsal-r1", "77",
                                                                         {"USDT": Decimal("1000.5")})
        assert "rehearsal" not in repr(account.key).replace("the rehearsal exchange's own", "")
    server.answers["/rehearsal/state"] = {"run": "r2"}
    with venue_account(settings_at(server, tmp_path), folders[0], "test") as account:
        assert account.name == "live-rehearsal-r2"


def test_another_spelling_of_the_address_opens_no_second_cockpit(tmp_path, server, folders):
    other = server.url.replace("127.0.0.1", "localhost")
    assert other != server.url
    settings = load_settings(data_dir=tmp_path, venue="rehearsal", exchange_url=other)
    with (venue_account(settings_at(server, tmp_path), folders[0], "the first cockpit"),
          pytest.raises(AlreadyRunning), venue_account(settings, folders[1], "the second")):
        pass


def test_a_second_cockpit_with_another_data_folder_is_refused_within_two_seconds(tmp_path, server, folders):
    with venue_account(settings_at(server, tmp_path), folders[0], "the first cockpit"):
        began = monotonic()
        with (pytest.raises(AlreadyRunning, match="the first cockpit"),
              venue_account(settings_at(server, tmp_path), folders[1], "the second")):
            raise AssertionError("never inside")
        assert monotonic() - began < 2
    with venue_account(settings_at(server, tmp_path), folders[1], "the second"):
        pass


def test_another_key_of_the_same_account_is_refused_too(tmp_path, server, folders, monkeypatch):
    with venue_account(settings_at(server, tmp_path), folders[0], "the first cockpit"):
        server.key = "another"
        monkeypatch.setattr(account_module, "needed_key", lambda *_: account_module.ApiKey("another", "rehearsal"))
        with pytest.raises(AlreadyRunning), venue_account(settings_at(server, tmp_path), folders[1], "the second"):
            raise AssertionError("never inside")
        server.answers["/api/v3/account"]["uid"] = 78
        with venue_account(settings_at(server, tmp_path), folders[1], "the second"):
            pass


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [("/api/v3/account", {"canTrade": False}, "may not trade"),
     ("/api/v3/account/commission", {"discount": {"enabledForAccount": True, "enabledForSymbol": True}}, "BNB")],
)
def test_an_unfit_account_is_refused_and_given_back(tmp_path, server, folders, path, change, said):
    before = dict(server.answers[path])
    server.answers[path] |= change
    with pytest.raises(BadInput, match=said), venue_account(settings_at(server, tmp_path), folders[0], "test"):
        raise AssertionError("never inside")
    server.answers[path] = before
    with venue_account(settings_at(server, tmp_path), folders[1], "test"):
        pass


@pytest.mark.parametrize("skew_ms", [-1_500, 1_500])
def test_a_clock_that_is_wrong_by_more_than_a_second_is_refused(tmp_path, folders, skew_ms):
    with (KeyServer(REHEARSAL.key, REHEARSAL.secret, skew_ms) as server,
          pytest.raises(BadInput, match=r"clock is 1\.[3-7] s"),
          venue_account(settings_at(server, tmp_path), folders[0], "test")):
        raise AssertionError("never inside")


def test_a_key_of_another_account_than_the_ledgers_is_refused(tmp_path, server, folders):
    with venue_account(settings_at(server, tmp_path), folders[0], "test"):
        pass
    server.answers["/api/v3/account"]["uid"] = 78
    with (pytest.raises(BadInput, match="another account"),
          venue_account(settings_at(server, tmp_path), folders[0], "test")):
        raise AssertionError("never inside")


def test_no_key_is_one_line(tmp_path, folders, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with (pytest.raises(BadInput, match="--mode keys set --venue testnet"),
          venue_account(load_settings(data_dir=tmp_path, venue="testnet"), folders[0], "test")):
        raise AssertionError("never inside")


def test_capital_is_what_is_free_at_most(tmp_path, server, folders):
    with venue_account(settings_at(server, tmp_path), folders[0], "test") as account:
        refuse_capital(Decimal("1000.5"), "USDT", account.facts)
        with pytest.raises(BadInput, match=r"only 1000\.50000000 are free"):
            refuse_capital(Decimal("1000.51"), "USDT", account.facts)
        with pytest.raises(BadInput, match="only 0 are free"):
            refuse_capital(Decimal(1), "EUR", account.facts)
