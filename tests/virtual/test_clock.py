"""Virtual time is exact, free of charge, and the same every time."""

import asyncio
import time

import pytest

from tests.virtual.clock import GENESIS_MS, Stuck, VirtualLoop, run


def test_a_day_passes_at_once():
    loop = VirtualLoop()
    began = time.process_time()

    async def wait() -> float:
        await asyncio.sleep(86_400)
        return loop.time()

    assert run(wait(), loop) == pytest.approx(86_400)
    assert time.process_time() - began < 5


def test_the_same_program_takes_the_same_order_every_time():
    def once() -> list[tuple[int, str]]:
        loop, seen = VirtualLoop(), []

        async def worker(name: str, every: float) -> None:
            while loop.time() < 10:
                await asyncio.sleep(every)
                seen.append((loop.now_ms() - GENESIS_MS, name))

        async def both() -> None:
            await asyncio.gather(worker("a", 0.3), worker("b", 0.5), worker("c", 0.3))

        run(both(), loop)
        return seen

    first = once()
    assert first == once()
    assert [time for time, _ in first] == sorted(time for time, _ in first)


def test_a_deadline_is_met_to_the_millisecond():
    loop = VirtualLoop()

    async def late() -> int:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 2.5)
        except TimeoutError:
            return loop.now_ms() - GENESIS_MS
        return 0

    assert run(late(), loop) == 2_500


def test_waiting_for_nothing_is_an_error_and_not_a_hang():
    with pytest.raises(Stuck):
        run(asyncio.Event().wait(), VirtualLoop())
