"""The strategy workshop: the store, with drafts to edit, previews, and how each strategy fares."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.strategies.changes import changes
from services.strategies.documents import to_document
from services.strategies.editing.draft import Draft, digest
from services.strategies.editing.showing import shown
from services.strategies.health import health_of, light_of
from services.strategies.judging import judged
from services.strategies.names import id_of, numbered, slug, symbol_of
from services.strategies.preview import Previewer, nothing
from services.strategies.reading import parse_strategy
from services.strategies.shelf import shipped_strategies
from services.strategies.store import StrategyStore
from services.strategies.traded import Origin, trades_of, unknown
from trading.controls import RANGES
from trading.domain import INTERVAL_MS
from trading.domain.strategies import StrategyChange, StrategyEntry, StrategyVersion
from trading.domain.workshop import (
    Catalog,
    DraftView,
    IndicatorChoice,
    ListedStrategy,
    ParameterChoice,
    ShippedChoice,
    StrategyPreview,
    StrategyShelf,
    VersionLine,
)
from trading.errors import BadInput, StrategyChanged, StrategyInUse
from trading.indicators import INDICATORS
from trading.indicators.registry import output_label
from trading.strategies.reasons import DAY_NAMES
from trading.strategies.tree import PRICES

log = logging.getLogger(__name__)

Trades = Callable[[], Iterable[Any]]
SHIPPED = "shipped"
N_LINES = 8
PATIENCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the workshop asks of the cockpit around it.

    `trades` are finished ones (as `TradeView`), `origin` says where the strategy of one is kept (nothing: not known),
    `expected` gives those of the newest backtest of an entry's document on the cockpit's bars, `running` names the
    strategies that trade now (`BTCUSDT/dips`, or a shipped id), `interval` is their bars. `version` gives which version
    of a strategy trades (0: it does not, or has none), `pending` the words for a newer one that is saved, `in_use` says
    why a strategy must not be deleted (nothing: it may).
    """

    trades: Trades
    expected: Callable[[StrategyEntry, Mapping[str, Any]], Iterable[Any]]
    running: Callable[[], Iterable[str]]
    symbols: tuple[str, ...]
    interval: str
    origin: Origin = unknown
    version: Callable[[str], int] = lambda ref: 0
    pending: Callable[[str, int], str] = lambda ref, newest: ""
    in_use: Callable[[str], str] = lambda ref: ""


