"""The parent of several serving workers: it holds the sockets and the store's place, and takes no mail itself.

Order of the start: health pages → the store's place, and what a killed gateway left → sockets → workers → ready. A
worker that died is replaced. SIGTERM and SIGINT drain all workers and end with 0; SIGHUP tests the configuration once
and has every worker put it in force; SIGUSR2 renews the workers one after the other, each new one serving before the
old one stops, so that no connection is refused. The jobs run in one of the workers (`gateway.service.turn`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable

from gateway.archive.homes import PLACE_TAKEN
from gateway.archive.store import Store
from gateway.message.errors import ConfigInvalid, MachineryFailed
from gateway.service.activation import NO_SOCKETS, Sockets, open_sockets
from gateway.service.addresses import Endpoint
from gateway.service.children import Child, Nest
from gateway.service.configuration import Configuration, load_configuration
from gateway.service.health import HealthServer, Page, open_pages
from gateway.service.life import log_refused
from gateway.service.manager import tell_service_manager
from gateway.service.metrics import CONTENT_TYPE, Metrics
from gateway.service.metrics_sum import lasting, summed
from gateway.service.observer import count_store
from gateway.service.signing import make_signer
from gateway.service.store_settings import open_store
from gateway.service.wiring import make_door_settings, now

_log = logging.getLogger(__name__)
_READY_S = 240.0
_PLACE_S = 10.0  # workers of a parent that was killed drain and go
_LOOK_S = 0.25
_COUNT_INTERVAL_S = 5.0
_YOUNG_S = 10.0
_MAX_PAUSE_S = 30.0


class Slot:
    """The place of one worker: the one that serves now, if any."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.child: Child | None = None


