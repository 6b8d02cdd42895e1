"""Technical indicators: one file each, one compiled step each, shared by charts, agents, backtests and live ticks."""

from trading.indicators.indicator import Indicator, Parameter
from trading.indicators.registry import INDICATORS, IndicatorStream, format_key, key_label, parse_key

__all__ = ["INDICATORS", "Indicator", "IndicatorStream", "Parameter", "format_key", "key_label", "parse_key"]
