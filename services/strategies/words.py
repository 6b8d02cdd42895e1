"""The plain-language reading of a strategy: every condition and every number of it, always in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trading.domain import split_symbol
from trading.indicators import INDICATORS
from trading.indicators.registry import output_label
from trading.strategies import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Extreme,
    Hours,
    Negation,
    Price,
    Ref,
    RuleStrategy,
    Trend,
)
from trading.strategies.reasons import DAY_NAMES, clock
from trading.strategies.tree import Amount, Operand, Source, Tree

NEVER = "never"
_OPERATORS = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}
_CROSSINGS = {"crosses_above": "above", "crosses_below": "below"}
_MOVED = {1: "risen", -1: "fallen"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strategy does, sentence by sentence; `text` is all of it, `parameters` are what a search may vary."""

    entry: str
    exit: str
    rank: str
    risk: str
    parameters: tuple[str, ...]

    @property
    def text(self) -> str:
        """The reading as one paragraph."""
        return " ".join(part for part in (f"{self.entry}.", f"{self.exit}; {self.risk}.", self.rank) if part)


def reading_of(strategy: RuleStrategy) -> Reading:
    """Return the reading of a strategy."""
    speller = Speller(strategy.values)
    rank = "" if strategy.rank is None else _rank(speller.operand(strategy.rank.by), strategy)
    parameters = tuple(f"{name} {number(one.value)} (a search tries {number(one.low)} to {number(one.high)} by "
                       f"{number(one.step)})" for name, one in strategy.parameters.items())
    return Reading(_entry(strategy, speller), _exit(strategy, speller), rank, risk_words(strategy.risk), parameters)


def words_of(strategy: RuleStrategy) -> str:
    """Return the reading of a strategy as one paragraph."""
    return reading_of(strategy).text


class Speller:
    """Says operands and conditions. With `values` a parameter is its number, without it is its name, `$rsi.period`."""

    def __init__(self, values: Mapping[str, float] | None = None) -> None:
        self._values = values

    def tree(self, tree: Tree) -> str:
        """Return a tree as the end of a sentence that begins with "when"."""
        terms = tree.terms if isinstance(tree, AllOf | AnyOf) else (tree,)
        if len(terms) == 1 and terms != (tree,):
            return self.tree(terms[0])
        if isinstance(tree, AllOf):
            return self._off(tree) if _is_off(tree) else self._every(tree.terms)
        return ", or ".join(self._part(term) for term in terms) or NEVER

    def condition(self, leaf: Compare | Trend | Hours, denied: bool = False) -> str:
        """Return one condition, or that it does not hold."""
        no = " not" if denied else ""
        if isinstance(leaf, Compare):
            left, right = self.operand(leaf.left), self.operand(leaf.right)
            if leaf.op in _CROSSINGS:
                verb = "does not cross" if denied else "crosses"
                return f"{left} {verb} {_CROSSINGS[leaf.op]} {right}"
            return f"{left} is{no} {_OPERATORS[leaf.op]} {right}"
        if isinstance(leaf, Trend):
            bars = self.amount(leaf.bars)
            return f"{self.operand(leaf.operand)} has{no} {_MOVED[leaf.sign]} for {bars} bar{'s' * (bars != '1')}"
        days = "" if len(leaf.days) == len(DAY_NAMES) else f" on {', '.join(DAY_NAMES[day] for day in leaf.days)}"
        verb = "does not close" if denied else "closes"
        return f"the bar {verb} between {clock(leaf.start)} and {clock(leaf.end)} UTC{days}"

    def operand(self, operand: Operand) -> str:
        """Return an operand: `1.02 × EMA(200) on 4h 1 bar ago + 5`."""
        if isinstance(operand, Constant):
            return self.amount(operand.value)
        times, plus, ago = self.amount(operand.times), self.amount(operand.plus), self.amount(operand.ago)
        text = self._source(operand.source)
        text = text if times == "1" else f"{times} × {text}"
        text += f" on {operand.timeframe}" if operand.timeframe else ""
        text += f" {ago} bar{'s' * (ago != '1')} ago" if ago != "0" else ""
        if plus == "0":
            return text
        return f"{text} - {plus[1:]}" if plus.startswith("-") else f"{text} + {plus}"

    def amount(self, value: Amount) -> str:
        """Return a number, or the parameter that stands for it."""
        if not isinstance(value, Ref):
            return number(value)
        return f"${value.name}" if self._values is None else number(self._values[value.name])

    def _source(self, source: Source) -> str:
        if isinstance(source, Price):
            return source.column
        if isinstance(source, Extreme):
            bars = self.amount(source.bars)
            return f"{source.kind} {source.column} of {bars} bar{'s' * (bars != '1')}"
        row = INDICATORS[source.indicator]
        numbers = ", ".join(self.amount(value) for _, value in source.parameters)
        text = f"{row.label}({numbers})" if numbers else row.label
        has_more = len(row.outputs) > 1 and source.output != source.indicator
        return f"{text} {output_label(source.output)}" if has_more else text

    def _every(self, terms: tuple[Tree, ...]) -> str:
        """Say what happens first, then what must hold meanwhile."""
        moments = [term for term in terms if isinstance(term, Compare) and term.op in _CROSSINGS]
        states = [term for term in terms if term not in moments]
        parts = [" and ".join(self._part(term) for term in group) for group in (moments, states) if group]
        return " while ".join(parts)

    def _off(self, tree: AllOf) -> str:
        return f"switched off: {' and '.join(self._part(term) for term in tree.terms if term != AnyOf(()))}"

    def _part(self, tree: Tree) -> str:
        if isinstance(tree, AllOf | AnyOf):
            if len(tree.terms) == 1:
                return self._part(tree.terms[0])
            if isinstance(tree, AllOf) and _is_off(tree):
                return f"({self._off(tree)})"
            word = " and " if isinstance(tree, AllOf) else " or "
            return f"({word.join(self._part(term) for term in tree.terms)})" if tree.terms else NEVER
        if isinstance(tree, Negation):
            if isinstance(tree.term, Compare | Trend | Hours):
                return self.condition(tree.term, True)
            return f"not ({self.tree(tree.term)})"
        return self.condition(tree)


