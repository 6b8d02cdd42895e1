"""The frozen bundle that callbacks get: what the screen may ask for, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trading.domain import Candle, Candles, ChartView, CockpitView, DecisionView, Fill, RiskProfile, SeriesView
from trading.domain.agents import AgentConfig, AgentPrediction, AgentsView, MotherChoice
from trading.domain.backtests import (
    BacktestProgress,
    BacktestRequest,
    BacktestView,
    CostSettings,
    MarketChoice,
    RunSummary,
    StrategyChoice,
)
from trading.domain.journal import (
    FOREVER,
    DecisionPage,
    DecisionQuery,
    ImportReport,
    JournalChoices,
    JournalFigures,
    JournalTrade,
    LogSummary,
    TradeFilter,
    TradePage,
)
from trading.domain.learning import Appointment, Drift, ModelReport, ModelVersion, TrainingRun, TrainRequest
from trading.domain.live import LiveView
from trading.domain.rehearsal import RehearsalRequest, RehearsalView
from trading.domain.strategies import Mistake, StoredStrategy, StrategyChange, StrategyEntry, StrategyVersion
from trading.domain.studies import SavedStrategy, StudyRequest, StudySummary, StudyView
from trading.domain.workshop import Catalog, DraftView, StrategyPreview, StrategyShelf, VersionLine
from trading.events import CommandAnswered


class PortfolioPort(Protocol):
    """The account as the screen sees it. Every method may be called from any thread and returns at once."""

    def view(self) -> CockpitView:
        """Return the newest picture (the same object until something changes)."""
        ...

    def series(self) -> SeriesView:
        """Return equity, benchmark and drawdown, at most about 2,000 points, the newest last."""
        ...

    def decision(self, key: str) -> DecisionView | None:
        """Return one decision record, also an old one.

        `key` is that of a `DecisionView`, `PositionView` or `TradeView`, or an order's client id.
        """
        ...

    def fills(self, symbol: str) -> tuple[Fill, ...]:
        """Return the newest fills of a symbol, oldest first (for chart markers)."""
        ...


class ChartPort(Protocol):
    """Candles and indicators for the price chart."""

    def chart(self, symbol: str, timeframe: str, n_bars: int, lines: tuple[str, ...]) -> ChartView:
        """Return the last `n_bars` bars, the forming one included, with the indicator columns asked for.

        `lines` are keys of `indicator_names()`.
        """
        ...

    def last_bar(self, symbol: str, timeframe: str, lines: tuple[str, ...]) -> tuple[Candle, dict[str, float]] | None:
        """Return the forming bar and the indicators' values on it, None without data; cheap enough for each push."""
        ...

    def timeframes(self) -> tuple[str, ...]:
        """Return the timeframes that derive from the base interval."""
        ...

    def indicator_names(self) -> dict[str, str]:
        """Return key -> label of every line that can be drawn: `ema_20` -> `EMA 20`."""
        ...


class SessionPort(Protocol):
    """Commands to the engine."""

    async def send(self, kind: str, nonce: str, version: int | None = None, **arguments: Any) -> CommandAnswered:
        """Post a command and wait for the engine's answer.

        Kinds: start, pause, stop, set_mode (mode), set_risk (profile: RiskProfile), kill (reason), rearm (reason),
        flatten, close (symbol, rate: fraction of the position), add (symbol), cancel (client_id), disarm,
        arm (word; reason where the ladder asks for one), use_strategy (ref: `BTCUSDT/dips`).
        Commands that add risk need `version`, the control version on screen; a stale one is refused.
        """
        ...


class HubPort(Protocol):
    """Wakes the browser's connections when something changed."""

    def subscribe(self) -> asyncio.Event:
        """Return an event of the running loop that is set at every change (the caller clears it)."""
        ...

    def unsubscribe(self, changed: asyncio.Event) -> None:
        """Forget a subscriber."""
        ...


