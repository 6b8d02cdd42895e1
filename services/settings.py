"""Settings: environment variables `COCKPIT_...` over `cockpit.toml` in the data folder over defaults; loaded once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from trading.domain import INTERVAL_MS
from trading.domain.backtests import CostSettings
from trading.errors import BadInput

DEFAULT_DATA_DIR = Path(__file__).resolve().parent.parent / "storage" / "data"
SECRETS = ("api_key", "api_secret", "keys_passphrase")
"""Read by services.keys alone, so that no settings document, log line or error can hold them."""
VENUES = ("paper", "rehearsal", "testnet", "demo", "binance")
SYMBOL_PATTERN = r"^[A-Z0-9]{2,20}(_[A-Z0-9]{1,10})?$"


class Settings(BaseSettings):
    """Everything that can be set. Rates are fractions, `_bps` hundredths of a percent."""

    model_config = SettingsConfigDict(env_prefix="COCKPIT_", env_file=".env", frozen=True, extra="ignore")

    data_dir: Path = DEFAULT_DATA_DIR
    host: str = "127.0.0.1"
    port: int = Field(8050, ge=1, le=65535)
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.1", "localhost")
    venue: Literal["paper", "rehearsal", "testnet", "demo", "binance"] = "paper"
    exchange_url: str = "http://127.0.0.1:9100"
    foreign_orders: Literal["halt", "ignore"] = "halt"
    feed: Literal["auto", "binance", "replay", "sim"] = "auto"
    assets: Annotated[tuple[str, ...], NoDecode] = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT")
    interval: str = "1m"
    speed: float | None = Field(None, ge=0, le=10_000)
    seed: int = Field(7, ge=0, lt=2**31)
    sim_history_days: int = Field(60, ge=2, le=400)
    capital: Decimal = Field(Decimal(10_000), gt=0, le=Decimal(900_000_000))
    commission_rate: float = Field(0.001, ge=0, le=0.05)
    spread_bps: float = Field(1.0, ge=0, le=500)
    slippage_bps: float = Field(2.0, ge=0, le=500)
    volume_share: float = Field(0.10, gt=0, le=1)
    slippage_atr: float = Field(0.0, ge=0, le=5)
    impact_rate: float = Field(0.0, ge=0, le=10)
    profile: str = "Balanced"
    strategy: str = ""
    rest_url: str = "https://api.binance.com"
    stream_url: str = "wss://stream.binance.com:9443"
    history_bars: int = Field(5_000, ge=200, le=500_000)
    silence_s: float = Field(15.0, gt=0, le=3_600)
    backup_hours: float = Field(6.0, gt=0, le=24 * 30)
    backups_kept: int = Field(7, ge=1, le=1_000)
    retrain_hours: float = Field(24.0, ge=0, le=24 * 365)
    drift_hours: float = Field(6.0, ge=0, le=24 * 365)
    ladder: dict[str, dict[str, float]] = {}
    decision_deadline_s: float = Field(2.0, gt=0, le=3_600)
    live_small: Decimal = Field(Decimal(500), gt=0)
    api_origins: Annotated[tuple[str, ...], NoDecode] = ()
    api_rate: int = Field(600, ge=1, le=1_000_000)
    database_url: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("assets", "trusted_hosts", "api_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("assets")
    @classmethod
    def _symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        import re

        symbols = tuple(dict.fromkeys(name.upper().replace("/", "") for name in value))
        wrong = [name for name in symbols if not re.match(SYMBOL_PATTERN, name)]
        if wrong or not symbols:
            raise ValueError(f"{', '.join(wrong) or 'nothing'} is no list of symbols; write BTCUSDT,ETHUSDT")
        return symbols

    @field_validator("api_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [origin for origin in value if not is_origin(origin)]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} is no origin; write https://my.page,http://127.0.0.1:3000 without "
                             "paths and stars")
        return tuple(origin.lower() for origin in value)

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if value not in ("127.0.0.1", "localhost"):
            raise ValueError("the cockpit has no login and serves this computer only; use 127.0.0.1")
        return value

    @field_validator("exchange_url")
    @classmethod
    def _own_exchange(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "localhost") or not _port(parts):
            raise ValueError("the rehearsal exchange runs on this computer; use http://127.0.0.1:9100 or another port")
        return f"http://{parts.netloc}"

    @field_validator("interval")
    @classmethod
    def _known_interval(cls, value: str) -> str:
        if value not in INTERVAL_MS:
            raise ValueError(f"{value} is unknown; use one of {', '.join(INTERVAL_MS)}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order: arguments, environment, .env, cockpit.toml."""
        toml = TomlConfigSettingsSource(settings_cls, _toml_path())
        return init_settings, env_settings, dotenv_settings, toml

    @property
    def costs(self) -> CostSettings:
        """What trading costs."""
        return CostSettings(**{field.name: getattr(self, field.name) for field in fields(CostSettings)})

    @property
    def database_path(self) -> Path:
        """File of the database."""
        return self.data_dir / "cockpit.db"

    @property
    def models_dir(self) -> Path:
        """Folder of the trained models."""
        return self.data_dir / "models"

    @property
    def candles_dir(self) -> Path:
        """Folder of the candle store."""
        return self.data_dir / "candles"

    @property
    def keys_path(self) -> Path:
        """File of the encrypted API keys."""
        return self.data_dir / "keys.json"

    @property
    def tokens_path(self) -> Path:
        """File of the hashed tokens of the REST API."""
        return self.data_dir / "api-tokens.json"


