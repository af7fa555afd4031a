"""The life of a serving gateway: start, ready, reload, drain, end.

Order of the start: health pages (alive, not ready) → store → workers → doors → jobs → ready. The end is the reverse:
not ready → doors drained → jobs → workers → store → health pages. SIGTERM and SIGINT end it with exit code 0; SIGHUP
reads people and policy, tests them, and swaps them whole or keeps the old ones. What is built stands in `wiring`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from pathlib import Path

import uvloop

from gateway.doors.milter_settings import MilterAddress
from gateway.message.errors import ConfigInvalid, GatewayError
from gateway.service.configuration import Configuration, load_configuration
from gateway.service.health import HealthServer, Page
from gateway.service.jobs import Job, Jobs
from gateway.service.logs import set_up_logs
from gateway.service.metrics import CONTENT_TYPE, Metrics
from gateway.service.settings import Endpoint, Settings, UnixSocket
from gateway.service.wiring import Rooms, open_rooms

_log = logging.getLogger(__name__)
_HOLD_INTERVAL_S = 60.0


def run_service(path: Path) -> None:
    """Run the gateway of a configuration directory until a signal ends it.

    Raises ConfigInvalid, GatewayError (the store can't be used) or OSError (an address is taken) when it can't start.
    """
    configuration = load_configuration(path)
    settings = configuration.settings
    set_up_logs(settings.log.level, settings.log.format)
    for words in settings.warnings():
        _log.warning("configured without effect", extra={"what": words})
    uvloop.run(Life(configuration).run())


class Life:
    """One gateway from start to end. `stop` and `reload` may be called as signals do, from the event loop's thread."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._metrics = Metrics()
        self._stopping = asyncio.Event()
        self._reload_wanted = asyncio.Event()
        self._ready = False
        self._rooms: Rooms | None = None

    async def run(self) -> None:
        """Start, serve until `stop`, drain, end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        health = await self._open_health()
        try:
            await self._serve()
        finally:
            self._set_ready(False)
            if health is not None:
                await health.close()
            _log.info("ended")

    def stop(self) -> None:
        """Begin the end."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask for people and policy to be read anew; several wishes while one is carried out are one."""
        self._reload_wanted.set()

    async def _serve(self) -> None:
        rooms = await open_rooms(self._configuration, self._metrics)
        self._rooms = rooms
        jobs = Jobs(self._jobs(rooms), on_failure=self._metrics.job_restart)
        try:
            for door in rooms.doors:
                await door.start()
            jobs.start()
            self._set_ready(True)
            smtp = [str(Endpoint(*address)) for address in rooms.door.addresses]
            milter = [_told(address) for address in rooms.milter.addresses] if rooms.milter else []
            _log.info("ready", extra={"smtp": smtp, "milter": milter, "pid": os.getpid()})
            await self._until_stopped()
            self._set_ready(False)
            _log.info("draining")
            for door in rooms.doors:
                door.stop_accepting()
            drain_s = self._configuration.settings.drain_s
            await asyncio.gather(*(door.drain(drain_s) for door in rooms.doors))
        finally:
            for door in rooms.doors:
                await door.close()
            await jobs.stop()
            await rooms.close()
            self._rooms = None

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

    async def _reload(self) -> None:
        """Test first, swap whole, keep the old on any error; what is wrong is named by file and line only."""
        assert self._rooms is not None
        try:
            found = await asyncio.to_thread(load_configuration, self._configuration.path)
            await self._rooms.learn(found)
        except ConfigInvalid as error:
            self._metrics.reload("refused")
            places = [f"{Path(problem.path).name}:{problem.line}" for problem in error.problems[:20]]
            advice = "the old people and policy stay in force; see: practicum-gateway config check"
            _log.error("reload refused", extra={"problems": len(error.problems), "places": places, "advice": advice})
        except Exception:  # noqa: BLE001 - the guard of the reload: whatever goes wrong, the old knowledge stays
            self._metrics.reload("refused")
            _log.exception("reload failed; the old people and policy stay in force")
        else:
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

    def _jobs(self, rooms: Rooms) -> tuple[Job, ...]:
        return (
            Job(name="letters", interval_s=self._configuration.settings.letters.interval_s, run=rooms.elapse.letters),
            Job(name="holds", interval_s=_HOLD_INTERVAL_S, run=rooms.elapse.holds),
        )

    async def _open_health(self) -> HealthServer | None:
        metrics = self._configuration.settings.metrics
        if metrics is None:
            return None
        pages = {"/livez": self._livez, "/readyz": self._readyz, "/metrics": self._metrics_page}
        server = HealthServer(metrics.listen, pages)
        await server.start()
        _log.info("health pages open", extra={"http": str(server.address)})
        return server

    def _set_ready(self, is_ready: bool) -> None:
        if is_ready != self._ready:
            tell_service_manager("READY=1" if is_ready else "STOPPING=1")
        self._ready = is_ready
        self._metrics.set_ready(is_ready)

    async def _livez(self) -> Page:
        return Page(status=200, body=b"alive\n")

    async def _readyz(self) -> Page:
        if not self._ready or self._rooms is None:
            return Page(status=503, body=b"not ready\n")
        if not self._rooms.store.health().is_alive:
            return Page(status=503, body=b"the store does not work\n")
        if not self._rooms.pool.is_ready:
            return Page(status=503, body=b"no analysis worker\n")
        return Page(status=200, body=b"ready\n")

    async def _metrics_page(self) -> Page:
        if self._rooms is not None:
            try:
                counts = await self._rooms.store.counts()
            except GatewayError:
                _log.warning("the store could not be asked for metrics")
            else:
                self._metrics.set_state(
                    holds_open=counts.get("holds.held", 0) + counts.get("holds.releasing", 0),
                    letters_pending=counts.get("letters.waiting", 0),
                )
            doors = self._rooms.doors
            self._metrics.set_free_bytes(self._rooms.store.health().free_bytes)
            self._metrics.set_door(
                self._rooms.door.open_sessions,
                sum(door.messages_under_way for door in doors),
                sum(door.bytes_in_flight for door in doors),
            )
        return Page(status=200, body=self._metrics.exposition(), content_type=CONTENT_TYPE)


def _told(address: MilterAddress) -> str:
    return str(UnixSocket(address) if isinstance(address, Path) else Endpoint(*address))


def _of_restart(settings: Settings) -> Settings:
    """The settings without those that a reload puts in force."""
    return settings.model_copy(update={"signing": ()})


def tell_service_manager(words: str) -> None:
    """Tell systemd where we are (sd_notify(3)), if it started us and asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(words.encode("ascii"), address)
    except OSError:
        _log.warning("the service manager can't be told")
