"""What the SMTP door must know to open, and what its sessions share. Values, and two small counters.

Not gateway.yaml (`gateway.service.settings`): the wiring makes a `SmtpDoorSettings` from that. RFC 5321 section 4.5.3.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from gateway.doors.smtp_keywords import KeywordMemory
from gateway.message.errors import GatewayError
from gateway.message.limits import DEFAULT, Limits
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.accepted import AcceptedMemory
from gateway.outbound.delivery import Delivery
from gateway.outbound.idle import IdleHops
from gateway.outbound.relay import NextHop

Handle = Callable[[Submission, Delivery], Awaitable[Reply]]
"""What answers a message: `gateway.arrive.Arrival`, or a test's own."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorTimeouts:
    """Seconds that a client may take (RFC 5321 section 4.5.3.2.7 asks for at least 300 between commands).

    When the door is full, who has waited for `patience_s` may have to give way to a newcomer, and so may who has sent a
    message for `dribble_s` at less than `gateway.doors.smtp_session.DRIBBLE_BYTES_PER_S`.
    """

    command_s: float = 300.0
    data_block_s: float = 180.0
    data_total_s: float = 1800.0
    reply_s: float = 60.0
    tls_handshake_s: float = 30.0
    patience_s: float = 1.0
    dribble_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpDoorSettings:
    """Everything that is fixed while the door is open. Hosts outside `trusted_clients` may not send (550)."""

    listen: tuple[tuple[str, int], ...]
    next_hop: NextHop
    trusted_clients: tuple[Network, ...]
    host_name: str
    limits: Limits = DEFAULT
    timeouts: DoorTimeouts = field(default_factory=DoorTimeouts)
    tls: ssl.SSLContext | None = None
    is_tls_required: bool = False
    passes_auth: bool = False
    proxies: tuple[Network, ...] = ()
    max_connections: int = 100
    max_connections_of_a_host: int = 20
    max_recipients: int = 1000
    max_bytes_in_flight: int = 256 << 20
    next_hop_idle_s: float = 0.0
    max_errors: int = 20
    max_idle_commands: int = 200
    max_command_bytes: int = 4096

    def trusts(self, client_ip: str) -> bool:
        """True if that host stands in the trusted list; an IPv4 address mapped into IPv6 counts as itself."""
        return _is_among(client_ip, self.trusted_clients)

    def is_proxy(self, client_ip: str) -> bool:
        """True if that host is a proxy, whose connections begin with the PROXY protocol."""
        return _is_among(client_ip, self.proxies)


@lru_cache(maxsize=1024)
def _is_among(client_ip: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(client_ip.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in networks)


class Reservation:
    """Octets that one message holds of the door's budget. `release` when the message is answered."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._reserved_bytes = 0
        self._used_bytes = 0

    def use(self, count_bytes: int) -> bool:
        """True if so many more octets may be kept."""
        self._used_bytes += count_bytes
        return self._grow_to(self._used_bytes)

    def release(self) -> None:
        """Give all back."""
        self._budget.used_bytes -= self._reserved_bytes
        self._reserved_bytes = 0

    def _grow_to(self, total_bytes: int) -> bool:
        more = total_bytes - self._reserved_bytes
        if more <= 0:
            return True
        if self._budget.used_bytes + more > self._budget.max_bytes:
            return False
        self._budget.used_bytes += more
        self._reserved_bytes = total_bytes
        return True

    @classmethod
    def of(cls, budget: ByteBudget, declared_bytes: int) -> Reservation | None:
        """A reservation of the declared size (0 if not declared), or None if there is no room."""
        reservation = cls(budget)
        return reservation if reservation._grow_to(max(declared_bytes, 1)) else None


class ByteBudget:
    """How many octets of messages are in memory at once, over all sessions."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0

    def reserve(self, declared_bytes: int) -> Reservation | None:
        """Room for a message of the declared size, or None: then the sender is told 451."""
        return Reservation.of(self, declared_bytes)


@dataclass(slots=True, kw_only=True)
class DoorState:
    """What the sessions of one door share. The door owns it; `is_draining` only ever goes from False to True."""

    settings: SmtpDoorSettings
    handle: Handle
    new_id: Callable[[], str]
    now: Callable[[], datetime]
    memory: KeywordMemory
    idle_hops: IdleHops = field(default_factory=IdleHops)
    budget: ByteBudget
    accepted: AcceptedMemory | None = None
    on_failure: Callable[[GatewayError], None] = lambda _error: None
    is_draining: bool = False
    messages_under_way: int = 0


class SessionRegister(Protocol):
    """Who counts the sessions: the door (see `gateway.doors.crowd.Crowd`)."""

    def enter(self, session: asyncio.Protocol) -> bool:
        """A connection begins; False if there are too many."""

    def is_one_too_many_of(self, session: asyncio.Protocol, host: str) -> bool:
        """True if that host, which nobody trusts, has too many connections with this one."""

    def wait(self, session: asyncio.Protocol) -> None:
        """The session waits for its client."""

    def work(self, session: asyncio.Protocol) -> None:
        """The session has something to do."""

    def leave(self, session: asyncio.Protocol) -> None:
        """A connection that had entered has ended."""
