"""An account at a venue, held by this process alone, and what the venue says of it before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from services.keys.command import needed_key
from services.keys.permissions import BURN
from services.keys.vault import ApiKey, Vault
from services.settings import Settings
from storage.database import Database
from storage.lease import AccountLease, state_folder
from storage.venue_store import SqlVenueStore
from trading.binance.endpoints import Environment, environment_of
from trading.errors import BadInput

if TYPE_CHECKING:
    from services.keys.asking import AccountFacts


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """Where orders go, with which key, and the name of the ledger that counts them."""

    environment: Environment
    key: ApiKey
    facts: AccountFacts
    name: str
    store: SqlVenueStore
    leases: tuple[AccountLease, ...] = ()


@contextmanager
def venue_account(settings: Settings, database: Database, what: str) -> Iterator[VenueAccount | None]:
    """Hold the account of the settings' venue while the block runs; None for paper.

    Raises
    ------
    BadInput
        No key, a key that may not trade, fees in BNB, a clock that is wrong, another account than the ledger's.
    AlreadyRunning
        Another cockpit trades the account.
    """
    if settings.venue == "paper":
        yield None
        return
    environment = environment_of(settings.venue, settings.exchange_url)
    key = needed_key(Vault(settings.keys_path), settings.venue)
    with ExitStack() as held:
        first = _held(held, database, key.fingerprint(environment.rest_url), what)
        from services.keys.asking import look  # Binance's client: half a second that a refusal need not wait for

        facts = look(environment, key, settings.assets[0])
        refuse_unfit(facts)
        second = _held(held, database, _fingerprint(environment, facts), what)
        name = account_name(environment, facts)
        refuse_another(database, name, facts.uid)
        yield VenueAccount(environment, key, facts, name, SqlVenueStore(database, name), (first, second))


def _held(held: ExitStack, database: Database, fingerprint: str, what: str) -> AccountLease:
    lease = AccountLease(database, fingerprint, state_folder() / "leases")
    lease.acquire(what)
    held.callback(lease.release)
    return lease


def _fingerprint(environment: Environment, facts: AccountFacts) -> str:
    """Two keys may open one account, and two spellings of an address one exchange."""
    return hashlib.sha256(f"{account_name(environment, facts)}\naccount {facts.uid}".encode()).hexdigest()[:32]


def account_name(environment: Environment, facts: AccountFacts) -> str:
    """Return the ledger of an account; each run of a rehearsal exchange begins with a fresh one."""
    return f"live-{environment.name}" + (f"-{facts.run}" if facts.run else "")


def refuse_unfit(facts: AccountFacts) -> None:
    """Raise BadInput naming the first thing that forbids trading."""
    allowed = facts.permissions
    if not allowed.can_trade:
        raise BadInput(f"{allowed.venue}: this API key may not trade; allow spot trading for it at the venue")
    if allowed.discount:
        raise BadInput(f"{allowed.venue}: fees are paid in BNB; {BURN}")
    if facts.clock_trouble:
        raise BadInput(f"{allowed.venue}: {facts.clock_trouble}")


def refuse_another(database: Database, name: str, uid: str) -> None:
    """Raise BadInput when the key opens another account than the one that the ledger counts."""
    known = database.fact(f"uid-{name}", uid)
    if known != uid:
        raise BadInput(f"{name}: this key opens another account than the one that this data folder has traded; set "
                       "COCKPIT_DATA_DIR to a folder for it")


def refuse_capital(capital: Decimal, quote: str, facts: AccountFacts) -> None:
    """Raise BadInput when a new account is to trade with more than there is."""
    free = facts.free.get(quote, Decimal(0))
    if capital > free:
        raise BadInput(f"{facts.permissions.venue}: {capital} {quote} are to be traded, but only {free:f} are free; "
                       "set --capital (COCKPIT_CAPITAL) to what may be lost")
