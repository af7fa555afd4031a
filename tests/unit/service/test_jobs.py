"""Jobs: one failure does not end a job, and a job that keeps failing is tried less often."""

from __future__ import annotations

import asyncio

import pytest

from gateway.service.jobs import Job, Jobs, pause_s


def test_a_job_that_fails_is_told_and_run_again() -> None:
    runs: list[int] = []
    failed: list[str] = []
    done = asyncio.Event()

    async def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")
        done.set()

    async def scenario() -> None:
        jobs = Jobs((Job(name="letters", interval_s=0.0, run=work),), on_failure=failed.append)
        jobs.start()
        async with asyncio.timeout(10):
            await done.wait()
        await jobs.stop()

    asyncio.run(scenario())
    assert len(runs) >= 2
    assert failed == ["letters"]


def test_a_stopped_job_does_not_run_again() -> None:
    runs: list[int] = []
    first = asyncio.Event()

    async def work() -> None:
        runs.append(1)
        first.set()

    async def scenario() -> int:
        jobs = Jobs((Job(name="holds", interval_s=3600.0, run=work),), on_failure=lambda _: None)
        jobs.start()
        async with asyncio.timeout(10):
            await first.wait()
        await jobs.stop()
        return len(asyncio.all_tasks())

    assert asyncio.run(scenario()) == 1
    assert runs == [1]


@pytest.mark.parametrize(
    ("interval", "failures", "expected"),
    [(5.0, 0, 5.0), (5.0, 1, 10.0), (5.0, 3, 40.0), (5.0, 100, 300.0), (600.0, 0, 600.0), (600.0, 5, 600.0)],
)
def test_the_pause_doubles_with_each_failure_up_to_five_minutes(
    interval: float, failures: int, expected: float
) -> None:
    assert pause_s(interval, failures) == expected
