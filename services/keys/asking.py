"""Ask a venue what an API key may do, through the client that trades with it."""

from __future__ import annotations

import asyncio
from typing import Any

from services.keys.permissions import Permissions
from services.keys.vault import ApiKey
from trading.binance.client import BinanceClient
from trading.binance.endpoints import Credentials, Environment
from trading.domain.venue import Call
from trading.errors import BadInput, CockpitError, NotSent, Refused

KEY_WRONG = (-2014, -2015, -1022)
"""Key malformed, key or permission or address wrong, signature wrong (Binance error codes)."""


def ask_permissions(environment: Environment, key: ApiKey, symbol: str = "BTCUSDT") -> Permissions:
    """Return what the key may do; BadInput when the venue does not know it or does not answer."""
    return asyncio.run(_ask(environment, key, symbol))


async def _ask(environment: Environment, key: ApiKey, symbol: str) -> Permissions:
    client = BinanceClient(environment, Credentials(key.key, key.secret))
    try:
        await client.measure()
        account = await client.ask(Call("GET", "account", {"omitZeroBalances": "true"}, 20))
        fees = await _optional(client, Call("GET", "account/commission", {"symbol": symbol}, 20))
        limits = await _restrictions(client, environment)
        return _read(environment, account, fees, limits, (client.wire.clock.offset_ms(), key.source))
    except CockpitError as error:
        raise BadInput(_words(environment, error)) from None
    finally:
        await client.close_connection()


async def _restrictions(client: BinanceClient, environment: Environment) -> dict[str, Any]:
    """Only production has /sapi."""
    if environment.name != "binance":
        return {}
    return await _optional(client, Call("GET", "/sapi/v1/account/apiRestrictions", {}, 1))


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
    return f"{environment.name} at {environment.rest_url}: {error}"
