"""Every indicator by name, and the keys by which charts and rules ask for one: `ema_20`, `bb_20_2.upper`.

A module of this package that has an `INDICATOR` is in the table; nothing needs to be registered by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from pkgutil import iter_modules

import numpy as np

from trading import indicators
from trading.domain import Candle, Candles, FloatArray
from trading.errors import BadInput
from trading.indicators.compiling import entry_point
from trading.indicators.indicator import WHOLE, Indicator, Parameter

_SHAPE = re.compile(r"([a-z]+(?:_[a-z]+)*)((?:_\d+(?:\.\d+)?)*)(?:\.([a-z_]+))?", re.ASCII)


def _discover() -> dict[str, Indicator]:
    names = sorted(module.name for module in iter_modules(indicators.__path__))
    modules = (import_module(f"trading.indicators.{name}") for name in names if name != "registry")
    found = (module.INDICATOR for module in modules if hasattr(module, "INDICATOR"))
    return {indicator.name: indicator for indicator in found}


INDICATORS: dict[str, Indicator] = _discover()


def parse_key(key: str) -> tuple[str, dict[str, float], str]:
    """Split a key into (name, parameters, output).

    All parameters are given, or none (then the defaults hold); without an output the primary one is meant.

    Raises
    ------
    BadInput
        An unknown indicator or output, a wrong number of parameters, or one that is not allowed.
    """
    match = _SHAPE.fullmatch(key)
    if match is None or match[1] not in INDICATORS:
        raise BadInput(f"{key!r} is no indicator; known are {', '.join(INDICATORS)}, written like ema_20")
    indicator = INDICATORS[match[1]]
    numbers = match[2].split("_")[1:]
    if numbers and len(numbers) != len(indicator.parameters):
        wanted = "_".join(p.name for p in indicator.parameters) or "no numbers"
        raise BadInput(f"{key!r}: {len(numbers)} numbers given; {indicator.name} takes {wanted}")
    output = match[3] or indicator.primary
    if output not in indicator.outputs:
        raise BadInput(f"{key!r}: unknown output {output!r}; {indicator.name} has {', '.join(indicator.outputs)}")
    pairs = zip(indicator.parameters, numbers, strict=False)
    return indicator.name, indicator.settings(**{p.name: float(n) for p, n in pairs}), output


def format_key(name: str, parameters: Mapping[str, float] | None = None, output: str | None = None) -> str:
    """Return the one canonical key: all parameters spelled out, the output where there are several."""
    indicator = INDICATORS[name]
    numbers = _numbers(indicator, parameters or {})
    suffix = f".{output or indicator.primary}" if len(indicator.outputs) > 1 else ""
    return "_".join([name, *numbers]) + suffix


def key_label(key: str) -> str:
    """Return what a person reads: `ema_20` -> `EMA 20`, `bb_20_2.upper` -> `Bollinger 20 2 upper`."""
    name, parameters, output = parse_key(key)
    indicator = INDICATORS[name]
    words = [indicator.label, *_numbers(indicator, parameters)]
    if len(indicator.outputs) > 1 and output != name:
        words.append(output_label(output))
    return " ".join(words)


def output_label(output: str) -> str:
    """Return what a person reads of an output: `plus_di` -> `+DI`."""
    return _OUTPUT_LABELS.get(output, output)


_OUTPUT_LABELS = {"plus_di": "+DI", "minus_di": "-DI", "k": "%K", "d": "%D", "span_a": "span A", "span_b": "span B"}


def _numbers(indicator: Indicator, parameters: Mapping[str, float]) -> list[str]:
    checked = indicator.settings(**parameters)
    return [_number(p, checked[p.name]) for p in indicator.parameters]


def _number(parameter: Parameter, value: float) -> str:
    return str(int(value)) if parameter.whole or value == int(value) else repr(value)


class IndicatorStream:
    """An indicator that is fed bar by bar. Not to be shared between threads.

    Raises
    ------
    BadInput
        An indicator that is not in the table, or a parameter that it does not know or allow.
    """

    def __init__(self, name: str, parameters: Mapping[str, float] | None = None) -> None:
        if name not in INDICATORS:
            raise BadInput(f"{name!r} is no indicator; known are {', '.join(INDICATORS)}")
        self.indicator = indicator = INDICATORS[name]
        self.parameters = indicator.settings(**(parameters or {}))
        self._state = indicator.new_state(**self.parameters)
        self._scratch = self._state.copy()
        examples = (0 if name in WHOLE else 0.0 for name in indicator.inputs)
        self._step = entry_point(indicator.step, self._state, *examples)
        self._inputs = _reader(indicator.inputs)

    @property
    def state(self) -> FloatArray:
        """A copy of the state, `(n_state,)`."""
        return self._state.copy()

    def warm_up(self, candles: Candles) -> dict[str, FloatArray]:
        """Take in closed bars and return each output over them, `(n_bars,)`; equal to pushing them one by one."""
        return self.indicator.run(self._state, candles)

    def push(self, candle: Candle) -> tuple[float, ...]:
        """Take in one closed bar and return the outputs in their order."""
        return self._step(self._state, *self._inputs(candle))

    def peek(self, candle: Candle) -> tuple[float, ...]:
        """Return the outputs that a still forming bar would give, and forget it."""
        np.copyto(self._scratch, self._state)
        return self._step(self._scratch, *self._inputs(candle))


def _reader(columns: tuple[str, ...]) -> Callable[[Candle], tuple[float, ...]]:
    if len(columns) > 1:
        return attrgetter(*columns)
    read = attrgetter(columns[0])
    return lambda candle: (read(candle),)
