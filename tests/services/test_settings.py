"""Settings: one place, clear refusals, nothing surprising."""

from decimal import Decimal
from pathlib import Path

import pytest

from services.settings import for_mode, load_settings
from trading.errors import BadInput


def test_environment_wins_over_file_and_arguments_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cockpit.toml").write_text('capital = 5000\nassets = ["solusdt"]\nseed = 3\n')
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COCKPIT_CAPITAL", "7000.50")
    settings = load_settings(seed=9)
    assert (settings.capital, settings.assets, settings.seed) == (Decimal("7000.50"), ("SOLUSDT",), 9)
    assert settings.data_dir == tmp_path


def test_symbols_are_read_in_any_case_and_once() -> None:
    assert load_settings(assets="btcusdt, BTC/USDT,ETHUSDT").assets == ("BTCUSDT", "ETHUSDT")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("COCKPIT_PORT", "70000", "port"), ("COCKPIT_CAPITAL", "nan", "capital"),
        ("COCKPIT_ASSETS", "../etc", "assets"),
        ("COCKPIT_INTERVAL", "7m", "use one of 1m"), ("COCKPIT_HOST", "0.0.0.0", "no login"),
        ("COCKPIT_COMMISSION_RATE", "0.5", "commission_rate"), ("COCKPIT_FEED", "magic", "feed"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadInput) as refusal:
        load_settings()
    assert name in str(refusal.value)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_mistyped_setting_is_refused_with_the_likely_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKPIT_COMISSION_RATE", "0.002")
    with pytest.raises(BadInput, match="did you mean commission_rate"):
        load_settings()
    monkeypatch.delenv("COCKPIT_COMISSION_RATE")
    (tmp_path / "cockpit.toml").write_text("foo = 1")
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path))
    with pytest.raises(BadInput, match="foo"):
        load_settings()


def test_a_broken_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cockpit.toml").write_text("capital = = 3")
    monkeypatch.setenv("COCKPIT_DATA_DIR", str(tmp_path))
    with pytest.raises(BadInput, match=r"cockpit\.toml"):
        load_settings()


@pytest.mark.parametrize(
    ("mode", "given", "venue"),
    [("dashboard", "paper", "paper"), ("dashboard", "testnet", "testnet"), ("live", "paper", "binance"),
     ("live", "rehearsal", "rehearsal"), ("keys", "paper", "binance"), ("paper", "binance", "paper"),
     ("backtest", "testnet", "paper")],
)
def test_each_mode_knows_its_venue(mode: str, given: str, venue: str) -> None:
    assert for_mode(load_settings(venue=given), mode).venue == venue


@pytest.mark.parametrize("feed", ["sim", "replay"])
def test_a_venue_outside_brings_its_own_prices(feed: str) -> None:
    with pytest.raises(BadInput, match="its own prices"):
        for_mode(load_settings(venue="testnet", feed=feed), "dashboard")
    assert for_mode(load_settings(feed=feed), "dashboard").feed == feed


@pytest.mark.parametrize("url", ["http://example.com:9100", "https://127.0.0.1:9100", "http://127.0.0.1", "9100",
                                 "http://127.0.0.1:99999", "http://127.0.0.1.evil.com:9100"])
def test_a_rehearsal_exchange_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="runs on this computer"):
        load_settings(exchange_url=url)
    assert load_settings(exchange_url="http://localhost:9200/").exchange_url == "http://localhost:9200"


@pytest.mark.parametrize(
    "text", ["*", "my.page", "https://my.page/", "https://*.page", "ftp://my.page", "https://a@b", "http://[x"])
def test_pages_that_may_use_the_api_are_named_exactly(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="API_ORIGINS"):
        load_settings(data_dir=tmp_path, api_origins=text)


def test_several_pages_may_use_the_api_and_none_by_default(tmp_path: Path) -> None:
    assert load_settings(data_dir=tmp_path).api_origins == ()
    found = load_settings(data_dir=tmp_path, api_origins="https://My.Page, http://127.0.0.1:3000")
    assert found.api_origins == ("https://my.page", "http://127.0.0.1:3000")
