"""A real SMTP door in a thread with a loop of its own, for tests that talk to it by blocking sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gateway.doors.smtp import SmtpDoor
from gateway.doors.smtp_settings import Handle, SmtpDoorSettings
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.accepted import AcceptedMemory
from gateway.outbound.delivery import Delivery
from gateway.outbound.hop_tls import HopTls
from gateway.outbound.relay import NextHop, RelayTimeouts

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
SHORT = RelayTimeouts(
    connect_s=5, greeting_s=5, command_s=5, data_start_s=5, data_block_s=5, data_end_s=5, farewell_s=1
)


@dataclass
class Recorder:
    """A handle that delivers what it gets as it is, and remembers it."""

    submissions: list[Submission] = field(default_factory=list)

    async def __call__(self, submission: Submission, delivery: Delivery) -> Reply:
        self.submissions.append(submission)
        return await delivery.deliver(submission.raw)


@dataclass
class RunningDoor:
    """The door, its port, and its loop, which runs in another thread."""

    door: SmtpDoor
    port: int
    loop: asyncio.AbstractEventLoop

    def call(self, coroutine: object, timeout_s: float = 30.0) -> object:
        """The result of a coroutine in the door's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_s)  # type: ignore[arg-type]

    def drain(self, timeout_s: float = 20.0) -> bool:
        """Stop accepting and drain."""
        self.loop.call_soon_threadsafe(self.door.stop_accepting)
        return bool(self.call(self.door.drain(timeout_s)))


@contextlib.contextmanager
def running_door(
    handle: Handle,
    *,
    next_hop_port: int,
    relay_timeouts: RelayTimeouts = SHORT,
    new_loop: type[asyncio.AbstractEventLoop] | None = None,
    is_lmtp: bool = False,
    hop_tls: HopTls | None = None,
    accepted: AcceptedMemory | None = None,
    **settings: object,
) -> Iterator[RunningDoor]:
    """A door on a free port of loopback that trusts loopback, unless the settings say otherwise."""
    hop = NextHop(
        host="127.0.0.1",
        port=next_hop_port,
        ehlo_name="gateway.example",
        timeouts=relay_timeouts,
        is_lmtp=is_lmtp,
        tls=hop_tls or HopTls(),
    )
    chosen: dict[str, object] = {
        "listen": (("127.0.0.1", 0),),
        "next_hop": hop,
        "trusted_clients": LOOPBACK,
        "host_name": "gateway.example",
    } | settings
    ids = itertools.count(1)
    loop = new_loop() if new_loop else asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    door = SmtpDoor(
        SmtpDoorSettings(**chosen),  # type: ignore[arg-type]
        handle,
        new_id=lambda: f"m{next(ids)}",
        now=lambda: datetime.now(UTC),
        accepted=accepted,
    )
    asyncio.run_coroutine_threadsafe(door.start(), loop).result(10)
    running = RunningDoor(door=door, port=door.addresses[0][1], loop=loop)
    try:
        yield running
    finally:
        running.call(door.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