class Parent:
    """One gateway of several processes, from start to end."""

    def __init__(self, configuration: Configuration, count: int, sockets: Sockets = NO_SOCKETS) -> None:
        self._configuration = configuration
        self._given = sockets
        self._slots = tuple(Slot(number) for number in range(count))
        self._metrics = Metrics()
        self._past: list[bytes] = []
        self._stopping = asyncio.Event()
        self._wishes: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._wished: set[str] = set()
        self._leaving: set[Child] = set()  # renewed, and still serving those who have been with them
        self._ready = False
        self._store: Store | None = None
        self._nest: Nest | None = None

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain, end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._wish, "reload", self._reload)
        loop.add_signal_handler(signal.SIGUSR2, self._wish, "renew", self._renew)
        health = await self._open_health()
        try:
            await self._serve()
        finally:
            self._set_ready(False)
            if health is not None:
                await health.close()
            _log.info("ended")

    async def _serve(self) -> None:
        make_door_settings(self._configuration)  # what can't be served is told here, once
        make_signer(self._configuration)
        store = self._store = await self._open_store()
        try:
            await store.recover(now())
            sockets = open_sockets(self._configuration.settings, self._given)
            try:
                await self._with_workers(sockets, store.place)
            finally:
                sockets.close()
        finally:
            self._store = None
            await store.close()

    async def _open_store(self) -> Store:
        """The store, in the place of the one serving gateway. Waits for what a killed parent left behind."""
        end = time.monotonic() + _PLACE_S
        while True:
            try:
                return await open_store(self._configuration.path, self._configuration.settings.store, is_gateway=True)
            except MachineryFailed as error:
                if error.cause != PLACE_TAKEN or time.monotonic() > end or self._stopping.is_set():
                    raise
            await asyncio.sleep(_LOOK_S)

    async def _with_workers(self, sockets: Sockets, place: int | None) -> None:
        settings = self._configuration.settings
        path, count = self._configuration.path, len(self._slots)
        self._nest = Nest(path=path, count=count, sockets=sockets, place=place, drain_s=settings.drain_s)
        try:
            if await self._start_all(self._nest):
                smtp = [str(Endpoint(*each.getsockname()[:2])) for each in sockets.smtp]
                pids = [slot.child.pid for slot in self._slots if slot.child is not None]
                _log.info("ready", extra={"smtp": smtp, "workers": pids, "pid": os.getpid()})
                self._set_ready(True)
                await self._until_stopped(self._nest)
                self._set_ready(False)
                _log.info("draining")
        finally:
            await asyncio.gather(*(child.retire() for child in (*self._children(), *self._leaving)))

    async def _start_all(self, nest: Nest) -> bool:
        """Start every worker; True when all take mail, False if a signal came first. Raises MachineryFailed."""
        for slot in self._slots:
            slot.child = await Child.start(nest)
        stopping = asyncio.create_task(self._stopping.wait())
        children = [slot.child for slot in self._slots if slot.child is not None]
        ready = asyncio.create_task(_all_ready(children))
        await asyncio.wait((stopping, ready), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._stopping.is_set():
            ready.cancel()
            return False
        if not ready.result():
            raise MachineryFailed("a worker did not start", codes=", ".join(str(child.code) for child in children))
        return True

    async def _until_stopped(self, nest: Nest) -> None:
        work = [asyncio.create_task(self._keep(slot, nest), name=f"slot {slot.number}") for slot in self._slots]
        work += [asyncio.create_task(self._fulfil(), name="wishes"), asyncio.create_task(self._count(), name="count")]
        try:
            await self._stopping.wait()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _keep(self, slot: Slot, nest: Nest) -> None:
        """Replace the slot's worker whenever it has died, with a growing pause while the new ones die young."""
        failures = 0
        while True:
            child, since = slot.child, time.monotonic()
            if child is not None:
                await child.until_ended()
                if slot.child is not child:  # renewed
                    failures = 0
                    continue
                self._bury(child)
                slot.child = None
                _log.error("a worker died", extra={"worker": slot.number, "pid": child.pid, "code": child.code})
            failures = failures + 1 if time.monotonic() - since < _YOUNG_S else 0
            self._metrics.worker_restart()
            await asyncio.sleep(min(2.0 ** (failures - 1), _MAX_PAUSE_S) if failures else 0)
            try:
                await self._fill(slot, await Child.start(nest))
            except OSError as error:
                _log.error("no worker can be started", extra={"errno": error.errno})

    @staticmethod
    async def _fill(slot: Slot, new: Child) -> None:
        """The new worker's place is in the slot, unless a renewal was faster."""
        if slot.child is None:
            slot.child = new
        else:
            await new.retire()

    def _bury(self, child: Child) -> None:
        """Keep what it counted."""
        self._past = [lasting(summed([*self._past, child.page]))]

    async def _count(self) -> None:
        """Ask the workers for their counts from time to time: a killed one can't be asked any more."""
        while True:
            await asyncio.sleep(_COUNT_INTERVAL_S)
            await asyncio.gather(*(child.state() for child in self._children()))

    def _children(self) -> list[Child]:
        return [slot.child for slot in self._slots if slot.child is not None]

    # Reload and renewal, one after the other.

    def _wish(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Several wishes of one kind while one waits are one."""
        if name in self._wished:
            return
        self._wished.add(name)

        async def carried_out() -> None:
            self._wished.discard(name)
            await work()

        self._wishes.put_nowait(carried_out)

    async def _fulfil(self) -> None:
        while True:
            work = await self._wishes.get()
            tell_service_manager("RELOADING=1")
            try:
                await work()
            except Exception:  # noqa: BLE001 - the next wish must find somebody who fulfils it
                _log.exception("a reload or renewal failed; the workers of before serve")
            tell_service_manager("READY=1")

    async def _reload(self) -> None:
        """Test once, then have every worker put it in force; one that can't is replaced by one that starts with it."""
        try:
            found = await asyncio.to_thread(load_configuration, self._configuration.path)
            make_signer(found)
        except ConfigInvalid as error:
            self._metrics.reload("refused")
            log_refused(error)
            return
        slots = [slot for slot in self._slots if slot.child is not None]
        done = await asyncio.gather(*(_reloaded(slot.child) for slot in slots if slot.child is not None))
        late = [slot for slot, is_done in zip(slots, done, strict=True) if not is_done]
        replaced = [await self._renew_slot(slot) for slot in late]
        is_everywhere = all(replaced)
        self._metrics.reload("ok" if is_everywhere else "refused")
        counts = {"clients": len(found.directory.clients), "workers": len(found.directory.workers)}
        if is_everywhere:
            _log.info("reloaded", extra=counts)
        else:
            _log.error("reload is not in force in every worker", extra=counts)

    async def _renew(self) -> None:
        """New workers in the place of the old ones, one after the other; the first that does not start ends it."""
        for slot in self._slots:
            if not await self._renew_slot(slot):
                _log.error("renewal stopped: a new worker did not start; the old one serves")
                return
        _log.info("renewed", extra={"workers": [child.pid for child in self._children()]})

    async def _renew_slot(self, slot: Slot) -> bool:
        """True if a new worker serves in that slot; the old one stops only then."""
        assert self._nest is not None
        old = slot.child
        new = await Child.start(self._nest)
        try:
            is_started = await new.until_ready(_READY_S)
        except asyncio.CancelledError:
            await asyncio.shield(new.kill())
            raise
        if not is_started:
            await new.kill()
            return False
        if slot.child is not old:  # the old one died meanwhile and was replaced
            old = slot.child
        slot.child = new
        if old is not None:
            self._leaving.add(old)
            try:
                await old.leave()
                self._leaving.discard(old)
            finally:
                self._bury(old)
        return True

    # What others see.

    async def _open_health(self) -> HealthServer | None:
        metrics = self._configuration.settings.metrics
        pages = {"/readyz": self._readyz, "/metrics": self._metrics_page}
        return await open_pages(None if metrics is None else metrics.listen, pages)

    def _set_ready(self, is_ready: bool) -> None:
        if is_ready != self._ready:
            tell_service_manager("READY=1" if is_ready else "STOPPING=1")
        self._ready = is_ready

    async def _readyz(self) -> Page:
        """Ready while at least one worker is."""
        if not self._ready:
            return Page(status=503, body=b"not ready\n")
        states = await asyncio.gather(*(child.state() for child in self._children()))
        if not any(state["is_ready"] for state in states):
            return Page(status=503, body=str(states[0]["why"]).encode() if states else b"no worker serves\n")
        return Page(status=200, body=b"ready\n")

    async def _metrics_page(self) -> Page:
        await asyncio.gather(*(child.state() for child in self._children()))
        if self._store is not None:
            await count_store(self._metrics, self._store)
        serving = [child for child in self._children() if child.is_ready]
        self._metrics.set_ready(self._ready and bool(serving))
        self._metrics.set_workers(len(serving))
        # The directory is the workers': the parent's own page, which says 0 clients, comes after theirs in that.
        return Page(status=200, body=self._summed(), content_type=CONTENT_TYPE)

    def _summed(self) -> bytes:
        pages = [child.page for child in self._children() if child.page]
        return summed([self._own_page(), *pages, *self._past])

    def _own_page(self) -> bytes:
        lines = self._metrics.exposition().decode().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("gateway_directory_clients ")).encode()


async def _all_ready(children: list[Child]) -> bool:
    return all(await asyncio.gather(*(child.until_ready(_READY_S) for child in children)))


async def _reloaded(child: Child) -> bool:
    """True if the worker has put the present configuration in force; one that still starts is waited for."""
    return await child.until_ready(_READY_S) and await child.reload()
