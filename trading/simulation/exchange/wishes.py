"""A placement as it was asked for: parameters read and checked for form, amounts in units of 1e-8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trading.simulation.book_order import Force, Kind, SelfTrade
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import refusal, refused_order
from trading.simulation.exchange.symbols import Symbol

ORDER_PARAMS = frozenset({
    "symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "newClientOrderId", "strategyId",
    "strategyType", "stopPrice", "trailingDelta", "icebergQty", "newOrderRespType", "selfTradePreventionMode",
    "pegPriceType", "pegOffsetType", "pegOffsetValue",
})
RESPONSES = ("ACK", "RESULT", "FULL")
LIMITED = (Kind.LIMIT, Kind.LIMIT_MAKER, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT)
TIMED = (Kind.LIMIT, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT_LIMIT)
_FLAGS = {"icebergQty": ("icebergAllowed", "Iceberg orders are not supported for this symbol."),
          "trailingDelta": ("allowTrailingStop", "Trailing stop orders are not supported for this symbol."),
          "quoteOrderQty": ("quoteOrderQtyMarketAllowed",
                            "Quote order qty market orders are not support for this symbol."),
          "pegPriceType": ("pegInstructionsAllowed", "Pegged orders are not supported for this symbol.")}


@dataclass(slots=True)
class Wish:
    """One order asked for. Amounts in units of 1e-8, 0 = not sent; `trail` basis points."""

    symbol: Symbol
    is_buy: bool
    kind: Kind
    force: Force
    quantity: int
    quote: int
    price: int
    stop: int
    trail: int
    iceberg: int
    self_trade: SelfTrade
    client_id: str | None
    response: str
    strategy_id: int | None = None
    strategy_type: int | None = None
    peg: dict[str, object] = field(default_factory=dict)


def read_wish(params: Params, symbol: Symbol) -> Wish:
    """Return the order that parameters ask for.

    Raises
    ------
    VenueError
        A parameter is missing, surplus, malformed or too precise.
    """
    kind = read_kind(params, symbol)
    force = read_force(params, kind)
    _check_combination(params, kind, force, symbol)
    base = int(symbol.document.get("baseAssetPrecision", 8))
    quote = int(symbol.document.get("quoteAssetPrecision", 8))
    wish = Wish(
        symbol, read_side(params), kind, force, _units(params, "quantity", base),
        _units(params, "quoteOrderQty", quote), _units(params, "price", quote), _units(params, "stopPrice", quote),
        params.maybe_long("trailingDelta") or 0, _units(params, "icebergQty", base),
        read_self_trade(params, symbol), params.client_id("newClientOrderId"),
        read_response(params, kind), params.maybe_long("strategyId"), _strategy_type(params), _peg(params),
    )
    if "quantity" in params and not wish.quantity:
        raise refusal(-1013, "Invalid quantity.")
    if "price" in params and not wish.price:
        raise refusal(-1013, "Invalid price.")
    return wish


def read_side(params: Params) -> bool:
    """Return whether the side is BUY."""
    side = params.text("side")
    if side not in ("BUY", "SELL"):
        raise refusal(-1117, "Invalid side.")
    return side == "BUY"


def read_kind(params: Params, symbol: Symbol) -> Kind:
    """Return the order's type, which the symbol must allow."""
    given = params.text("type")
    if given not in Kind.__members__:
        raise refusal(-1116, "Invalid orderType.")
    if given not in symbol.document["orderTypes"]:
        words = given.replace("_", " ").capitalize()
        raise refused_order(f"{words} orders are not supported for this symbol.")
    return Kind(given)


def read_force(params: Params, kind: Kind) -> Force:
    """Return the time in force: mandatory for limits, GTC otherwise."""
    if kind in TIMED:
        given = params.text("timeInForce")
        if given not in Force.__members__:
            raise refusal(-1115, "Invalid timeInForce.")
        return Force(given)
    if "timeInForce" in params:
        raise surplus("timeInForce")
    return Force.GTC


def read_self_trade(params: Params, symbol: Symbol) -> SelfTrade:
    """Return the self-trade prevention mode, the symbol's own when none was sent."""
    document = symbol.document
    given = params.maybe("selfTradePreventionMode") or document.get("defaultSelfTradePreventionMode", "NONE")
    if given not in document.get("allowedSelfTradePreventionModes", ["NONE"]):
        raise refusal(-1013, "This symbol does not allow the specified self-trade prevention mode.")
    return SelfTrade(given)


