"""Put the API together for a data folder."""

from __future__ import annotations

from fastapi import FastAPI

from services.api.app import make_api, prepare
from services.api.door import Limits
from services.api.parts import ApiParts, Defaults
from services.container import Services
from services.keys.connecting import connect_key
from services.keys.permissions import Permissions
from services.keys.tokens import TokenBook
from services.settings import Settings


def api_of(settings: Settings, services: Services) -> FastAPI:
    """Return the application behind /api."""
    def connect(venue: str, key: str, secret: str) -> tuple[Permissions, str]:
        from services.keys.asking import ask_permissions  # Binance's client: half a second that a start need not wait
        from trading.binance.endpoints import environment_of

        return connect_key(settings.keys_path, lambda name, given: ask_permissions(environment_of(name), given),
                           venue, key, secret)

    return prepare(make_api(ApiParts(
        services, services.strategies, connect, TokenBook(settings.tokens_path),
        Limits.of(settings.api_rate), settings.api_origins, Defaults(settings.capital, settings.profile))))
