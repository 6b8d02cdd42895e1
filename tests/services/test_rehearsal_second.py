"""The second cockpit on the real rehearsal exchange: it reconciles, arms itself, keeps its own books, and ends."""

import threading

import pytest

import main
from services.commandline import parse_arguments
from services.rehearsal.admin import Admin
from services.rehearsal.compose import settings_there
from services.rehearsal.oracle import differences
from services.rehearsal.reading import ledger_of
from services.rehearsal.second import second_cockpit
from services.settings import Settings
from tests.fakes.rehearsal_exchange import HostedExchange, simulated
from tests.faults.scene import until
from trading.domain.rehearsal import RehearsalRequest, RehearsalUrls
from trading.errors import BadInput, CockpitError

ASKED = RehearsalRequest(("BTCUSDT",))


@pytest.fixture
def hosted(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with HostedExchange(simulated(("BTCUSDT",))) as exchange:
        yield exchange


def there(hosted, tmp_path, **more):
    rest = hosted.urls["rest"]
    urls = RehearsalUrls(rest, hosted.urls["streams"], hosted.urls["ws_api"])
    return settings_there(Settings(data_dir=tmp_path, history_bars=200, **more), ASKED, urls)


def begun(settings, database):
    chosen = parse_arguments(["--mode", "dashboard"])

    def composed(account, executor):
        feed = main.make_feed(settings, chosen, database, account)
        return main.compose(settings, feed, database, executor, outside=account)

    return second_cockpit(settings, database, composed)


def its_threads():
    """Threads of a cockpit that still run; libraries may keep some of their own."""
    names = ("engine", "feed", "venue", "agents there")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


def test_it_reconciles_arms_itself_agrees_with_the_exchange_and_leaves_nothing_behind(hosted, database, tmp_path):
    cockpit = begun(there(hosted, tmp_path), database)
    try:
        until(lambda: cockpit.view().quotes and cockpit.venue().state == "ready", "prices and the account", 30)
        view, venue = cockpit.view(), cockpit.venue()
        assert len(its_threads()) >= 3
        assert (view.session.broker, view.session.state, venue.state) == ("REHEARSAL", "running", "ready")
        assert any("armed" in line.text for line in view.log)
        ledger = cockpit.ledger()
        assert ledger.tag.startswith("ck") and (ledger.orders or ledger.balances["USDT"] == 100_000)
        until(lambda: not list(differences(ledger_of(Admin(hosted.urls["rest"]).ledger()), cockpit.ledger())),
              "its ledger is the exchange's, also when a minute has ended meanwhile and it has bought", 30)
    finally:
        cockpit.stop()
    assert its_threads() == []
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("candles-")]


def test_what_cannot_be_traded_on_is_refused_and_everything_is_closed_again(hosted, database, tmp_path):
    with pytest.raises(CockpitError, match="only 100000"):
        begun(there(hosted, tmp_path, capital="500000"), database)
    assert its_threads() == []
    begun(there(hosted, tmp_path), database).stop()


def test_another_venue_than_a_rehearsal_exchange_is_never_traded(hosted, database, tmp_path):
    with pytest.raises(BadInput, match="no venue to rehearse on"):
        begun(there(hosted, tmp_path).model_copy(update={"venue": "paper"}), database)
