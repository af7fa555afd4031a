"""The life of the service, with rooms that only write down what is asked of them: start, end, reload, pages."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.archive.model import StoreHealth
from gateway.message.errors import ConfigInvalid, ConfigProblem, MachineryFailed
from gateway.policy.load import load_pack
from gateway.service import life
from gateway.service.configuration import Configuration
from gateway.service.health import live
from gateway.service.life import Life
from gateway.service.manager import tell_service_manager
from gateway.service.settings import Settings
from tests.builders import a_directory

PACK = load_pack("renison-2013")


@dataclass
class FakeRooms:
    """Rooms that write down what is asked of them, in order."""

    asked: list[str] = field(default_factory=list)
    learned: list[Configuration] = field(default_factory=list)
    is_store_alive: bool = True
    down: tuple[str, ...] = ()
    is_leading: bool = True
    is_pool_ready: bool = True
    counts_fail: bool = False
    learn_fails: bool = False
    door_fails: bool = False

    def __post_init__(self) -> None:
        self.door, self.milter, self.doors = self, None, (self,)
        jobs = {name: self._job(name) for name in ("letters", "holds", "retention")}
        self.elapse, self.indexing = SimpleNamespace(**jobs), SimpleNamespace(catch_up=self._job("words"))
        self.store = SimpleNamespace(
            health=self._health, counts=self._counts, parts_down=self._parts_down, leads=self._leads, is_shared=True
        )
        self.recover, self.sweep = self._job("recovery"), self._job("sweep")
        self.pool = SimpleNamespace(is_ready=self.is_pool_ready)
        self.addresses = (("127.0.0.1", 10025),)
        self.open_sessions, self.messages_under_way, self.bytes_in_flight = 4, 2, 99

    async def start(self, sockets: object = ()) -> None:
        self.asked.append("start")
        if self.door_fails:
            raise OSError("address taken")

    def stop_accepting(self) -> None:
        self.asked.append("stop accepting")

    async def drain(self, timeout_s: float) -> bool:
        self.asked.append(f"drain {timeout_s:g}")
        return True

    async def close(self) -> None:
        self.asked.append("close")

    async def learn(self, configuration: Configuration) -> None:
        if self.learn_fails:
            raise RuntimeError("the workers did not come up")
        self.learned.append(configuration)

    def _job(self, name: str) -> Callable[[], object]:
        async def work() -> None:
            self.asked.append(name)

        return work

    def _health(self) -> StoreHealth:
        return StoreHealth(is_alive=self.is_store_alive, waiting=0, free_bytes=7)

    async def _parts_down(self) -> tuple[str, ...]:
        return self.down

    async def _leads(self) -> bool:
        return self.is_leading

    async def _counts(self) -> dict[str, int]:
        if self.counts_fail:
            raise MachineryFailed("store")
        return {"holds.held": 2, "holds.releasing": 1, "letters.waiting": 5}


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    settings = Settings.model_validate({"metrics": None, "drain_s": 3})
    return Configuration(path=tmp_path, settings=settings, directory=a_directory(), pack=PACK)


def lived(
    monkeypatch: pytest.MonkeyPatch,
    configuration: Configuration,
    rooms: FakeRooms,
    while_serving: Callable[[Life], object],
) -> Life:
    """A life that serves until `while_serving` (awaited if it can be) is done."""

    async def open_rooms(*_: object) -> FakeRooms:
        return rooms

    monkeypatch.setattr(life, "open_rooms", open_rooms)

    async def scenario() -> Life:
        one = Life(configuration)
        running = asyncio.create_task(one.run())
        async with asyncio.timeout(20):
            while not one._ready and not running.done():
                await asyncio.sleep(0)
            if not running.done():
                result = while_serving(one)
                if asyncio.iscoroutine(result):
                    await result
                one.stop()
            await running
        return one

    return asyncio.run(scenario())


def test_the_end_drains_the_door_before_anything_is_closed(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    rooms = FakeRooms()
    lived(monkeypatch, configuration, rooms, lambda _: asyncio.sleep(0))
    jobs = {"letters", "holds", "retention", "words", "recovery", "sweep"}
    assert [entry for entry in rooms.asked if entry not in jobs] == [
        "start", "stop accepting", "drain 3", "close", "close",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration, number: signal.Signals
) -> None:
    rooms = FakeRooms()

    async def end(one: Life) -> None:
        os.kill(os.getpid(), number)
        await one._stopping.wait()

    lived(monkeypatch, configuration, rooms, end)
    assert rooms.asked[-1] == "close"


def test_the_jobs_run_while_it_serves(monkeypatch: pytest.MonkeyPatch, configuration: Configuration) -> None:
    rooms = FakeRooms()

    async def until_both_ran(_: Life) -> None:
        while not {"letters", "holds"} <= set(rooms.asked):
            await asyncio.sleep(0)

    lived(monkeypatch, configuration, rooms, until_both_ran)
    assert "letters" in rooms.asked


def test_a_door_that_can_not_open_closes_the_rooms(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    rooms = FakeRooms(door_fails=True)
    with pytest.raises(OSError, match="address taken"):
        lived(monkeypatch, configuration, rooms, lambda _: None)
    assert rooms.asked == ["start", "close", "close"]


async def _hang_up(one: Life, result: str) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    while f'result="{result}"' not in one._metrics.exposition().decode():
        await asyncio.sleep(0)


def test_a_reload_puts_the_new_people_and_policy_in_force(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    rooms = FakeRooms()
    fresh = Configuration(path=configuration.path, settings=configuration.settings, directory=a_directory(), pack=PACK)
    monkeypatch.setattr(life, "load_configuration", lambda _: fresh)
    lived(monkeypatch, configuration, rooms, lambda one: _hang_up(one, "ok"))
    assert rooms.learned == [fresh]


def test_a_reload_of_a_bad_configuration_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration, caplog: pytest.LogCaptureFixture
) -> None:
    rooms = FakeRooms()

    def bad(_: Path) -> Configuration:
        raise ConfigInvalid([ConfigProblem("/etc/x/people.yaml", 7, "ada@agency.example stands twice")])

    monkeypatch.setattr(life, "load_configuration", bad)
    lived(monkeypatch, configuration, rooms, lambda one: _hang_up(one, "refused"))
    assert rooms.learned == []
    (record,) = [record for record in caplog.records if record.message == "reload refused"]
    assert record.__dict__["places"] == ["people.yaml:7"]
    assert "ada" not in str(record.__dict__)


def test_a_reload_that_breaks_leaves_the_gateway_serving(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration
) -> None:
    rooms = FakeRooms(learn_fails=True)
    monkeypatch.setattr(life, "load_configuration", lambda _: configuration)

    async def twice(one: Life) -> None:
        await _hang_up(one, "refused")
        assert (await one._readyz()).status == 200

    lived(monkeypatch, configuration, rooms, twice)


@pytest.mark.parametrize(
    ("rooms", "status"),
    [
        (FakeRooms(), 200),
        (FakeRooms(is_store_alive=False), 503),
        (FakeRooms(down=("objects",)), 503),
        (FakeRooms(is_pool_ready=False), 503),
    ],
    ids=["all well", "store", "objects", "workers"],
)
def test_ready_means_that_store_and_workers_work(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration, rooms: FakeRooms, status: int
) -> None:
    found: list[int] = []

    async def ask(one: Life) -> None:
        found.append((await one._readyz()).status)
        found.append((await live()).status)

    one = lived(monkeypatch, configuration, rooms, ask)
    assert found == [status, 200]
    assert asyncio.run(one._readyz()).status == 503


@pytest.mark.parametrize("counts_fail", [False, True])
def test_the_metrics_page_asks_store_and_door(
    monkeypatch: pytest.MonkeyPatch, configuration: Configuration, counts_fail: bool
) -> None:
    pages: list[str] = []

    async def ask(one: Life) -> None:
        pages.append((await one._metrics_page()).body.decode())

    lived(monkeypatch, configuration, FakeRooms(counts_fail=counts_fail), ask)
    assert ("gateway_holds_open 3.0" in pages[0]) is not counts_fail
    assert "gateway_smtp_sessions 4.0" in pages[0]
    assert "gateway_store_free_bytes 7.0" in pages[0]


def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    tell_service_manager("READY=1")


def test_a_service_manager_that_is_gone_does_not_stop_the_gateway(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    tell_service_manager("READY=1")
    assert "can't be told" in caplog.text