class Workshop(StrategyStore):
    """Implements `services.container.StrategyPort`."""

    def __init__(self, folder: Path, previewer: Previewer, around: Surroundings) -> None:
        super().__init__(folder)
        self._previewer, self._around = previewer, around

    def catalog(self) -> Catalog:
        """Return what a rule may be made of."""
        return Catalog(tuple(_indicator(name) for name in INDICATORS), PRICES, tuple(INTERVAL_MS), tuple(DAY_NAMES),
                       tuple((name, text) for name, (_, _, text) in RANGES.items()))

    def shelf(self) -> StrategyShelf:
        """Return all that can be opened: the user's with their health, the deleted ones, and the shipped ones."""
        entries = self.list(deleted=True)
        trades, running, origin = tuple(self._around.trades()), frozenset(self._around.running()), self._around.origin
        here = tuple(one for one in entries if not one.is_deleted)
        own = tuple(self._listed(one, trades_of(one, trades, here, origin), running) for one in here)
        shipped = tuple(self._shipped(name, document) for name, document in shipped_strategies())
        return StrategyShelf(own, tuple(one for one in entries if one.is_deleted), shipped)

    def traded(self, entry: StrategyEntry, trades: Iterable[Any]) -> tuple[Any, ...]:
        """Return the account's trades that are a strategy's own, on its symbols."""
        return trades_of(entry, trades, self.list(), self._around.origin)

    def _listed(self, entry: StrategyEntry, seen: Sequence[Any], running: frozenset[str]) -> ListedStrategy:
        tested = {*entry.symbols, entry.symbol}
        like = tuple(one for one in seen if one.symbol in tested)
        return ListedStrategy(entry, health_of(seen), light_of(self._expected(entry) if like else (), like),
                              entry.ref in running, self._around.pending(entry.ref, entry.version))

    def _expected(self, entry: StrategyEntry) -> Iterable[Any]:
        if entry.mistakes or not entry.version:
            return ()
        try:
            return self._around.expected(entry, self.load(entry.symbol, entry.id).document)
        except Exception:
            log.exception("the backtest of %s cannot be read; its light stays off", entry.ref)
            return ()

    def _shipped(self, name: str, document: Mapping[str, Any]) -> ShippedChoice:
        rules = parse_strategy(document, name, name)
        return ShippedChoice(name, rules.name, rules.symbols, rules.notes)

    def blank(self) -> DraftView:
        """Return a new strategy: a rule that works, to be changed."""
        return shown(Draft.of({
            "version": 2, "name": "New strategy", "symbols": [self._around.symbols[0]],
            "timeframe": self._around.interval, "side": "long",
            "entry": {"all": [{"left": "rsi_14", "op": "crosses_above", "right": 30}]},
            "exit": {"any": [{"left": "rsi_14", "op": ">", "right": 60}]},
            "risk": {"stop_atr": 2.0, "target_atr": 3.0}}))

    def open(self, symbol: str, name: str, version: int | None = None) -> DraftView:
        """Return the draft of a stored strategy; of a broken one its text, with what is wrong with it.

        With symbol `shipped` a strategy that came with the cockpit, as a new one.
        """
        if symbol == SHIPPED:
            return shown(Draft.of(self._shipped_document(name)))
        text = self.text(symbol, name, version)
        found = judged(text.encode("utf-8", "replace"), name)
        entry = next((one for one in self.list(symbol, deleted=True) if one.id == id_of(name, symbol_of(symbol))), None)
        newest = entry.version if entry else 0
        document = found.document
        if found.strategy is not None and document is not None and document.get("version") != 2:
            document = to_document(found.strategy)
        place = (symbol_of(symbol), id_of(name, symbol_of(symbol)), newest)
        draft = replace(Draft.of({}, *place), typed=text) if document is None else Draft.of(document, *place)
        is_newest = version in (None, newest) and document is found.document
        return shown(draft if is_newest else replace(draft, saved=""))

    def _shipped_document(self, name: str) -> dict[str, Any]:
        for one, document in shipped_strategies():
            if one == name:
                return to_document(parse_strategy(document, name, name))
        raise BadInput(f"{name!r} is no shipped strategy; look at the list")

    def edit(self, state: Any, acts: Sequence[Mapping[str, Any]]) -> DraftView:
        """Return a draft after the acts that it has not seen yet."""
        return shown(Draft.from_state(state).after(acts))

    def keep(self, state: Any) -> DraftView:
        """Save a draft as the next version of what it was opened from, a new one under an id after its name.

        Raises
        ------
        BadStrategy
            It is no strategy yet; StrategyChanged where a newer version is there.
        """
        draft = Draft.from_state(state)
        if draft.typed is not None:
            raise BadInput("the JSON cannot be read; mend it first, its line is shown")
        document = draft.document
        rules = parse_strategy(document, "", draft.id or "unnamed")
        if draft.version:
            symbol, name = draft.symbol, draft.id
            if symbol not in rules.symbols:
                raise BadInput(f"this strategy is kept under {symbol}, so {symbol} must stay among its symbols; "
                               "duplicate it for other symbols")
            entry = self.save(symbol, name, document, draft.version)
        else:
            entry = self._keep_new(rules.symbol, slug(rules.name), document)
        return shown(replace(draft, symbol=entry.symbol, id=entry.id, version=entry.version, saved=digest(document),
                             notice=""))

    def _keep_new(self, symbol: str, base: str, document: Mapping[str, Any]) -> StrategyEntry:
        """Save under the first free id."""
        for number in range(1, 100):
            try:
                return self.save(symbol, numbered(id_of(base, symbol), number), document, 0)
            except StrategyChanged:
                continue
        raise BadInput(f"there are a hundred strategies called {base} on {symbol}; choose another name")

    def newest(self, state: Any) -> DraftView:
        """Return a draft with its rules, to be saved over a version that came meanwhile."""
        draft = Draft.from_state(state)
        entry = next((one for one in self.list(draft.symbol, deleted=True) if one.id == draft.id), None)
        return shown(replace(draft, version=entry.version if entry else 0))

    def apart(self, state: Any) -> DraftView:
        """Return a draft as a new strategy, to be saved beside the one that it came from."""
        return shown(replace(Draft.from_state(state), symbol="", id="", version=0, saved=""))

    def delete(self, symbol: str, name: str, edited: int | None = None) -> StrategyEntry:
        """Remove a strategy's file; StrategyInUse while it trades, or would at the next start."""
        why = self._around.in_use(_ref(symbol, name))
        if why:
            raise StrategyInUse(f"{_ref(symbol, name)} was not deleted: {why}")
        return super().delete(symbol, name, edited)

    def pending(self, symbol: str, name: str) -> str:
        """Return what must be known of a version that is saved and does not trade, or nothing."""
        ref = _ref(symbol, name)
        return self._around.pending(ref, self.number_of(ref))

    def preview(self, document: Mapping[str, Any], symbol: str, interval: str) -> StrategyPreview:
        """Return what a document would have done on the newest bars of a symbol. Takes milliseconds; not for a loop."""
        try:
            rules = parse_strategy(document, "", "unnamed")
        except BadInput:
            return nothing(symbol, interval, "the rule is not complete yet")
        return self._previewer.preview(rules, document, symbol, interval)

    def history(self, symbol: str, name: str) -> tuple[VersionLine, ...]:
        """Return the newest versions, each with what changed and what it would have done; the newest first."""
        versions, running = self.versions(symbol, name), frozenset(self._around.running())
        ref = _ref(symbol, name)
        used = self._around.version(ref) or versions[0].number
        found = []
        for number, version in enumerate(versions[:N_LINES]):
            older = next((one for one in versions[number + 1:] if _is_sound(one)), None)
            is_running = version.number == used and ref in running
            if not _is_sound(version):
                found.append(VersionLine(version, "", {}, is_running))
                continue
            told = self.diff(symbol, name, older.number, version.number) if older else ()
            words = "; ".join(one.words for one in told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")
            found.append(VersionLine(version, words, self._figures(symbol, name, version.number), is_running))
        return tuple(found)

    def _figures(self, symbol: str, name: str, version: int) -> Mapping[str, float | None]:
        """Return what a version would have done on the newest bars; nothing while another rule takes long."""
        document = self.load(symbol, name, version).document
        rules = parse_strategy(document, "", name)
        interval = rules.interval or self.interval()
        return self._previewer.preview(rules, document, symbol_of(symbol), interval, PATIENCE_S).figures

    def compare(self, state: Any, old: int, new: int) -> tuple[StrategyChange, ...]:
        """Return what differs between two versions of a draft's strategy; 0 stands for the draft as it is."""
        draft = Draft.from_state(state)
        before, after = (self.load(draft.symbol, draft.id, one).document if one else draft.document
                         for one in (old, new))
        return changes(parse_strategy(before, "", draft.id), parse_strategy(after, "", draft.id))

    def adopt(self, ref: str) -> StrategyEntry:
        """Give a loose file a place and versions."""
        found = next((one for one in self.list() if one.ref == ref and one.kind == "loose"), None)
        if found is None:
            raise BadInput(f"{ref!r} is no loose file any more; look at the list")
        return self.import_file(found.path)

    def interval(self) -> str:
        """Return the bars that the cockpit decides on."""
        return self._around.interval

    def running(self) -> str:
        """Return what trades now: `BTCUSDT/dips`, a shipped id, several with commas between them, or nothing."""
        return ", ".join(sorted(self._around.running()))


def _ref(symbol: str, name: str) -> str:
    return f"{symbol_of(symbol)}/{id_of(name, symbol_of(symbol))}"


def _is_sound(version: StrategyVersion) -> bool:
    return not version.mistakes and version.kind not in ("deleted", "removed")


def _indicator(name: str) -> IndicatorChoice:
    row = INDICATORS[name]
    parameters = tuple(ParameterChoice(p.name, p.default, p.low, p.high) for p in row.parameters)
    return IndicatorChoice(name, row.label, parameters, tuple((one, output_label(one)) for one in row.outputs))
