"""How long a search takes, beside looking up one record by its id in the same store and the same run.

Run: python bench/search.py [--messages N] [--path FOLDER]   (or MESSAGES=500000 in the environment)
The messages are filed and indexed by the store's own code, 500 to a client's file; their words are drawn from 20,000 by
Zipf's law, about a hundred different ones a message, so that nothing has to be parsed. Each search gives the newest 50.
`ids` is the index alone, `records` the 50 records opened, too. A ratio is that of the two p99 on a core.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from pathlib import Path

from archive import mail, record

from gateway.archive import index, reads, search
from gateway.archive.index import Terms, person_term, word_term
from gateway.archive.search import Query
from gateway.archive.store import Store

A_FILE = 500
VOCABULARY = 20_000
WORDS_A_MESSAGE = 180  # drawn; about a hundred of them differ
ROUNDS = 300
BATCH = 500


async def fill(store: Store, count: int, dice: random.Random) -> None:
    """File the messages, and write their words."""
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))
    text = mail(1, 600)
    start = record(0, text).received_at
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        filed = [
            replace(
                record(number, text), client_files=(f"C-{number % files_of(count)}",),
                received_at=start + timedelta(seconds=number),
            )
            for number in numbers
        ]  # fmt: skip
        await asyncio.gather(*(store.file_sending(entry) for entry in filed))
        page = await store.ask(lambda c: index.waiting(c, BATCH))
        terms = [
            Terms(
                record_id=entry.record_id, seq=entry.seq,
                terms=frozenset(map(word_term, map(word, dice.choices(range(VOCABULARY), cum_weights=weights, k=180))))
                | {person_term("s-okafor")},
            )
            for entry in page.records
        ]  # fmt: skip
        await store.transact(lambda c, page=page, terms=terms: index.write(c, page, terms))
        print(f"\r{numbers.stop} of {count} filed and indexed", end="", file=sys.stderr)
    print(file=sys.stderr)


def files_of(count: int) -> int:
    return max(1, count // A_FILE)


def word(rank: int) -> str:
    """The word of that rank, as a stem: letters alone, so that it is its own stem."""
    return "q" + "".join("bcdfghjklm"[int(digit)] for digit in f"{rank:05d}")


class Spent:
    """Milliseconds of many rounds: on the clock, and of this process on a core, to which others can't add."""

    def __init__(self) -> None:
        self.clock: list[float] = []
        self.core: list[float] = []

    def at(self, share: float) -> tuple[float, float]:
        """Clock and core that so many of the rounds took at most."""
        return tuple(sorted(times)[int(len(times) * share)] for times in (self.clock, self.core))  # type: ignore[return-value]

    def line(self, what: str, base: Spent | None = None) -> str:
        """What it took, and how often the look-up fits into it."""
        (half, half_core), (most, most_core) = self.at(0.5), self.at(0.99)
        words = f"{what:38} clock p50 {half:7.2f} p99 {most:8.2f}   core p50 {half_core:7.2f} p99 {most_core:7.2f} ms"
        return words if base is None else f"{words}   ratio of p99 {most_core / base.at(0.99)[1]:5.1f}"


async def timed(work: Callable[[], Awaitable[object]], rounds: int) -> Spent:
    spent = Spent()
    for _ in range(rounds):
        begun, core = time.perf_counter(), time.process_time()
        await work()
        spent.core.append((time.process_time() - core) * 1000)
        spent.clock.append((time.perf_counter() - begun) * 1000)
    return spent


async def measure(folder: Path, count: int) -> None:
    dice = random.Random(50)
    async with await Store.open(folder) as store:
        begun = time.perf_counter()
        await fill(store, count, dice)
        size = size_of(folder) / count
        print(f"{count} messages in {files_of(count)} files, {size:.0f} bytes a message with its words, filled in "
              f"{time.perf_counter() - begun:.0f} s")  # fmt: skip

        async def look_up() -> object:
            return await store.record(f"bench-{dice.randrange(count):08d}")

        base = await timed(look_up, ROUNDS)
        print(base.line("a record by its id"))
        for name, make in QUERIES.items():
            for opened in (False, True):
                rounds = ROUNDS if "all files" not in name else ROUNDS // 10

                async def ask(make: Callable[[random.Random, int], Query] = make, opened: bool = opened) -> object:
                    query = make(dice, files_of(count))

                    def look(connection: object) -> object:
                        ids, _ = search.candidates(connection, query, None)
                        return reads.records_by_ids(connection, ids[:50]) if opened else ids[:50]

                    return await store.ask(look)

                what = f"{name}, {'records' if opened else 'ids'}"
                print((await timed(ask, rounds)).line(what, base))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def in_file(dice: random.Random, files: int, *ranks: int) -> Query:
    return Query(phrases=tuple((word(rank),) for rank in ranks), file=f"C-{dice.randrange(files)}")


QUERIES: dict[str, Callable[[random.Random, int], Query]] = {
    "a common word in a file": lambda dice, files: in_file(dice, files, dice.randrange(3)),
    "a rare word in a file": lambda dice, files: in_file(dice, files, dice.randrange(500, 5000)),
    "two common words in a file": lambda dice, files: in_file(dice, files, 1, 2 + dice.randrange(8)),
    "a worker in a file": lambda dice, files: replace(in_file(dice, files), people=(("s-okafor",),)),
    "a rare word in all files": lambda dice, _: Query(phrases=((word(dice.randrange(500, 5000)),),)),
    "a common word in all files": lambda dice, _: Query(phrases=((word(dice.randrange(3)),),)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=int(os.environ.get("MESSAGES", "20000")))
    parser.add_argument("--path", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="practicum-bench-", dir=given.path) as folder:
        asyncio.run(measure(Path(folder) / "var", given.messages))


if __name__ == "__main__":
    main()
