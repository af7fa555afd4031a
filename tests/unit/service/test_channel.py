"""The line between the parent and a worker."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.service.channel import Line, LineLost, Words


async def lines() -> tuple[Line, Line]:
    one, other = socket.socketpair()
    return await Line.connect(one), await Line.connect(other)


def test_a_question_is_answered_while_another_one_takes_its_time() -> None:
    async def story() -> None:
        parent, worker = await lines()
        may_end = asyncio.Event()

        async def answer(question: str) -> Words:
            if question == "reload":
                await may_end.wait()
            return {"is_done": True, "question": question}

        serving = [
            asyncio.create_task(worker.serve(lambda _: None, answer)),
            asyncio.create_task(parent.serve(lambda _: None, None)),
        ]
        reload = asyncio.create_task(parent.ask("reload", 5))
        assert (await parent.ask("state", 5))["question"] == "state"
        assert not reload.done()
        may_end.set()
        assert (await reload)["question"] == "reload"
        await parent.close()
        await asyncio.gather(*serving)
        await worker.close()

    asyncio.run(story())


def test_a_question_that_nobody_answers_is_lost_with_the_line() -> None:
    async def story() -> None:
        parent, worker = await lines()
        serving = asyncio.create_task(parent.serve(lambda _: None, None))
        asked = asyncio.create_task(parent.ask("state", 5))
        await asyncio.sleep(0)
        await worker.close()
        with pytest.raises(LineLost):
            await asked
        await serving

    asyncio.run(story())
