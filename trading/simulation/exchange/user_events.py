"""What an account hears of itself on the user data stream, field by field as Binance writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trading.simulation.exchange.accounts import Account, LedgerFill, to_text
from trading.simulation.exchange.answers import text
from trading.simulation.exchange.tickets import Ticket

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to an order: `what` is NEW, TRADE, CANCELED, REPLACED, EXPIRED ...; `id` the execution's number.

    `cancel_id` is the client id of a cancel, `renamed` the id that an amended order had before, `prevented` the lots of
    a prevented match, `counter` the other order of it, `refusal` why an order was not taken on.
    """

    what: str
    id: int
    time: int
    fill: LedgerFill | None = None
    cancel_id: str = ""
    renamed: str = ""
    prevented: int = 0
    counter: int = -1
    refusal: str = "NONE"


def execution_report(ticket: Ticket, step: Step) -> Event:
    """Return an executionReport."""
    symbol, fill = ticket.symbol, step.fill
    report: Event = {
        "e": "executionReport", "E": step.time, "s": symbol.name, "c": step.cancel_id or ticket.client_id,
        "S": ticket.side, "o": str(ticket.kind), "f": str(ticket.force), "q": symbol.quantity_text(ticket.quantity),
        "p": symbol.price_text(ticket.price), "P": symbol.price_text(ticket.stop),
        "F": symbol.quantity_text(ticket.display), "g": ticket.list_id,
        "C": ticket.client_id if step.cancel_id else step.renamed, "x": step.what, "X": str(ticket.status),
        "r": step.refusal, "i": ticket.id, "l": text(fill.quantity) if fill else "0.00000000",
        "z": symbol.quantity_text(ticket.executed), "L": text(fill.price) if fill else "0.00000000",
        "n": text(fill.commission) if fill else "0", "N": fill.commission_asset if fill else None, "T": step.time,
        "t": fill.trade_id if fill else -1, "I": step.id, "w": ticket.working >= 0 and ticket.is_open,
        "m": fill.is_maker if fill else False, "M": fill is not None, "O": ticket.created,
        "Z": to_text(ticket.quote), "Y": text(fill.quote) if fill else "0.00000000",
        "Q": to_text(ticket.quote_wanted), "V": str(ticket.self_trade),
    }
    if ticket.working >= 0:
        report["W"] = ticket.working
    return report | _conditional(ticket, step)


def _conditional(ticket: Ticket, step: Step) -> Event:
    found: Event = {}
    if ticket.trail:
        found |= {"d": ticket.trail, "D": ticket.trailing_since}
    if ticket.strategy_id is not None:
        found["j"] = ticket.strategy_id
    if ticket.strategy_type is not None:
        found["J"] = ticket.strategy_type
    if ticket.prevention >= 0:
        found |= {"v": ticket.prevention, "A": ticket.symbol.quantity_text(ticket.prevented),
                  "B": ticket.symbol.quantity_text(step.prevented), "u": 1, "U": step.counter,
                  "Cs": ticket.symbol.name}
    if ticket.uses_sor:
        found["uS"] = True
    if ticket.expiry and step.what == "EXPIRED":
        found["eR"] = ticket.expiry
    return found | {_PEG[name]: value for name, value in ticket.peg.items()}


_PEG = {"pegPriceType": "gP", "pegOffsetType": "gOT", "pegOffsetValue": "gOV", "peggedPrice": "gp"}


def account_position(account: Account, assets: Iterable[str], time: int) -> Event:
    """Return an outboundAccountPosition with the absolute balances of assets that may have changed."""
    balances = [(asset, account.balance(asset)) for asset in assets]
    return {"e": "outboundAccountPosition", "E": time, "u": account.updated,
            "B": [{"a": asset, "f": to_text(each.free), "l": to_text(each.locked)} for asset, each in balances]}


def balance_update(asset: str, units: int, time: int) -> Event:
    """Return a balanceUpdate: a deposit, withdrawal or transfer of `units` 1e-8."""
    return {"e": "balanceUpdate", "E": time, "a": asset, "d": to_text(units), "T": time}


def list_status(document: Event, time: int) -> Event:
    """Return a listStatus of an order list's document."""
    return {
        "e": "listStatus", "E": time, "s": document["symbol"], "g": document["orderListId"],
        "c": document["contingencyType"], "l": document["listStatusType"], "L": document["listOrderStatus"],
        "r": "NONE", "C": document["listClientOrderId"], "T": document["transactionTime"],
        "O": [{"s": each["symbol"], "i": each["orderId"], "c": each["clientOrderId"]} for each in document["orders"]],
    }