def read_response(params: Params, kind: Kind) -> str:
    """Return ACK, RESULT or FULL; FULL is the default of MARKET and LIMIT."""
    given = params.maybe("newOrderRespType") or ("FULL" if kind in (Kind.MARKET, Kind.LIMIT) else "ACK")
    if given not in RESPONSES:
        raise refusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    return given


def surplus(name: str) -> Exception:
    """Return the refusal of a parameter that the type of order does not have."""
    return refusal(-1106, f"Parameter '{name}' sent when not required.")


def _units(params: Params, name: str, precision: int) -> int:
    given = params.amount(name, min(precision, 8))
    return 0 if given is None else int(given * 10 ** (8 - min(precision, 8)))


def _check_combination(params: Params, kind: Kind, force: Force, symbol: Symbol) -> None:
    for name, (flag, words) in _FLAGS.items():
        if name in params and not symbol.document.get(flag, False):
            raise refused_order(words)
    _check_quantity(params, kind)
    pegged = "pegPriceType" in params
    if kind in LIMITED and not pegged:
        params.text("price")
    if kind not in LIMITED and ("price" in params or pegged):
        raise surplus("price" if "price" in params else "pegPriceType")
    if kind.is_stop and not {"stopPrice", "trailingDelta"} & params.keys():
        raise refusal(-1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!")
    for name in ("stopPrice", "trailingDelta"):
        if name in params and not kind.is_stop:
            raise surplus(name)
    if "icebergQty" in params and (kind not in LIMITED or force is not Force.GTC):
        raise surplus("icebergQty")


def _check_quantity(params: Params, kind: Kind) -> None:
    if kind is not Kind.MARKET:
        if "quoteOrderQty" in params:
            raise surplus("quoteOrderQty")
        params.text("quantity")
    elif {"quantity", "quoteOrderQty"} <= params.keys():
        raise refusal(-1128, "Combination of optional parameters invalid.")
    elif not {"quantity", "quoteOrderQty"} & params.keys():
        raise refusal(-1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!")


def _strategy_type(params: Params) -> int | None:
    given = params.maybe_long("strategyType")
    if given is not None and given < 1_000_000:
        raise refusal(-1134, "strategyType was less than 1000000.")
    return given


def _peg(params: Params) -> dict[str, object]:
    kind, offset = params.maybe("pegPriceType"), params.maybe("pegOffsetType")
    levels = params.maybe_long("pegOffsetValue")
    if kind is None:
        if offset is not None or levels is not None:
            raise surplus("pegOffsetType" if offset is not None else "pegOffsetValue")
        return {}
    if kind not in ("PRIMARY_PEG", "MARKET_PEG"):
        raise refusal(-1210, "Invalid pegPriceType.")
    if (offset is None) != (levels is None):
        raise refusal(-1128, "Combination of optional parameters invalid.")
    if offset not in (None, "PRICE_LEVEL"):
        raise refusal(-1211, "Invalid pegOffsetType.")
    return {"pegPriceType": kind} | ({} if offset is None else {"pegOffsetType": offset, "pegOffsetValue": levels})


LEG_NAMES: Mapping[str, str] = {
    "type": "Type", "price": "Price", "stopPrice": "StopPrice", "trailingDelta": "TrailingDelta",
    "timeInForce": "TimeInForce", "newClientOrderId": "ClientOrderId", "icebergQty": "IcebergQty",
    "strategyId": "StrategyId", "strategyType": "StrategyType", "side": "Side", "quantity": "Quantity",
    "pegPriceType": "PegPriceType", "pegOffsetType": "PegOffsetType", "pegOffsetValue": "PegOffsetValue",
}


def leg(params: Params, prefix: str, common: Mapping[str, str]) -> Params:
    """Return one leg of an order list as the parameters of a single order.

    `common` names what it shares with the list: the order's parameter by the list's.
    """
    names = {own: prefix + name for own, name in LEG_NAMES.items()} | dict(common)
    return Params({own: params[sent] for own, sent in names.items() if sent in params}, names)
