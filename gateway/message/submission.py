"""What a door hands to the gateway: the envelope, the bytes as they came, and what is known of the session.

Not a parsed message: `gateway.message.parse` makes that from `Submission.raw`. Made by the doors and by `check`,
read by everything else. RFC 5321 (envelope, parameters), RFC 3461 (DSN parameters), Postfix XCLIENT_README (login).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One accepted forward-path: the address without its angle brackets, and its ESMTP parameters verbatim."""

    address: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The SMTP envelope. `mail_from` is None for the null reverse-path `<>` (RFC 5321 section 4.5.5)."""

    mail_from: str | None
    recipients: tuple[Recipient, ...]
    mail_parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What the connection tells about the sender. None means that it was not told, never that it is empty.

    `login` is the authenticated name (XCLIENT LOGIN or a milter macro); `is_trusted` says that the connecting
    host stands in the trusted list, so that its word about logins and originals may be taken.
    """

    client_ip: str | None = None
    client_name: str | None = None
    helo: str | None = None
    login: str | None = None
    is_trusted: bool = False
    is_tls: bool = False
    protocol: str = "ESMTP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One message on its way in. `raw` has CRLF line ends and no dot-stuffing; `received_at` is aware, in UTC."""

    id: str
    received_at: datetime
    envelope: Envelope
    raw: bytes
    session: SessionFacts
