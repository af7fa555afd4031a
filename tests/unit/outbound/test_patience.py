"""One timer for all waits of a connection, by a clock that is moved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.outbound.patience import Patience


class Timer:
    """What `call_at` gives."""

    def __init__(self, at_s: float, work: Callable[[], None]) -> None:
        self.at_s = at_s
        self.work = work
        self.is_cancelled = False

    def when(self) -> float:
        return self.at_s

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop(asyncio.AbstractEventLoop):
    """An event loop whose time stands until `wait` moves it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when: float, callback: Callable[[], None], *_: object, **__: object) -> Timer:  # type: ignore[override]
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def wait(self, seconds: float) -> None:
        """Let time pass, and each timer fire at its own."""
        end_s = self.now_s + seconds
        while due := [timer for timer in self.timers if not timer.is_cancelled and timer.at_s <= end_s]:
            timer = min(due, key=Timer.when)
            self.timers.remove(timer)
            self.now_s = timer.at_s
            timer.work()
        self.now_s = end_s


def test_a_wait_that_ends_in_time_is_forgotten_and_the_next_has_its_own_time() -> None:
    loop = Loop()
    late: list[float] = []
    patience = Patience(loop, lambda: late.append(round(loop.time() - 100, 3)))
    patience.begin(3)
    patience.end()
    loop.wait(6)
    assert late == []
    patience.begin(1000)
    patience.end()
    patience.begin(5)  # sooner than the timer that is set
    loop.wait(10)
    assert late == [11]
    patience.begin(2)
    loop.wait(1)
    patience.end()
    patience.begin(8)  # later than the timer that is set: it looks and waits on
    loop.wait(7.9)
    assert late == [11]
    loop.wait(1)
    assert late == [11, 25]


def test_hurry_is_for_who_waits_and_close_ends_all() -> None:
    loop = Loop()
    late: list[str] = []
    patience = Patience(loop, lambda: late.append("late"))
    patience.hurry()
    assert late == []
    patience.begin(10)
    patience.hurry()
    patience.hurry()
    assert late == ["late"]
    patience.begin(1)
    patience.close()
    loop.wait(20)
    assert late == ["late"]