def number(value: float) -> str:
    """Return a number without loss and without a needless point."""
    return str(int(value)) if value == int(value) else repr(float(value))


def risk_words(risk: Mapping[str, float]) -> str:
    """Return what a document says of risk; what it leaves out is the risk profile's."""
    found = [text.format(_scaled(name, risk[name])) for name, text in _RISK.items() if risk.get(name)]
    off = [f"no {text}" for name, text in _OFF.items() if name in risk and not risk[name]]
    return ", ".join([*found, *off]) or "stop and target as the risk profile says"


_RISK = {"stop_atr": "stop {} ATR", "target_atr": "target {} ATR", "trail_atr": "trailing stop {} ATR",
         "breakeven_atr": "stop to the entry after a gain of {} ATR", "time_stop_bars": "sold after {} bars",
         "cool_down_bars": "no entry for {} bars after a trade", "risk_rate": "{} % of equity at risk a trade",
         "max_position_rate": "position up to {} % of equity", "max_exposure_rate": "exposure up to {} % of equity",
         "max_positions": "at most {} open positions", "daily_loss_rate": "daily loss limit {} %",
         "max_drawdown_rate": "kill switch at a drawdown of {} %"}
_OFF = {"target_atr": "target", "trail_atr": "trailing stop", "breakeven_atr": "stop to the entry",
        "time_stop_bars": "limit of time", "cool_down_bars": "pause after a trade"}


def _scaled(name: str, value: float) -> str:
    return f"{value * 100:.6g}" if name.endswith("_rate") else number(value)


def _entry(strategy: RuleStrategy, speller: Speller) -> str:
    symbols = _or([f"{'/'.join(split_symbol(symbol))}" for symbol in strategy.symbols])
    act = f"buy {symbols}" if strategy.side == "long" else f"sell {symbols} short (research only)"
    bars = f"On {strategy.interval} bars, " if strategy.interval else ""
    when = speller.tree(strategy.entry)
    never = _is_never(strategy.entry)
    text = f"{bars}never {act}{_unless_plain(when)}" if never else f"{bars}{act} at the next open when {when}"
    return text[0].upper() + text[1:]


def _exit(strategy: RuleStrategy, speller: Speller) -> str:
    when = speller.tree(strategy.exit)
    return f"No rule leaves{_unless_plain(when)}" if _is_never(strategy.exit) else f"Leave when {when}"


def _unless_plain(when: str) -> str:
    """Return the conditions that can never hold, where there are any."""
    return "" if when == NEVER else f" ({when})"


def _is_never(tree: Tree) -> bool:
    """Say whether a tree cannot hold on any bar, whatever its conditions see."""
    if isinstance(tree, AnyOf):
        return all(_is_never(term) for term in tree.terms)
    return isinstance(tree, AllOf) and any(_is_never(term) for term in tree.terms)


def _rank(by: str, strategy: RuleStrategy) -> str:
    n = strategy.rank.top_n if strategy.rank else 1
    which = "the one" if n == 1 else f"the {n}"
    return f"When several symbols say so at once, {which} with the highest {by} may enter."


def _or(words: Iterable[str]) -> str:
    *head, last = words
    return f"{', '.join(head)} or {last}" if head else last


def _is_off(tree: Tree) -> bool:
    """Say whether a group can never hold because one of its terms is nothing at all: how form 1 switches a vote off."""
    return isinstance(tree, AllOf) and len(tree.terms) > 1 and AnyOf(()) in tree.terms
