"""How many records one gateway and two gateways make durable in a second on PostgreSQL and S3, beside the raw limits.

Run: python bench/scaled.py [--records N] [--rounds N]. It starts a PostgreSQL and a SeaweedFS of its own on this
machine (scripts/setup.sh servers), so that all of them share its cores and its disk. The limits, in the same run: bare
PUTs of the same bytes with 32 at a time, and commits of one PostgreSQL connection. A record is two objects and one
transaction's share; "gateway" here is the store alone, without doors and recognizers, in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import obstore
import psycopg

from bench.archive import mail, record
from gateway.archive.bodies import pack
from gateway.archive.homes import Scaled
from gateway.archive.master import KeyFromFile, make_key_file
from gateway.archive.store import Store
from tests.integration.scaled_servers import PASSWORD, WEED, Servers, postgres_programs, running_servers

ROOT = Path(__file__).resolve().parents[1]
SIZE = 10_000
SHAPES = ((1, 1), (1, 32), (2, 16), (2, 32))  # gateways, writers of each


async def bare_puts(servers: Servers, name: str, records: int) -> float:
    """Pairs of objects a second, 32 pairs at a time, of the bytes that the store would put."""
    objects = servers.objects.objects()
    waiting = iter(range(records))

    async def write() -> None:
        for number in waiting:
            for loose in pack(record(number, mail(number, SIZE)), -1).loose:
                await obstore.put_async(objects, f"{name}/{number}-{loose.name}", loose.content, mode="create")

    begin = time.perf_counter()
    await asyncio.gather(*(write() for _ in range(32)))
    return records / (time.perf_counter() - begin)


def bare_commits(home: Scaled, count: int) -> float:
    """Commits a second of one connection that writes one row of 1 KB in each."""
    with psycopg.connect(home.database, password=PASSWORD, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (id serial, content bytea)")
        begin = time.perf_counter()
        for _ in range(count):
            connection.execute("INSERT INTO bare (content) VALUES (%s)", (os.urandom(1000),))
        return count / (time.perf_counter() - begin)


async def gateway(home: str, key: str, run: str, writers: str, records: str) -> None:
    """One process: opens the store, waits for a line, files its records, prints seconds and CPU seconds."""
    texts = [mail(number, SIZE) for number in range(64)]
    numbers = iter(range(int(records)))
    async with await Store.open_scaled(
        Scaled(**json.loads(home)), master=KeyFromFile(path=Path(key)), is_gateway=True
    ) as store:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def write() -> None:
            for number in numbers:
                await store.file_sending(record(int(run) * 1_000_000 + number, texts[number % 64]))

        begin, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(write() for _ in range(int(writers))))
        print(time.perf_counter() - begin, time.process_time() - cpu, flush=True)


def filed(home: Scaled, key: Path, first_run: int, gateways: int, writers: int, records: int) -> tuple[float, float]:
    """Records a second of all gateways together, and CPU milliseconds a record of theirs."""
    each = records // gateways
    command = [sys.executable, str(Path(__file__)), "--gateway", json.dumps(asdict(home)), str(key)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([*command, str(first_run + number), str(writers), str(each)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
        for number in range(gateways)
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begin = time.perf_counter()
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    cpu = 0.0
    for process in started:
        assert process.stdout is not None
        cpu += float(process.stdout.readline().split()[1])
    elapsed = time.perf_counter() - begin
    for process in started:
        process.communicate()
    return each * gateways / elapsed, cpu / (each * gateways) * 1000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=400, help="records a round and shape")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args(arguments)
    if not WEED.exists() or postgres_programs() is None:
        print("needs PostgreSQL and SeaweedFS: scripts/setup.sh servers")
        return 0
    puts: list[float] = []
    commits: list[float] = []
    rates: dict[tuple[int, int], list[tuple[float, float]]] = {shape: [] for shape in SHAPES}
    run = 0
    with running_servers() as servers, tempfile.TemporaryDirectory() as folder:
        key = Path(folder) / "archive.key"
        make_key_file(key)
        asyncio.run(bare_puts(servers, "first", 64))  # the object store makes its volumes at the first objects
        for number in range(chosen.rounds):
            puts.append(asyncio.run(bare_puts(servers, f"bare-{number}", chosen.records)))
            commits.append(bare_commits(servers.scaled, chosen.records))
            for shape in SHAPES:
                count = chosen.records if shape[1] > 1 else chosen.records // 4
                rates[shape].append(filed(servers.scaled, key, run, *shape, count))
                run += shape[0]
    print(f"{os.cpu_count()} cores for gateways, PostgreSQL and SeaweedFS; {SIZE} bytes a record, two objects each; "
          f"{chosen.records} records, {chosen.rounds} rounds, medians")  # fmt: skip
    print(f"{'bare PUTs of the same pairs, 32 at a time':<46}{statistics.median(puts):>7.0f} a second")
    print(f"{'bare commits of one connection':<46}{statistics.median(commits):>7.0f} a second")
    for (gateways, writers), found in rates.items():
        name = f"{gateways} gateway(s), {writers} writer(s) each"
        rate = statistics.median(entry[0] for entry in found)
        ratio = statistics.median(entry[0] / bare for entry, bare in zip(found, puts, strict=True))
        cpu = statistics.median(entry[1] for entry in found)
        print(f"{name:<46}{rate:>7.0f} records/s{ratio:>7.2f} x bare PUTs{cpu:>7.2f} CPU ms a record")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"peak memory of a process: {peak} MB")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--gateway"]:
        asyncio.run(gateway(*sys.argv[2:]))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
