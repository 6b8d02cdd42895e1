"""Ask a venue what an API key may do, through the client that trades with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.keys.permissions import KeyRefused, NotAsked, Permissions
from services.keys.vault import ApiKey
from trading.binance.client import BinanceClient
from trading.binance.endpoints import Credentials, Environment
from trading.domain.venue import Call
from trading.errors import CockpitError, NotSent, Refused

KEY_WRONG = (-2014, -2015, -1022)
"""Key malformed, key or permission or address wrong, signature wrong (Binance error codes)."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a venue says of an account: `free` by asset, `run` the name of a rehearsal exchange's run."""

    permissions: Permissions
    uid: str
    free: Mapping[str, Decimal]
    clock_trouble: str = ""
    run: str = ""


def ask_permissions(environment: Environment, key: ApiKey, symbol: str = "BTCUSDT") -> Permissions:
    """Return what the key may do; BadInput when the venue does not know it or does not answer."""
    return look(environment, key, symbol).permissions


def look(environment: Environment, key: ApiKey, symbol: str) -> AccountFacts:
    """Return what the venue says of the key's account; BadInput as for `ask_permissions`."""
    return asyncio.run(_look(environment, key, symbol))


async def _look(environment: Environment, key: ApiKey, symbol: str) -> AccountFacts:
    client = BinanceClient(environment, Credentials(key.key, key.secret))
    try:
        await client.measure()
        account = await client.ask(Call("GET", "account", {"omitZeroBalances": "true"}, 20))
        fees = await _optional(client, Call("GET", "account/commission", {"symbol": symbol}, 20))
        limits = await _restrictions(client, environment)
        clock = client.wire.clock
        allowed = _read(environment, account, fees, limits, (clock.offset_ms(), key.source))
        free = {line["asset"]: Decimal(line["free"]) for line in account.get("balances", ())}
        return AccountFacts(allowed, str(account.get("uid", "")), free, clock.trouble(),
                            await _run_of(client, environment))
    except CockpitError as error:
        kind = KeyRefused if isinstance(error, Refused) and error.code in KEY_WRONG else NotAsked
        raise kind(_words(environment, error)) from None
    finally:
        await client.close_connection()


async def _restrictions(client: BinanceClient, environment: Environment) -> dict[str, Any]:
    """Only production has /sapi."""
    if environment.name != "binance":
        return {}
    return await _optional(client, Call("GET", "/sapi/v1/account/apiRestrictions", {}, 1))


async def _run_of(client: BinanceClient, environment: Environment) -> str:
    """Return the name of a rehearsal exchange's run: with the exchange, its ledger is gone."""
    if environment.name != "rehearsal":
        return ""
    state = await _optional(client, Call("GET", "/rehearsal/state", {}, 0))
    return str(state.get("run", ""))


async def _optional(client: BinanceClient, call: Call) -> dict[str, Any]:
    """Return an answer, nothing where the venue has no such question."""
    try:
        answer = await client.ask(call)
    except (Refused, NotSent):
        return {}
    return answer if isinstance(answer, dict) else {}


def _read(environment: Environment, account: dict[str, Any], fees: dict[str, Any], limits: dict[str, Any],
          told: tuple[float, str]) -> Permissions:
    rates = fees.get("standardCommission") or account.get("commissionRates") or {}
    discount = fees.get("discount")
    burns = None
    if isinstance(discount, dict):
        burns = bool(discount.get("enabledForAccount") and discount.get("enabledForSymbol"))
    bound, withdraws = limits.get("ipRestrict"), limits.get("enableWithdrawals")
    trades = bool(account.get("canTrade")) and limits.get("enableSpotAndMarginTrading", True) is not False
    return Permissions(environment.name, str(account.get("accountType", "SPOT")), trades, withdraws, bound, burns,
                       str(rates.get("maker", "?")), str(rates.get("taker", "?")), round(told[0], 1), told[1])


def _words(environment: Environment, error: CockpitError) -> str:
    if isinstance(error, Refused) and error.code in KEY_WRONG:
        return (f"{environment.name} does not accept this API key: check that it belongs to this venue, has not "
                f"expired, and that this computer's address is allowed ({error})")
    hint = "; start it with --mode exchange" if environment.name == "rehearsal" and isinstance(error, NotSent) else ""
    return f"{environment.name} at {environment.rest_url}: {error}{hint}"
