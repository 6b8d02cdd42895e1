"""What a rule would have done on the newest bars: the kernel of the backtests on a few thousand of them, at once.

Candles are read once and kept while the files are the same; a question costs the rule and the walk alone. Asked from
threads, never on a loop; one at a time, because two would only take each other's processor.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from time import perf_counter
from typing import Any

import numpy as np

from services.backtests.figures import figures_of
from services.backtests.markets import Loaded, Source, Span, display, fingerprint, is_simulated, read
from services.backtests.trial import Bench, bench_of, directions_of, run
from services.symbols import specs_for
from trading import book
from trading.domain import Candles, ChartView, FloatArray, RiskProfile
from trading.domain.backtests import BacktestRequest, CostSettings
from trading.domain.workshop import PreviewMark, StrategyPreview
from trading.errors import BadInput, CockpitError
from trading.indicators import INDICATORS, format_key, key_label, parse_key
from trading.strategies import RuleStrategy, Series, Study

N_BARS, N_SHOWN, N_LINES, N_KEPT = 3_000, 1_000, 6, 6
SPARE_BARS = 1_000
"""Bars before the judged ones, so that long indicators are warm when these begin."""
OVERLAYS = ("ema", "sma", "wma", "kama", "bb", "vwap", "rolling_vwap", "donchian", "keltner", "keltner_original",
            "psar", "highest", "lowest")
PANES = ("rsi", "macd", "adx", "atr", "stoch", "cci", "obv", "mfi", "roc")


class Previewer:
    """Answers what a document would have done."""

    def __init__(self, source: Source, capital: Decimal, costs: CostSettings, profile: RiskProfile) -> None:
        self._source, self._capital, self._costs, self._profile = source, capital, costs, profile
        self._kept: OrderedDict[tuple[str, str, str], Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def preview(self, rules: RuleStrategy, document: Mapping[str, Any], symbol: str, interval: str,
                patience_s: float = -1) -> StrategyPreview:
        """Return what the rules would have done; what stands in the way is in `error`.

        With `patience_s` it is not waited longer than that for another question to end.
        """
        begun = perf_counter()
        if not self._lock.acquire(timeout=patience_s):
            return nothing(symbol, interval, "another rule is worked out")
        try:
            return self._answer(rules, document, (symbol, interval), begun)
        except CockpitError as error:
            return nothing(symbol, interval, str(error))
        finally:
            self._lock.release()

    def _answer(self, rules: RuleStrategy, document: Mapping[str, Any], market: tuple[str, str],
                begun: float) -> StrategyPreview:
        symbol, interval = market
        request = BacktestRequest(rules.name, document, (symbol,), interval, None, None, self._capital, self._costs,
                                  self._profile)
        loaded = self._loaded(request)
        if rules.side != "long":
            return _unjudged(rules, loaded, "a rule that sells short is for research: no figures, spot cannot sell it")
        whole = loaded.candles[0]
        bench = bench_of(request, loaded)
        wishes = directions_of(bench)
        first = max(0, len(whole) - N_BARS)
        judged = bench.with_candles([whole[first:]])
        simulation = run(judged, [wishes[0][first:]])
        marks = _marks(judged, simulation, wishes[0][first:])
        chart = _chart(rules.for_symbol(symbol), whole, loaded)
        note = f"candles of the SIMULATED market · {display(symbol)}" if is_simulated(self._source) else ""
        figures = figures_of(judged, simulation)
        n_entries = sum(one.kind == "entry" for one in marks)
        return StrategyPreview(symbol, interval, chart, {key: key_label(key) for key in chart.lines}, marks, figures,
                               len(whole) - first, n_entries, perf_counter() - begun, note=note)

    def _loaded(self, request: BacktestRequest) -> Loaded:
        symbol, interval = request.symbols[0], request.interval
        key = (symbol, interval, fingerprint(self._source, request))
        if key not in self._kept:
            candles = read(self._source, Span(symbol, interval))[-N_BARS - SPARE_BARS:]
            if len(candles) < 2:
                raise BadInput(f"no stored {interval} candles of {display(symbol)}: download or import some")
            past = self._source.simulated
            specs = specs_for([symbol], {symbol: candles})
            if past is not None and is_simulated(self._source):
                from trading.feeds.simulated import SimulatedFeed

                specs = SimulatedFeed([symbol], past.seed, 0.0, past.genesis).specs()
            self._kept[key] = Loaded((candles,), specs)
            while len(self._kept) > N_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def nothing(symbol: str, interval: str, error: str) -> StrategyPreview:
    """Return the answer where there is none, and why."""
    return StrategyPreview(symbol, interval, None, {}, (), {}, 0, 0, 0.0, error)


def _unjudged(rules: RuleStrategy, loaded: Loaded, why: str) -> StrategyPreview:
    candles = loaded.candles[0]
    chart = _chart(rules.for_symbol(candles.symbol), candles, loaded)
    return replace(nothing(candles.symbol, candles.interval, why), chart=chart,
                   names={key: key_label(key) for key in chart.lines}, n_bars=len(candles))


def _marks(bench: Bench, simulation: Any, wishes: Any) -> tuple[PreviewMark, ...]:
    """Return entries, exits, and the first bar of each stretch on which the rule fired and nothing was entered."""
    candles, step = bench.candles[0], bench.tape.bars.step
    found = []
    for trade in simulation.trades:
        found.append(PreviewMark(_bar(trade.entry_time, step), "entry"))
        found.append(PreviewMark(_bar(trade.exit_time, step), "exit", trade.closed_because))
    row = simulation.desk.book[0]
    if row[book.ENTRY_LOTS] > 0:
        found.append(PreviewMark(_bar(int(row[book.ENTRY_TIME]), step), "entry"))
    entered = {mark.time for mark in found if mark.kind == "entry"}
    rows = np.flatnonzero((wishes == 1) & (np.concatenate(([0], wishes[:-1])) != 1))
    times = candles.open_time[rows].tolist()
    found += [PreviewMark(time, "fired") for time in times if time + step not in entered and time not in entered]
    return tuple(sorted(found, key=lambda mark: mark.time))


def _bar(time_ms: int, step: int) -> int:
    return time_ms // step * step


def _chart(rules: RuleStrategy, candles: Candles, loaded: Loaded) -> ChartView:
    """Return the newest bars with the lines that the rule asks for."""
    lines: dict[str, FloatArray] = {}
    for key in _keys(rules):
        name, parameters, output = parse_key(key)
        lines[key] = INDICATORS[name].compute(candles, **parameters)[output][-N_SHOWN:]
    decimals = max(0, -int(loaded.specs[candles.symbol].tick_size.normalize().as_tuple().exponent))
    return ChartView(candles[-N_SHOWN:], lines, decimals)


def _keys(rules: RuleStrategy) -> list[str]:
    """Return the keys of the indicators that can be drawn, in the order of the document, at most six."""
    found: dict[str, None] = {}
    for place, _ in rules.bars_needed():
        series = place.operand
        if not isinstance(series, Series) or series.timeframe not in (None, rules.interval):
            continue
        source = series.source
        if isinstance(source, Study) and source.indicator in (*OVERLAYS, *PANES):
            numbers: dict[str, Any] = dict(source.parameters)
            found[format_key(source.indicator, numbers, source.output)] = None
    return list(found)[:N_LINES]
