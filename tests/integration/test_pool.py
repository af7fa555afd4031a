"""The analysis pool with real processes: late, crashed, cancelled, reloaded, overloaded, and nobody left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.content.finding import Matter
from gateway.content.pool import InspectionPool
from gateway.message.errors import MachineryFailed
from gateway.people.model import Client
from tests.unit.content.texts import CLIENTS, request_of, text_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
NAMED = request_of(text_of("About Jordan Reyes."), matters=frozenset({Matter.CLIENT_NAMED}))
OTHER = request_of(text_of("About Noa Singh."), matters=frozenset({Matter.CLIENT_NAMED}))
DIRECTORY = SimpleNamespace(clients=CLIENTS)


def run(scenario, **options):
    """Run a scenario with a started pool; close it whatever happens, and see that no process stays."""

    async def main():
        pool = InspectionPool(DIRECTORY, **options)
        pool.start()
        nursery = pool.process_ids[0]
        try:
            await until(lambda: pool.is_ready, 60.0)  # the start has its own time: a scenario's deadline is not for it
            await pool.inspect(NAMED)
            return await scenario(pool)
        finally:
            await pool.close()
            assert not is_alive(nursery)

    return asyncio.run(main())


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(claim, seconds=10.0):
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.02)


def test_findings_come_back_with_their_words():
    async def scenario(pool):
        return await pool.inspect(NAMED)

    findings = run(scenario, workers=1)
    assert [(finding.client_file, finding.text) for finding in findings] == [("C-1042", "Jordan Reyes")]


def test_many_at_once_each_get_their_own_answer():
    async def scenario(pool):
        texts = [text_of(f"{'Hello. ' * number}Jordan Reyes.") for number in range(60)]
        matters = frozenset({Matter.CLIENT_NAMED})
        return await asyncio.gather(*(pool.inspect(request_of(text, matters=matters)) for text in texts))

    assert [findings[0].start for findings in run(scenario, workers=2)] == [7 * number for number in range(60)]


def test_late_work_is_a_finding_and_the_next_message_is_served():
    async def scenario(pool):
        _, worker = pool.process_ids
        os.kill(worker, signal.SIGSTOP)
        late = await pool.inspect(NAMED)
        await until(lambda: not is_alive(worker))
        return late, await pool.inspect(NAMED)

    late, after = run(scenario, workers=1, deadline_s=1.0)
    assert [(finding.matter, finding.reason) for finding in late] == [(Matter.UNSCANNABLE, "unscannable.late")]
    assert after[0].client_file == "C-1042"


def test_a_crashed_worker_is_a_finding_and_is_replaced():
    async def scenario(pool):
        _, worker = pool.process_ids
        os.kill(worker, signal.SIGSTOP)
        task = asyncio.create_task(pool.inspect(NAMED))
        await asyncio.sleep(0.1)
        os.kill(worker, signal.SIGKILL)
        return await task, await pool.inspect(NAMED)

    crashed, after = run(scenario, workers=1)
    assert [(finding.matter, finding.reason) for finding in crashed] == [(Matter.UNSCANNABLE, "unscannable.crashed")]
    assert after[0].client_file == "C-1042"


def test_a_dead_nursery_is_replaced():
    async def scenario(pool):
        family = pool.process_ids
        os.kill(family[0], signal.SIGKILL)
        await until(lambda: not any(map(is_alive, family)))
        await asyncio.sleep(0.1)
        return await pool.inspect(NAMED), pool.process_ids[0] != family[0]

    findings, is_another = run(scenario, workers=2)
    assert findings[0].client_file == "C-1042"
    assert is_another


def test_a_caller_that_goes_away_leaves_no_answer_for_the_next():
    async def scenario(pool):
        _, worker = pool.process_ids
        os.kill(worker, signal.SIGSTOP)
        task = asyncio.create_task(pool.inspect(NAMED))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await pool.inspect(OTHER)

    assert run(scenario, workers=1) == ()


def test_a_full_queue_is_a_temporary_failure_and_never_a_pass(monkeypatch):
    monkeypatch.setattr("gateway.content.pool._WAITING_A_WORKER", 1)

    async def scenario(pool):
        _, worker = pool.process_ids
        os.kill(worker, signal.SIGSTOP)
        results = await asyncio.gather(*(pool.inspect(NAMED) for _ in range(4)), return_exceptions=True)
        return [result for result in results if isinstance(result, MachineryFailed)]

    refused = run(scenario, workers=1, deadline_s=1.0)
    assert refused
    assert all(problem.reply.code == 451 for problem in refused)


def test_reload_swaps_the_directory_without_dropping_a_request():
    async def scenario(pool):
        old = pool.process_ids[0]
        swap = pool.reload(SimpleNamespace(clients=(Client(file="N-1", name="Noa Singh", addresses=()),)))
        during = [await pool.inspect(NAMED) for _ in range(5)]
        await swap
        await until(lambda: not is_alive(old))
        return during, await pool.inspect(NAMED), await pool.inspect(OTHER), pool.concerns([text_of("Noa Singh")])

    during, before, after, concerned = run(scenario, workers=2)
    assert all(findings[0].matter is Matter.CLIENT_NAMED for findings in during)
    assert before == ()
    assert after[0].client_file == "N-1"
    assert concerned


def test_signals_to_the_group_do_not_end_workers():
    async def scenario(pool):
        nursery = pool.process_ids[0]
        for pid in (nursery, *children(nursery)):
            for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                os.kill(pid, number)
        return await pool.inspect(NAMED)

    assert run(scenario, workers=1)[0].client_file == "C-1042"


ORPHAN_MAKER = """
import asyncio
from types import SimpleNamespace
from gateway.content.pool import InspectionPool
from tests.unit.content.texts import request_of, text_of

async def main():
    pool = InspectionPool(SimpleNamespace(clients=()), workers=2)
    pool.start()
    await pool.inspect(request_of(text_of("Hello.")))
    print(pool.process_ids[0], flush=True)
    await pool.inspect(request_of(text_of("my mother " * 100000)))
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_no_process_outlives_a_killed_gateway_even_in_the_middle_of_work():
    with subprocess.Popen([sys.executable, "-c", ORPHAN_MAKER], cwd=ROOT, stdout=subprocess.PIPE, text=True) as gateway:
        nursery = int(gateway.stdout.readline())
        family = [nursery, *children(nursery)]
        gateway.kill()
    assert len(family) >= 2
    asyncio.run(until(lambda: not any(map(is_alive, family))))
