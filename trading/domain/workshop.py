"""The strategy workshop as the screen sees it: a draft in rows, what can be chosen, and what a rule would have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trading.domain.strategies import HealthLight, Mistake, StrategyEntry, StrategyHealth, StrategyVersion
from trading.domain.views import ChartView


@dataclass(frozen=True, slots=True)
class ParameterChoice:
    """A setting of an indicator and its range."""

    name: str
    default: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class IndicatorChoice:
    """An indicator that a condition may ask for."""

    name: str
    label: str
    parameters: tuple[ParameterChoice, ...]
    outputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a rule may be made of; `risk` are (field, words of its range)."""

    indicators: tuple[IndicatorChoice, ...]
    prices: tuple[str, ...]
    timeframes: tuple[str, ...]
    days: tuple[str, ...]
    risk: tuple[tuple[str, str], ...]

    def indicator(self, name: str) -> IndicatorChoice | None:
        """Return an indicator by its name."""
        return next((one for one in self.indicators if one.name == name), None)


@dataclass(frozen=True, slots=True)
class OperandView:
    """One side of a condition. Amounts are as written: a number or `$parameter`.

    `kind`: number, parameter, price, indicator, highest, lowest, or raw for what is none of these.
    """

    kind: str
    words: str
    name: str = ""
    amounts: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    timeframe: str = ""

    def amount(self, name: str) -> str:
        """Return an amount as text, nothing where it is left out."""
        return self.amounts.get(name, "")


@dataclass(frozen=True, slots=True)
class RowView:
    """A condition or group of a draft.

    Attributes
    ----------
    kind : all, any, not; compare, rising, falling, time, raw.
    depth : 0 for the whole of a side.
    operands : by name: left and right, or operand.
    words : what it says, for what the builder cannot edit as well.
    mistakes : what is wrong with it.
    """

    id: str
    parent: str
    side: str
    kind: str
    depth: int
    place: str
    operands: Mapping[str, OperandView]
    op: str = ""
    bars: str = ""
    hours: tuple[str, str, tuple[str, ...]] = ("", "", ())
    words: str = ""
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadingView:
    """A strategy in plain words, part by part."""

    entry: str
    exit: str
    rank: str
    risk: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A strategy that is being edited.

    Attributes
    ----------
    state : all that the browser keeps of it, JSON values.
    head : the document's fields without entry and exit.
    text : the document as JSON text, or what was typed where that is none.
    mistakes : all of them; those of a row stand there, too.
    symbol, id, version : what it was opened from; nothing and 0 for a new one.
    is_changed : whether it differs from what was opened or saved.
    open_row : the row whose details are open.
    """

    state: Mapping[str, Any]
    document: Mapping[str, Any]
    head: Mapping[str, Any]
    rows: tuple[RowView, ...]
    text: str
    mistakes: tuple[Mistake, ...]
    reading: ReadingView | None
    symbol: str = ""
    id: str = ""
    version: int = 0
    is_changed: bool = False
    can_undo: bool = False
    can_redo: bool = False
    open_row: str = ""
    notice: str = ""
    rank: OperandView | None = None

    @property
    def is_unsound(self) -> bool:
        """Whether `text` is what was typed and no JSON object: `document` is the last that was one."""
        return self.state.get("typed") is not None

    @property
    def name(self) -> str:
        """What it is called."""
        found = self.head.get("name")
        return found if isinstance(found, str) and found else self.id or "Unnamed"

    @property
    def symbols(self) -> tuple[str, ...]:
        """Its symbols, those that are text."""
        found = self.head.get("symbols")
        return tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()


@dataclass(frozen=True, slots=True)
class ShippedChoice:
    """A strategy that came with the cockpit."""

    id: str
    name: str
    symbols: tuple[str, ...]
    notes: str


@dataclass(frozen=True, slots=True)
class ListedStrategy:
    """A strategy of the user's in the list, with how it fares.

    `note` says what must be known of its versions, such as that an older one trades; mostly nothing.
    """

    entry: StrategyEntry
    health: StrategyHealth
    light: HealthLight
    is_running: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class StrategyShelf:
    """All that can be opened."""

    own: tuple[ListedStrategy, ...]
    deleted: tuple[StrategyEntry, ...]
    shipped: tuple[ShippedChoice, ...]


@dataclass(frozen=True, slots=True)
class PreviewMark:
    """Something that the rule would have done. `kind`: entry, exit, or fired (a wish to enter that came to nothing)."""

    time: int
    kind: str
    words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StrategyPreview:
    """What a rule would have done on the newest bars of a symbol.

    `figures` are those of a backtest (costs in); `names` label the chart's lines; `error` says why there is nothing.
    """

    symbol: str
    interval: str
    chart: ChartView | None
    names: Mapping[str, str]
    marks: tuple[PreviewMark, ...]
    figures: Mapping[str, float | None]
    n_bars: int
    n_entries: int
    seconds: float
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list: what changed with it in words, and what its rule would have done on the newest bars."""

    version: StrategyVersion
    words: str
    figures: Mapping[str, float | None]
    is_running: bool = False
