"""The one place that knows every adapter: from a configuration to the objects that run.

No behaviour of its own beyond building and closing in the right order; when things start and stop is `life`'s. Called
by `serve`, by the commands that decide on holds, and by tests that want the whole gateway.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gateway.amend.dns import DnsResolver
from gateway.amend.lookups import NoDns, Resolver
from gateway.amend.signing import Signer
from gateway.amend.verify import Verifier
from gateway.archive.indexing import Indexing
from gateway.archive.store import Store
from gateway.arrive import Arrival
from gateway.content.documents.reader import DocumentReader
from gateway.content.pool import InspectionPool
from gateway.decide import Decide
from gateway.doors.milter import MilterDoor
from gateway.doors.milter_settings import MilterDoorSettings
from gateway.doors.smtp import SmtpDoor
from gateway.doors.smtp_settings import DoorTimeouts, SmtpDoorSettings
from gateway.elapse import Elapse
from gateway.flow import Knowledge
from gateway.holding.refs import ref_of
from gateway.message.errors import ConfigInvalid, ConfigProblem, MachineryFailed
from gateway.outbound.accepted import AcceptedFile
from gateway.outbound.hop_tls import make_hop_tls
from gateway.outbound.letters import LetterDesk
from gateway.outbound.relay import NextHop, RelayTimeouts
from gateway.people.directory import Directory
from gateway.service.addresses import UnixSocket
from gateway.service.configuration import Configuration, make_limits
from gateway.service.descriptors import raise_descriptor_limit
from gateway.service.history import known_people
from gateway.service.hop_settings import HopProtocol
from gateway.service.metrics import Metrics
from gateway.service.observer import ServiceObserver
from gateway.service.settings import FILE_NAME, Settings
from gateway.service.signing import make_signer
from gateway.service.store_settings import open_store

_POOL_READY_S = 200.0  # seconds on a machine with time; this is for one without
_POOL_LOOK_S = 0.02


def now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(tz=UTC)


def new_id() -> str:
    """A new id for a message or a letter: milliseconds since 1970 in hex, then 64 random bits; sorts by time."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def host_name(settings: Settings) -> str:
    """The name by which the gateway greets: configured, or this machine's."""
    return settings.host_name or socket.getfqdn() or "localhost"


def make_next_hop(settings: Settings, directory: Path = Path()) -> NextHop:
    """The way on. `directory` is where relative paths start. Raises ConfigInvalid for authorities that are no PEM."""
    chosen = settings.smtp.next_hop_tls
    authorities = None if chosen.ca is None else directory / chosen.ca
    try:
        tls = make_hop_tls(chosen.mode, authorities=authorities, name=chosen.name)
    except OSError as error:
        what = f"`smtp.next_hop_tls.ca`: {authorities} can't be used ({error.strerror or 'not PEM'})"
        raise ConfigInvalid([ConfigProblem(str(directory / FILE_NAME), 0, what)]) from None
    return NextHop(
        host=settings.smtp.next_hop.host,
        port=settings.smtp.next_hop.port,
        ehlo_name=host_name(settings),
        timeouts=RelayTimeouts(
            connect_s=settings.smtp.connect_timeout_s,
            greeting_s=settings.smtp.command_timeout_s,
            command_s=settings.smtp.command_timeout_s,
            data_end_s=settings.smtp.data_timeout_s,
        ),
        tls=tls,
        is_lmtp=settings.smtp.next_hop_protocol is HopProtocol.LMTP,
    )


def make_desk(settings: Settings) -> LetterDesk:
    """Who writes the gateway's own mails."""
    return LetterDesk(sender=settings.letters.sender, new_id=new_id, now=now)


def make_verifier(settings: Settings) -> Verifier:
    """How incoming mail is checked; it asks only the DNS servers that are named."""
    chosen = settings.authentication
    resolver: Resolver | None = None
    if chosen.verify:
        resolver = NoDns()
        if chosen.dns is not None:
            servers = tuple((server.host, server.port) for server in chosen.dns.servers)
            resolver = DnsResolver(servers, timeout_s=chosen.dns.timeout_s, cache_entries=chosen.dns.cache_entries)
    return Verifier(
        authserv_id=chosen.authserv_id or host_name(settings),
        resolver=resolver,
        relays=settings.smtp.trusted_clients,
    )


