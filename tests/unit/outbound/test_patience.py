"""One timer for all waits of a connection."""

from __future__ import annotations

import asyncio

from gateway.outbound.patience import Patience


def test_a_wait_that_ends_in_time_is_forgotten_and_the_next_has_its_own_time() -> None:
    late: list[float] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        patience = Patience(loop, lambda: late.append(loop.time() - start))
        patience.begin(0.03)
        patience.end()
        await asyncio.sleep(0.06)
        assert late == []
        patience.begin(10)
        patience.end()
        patience.begin(0.05)  # sooner than the timer that is set
        await asyncio.sleep(0.1)
        assert len(late) == 1
        patience.begin(0.02)
        await asyncio.sleep(0.01)
        patience.end()
        patience.begin(0.08)  # later than the timer that is set: it looks and waits on
        await asyncio.sleep(0.04)
        assert len(late) == 1
        await asyncio.sleep(0.1)
        assert len(late) == 2

    asyncio.run(run())


def test_hurry_is_for_who_waits_and_close_ends_all() -> None:
    late: list[str] = []

    async def run() -> None:
        patience = Patience(asyncio.get_running_loop(), lambda: late.append("late"))
        patience.hurry()
        assert late == []
        patience.begin(10)
        patience.hurry()
        patience.hurry()
        assert late == ["late"]
        patience.begin(0.01)
        patience.close()
        await asyncio.sleep(0.05)
        assert late == ["late"]

    asyncio.run(run())
