"""An exchange in memory that speaks Binance's spot API: its matching, accounts, filters and answers."""

from trading.simulation.exchange.accounts import Account, Ledger, LedgerFill, Rates
from trading.simulation.exchange.exchange import Exchange
from trading.simulation.exchange.market_events import BookChanged, MarketEvent, TradeDone
from trading.simulation.exchange.params import Params
from trading.simulation.exchange.refusals import VenueError, refusal
from trading.simulation.exchange.routes import SIGNING, Call, Route, Routes, Security
from trading.simulation.exchange.symbols import default_symbols, load_exchange_info
from trading.simulation.exchange.trading_routes import TRADING_ROUTES

__all__ = [
    "SIGNING", "TRADING_ROUTES", "Account", "BookChanged", "Call", "Exchange", "Ledger", "LedgerFill", "MarketEvent",
    "Params", "Rates", "Route", "Routes", "Security", "TradeDone", "VenueError", "default_symbols",
    "load_exchange_info", "refusal",
]