def make_decide(configuration: Configuration, store: Store) -> Decide:
    """The flow of a person's decision, on a store that the caller has opened."""
    return Decide(
        directory=configuration.directory,
        pack=configuration.pack,
        store=store,
        relay=make_next_hop(configuration.settings, configuration.path),
        desk=make_desk(configuration.settings),
        now=now,
        signer=partial(make_signer, configuration),
    )


def make_tls(configuration: Configuration) -> ssl.SSLContext | None:
    """The TLS context of the SMTP door; None without a certificate. Raises ConfigInvalid for one that can't be used."""
    tls = configuration.settings.smtp.tls
    if tls is None:
        return None
    certificate, key = configuration.path / tls.certificate, configuration.path / tls.key
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        what = f"`smtp.tls`: {certificate} and {key} can't be used together ({error.strerror or 'not PEM'})"
        raise ConfigInvalid([ConfigProblem(str(configuration.path / FILE_NAME), 0, what)]) from None
    return context


def make_door_settings(configuration: Configuration) -> SmtpDoorSettings:
    """What the SMTP door must know. Raises ConfigInvalid for a certificate that can't be used."""
    settings = configuration.settings
    smtp = settings.smtp
    return SmtpDoorSettings(
        listen=tuple((endpoint.host, endpoint.port) for endpoint in smtp.listen),
        next_hop=make_next_hop(settings, configuration.path),
        trusted_clients=smtp.trusted_clients,
        host_name=host_name(settings),
        limits=make_limits(settings),
        timeouts=DoorTimeouts(command_s=smtp.idle_timeout_s),
        tls=make_tls(configuration),
        is_tls_required=smtp.tls is not None and smtp.tls.required,
        passes_auth=smtp.passes_auth,
        proxies=smtp.proxies,
        max_connections=smtp.max_connections,
        max_connections_of_a_host=smtp.max_connections_per_host,
        max_recipients=smtp.max_recipients,
        max_bytes_in_flight=smtp.max_bytes_in_flight,
        next_hop_idle_s=smtp.next_hop_idle_s,
    )


def make_milter_settings(settings: Settings) -> MilterDoorSettings | None:
    """What the milter door must know; None if none is configured."""
    milter = settings.milter
    if milter is None:
        return None
    return MilterDoorSettings(
        listen=tuple(
            address.path if isinstance(address, UnixSocket) else (address.host, address.port)
            for address in milter.listen
        ),
        host_name=host_name(settings),
        limits=make_limits(settings),
        asks_for_macros=milter.asks_for_macros,
        quarantines=milter.quarantine,
        max_connections=milter.max_connections,
        max_recipients=milter.max_recipients,
        max_bytes_in_flight=milter.max_bytes_in_flight,
    )


