"""Clicks: answered by the engine, once, and never left hanging."""

import asyncio
import threading

import services.session
from services.session import SessionService
from trading.bus import Bus
from trading.events import Command, CommandAnswered, StateSaved


def answering_bus() -> tuple[Bus, threading.Event]:
    bus, stop = Bus(), threading.Event()
    bus.subscribe(Command, lambda c: bus.publish(CommandAnswered(c.nonce, c.kind, c.kind == "start", "so it is")))

    def run() -> None:
        while not stop.is_set():
            event = bus.next(0.05)
            if event is not None:
                bus.handle(event)
                bus.handle(StateSaved(1))

    threading.Thread(target=run, daemon=True).start()
    return bus, stop


def test_a_command_gets_its_own_answer() -> None:
    bus, stop = answering_bus()
    session = SessionService(bus)

    async def both() -> list[CommandAnswered]:
        return await asyncio.gather(session.send("start", "a", 1), session.send("frob", "b"))

    first, second = asyncio.run(both())
    stop.set()
    assert (first.nonce, first.accepted) == ("a", True)
    assert (second.nonce, second.accepted) == ("b", False)


def test_the_same_click_sent_twice_is_refused_while_it_is_on_its_way() -> None:
    bus = Bus()
    session = SessionService(bus)

    async def twice() -> CommandAnswered:
        waiting = asyncio.ensure_future(session.send("start", "a", 1))
        await asyncio.sleep(0)
        refused = await session.send("start", "a", 1)
        waiting.cancel()
        return refused

    assert not asyncio.run(twice()).accepted
    assert bus.backlog() == 1


def test_silence_is_reported_not_waited_out(monkeypatch) -> None:
    monkeypatch.setattr(services.session, "ANSWER_TIMEOUT_S", 0.05)
    answer = asyncio.run(SessionService(Bus()).send("start", "a", 1))
    assert not answer.accepted
    assert "not answered" in answer.detail
