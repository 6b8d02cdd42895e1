"""Run a composed cockpit without a screen: resume its account, trade, and say what came of it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cockpit:
    """An engine with everything around it that a mode needs."""

    engine: Any
    recorder: Any
    history: Any
    feed: Any
    charts: Any
    document: dict[str, Any]
    versions: dict[str, Any]
    registry: Any = None
    shelf: Any = None
    outside: Any = None
    venue: Any = None
    diary: Any = None
    ladder: Any = None
    kill_note: Any = None
    crew: Any = None
    controls: Any = None
    strategy: str = ""
    strategy_version: int = 0


def open_account(cockpit: Cockpit, start: bool = True) -> dict[str, Any]:
    """Resume the account, or start a new one (auto-trading on when nobody is there to press Start)."""
    from services.agents.naming import tell_when_armed
    from services.startup import resume

    if cockpit.recorder.open_account(cockpit.document) == "finished":
        cockpit.recorder.forget()
        cockpit.recorder.open_account(cockpit.document)
    is_new = cockpit.recorder.restore() is None
    store = None if cockpit.outside is None else cockpit.outside.store
    earlier = resume(cockpit.engine, cockpit.recorder, cockpit.feed, store)
    session = cockpit.engine.session
    if cockpit.outside is not None:
        tell_when_armed(cockpit.engine)
    _recall_kill(cockpit)
    if start and (is_new or cockpit.feed.badge != "REPLAY"):
        if session.is_killed:
            print(f"the kill switch is on ({session.kill_reason}): nothing is entered; re-arm on the page",
                  file=sys.stderr)
        elif session.state != "running":
            session.change("running")
    _tell_of_agents(cockpit)
    if cockpit.diary is not None:
        cockpit.diary.begin(cockpit.document)
    return earlier


def _tell_of_agents(cockpit: Cockpit) -> None:
    """Write into the log who cannot trade and why, and which version trades where a newer one is saved."""
    if cockpit.crew is None:
        return
    journal, time = cockpit.engine.journal, cockpit.engine.time
    for words in cockpit.crew.warnings:
        journal.write(time, "ALERT", words, "bad")
    for words in cockpit.crew.notes:
        journal.write(time, "AGENTS", words, "plain")


def _recall_kill(cockpit: Cockpit) -> None:
    """Kill again what was killed right before a crash: pressed, and not yet committed by the engine."""
    from trading.events import Command

    press = None if cockpit.kill_note is None else cockpit.kill_note.newest()
    if press is not None and press.nonce != cockpit.engine.session.kill_nonce:
        cockpit.engine.handle(Command("kill", press.nonce, None, {"reason": press.reason}))


def trade_replay(cockpit: Cockpit, chosen: argparse.Namespace) -> int:
    """Run a replay to its end and write its document."""
    from services.headless import Interrupted, run_replay

    open_account(cockpit)
    n_bars = sum(len(cockpit.feed.history(s, sys.maxsize)) for s in cockpit.feed.symbols)
    try:
        run_replay(cockpit.engine, cockpit.feed, n_bars)
    except Interrupted:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    finish(cockpit, chosen)
    cockpit.recorder.finish(cockpit.document)
    return 0


def trade_on_paper(cockpit: Cockpit, chosen: argparse.Namespace) -> int:
    """Trade on a live or simulated feed until a signal."""
    from services.headless import Console
    from services.runtime import Runtime

    open_account(cockpit)
    console = Console()
    runtime = Runtime(cockpit.engine, cockpit.feed, console)
    runtime.start()
    print(f"trading on paper: {cockpit.feed.name}; Ctrl-C stops", file=sys.stderr)
    by_hand = console.wait()
    runtime.stop()
    if cockpit.shelf is not None:
        cockpit.shelf.close()
    finish(cockpit, chosen)
    return 0 if by_hand else 4


def finish(cockpit: Cockpit, chosen: argparse.Namespace) -> None:
    """Write the document of a run, or a few lines for a person."""
    from services.documents import run_document, run_metrics, write_document

    if chosen.json:
        document = run_document(cockpit.engine, cockpit.history, cockpit.document, cockpit.versions)
        write_document(document, chosen.json)
    if chosen.json != "-":
        for name, value in run_metrics(cockpit.engine).items():
            print(f"{name:<20} {value}")
