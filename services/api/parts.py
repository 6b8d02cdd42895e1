"""What the API is made of, and how a route comes by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Request

from services.api.door import Limits, Tokens
from services.api.meter import Meter
from services.api.sending import Sender
from services.container import Services, StrategyPort
from services.keys.permissions import Permissions
from services.keys.tokens import Token
from trading.errors import BadInput

RATE = 600


class NoTokens:
    """Where nobody has a token."""

    def find(self, _: str) -> Token | None:
        """Know nobody."""
        return None


def no_keys(_venue: str, _key: str, _secret: str) -> tuple[Permissions, str]:
    """Keep no key."""
    raise BadInput("no key is kept here: this cockpit has no place for one")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a backtest takes where a request says nothing."""

    capital: Decimal = Decimal(10_000)
    profile: str = "Balanced"


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Everything that routes may use.

    `strategies` keeps the user's documents (None only where nobody has a token). `connect` takes (venue, key, secret),
    asks the venue what the key may do, keeps it and says where.
    """

    services: Services
    strategies: StrategyPort | None = None
    connect: Callable[[str, str, str], tuple[Permissions, str]] = no_keys
    tokens: Tokens = field(default_factory=NoTokens)
    limits: Limits = field(default_factory=lambda: Limits.of(RATE))
    origins: tuple[str, ...] = ()
    defaults: Defaults = Defaults()
    meter: Meter = field(default_factory=Meter)


def parts_of(request: Request) -> ApiParts:
    """Return the parts of the application that was asked."""
    found: ApiParts = request.app.state.parts
    return found


def sender_of(request: Request) -> Sender:
    """Return what sends commands to the engine."""
    found: Sender = request.app.state.sender
    return found


def services_of(request: Request) -> Services:
    """Return the services that the screen uses too."""
    return parts_of(request).services


def token_of(request: Request) -> Token:
    """Return the token that was let in."""
    found: Any = request.state.token
    assert isinstance(found, Token)
    return found


Parts = Annotated[ApiParts, Depends(parts_of)]
Screen = Annotated[Services, Depends(services_of)]
Sending = Annotated[Sender, Depends(sender_of)]
Caller = Annotated[Token, Depends(token_of)]