def load_settings(**overrides: object) -> Settings:
    """Return the settings; BadInput names every value that is wrong, where it came from, and what is allowed."""
    _refuse_unknown(name.removeprefix("COCKPIT_").lower() for name in os.environ if name.startswith("COCKPIT_"))
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        keys = _toml_keys()
        _refuse_secrets(keys)
        _refuse_unknown(keys)
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors())
        raise BadInput(f"settings: {problems}") from None
    except ValueError as error:
        raise BadInput(f"settings: {_toml_path()} cannot be read: {error}") from None


def for_mode(settings: Settings, mode: str) -> Settings:
    """Return the settings with the venue that a mode means: only a page, live and keys know one outside.

    Raises
    ------
    BadInput
        When stored or simulated prices were asked for beside a venue, which has its own.
    """
    if mode not in ("dashboard", "live", "keys"):
        return settings.model_copy(update={"venue": "paper"})
    if mode != "dashboard" and settings.venue == "paper":
        settings = settings.model_copy(update={"venue": "binance"})
    if mode != "keys" and settings.venue != "paper" and settings.feed in ("sim", "replay"):
        raise BadInput(f"{settings.venue} trades at its own prices: leave --feed {settings.feed} and --data away, or "
                       "use --mode paper")
    return settings


def _toml_path() -> Path:
    return Path(os.environ.get("COCKPIT_DATA_DIR", DEFAULT_DATA_DIR)) / "cockpit.toml"


def _toml_keys() -> list[str]:
    path = _toml_path()
    return list(tomllib.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def _refuse_unknown(names: Iterable[str]) -> None:
    """A mistyped fee would make every figure wrong without a word."""
    for name in names:
        if name not in Settings.model_fields and name not in SECRETS:
            near = get_close_matches(name, Settings.model_fields, 1)
            hint = f"; did you mean {near[0]} (COCKPIT_{near[0].upper()})?" if near else ""
            raise BadInput(f"settings: {name} (COCKPIT_{name.upper()}) is unknown{hint}")


def _refuse_secrets(names: Iterable[str]) -> None:
    for name in names:
        if name in SECRETS:
            raise BadInput(f"settings: {name} does not belong into cockpit.toml: remove it, withdraw that key, and "
                           "enter a new one with --mode keys set")


def is_origin(text: str) -> bool:
    """Tell whether a text is scheme, host and port of a page, and nothing else."""
    parts = urlsplit(text)
    whole = f"{parts.scheme}://{parts.netloc}"
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text == whole and not set(text) & set("*@ ")


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or 0
    except ValueError:
        return 0


def _problem(item: ErrorDetails) -> str:
    """Say what is wrong with a value, which our own checks may name themselves."""
    name, given = ".".join(str(part) for part in item["loc"]), str(item["input"])
    message = item["msg"].removeprefix("Value error, ")
    said = message if given.lower() in message.lower() else f"{item['input']!r}: {message[:1].lower()}{message[1:]}"
    return f"{name} (COCKPIT_{name.upper()}): {said}"
