"""What clients ask of Binance beside the spot API (/sapi/v1): what a key may do, coins, and that there is no margin."""

from __future__ import annotations

from typing import Any

from trading.simulation.exchange.gateway import Reply, Request, to_json
from trading.simulation.exchange.rehearsal import Rehearsal

_MAY = ("enableReading", "enableSpotAndMarginTrading")
_MAY_NOT = ("ipRestrict", "enableInternalTransfer", "enableMargin", "enableFutures", "permitsUniversalTransfer",
            "enableVanillaOptions", "enablePortfolioMarginTrading")


def wallet(rehearsal: Rehearsal, request: Request) -> Reply:
    """Answer one request; signed like GET account, whatever it asks."""
    if request.path in ("margin/allPairs", "margin/isolated/allPairs"):
        return _reply([])
    answers = {"account/apiRestrictions": _restrictions, "capital/config/getall": _coins, "system/status": _status}
    if request.method != "GET" or request.path not in answers:
        return _reply({"code": -1000, "msg": f"Path /sapi/v1/{request.path}, Method {request.method} is invalid"}, 404)
    told = Request(request.method, "account", request.query, request.body, request.headers, request.address)
    checked = rehearsal.gateway.answer(told)
    return _reply(answers[request.path](rehearsal)) if checked.status == 200 else checked


def _restrictions(rehearsal: Rehearsal) -> Any:
    may_withdraw = rehearsal.faults.on("withdrawals") is not None
    return {"createTime": 0, "enableWithdrawals": may_withdraw, **dict.fromkeys(_MAY, True),
            **dict.fromkeys(_MAY_NOT, False)}


def _coins(rehearsal: Rehearsal) -> Any:
    assets = dict.fromkeys(asset for s in rehearsal.exchange.symbols.values() for asset in (s.base, s.quote))
    return [{"coin": asset, "name": asset, "free": "0", "locked": "0", "trading": True, "isLegalMoney": False,
             "depositAllEnable": False, "withdrawAllEnable": False, "networkList": []} for asset in assets]


def _status(rehearsal: Rehearsal) -> Any:
    return {"status": 0, "msg": "normal"}


def _reply(body: Any, status: int = 200) -> Reply:
    return Reply(status, to_json(body), {"Content-Type": "application/json;charset=UTF-8"})
