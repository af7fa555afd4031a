"""The line between the parent and one worker: JSON lines over a socket pair, questions one way, news the other.

The parent asks (`state`, `reload`) and gets one answer each, the worker tells of itself (`ready`, `ended`). When one
end is gone the other reads the end of the stream: a worker whose parent died drains and ends. Used by
`gateway.service.parent` and `gateway.service.life`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Self

_LINE_BYTES = 8 << 20
Words = dict[str, Any]


class LineLost(Exception):
    """The other end is gone, or did not answer in time."""


class Line:
    """One end. `connect` makes it; `serve` hands on what comes until the other end closes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._asked = 0
        self._answers: dict[int, asyncio.Future[Words]] = {}

    @classmethod
    async def connect(cls, end: socket.socket) -> Self:
        """The line over that end of a socket pair; it is closed with the line."""
        end.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=end, limit=_LINE_BYTES)
        return cls(reader, writer)

    def tell(self, words: Words) -> None:
        """News that need no answer. Never raises: whoever is gone need not know."""
        if not self._writer.is_closing():
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.write(json.dumps(words).encode() + b"\n")

    async def ask(self, question: str, timeout_s: float) -> Words:
        """The answer to a question. Raises LineLost."""
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[Words] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self.tell({"ask": question, "number": number})
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise LineLost from None
        finally:
            self._answers.pop(number, None)

    async def serve(self, take: Callable[[Words], None], answer: Callable[[str], Awaitable[Words]] | None) -> None:
        """Hand news to `take` and questions to `answer` until the other end is gone.

        A question does not wait for the answer to the one before it: a reload takes seconds, and whoever asks for the
        state meanwhile is told.
        """
        answering: set[asyncio.Task[None]] = set()
        try:
            while line := await self._reader.readline():
                words = json.loads(line)
                number = words.get("number")
                if "ask" in words and answer is not None:
                    task = asyncio.create_task(self._answer(answer, words["ask"], number))
                    answering.add(task)
                    task.add_done_callback(answering.discard)
                elif number is not None:
                    waiting = self._answers.get(number)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(words)
                else:
                    take(words)
        except (OSError, ValueError):
            pass  # the other end died in the middle of a line
        finally:
            for task in answering:
                task.cancel()
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_exception(LineLost())

    async def _answer(self, answer: Callable[[str], Awaitable[Words]], question: str, number: int | None) -> None:
        self.tell({**await answer(question), "number": number})

    async def close(self) -> None:
        """Say what is still to be said, and close."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
