"""The life of a serving gateway: start, ready, reload, drain, end.

Order of the start: health pages (alive, not ready) → store → analysis → doors → jobs → ready. The end is the reverse:
not ready → doors drained → jobs → analysis → store → health pages. SIGTERM and SIGINT end it with exit code 0; SIGHUP
reads people and policy, tests them, and swaps them whole or keeps the old ones. What is built stands in `wiring`; what
differs where several processes serve, in `worker`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from gateway.doors.milter_settings import MilterAddress
from gateway.message.errors import ConfigInvalid
from gateway.service.activation import NO_SOCKETS, Sockets
from gateway.service.addresses import Endpoint, UnixSocket
from gateway.service.configuration import Configuration, load_configuration
from gateway.service.health import Page, open_pages
from gateway.service.jobs import Job, Jobs
from gateway.service.manager import tell_service_manager
from gateway.service.metrics import CONTENT_TYPE, Metrics
from gateway.service.observer import count_store
from gateway.service.settings import Settings
from gateway.service.wiring import Rooms, open_rooms

_log = logging.getLogger(__name__)
_HOLD_INTERVAL_S = 60.0
_RETENTION_INTERVAL_S = 3600.0
_WORDS_INTERVAL_S = 15.0
_RECOVERY_INTERVAL_S = 600.0
_SWEEP_INTERVAL_S = 6 * 3600.0  # it lists every object
_COLLECT_AFTER = 5000  # new objects; the default of 700 is a collection for every few messages


class Closable(Protocol):
    """What tells others of this process: its health pages, or the line to its parent."""

    async def close(self) -> None:
        """Tell nobody any more."""


class Life:
    """One gateway from start to end. `stop` and `reload` may be called as signals do, from the event loop's thread."""

    def __init__(self, configuration: Configuration, sockets: Sockets = NO_SOCKETS) -> None:
        self._configuration = configuration
        self._sockets = sockets
        self._metrics = Metrics()
        self._stopping = asyncio.Event()
        self._reload_wanted = asyncio.Event()
        self._ready = False
        self._rooms: Rooms | None = None

    async def run(self) -> None:
        """Start, serve until `stop`, drain, end."""
        self._obey_signals()
        health = await self._open_health()
        try:
            await self._serve()
        finally:
            self._set_ready(False)
            if health is not None:
                await health.close()
            _log.info("ended")

    def _obey_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def stop(self) -> None:
        """Begin the end."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask for people and policy to be read anew; several wishes while one is carried out are one."""
        self._reload_wanted.set()

    async def _serve(self) -> None:
        rooms = await self._open_rooms()
        self._rooms = rooms
        jobs = Jobs(self._jobs(rooms), on_failure=self._metrics.job_restart)
        try:
            for door in rooms.doors:
                await door.start(self._sockets.smtp if door is rooms.door else self._sockets.milter)
            await self._start_jobs(jobs)
            settle_memory()
            self._set_ready(True)
            smtp = [str(Endpoint(*address)) for address in rooms.door.addresses]
            milter = [_told(address) for address in rooms.milter.addresses] if rooms.milter else []
            _log.info("ready", extra={"smtp": smtp, "milter": milter, "pid": os.getpid()})
            await self._until_stopped()
            self._set_ready(False)
            _log.info("draining")
            for door in rooms.doors:
                door.stop_accepting()
            await self._let_leave(rooms)
            drain_s = self._configuration.settings.drain_s
            await asyncio.gather(*(door.drain(drain_s) for door in rooms.doors))
        finally:
            for door in rooms.doors:
                await door.close()
            await self._stop_jobs(jobs)
            await rooms.close()
            self._rooms = None

    async def _let_leave(self, rooms: Rooms) -> None:
        """Nobody waits: who has no message under way is told 421 at once."""

    async def _open_rooms(self) -> Rooms:
        return await open_rooms(self._configuration, self._metrics)

    async def _start_jobs(self, jobs: Jobs) -> None:
        jobs.start()

    async def _stop_jobs(self, jobs: Jobs) -> None:
        await jobs.stop()

    async def _until_stopped(self) -> None:
        reloading = asyncio.create_task(self._reload_when_wanted(), name="reload")
        try:
            await self._stopping.wait()
        finally:
            reloading.cancel()
            await asyncio.gather(reloading, return_exceptions=True)

    async def _reload_when_wanted(self) -> None:
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            tell_service_manager("RELOADING=1")
            await self._reload()
            tell_service_manager("READY=1")

    async def _reload(self) -> bool:
        """Test first, swap whole, keep the old on any error; True if the new is in force."""
        assert self._rooms is not None
        try:
            found = await asyncio.to_thread(load_configuration, self._configuration.path)
            await self._rooms.learn(found)
        except ConfigInvalid as error:
            self._metrics.reload("refused")
            log_refused(error)
        except Exception:  # noqa: BLE001 - the guard of the reload: whatever goes wrong, the old knowledge stays
            self._metrics.reload("refused")
            _log.exception("reload failed; the old people and policy stay in force")
        else:
            settle_memory()
            self._metrics.reload("ok")
            needs_restart = _of_restart(found.settings) != _of_restart(self._configuration.settings)
            _log.info(
                "reloaded",
                extra={
                    "clients": len(found.directory.clients),
                    "workers": len(found.directory.workers),
                    "policy": f"{found.pack.id} {found.pack.version}",
                    "restart_needed_for_settings": needs_restart,
                },
            )
            return True
        return False

    def _jobs(self, rooms: Rooms) -> tuple[Job, ...]:
        """What is done again and again; of several gateways on one store, by the one that leads."""
        work = {
            "letters": (self._configuration.settings.letters.interval_s, rooms.elapse.letters),
            "holds": (_HOLD_INTERVAL_S, rooms.elapse.holds),
            "retention": (_RETENTION_INTERVAL_S, rooms.elapse.retention),
            "words": (_WORDS_INTERVAL_S, rooms.indexing.catch_up),
            "recovery": (_RECOVERY_INTERVAL_S, rooms.recover),
            "sweep": (_SWEEP_INTERVAL_S, rooms.sweep),
        }
        return tuple(
            Job(name=name, interval_s=interval_s, run=partial(_if_leading, rooms, run))
            for name, (interval_s, run) in work.items()
        )

    async def _open_health(self) -> Closable | None:
        metrics = self._configuration.settings.metrics
        pages = {"/readyz": self._readyz, "/metrics": self._metrics_page}
        return await open_pages(None if metrics is None else metrics.listen, pages)

    def _set_ready(self, is_ready: bool) -> None:
        if is_ready != self._ready:
            tell_service_manager("READY=1" if is_ready else "STOPPING=1")
        self._ready = is_ready
        self._metrics.set_ready(is_ready)

    async def _readyz(self) -> Page:
        if not self._ready or self._rooms is None:
            return Page(status=503, body=b"not ready\n")
        if not self._rooms.store.health().is_alive:
            return Page(status=503, body=b"the store does not work\n")
        if down := await self._rooms.store.parts_down():
            return Page(status=503, body=f"the store does not work: {', '.join(down)}\n".encode())
        if not self._rooms.pool.is_ready:
            return Page(status=503, body=b"no analysis worker\n")
        return Page(status=200, body=b"ready\n")

    async def _metrics_page(self) -> Page:
        if self._rooms is not None:
            await count_store(self._metrics, self._rooms.store)
            doors = self._rooms.doors
            self._metrics.set_door(
                self._rooms.door.open_sessions,
                sum(door.messages_under_way for door in doors),
                sum(door.bytes_in_flight for door in doors),
            )
        return Page(status=200, body=self._metrics.exposition(), content_type=CONTENT_TYPE)


async def _if_leading(rooms: Rooms, run: Callable[[], Awaitable[object]]) -> None:
    if not rooms.store.is_shared or await rooms.store.leads():
        await run()


def settle_memory() -> None:
    """Tell the collector of cycles to leave alone what was made at the start, which is nearly all that there is.

    It would look through several hundred thousand objects again and again while messages come and go. What only
    reference counts free, they free as before. Called anew after a reload, which replaces much of it.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 50)


def _told(address: MilterAddress) -> str:
    return str(UnixSocket(address) if isinstance(address, Path) else Endpoint(*address))


def _of_restart(settings: Settings) -> Settings:
    """The settings without those that a reload puts in force."""
    return settings.model_copy(update={"signing": ()})


def log_refused(error: ConfigInvalid) -> None:
    """Say that a reload was refused, and what is wrong by file and line only."""
    places = [f"{Path(problem.path).name}:{problem.line}" for problem in error.problems[:20]]
    advice = "the old people and policy stay in force; see: practicum-gateway config check"
    _log.error("reload refused", extra={"problems": len(error.problems), "places": places, "advice": advice})
