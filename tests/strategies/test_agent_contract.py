"""Every signal source keeps the contract."""

from services.strategies import demo_strategy, parse_strategy
from tests.contracts.signal_source import SignalSourceContract
from trading.agents.symbol_agent import SymbolAgent


def voting(symbol, **indicators):
    return SymbolAgent(parse_strategy({"symbol": symbol, "indicators": indicators}))


class TestDemoAgent(SignalSourceContract):
    def make_source(self, symbol):
        return SymbolAgent(demo_strategy(symbol))


class TestRsiAgent(SignalSourceContract):
    def make_source(self, symbol):
        return voting(symbol, rsi={"period": 2, "buy_below": 10.0, "sell_above": 90.0})


class TestEmaAgent(SignalSourceContract):
    def make_source(self, symbol):
        return voting(symbol, ema={"period": 3, "sell_crosses_below": False})