class Rooms:
    """Every room of a serving gateway, built and open. Made by `open_rooms`; `close` undoes it in reverse order."""

    def __init__(
        self,
        configuration: Configuration,
        store: Store,
        pool: InspectionPool,
        reader: DocumentReader,
        metrics: Metrics,
        signer: Signer,
        directory: Directory,
    ) -> None:
        settings = configuration.settings
        observer = ServiceObserver(metrics)
        self.configuration = configuration
        self.store = store
        self.pool = pool
        self.reader = reader
        self.metrics = metrics
        self._knowledge = self._knowledge_of(configuration, signer, directory)
        self.indexing = Indexing(store, reader.read_in_thread)
        desk, next_hop = make_desk(settings), make_next_hop(settings, configuration.path)
        self.arrival = Arrival(
            knowledge=self.knowledge,
            store=store,
            desk=desk,
            observer=observer,
            now=now,
            reference_of=ref_of,
            host_name=host_name(settings),
            hold_days=settings.holds.expire_after_days,
            limits=make_limits(settings),
            verifier=make_verifier(settings),
        )
        self.elapse = Elapse(
            knowledge=self.knowledge, store=store, relay=next_hop, desk=desk, observer=observer, now=now
        )
        self.door = SmtpDoor(
            make_door_settings(configuration),
            handle=self.arrival,
            now=now,
            new_id=new_id,
            accepted=AcceptedFile(configuration.store_path / "accepted.sqlite", now=now) if next_hop.is_lmtp else None,
            on_failure=observer.command_failed,
        )
        milter_settings = make_milter_settings(settings)
        self.milter = (
            MilterDoor(milter_settings, handle=self.arrival, now=now, new_id=new_id) if milter_settings else None
        )
        metrics.set_clients(len(configuration.directory.clients))

    @property
    def doors(self) -> tuple[SmtpDoor | MilterDoor, ...]:
        """The doors that are configured."""
        return (self.door, self.milter) if self.milter else (self.door,)

    def knowledge(self) -> Knowledge:
        """The people and the policy of now."""
        return self._knowledge

    async def learn(self, configuration: Configuration) -> None:
        """Put new people, a new policy and new keys in force, whole; on an error the old ones stay."""
        signer = make_signer(configuration)
        await self.pool.reload(configuration.directory)
        directory = await with_history(configuration, self.store)
        self._knowledge = self._knowledge_of(configuration, signer, directory)
        self.configuration = configuration
        self.metrics.set_clients(len(configuration.directory.clients))

    async def recover(self) -> None:
        """Beside other gateways: put right what one of them left when it was killed. A store of our own is right."""
        if self.store.is_shared:
            await self.store.recover(now())

    async def sweep(self) -> None:
        """Beside other gateways: take away the objects whose rows never came."""
        if self.store.is_shared:
            await self.store.sweep()

    async def close(self) -> None:
        """Close what `open_rooms` opened; the doors are closed by then."""
        await self.pool.close()
        self.reader.close()
        await self.store.close()

    def _knowledge_of(self, configuration: Configuration, signer: Signer, directory: Directory) -> Knowledge:
        return Knowledge(
            directory=directory,
            pack=configuration.pack,
            inspect=self.pool.inspect,
            open_attachments=self.reader.read_in_thread,
            concerns=self.pool.concerns,
            signer=signer,
        )


async def open_rooms(configuration: Configuration, metrics: Metrics, *, is_worker: bool = False) -> Rooms:
    """Open the store, put right what a killed process left, start the analysis, and build the rest.

    For a worker its parent has the store's place, and has put it right.

    Raises GatewayError when the store can't be used (another gateway serves it, the disk is full), ConfigInvalid for
    keys that can't be used. The doors are built and not yet open.
    """
    raise_descriptor_limit()
    signer = make_signer(configuration)
    settings = configuration.settings.store
    store = await open_store(configuration.path, settings, is_gateway=settings.is_scaled or not is_worker)
    pool: InspectionPool | None = None
    analysis = configuration.settings.analysis
    reader = DocumentReader(known_pictures=analysis.known_pictures, at_once=analysis.workers)
    try:
        if not is_worker:
            await store.recover(now())
        pool = InspectionPool(configuration.directory, workers=analysis.workers, deadline_s=analysis.deadline_s)
        pool.start()
        reader.start()
        await _until_ready(pool)
        directory = await with_history(configuration, store)
        return Rooms(configuration, store, pool, reader, metrics, signer, directory)
    except BaseException:
        reader.close()
        if pool is not None:
            await pool.close()
        await store.close()
        raise


async def with_history(configuration: Configuration, store: Store) -> Directory:
    """The people, and what the store knows of them: addresses of clients whose file is destroyed, files merged."""
    return await known_people(configuration.directory, store)


async def _until_ready(pool: InspectionPool) -> None:
    """Wait for the first analysis worker, so that the door opens to a gateway that can judge."""
    try:
        async with asyncio.timeout(_POOL_READY_S):
            while not pool.is_ready:  # noqa: ASYNC110 - the pool tells its state, and tells it only once at the start
                await asyncio.sleep(_POOL_LOOK_S)
    except TimeoutError:
        raise MachineryFailed("no analysis worker came up", seconds=_POOL_READY_S) from None
