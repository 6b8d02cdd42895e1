"""Every signal source keeps the contract."""

from services.strategies import demo_strategy
from tests.contracts.signal_source import SignalSourceContract
from trading.agents.symbol_agent import SymbolAgent
from trading.strategies import EmaRule, RsiRule, VotingStrategy


class TestDemoAgent(SignalSourceContract):
    def make_source(self, symbol):
        return SymbolAgent(demo_strategy(symbol))


class TestRsiAgent(SignalSourceContract):
    def make_source(self, symbol):
        return SymbolAgent(VotingStrategy(symbol, (RsiRule(2, 10.0, 90.0),), "two-bar RSI"))


class TestEmaAgent(SignalSourceContract):
    def make_source(self, symbol):
        return SymbolAgent(VotingStrategy(symbol, (EmaRule(3, sell_crosses_below=False),), "three-bar EMA"))
