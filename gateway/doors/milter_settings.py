"""What the milter door must know to open, and what its conversations share. Values only.

Not gateway.yaml (`gateway.service.settings`): the wiring makes a `MilterDoorSettings` from that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway.doors.smtp_settings import ByteBudget, Handle
from gateway.message.limits import DEFAULT, Limits

MilterAddress = tuple[str, int] | Path
"""Host and port, or the path of a Unix socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MilterTimeouts:
    """Seconds. A mail server may keep a conversation open as long as its own client (libmilter waits 7210).

    `progress_s` is the time between two signs of life while a message is judged; Postfix waits 300 for one. When the
    door is full, who has waited for `patience_s` outside of a message's content may have to give way to a newcomer.
    """

    idle_s: float = 7210.0
    message_s: float = 600.0
    reply_s: float = 60.0
    progress_s: float = 10.0
    patience_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MilterDoorSettings:
    """Everything that is fixed while the door is open. Whoever can connect is believed: listen on this host only.

    `quarantines` leaves a copy of what is held in the mail server's own queue, where that is offered.
    """

    listen: tuple[MilterAddress, ...]
    host_name: str
    limits: Limits = DEFAULT
    timeouts: MilterTimeouts = field(default_factory=MilterTimeouts)
    asks_for_macros: bool = False
    quarantines: bool = False
    max_connections: int = 500
    max_recipients: int = 1000
    max_bytes_in_flight: int = 256 << 20


@dataclass(slots=True, kw_only=True)
class MilterState:
    """What the conversations of one door share. `is_draining` only ever goes from False to True."""

    settings: MilterDoorSettings
    handle: Handle
    new_id: Callable[[], str]
    now: Callable[[], datetime]
    budget: ByteBudget
    is_draining: bool = False
    messages_under_way: int = 0