class BacktestPort(Protocol):
    """Backtests in the background. Every method may be called from any thread and returns at once."""

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """Return the strategies that can be run, the shipped ones and the user's."""
        ...

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with stored candles."""
        ...

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        ...

    def start(self, request: BacktestRequest) -> str:
        """Begin a run and return its key; the same question has the same key. BadInput names what is wrong."""
        ...

    def progress(self, key: str) -> BacktestProgress:
        """Return how far a run is; an unknown key is a failed run."""
        ...

    def cancel(self, key: str) -> None:
        """Stop a run that has not finished."""
        ...

    def request(self, key: str) -> BacktestRequest | None:
        """Return the question of a run, also of one that was interrupted or failed; None for an unknown key."""
        ...

    def view(self, key: str) -> BacktestView | None:
        """Return a finished run, also one of earlier days; its checks fill up while they run."""
        ...

    def runs(self) -> tuple[RunSummary, ...]:
        """Return the stored runs, newest first."""
        ...

    def candles(self, symbol: str, interval: str, start: int, end: int) -> Candles:
        """Return the stored bars with `start <= open_time < end`, no bars where none are stored."""
        ...


class LearningPort(Protocol):
    """Models and their training in the background; a market is a symbol and an interval.

    Every method may be called from any thread; what may read files is quick, but nothing for an event loop.
    """

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with stored candles."""
        ...

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        ...

    def start(self, request: TrainRequest, why: str = "by hand") -> str:
        """Begin a training and return its key; a market that is trained the same way already has that key.

        BadInput names what is wrong, or which other training of the market must end first.
        """
        ...

    def progress(self, key: str) -> BacktestProgress:
        """Return how far a training is; an unknown key is a failed one."""
        ...

    def cancel(self, key: str) -> None:
        """Stop a training that has not finished; nothing of it is kept."""
        ...

    def runs(self) -> tuple[TrainingRun, ...]:
        """Return the trainings of all markets, also those of earlier days, newest first."""
        ...

    def versions(self, symbol: str, interval: str) -> tuple[ModelVersion, ...]:
        """Return the models of a market, newest first."""
        ...

    def champion(self, symbol: str, interval: str) -> ModelVersion | None:
        """Return the model that votes, None if no one does."""
        ...

    def report(self, version: str) -> ModelReport | None:
        """Return what is known of a model, None if there is no such model or its report cannot be read."""
        ...

    def drift(self, symbol: str, interval: str) -> Drift | None:
        """Return what the last check found of the champion, None if there was none."""
        ...

    def history(self, symbol: str, interval: str) -> tuple[Appointment, ...]:
        """Return the changes of champion, newest first."""
        ...

    def appoint(self, version: str, reason: str) -> Appointment:
        """Make a model the champion by hand; BadInput says why it cannot be."""
        ...

    def roll_back(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Appoint the champion before this one again; BadInput if there is none."""
        ...

    def silence(self, symbol: str, interval: str, reason: str) -> Appointment:
        """Take the vote from a market's champion."""
        ...

    def is_kept_fresh(self, symbol: str, interval: str) -> bool:
        """Tell whether the schedule trains a market again."""
        ...

    def keep_fresh(self, symbol: str, interval: str, wanted: bool) -> None:
        """Have the schedule train a market again, or not."""
        ...


class StudyPort(Protocol):
    """Searches for better rules and settings, one at a time. Every method may be called from any thread."""

    def strategies(self) -> tuple[StrategyChoice, ...]:
        """Return the strategies that a search may begin from."""
        ...

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with candles."""
        ...

    def costs(self) -> CostSettings:
        """Return the costs of the settings."""
        ...

    def start(self, request: StudyRequest) -> str:
        """Begin a study and return its key; the same question has the same key. BadInput names what is wrong."""
        ...

    def resume(self, key: str) -> None:
        """Go on with a study that was cancelled, cut off by a restart, or failed."""
        ...

    def cancel(self, key: str) -> None:
        """Stop a study that has not finished; what it tried is kept."""
        ...

    def view(self, key: str) -> StudyView | None:
        """Return a study as it stands, also one that waits or runs; None for an unknown key."""
        ...

    def studies(self) -> tuple[StudySummary, ...]:
        """Return all studies, newest first."""
        ...

    def save(self, key: str) -> SavedStrategy:
        """Put a study's champion among the user's strategies; saved twice it is one file, and none is overwritten."""
        ...


class LivePort(Protocol):
    """The way to a venue: ladder, keys, what may be lost, parity. Every method may be called from any thread."""

    def view(self) -> LiveView:
        """Return the newest picture; a parity report that is missing or old is begun. Reads files: not for a loop."""
        ...

    def compare(self) -> None:
        """Compare the account with its own replay anew."""
        ...

    def release(self, symbol: str) -> None:
        """Ask for the end of a quarantine, granted if account and books agree. BadInput where there is none."""
        ...


class RehearsalPort(Protocol):
    """A rehearsal: an exchange that misbehaves, and a cockpit on it. Every method may be called from any thread."""

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols of the simulated market."""
        ...

    def markets(self) -> tuple[MarketChoice, ...]:
        """Return the symbols with stored candles."""
        ...

    def view(self) -> RehearsalView:
        """Return the newest picture (the same object until something changes)."""
        ...

    def start(self, request: RehearsalRequest) -> None:
        """Begin a rehearsal; BadInput names what is wrong. What happens then is in the view."""
        ...

    def stop(self) -> None:
        """End the rehearsal; returns at once."""
        ...

    def set_fault(self, name: str, wanted: bool) -> None:
        """Throw a switch or put it back; CockpitError says why that cannot be. Waits for the exchange."""
        ...

    def clear_faults(self) -> None:
        """Put all switches back; as `set_fault`."""
        ...

    def release(self) -> None:
        """Ask for the end of every quarantine there: granted where account and books agree; BadInput without one."""
        ...


class StrategyPort(Protocol):
    """The user's strategies (`services.strategies.StrategyStore`). Reads files: not for a loop, any other thread may.

    `edited` is the number of the version that was read before it was changed, 0 for a new strategy; StrategyChanged
    says that a newer one is there. Other errors: UnknownStrategy, BadStrategy, BadInput, StateFailed.
    """

    def list(self, symbol: str = "", deleted: bool = False) -> tuple[StrategyEntry, ...]:
        """Return every strategy, the broken and the loose ones too, on wish also those of which versions are left."""
        ...

    def load(self, symbol: str, name: str, version: int | None = None) -> StoredStrategy:
        """Return a strategy's document, or that of an old version."""
        ...

    def traded(self, entry: StrategyEntry, trades: Iterable[Any]) -> tuple[Any, ...]:
        """Return the account's trades that are a strategy's own, on its symbols; a copy has none of the original's."""
        ...

    def text(self, symbol: str, name: str, version: int | None = None) -> str:
        """Return a version's text as it was written, also a broken one."""
        ...

    def check(self, text: str | bytes, symbol: str = "") -> tuple[Mistake, ...]:
        """Return what is wrong with a text, with place, line and column."""
        ...

    def save(self, symbol: str, name: str, document: object, edited: int) -> StrategyEntry:
        """Keep a document as the next version."""
        ...

    def delete(self, symbol: str, name: str, edited: int | None = None) -> StrategyEntry:
        """Remove a strategy's file; `restore` brings it back. StrategyInUse while it trades or would at a start."""
        ...

    def pending(self, symbol: str, name: str) -> str:
        """Return what must be known of a version that is saved and does not trade, or nothing."""
        ...

    def restore(self, symbol: str, name: str, version: int | None = None, edited: int | None = None) -> StrategyEntry:
        """Make an old version the newest, without a number the last sound one."""
        ...

    def duplicate(self, symbol: str, name: str, new_name: str = "", new_symbol: str = "") -> StrategyEntry:
        """Copy a strategy under a free id, on wish to another symbol."""
        ...

    def versions(self, symbol: str, name: str) -> tuple[StrategyVersion, ...]:
        """Return every version, the newest first."""
        ...

    def diff(self, symbol: str, name: str, old: int, new: int | None = None) -> tuple[StrategyChange, ...]:
        """Return what changed from one version to another, in words."""
        ...

    def import_text(self, file_name: str, content: bytes, symbol: str = "", name: str = "") -> StrategyEntry:
        """Bring in what a file of that name holds; nothing is overwritten."""
        ...

    def export(self, symbol: str, name: str, version: int | None = None) -> tuple[str, str]:
        """Return (file name, text) of a strategy to give away."""
        ...

    def register(self, symbol: str, name: str) -> StrategyEntry:
        """Let agents use a strategy."""
        ...

    def unregister(self, symbol: str, name: str) -> StrategyEntry:
        """Keep a strategy and let nobody use it of itself."""
        ...

    def default(self, symbol: str) -> StrategyEntry | None:
        """Return a symbol's default strategy."""
        ...

    def set_default(self, symbol: str, name: str) -> StrategyEntry:
        """Make a strategy its symbol's default."""
        ...

    def catalog(self) -> Catalog:
        """Return what a rule may be made of."""
        ...

    def shelf(self) -> StrategyShelf:
        """Return all that can be opened, the user's with how they fare."""
        ...

    def blank(self) -> DraftView:
        """Return a new strategy: a rule that works, to be changed."""
        ...

    def open(self, symbol: str, name: str, version: int | None = None) -> DraftView:
        """Return the draft of a stored strategy, of a broken one too; symbol `shipped`: of one that is shipped."""
        ...

    def edit(self, state: Any, acts: Sequence[Mapping[str, Any]]) -> DraftView:
        """Return a draft (by the state that the browser keeps) after the acts that it has not seen yet."""
        ...

    def keep(self, state: Any) -> DraftView:
        """Save a draft, a new one under an id after its name."""
        ...

    def newest(self, state: Any) -> DraftView:
        """Return a draft that may be saved over a version that came meanwhile."""
        ...

    def apart(self, state: Any) -> DraftView:
        """Return a draft as a new strategy, to be saved beside the one that it came from."""
        ...

    def preview(self, document: Mapping[str, Any], symbol: str, interval: str) -> StrategyPreview:
        """Return what a document would have done on the newest bars; takes milliseconds."""
        ...

    def history(self, symbol: str, name: str) -> tuple[VersionLine, ...]:
        """Return the newest versions, each with what changed and what it would have done; the newest first."""
        ...

    def compare(self, state: Any, old: int, new: int) -> tuple[StrategyChange, ...]:
        """Return what differs between two versions of a draft's strategy; 0 stands for the draft as it is."""
        ...

    def adopt(self, ref: str) -> StrategyEntry:
        """Give a loose file a place and versions."""
        ...

    def interval(self) -> str:
        """Return the bars that the cockpit decides on."""
        ...

    def running(self) -> str:
        """Return what trades now: `BTCUSDT/dips`, a shipped id, several with commas between them, or nothing."""
        ...


class AgentPort(Protocol):
    """Agents and Mother AI. Reads files: not for a loop, any other thread may."""

    def view(self) -> AgentsView:
        """Return everything on the page; AgentsUnreadable when the roster's file is broken."""
        ...

    def add(self, symbol: str, timeframe: str, strategy: str) -> AgentConfig:
        """Add an agent from the next start on, a model at once; BadInput names what does not fit."""
        ...

    def pause(self, key: str, paused: bool) -> AgentConfig:
        """Let an agent be silent from its next bar on, or speak again."""
        ...

    def drop(self, key: str) -> AgentConfig:
        """Remove an agent: silent at once, gone at the next start."""
        ...

    def is_asked(self, agent: AgentConfig) -> bool:
        """Tell whether an agent of this start was taken up again, so that it has its say at once."""
        ...

    def follow_cockpit(self) -> str:
        """Let the cockpit's strategy decide who trades again, from the next start on; pauses stay.

        Return under which name a file that could not be read is kept, else nothing.
        """
        ...

    def set_mother(self, changes: Mapping[str, Any]) -> None:
        """Keep how Mother AI ranks from the next start on; what is not among the changes stays as it is."""
        ...

    def predictions(self) -> tuple[AgentPrediction, ...]:
        """Return what each agent said last."""
        ...

    def decide(self, top_n: int | None = None, min_score: float | None = None) -> tuple[MotherChoice, ...]:
        """Return the portfolio decision on what agents said last."""
        ...

    def study(self) -> None:
        """Compare Mother AI with the agents on stored bars; takes seconds, the view has the answer."""
        ...


class JournalPort(Protocol):
    """What the account did and why. Every method may be called from any thread; it reads files, so not for a loop."""

    def trades(self, wanted: TradeFilter, offset: int = 0, limit: int = 50) -> TradePage:
        """Return a page of the trades that a filter lets through, the newest exit first; imported ones are marked."""
        ...

    def trade(self, key: str) -> JournalTrade | None:
        """Return one trade, None if there is none of that key."""
        ...

    def choices(self) -> JournalChoices:
        """Return what the filters can be set to."""
        ...

    def note(self, key: str, text: str, tags: Sequence[str]) -> JournalTrade:
        """Keep what the user wrote about a trade; BadInput for an unknown trade or too long a text."""
        ...

    def decisions(self, query: DecisionQuery, limit: int = 50) -> DecisionPage:
        """Return a page of decision records, newest first."""
        ...

    def decision(self, key: str) -> DecisionView | None:
        """Return one record: of a bar (`SYMBOL@time`), of a trade's entry (`JournalTrade.decision`), or of an order."""
        ...

    def figures(self, start: int = 0, end: int = FOREVER) -> JournalFigures:
        """Return what the account's own trades made that were closed from `start` until before `end`."""
        ...

    def export(self, wanted: TradeFilter) -> tuple[str, str]:
        """Return (file name, text) of a JSON trade log of what a filter lets through, oldest first."""
        ...

    def import_log(self, name: str, content: bytes) -> ImportReport:
        """Take a trade log in, beside the account's own trades; BadInput names what is wrong, and nothing is taken."""
        ...

    def remove_import(self, name: str) -> int:
        """Remove what came from a file and return how many trades that were; the account's own stay."""
        ...

    def log_trade(self, record: dict[str, object]) -> JournalTrade:
        """Add one trade to the log, as an imported one; BadInput names the field that is wrong."""
        ...

    def get_agent_log(self, limit: int = 100, agent: str = "") -> tuple[JournalTrade, ...]:
        """Return the newest trades, of one agent or of all."""
        ...

    def clear_log(self) -> int:
        """Remove every imported and logged trade and return how many; the account's own are its ledger and stay."""
        ...

    def log_summary(self, agent: str = "") -> LogSummary:
        """Return win rate, loss rate and number of the account's own trades."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that callbacks may use."""

    portfolio: PortfolioPort
    charts: ChartPort
    session: SessionPort
    hub: HubPort
    profiles: tuple[RiskProfile, ...]
    backtests: BacktestPort
    learning: LearningPort
    studies: StudyPort
    live: LivePort
    rehearsal: RehearsalPort
    strategies: StrategyPort
    journal: JournalPort
    agents: AgentPort
