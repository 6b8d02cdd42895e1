"""Another strategy for a running cockpit: at once while nothing is held, else when the last position is sold."""

from pathlib import Path
from threading import Event as Stop

import pytest

from services.settings import load_settings
from services.strategies import stored_strategies
from services.strategies.compose import takeover_of
from storage.evidence import EvidenceStore
from tests.services.cockpits import whole_cockpit
from tests.services.lived import ACCOUNT, Life, lived, row_of
from trading.agents.lanes import Lanes
from trading.agents.symbol_agent import SymbolAgent
from trading.events import CandleClosed, Command, CommandAnswered, DecisionMade

FAST = {"version": 2, "name": "Fast dips", "symbols": ["BTCUSDT"], "timeframe": "1m",
        "entry": {"left": "rsi_5", "op": "<", "right": 30}, "exit": {"left": "rsi_5", "op": ">", "right": 60},
        "risk": {"stop_atr": 3.5}}


class Noted(Lanes):
    """Notes whose lanes were ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[int] = []

    def drop(self, keys) -> None:
        keys = list(keys)
        self.ended += keys
        super().drop(keys)


def with_takeover(whole, folder: Path, executor: Lanes | None = None):
    settings = load_settings(data_dir=folder, feed="sim", speed=1.0, profile="Aggressive")
    return takeover_of(settings, whole.database, whole.cockpit, executor, whole.portfolio.rename)


def use(whole, ref: str) -> CommandAnswered:
    answers: list[CommandAnswered] = []
    whole.engine.bus.subscribe(CommandAnswered, answers.append)
    version = whole.engine.session.control_version
    whole.engine.handle(Command("use_strategy", f"use-{ref}-{version}", version, {"ref": ref}))
    return answers[-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    stored_strategies(tmp_path).save("BTCUSDT", "fast", FAST, 0)
    return tmp_path


def test_a_strategy_taken_over_while_flat_trades_as_if_started_with_it(folder: Path, tmp_path_factory):
    with whole_cockpit(folder, 400) as whole:
        takeover = with_takeover(whole, folder)
        answered = use(whole, "BTCUSDT/fast")
        assert answered.accepted and "press Start" in answered.detail and "all symbols" in answered.detail
        assert takeover.running == "BTCUSDT/fast" and whole.engine.risk.profile.stop_atr == 3.5
        whole.start()
        whole.trade()
        swapped = [(t.symbol, t.entry_time, t.exit_time, t.pnl) for t in whole.cockpit.history.trades(500)]
        assert whole.portfolio.view().session.strategy == "Fast dips"
        assert {t.opened_by for t in whole.portfolio.view().trades} == {"Fast dips"}
        starts = EvidenceStore(whole.database, whole.cockpit.recorder.account).of("start")
        assert len(starts) == 2 and starts[1].body["settings"]["strategy"]["name"] == "Fast dips"
    other = tmp_path_factory.mktemp("other")
    stored_strategies(other).save("BTCUSDT", "fast", FAST, 0)
    with whole_cockpit(other, 400) as whole:
        with_takeover(whole, other)
        use(whole, "BTCUSDT/fast")
    with whole_cockpit(other, 400) as whole:  # a start finds it again
        assert whole.cockpit.strategy == "BTCUSDT/fast"
        whole.start()
        whole.trade()
        started = [(t.symbol, t.entry_time, t.exit_time, t.pnl) for t in whole.cockpit.history.trades(500)]
    assert len(started) > 5 and swapped == started


def test_a_strategy_waits_until_the_last_position_is_sold(folder: Path):
    with whole_cockpit(folder, 300) as whole:
        takeover = with_takeover(whole, folder)
        use(whole, "BTCUSDT/fast")
        whole.start()
        for _ in range(40):
            if whole.engine.portfolio.open_symbols():
                break
            whole.feed.n_bars = 20
            whole.trade()
        assert whole.engine.portfolio.open_symbols()
        assert "trades already" in use(whole, "BTCUSDT/fast").detail
        answered = use(whole, "demo")
        assert answered.accepted and "sold (Flatten on the Cockpit does it now)" in answered.detail
        assert takeover.running == "BTCUSDT/fast"
        version = whole.engine.session.control_version
        whole.engine.handle(Command("flatten", "flat", version))
        whole.trade()
        assert takeover.running == "demo" and not whole.engine.portfolio.open_symbols()


def test_the_threads_of_the_agents_that_were_replaced_are_ended(folder: Path):
    with whole_cockpit(folder, 10) as whole, Noted() as lanes:
        with_takeover(whole, folder, lanes)
        use(whole, "BTCUSDT/fast")
        replaced = [id(agent) for agent in whole.engine.agents.agents if isinstance(agent, SymbolAgent)]
        assert replaced and not lanes.ended
        use(whole, "demo")
        assert lanes.ended == replaced


def test_the_accounts_own_replay_changes_its_rules_at_the_same_bar(tmp_path: Path):
    acts = {450: ("flatten", {}), 455: ("use_strategy", {"ref": "sma-cross"}), 456: ("start", {})}
    with lived(tmp_path, Life(400, acts=acts)) as (database, compare):
        report = compare()
        starts = EvidenceStore(database, ACCOUNT).of("start")
    before, now = (one.body["settings"]["strategy"]["name"] for one in starts)
    assert before != now
    after = [line for line in report.lines if row_of(line.live.entry_time) > 456]
    assert len(after) > 3 and report.unmatched == ()
    assert all(line.live == line.replay for line in report.lines)


@pytest.mark.parametrize(("document", "words"), [
    (FAST | {"timeframe": "1h"}, "--interval 1h --strategy BTCUSDT/fast"),
    (FAST | {"side": "short"}, "only hold what it bought")])
def test_what_cannot_trade_here_is_refused_with_what_to_do(folder: Path, document, words: str):
    stored_strategies(folder).save("BTCUSDT", "fast", document, 1)
    with whole_cockpit(folder, 10) as whole:
        takeover = with_takeover(whole, folder)
        for ref, said in (("BTCUSDT/fast", words), ("BTCUSDT/none", "neither a file nor")):
            answered = use(whole, ref)
            assert not answered.accepted and said in answered.detail
        assert takeover.running == "demo"


def test_a_roster_of_agents_decides_who_trades(folder: Path):
    with whole_cockpit(folder, 10) as whole:
        takeover = with_takeover(whole, folder)
        whole.cockpit.crew.store.add("BTCUSDT", "1m", "rsi-reversion")
        answered = use(whole, "BTCUSDT/fast")
        assert not answered.accepted and "page Agents" in answered.detail and takeover.running == "demo"


def test_a_strategy_that_waits_is_not_brought_in_once_a_roster_decides(folder: Path):
    with whole_cockpit(folder, 20) as whole:
        takeover = with_takeover(whole, folder)
        whole.start()
        for _ in range(100):
            whole.trade()
            if whole.engine.portfolio.open_symbols():
                break
        assert "takes over as soon as" in use(whole, "BTCUSDT/fast").detail
        whole.cockpit.crew.store.add("BTCUSDT", "1m", "rsi-reversion")
        whole.engine.handle(Command("flatten", "flat", whole.engine.session.control_version))
        whole.trade()
        assert not whole.engine.portfolio.open_symbols() and takeover.running == "demo"
        assert any("was not taken over" in line.text for line in whole.engine.journal.recent)


def in_the_middle_of_a_moment(whole, act) -> list[str]:
    """Let the market run, do something once when one symbol has its bar and the other not; return which bars came."""
    came: list[str] = []

    def post(event) -> None:
        whole.engine.handle(event)
        if isinstance(event, CandleClosed):
            came.append(event.candle.symbol)
            if len(came) == 21:
                act()

    whole.feed.run(post, dict(whole.engine.cursor), Stop())
    return came


def test_a_moment_is_decided_by_one_strategy(folder: Path):
    with whole_cockpit(folder, 30) as whole:
        takeover = with_takeover(whole, folder)
        said: list[tuple[str, int, str]] = []
        whole.engine.bus.subscribe(DecisionMade, lambda event: said.extend(
            (signal.source, signal.time, signal.symbol) for signal in event.decision.signals))
        answers: list[CommandAnswered] = []
        came = in_the_middle_of_a_moment(whole, lambda: answers.append(use(whole, "BTCUSDT/fast")))
        assert came[20] != came[21] and takeover.running == "BTCUSDT/fast"
        assert "as soon as this bar is decided" in answers[0].detail
        by_time: dict[int, set[str]] = {}
        for source, time, _ in said:
            by_time.setdefault(time, set()).add(source)
        assert {len(sources) for sources in by_time.values()} == {1}
        begun = EvidenceStore(whole.database, whole.cockpit.recorder.account).of("start")[-1].body["time"]
        assert {time <= begun for time, sources in by_time.items() if "Fast dips" not in sources} == {True}
        assert {time > begun for time, sources in by_time.items() if "Fast dips" in sources} == {True}


def test_a_strategy_that_waits_for_a_moments_end_is_not_brought_in_once_a_roster_decides(folder: Path):
    with whole_cockpit(folder, 30) as whole:
        takeover = with_takeover(whole, folder)

        def act() -> None:
            use(whole, "BTCUSDT/fast")
            whole.cockpit.crew.store.add("BTCUSDT", "1m", "rsi-reversion")

        in_the_middle_of_a_moment(whole, act)
        assert takeover.running == "demo"
        lines = [line.text for line in whole.cockpit.history.lines(None)]
        assert any("Fast dips was not taken over" in text and "page Agents" in text for text in lines)


def test_a_page_that_is_out_of_date_changes_nothing(folder: Path):
    with whole_cockpit(folder, 10) as whole:
        takeover = with_takeover(whole, folder)
        answers: list[CommandAnswered] = []
        whole.engine.bus.subscribe(CommandAnswered, answers.append)
        stale = whole.engine.session.control_version - 1
        whole.engine.handle(Command("use_strategy", "old", stale, {"ref": "BTCUSDT/fast"}))
        assert not answers[-1].accepted and takeover.running == "demo"


def test_put_on_paper_again_while_stopped_says_what_is_missing(folder: Path):
    with whole_cockpit(folder, 10) as whole:
        with_takeover(whole, folder)
        use(whole, "BTCUSDT/fast")
        assert "is in place already; press Start" in use(whole, "BTCUSDT/fast").detail
        whole.start()
        assert use(whole, "BTCUSDT/fast").detail == "Fast dips trades already"
