"""The gateway's own header fields as bytes and splices: trace field on top, own fields added, forged ones taken out.

No field of the message is folded, encoded or ordered anew. Pure; called by `gateway.amend.amend`. RFC 5321 section 4.4
(Received), RFC 8601 section 5 (Authentication-Results that claim to be ours).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import format_datetime

from gateway.message.model import HeaderField, Message
from gateway.message.splice import Splice
from gateway.message.submission import Submission

_NOT_ATOM = re.compile(r"[^A-Za-z0-9._:\[\]\-]+")
_NOT_VALUE = re.compile(r"[^\x20-\x7e]+")
_MAX_WORD = 200
_AUTHSERV_ID = re.compile(rb"[ \t\r\n]*(?:\([^()]*\)[ \t\r\n]*)*(\"[^\"]*\"|[^\s;()\"]+)")


def received_field(submission: Submission, host_name: str) -> bytes:
    """The Received field for a message that this host took in; names no recipient and no login (RFC 5321 section 4.4).

    `host_name` is ours. What the client said of itself is cut down to the characters of a host name.
    """
    session = submission.session
    helo = _atom(session.helo) or "unknown"
    name = _atom(session.client_name) or "unknown"
    address = _atom(session.client_ip)
    comment = f"{name} [{address}]" if address else name
    protocol = _atom(session.protocol) or "SMTP"
    host, number = _atom(host_name) or "localhost", _atom(submission.id) or "0"
    return (
        f"Received: from {helo} ({comment})\r\n"
        f"\tby {host} (Practicum Gateway) with {protocol} id {number};\r\n"
        f"\t{format_datetime(submission.received_at)}\r\n"
    ).encode("ascii")


def own_field(name: str, value: str) -> bytes:
    """A field of our own in one line; what is no printable ASCII in the value becomes a space."""
    return f"{name}: {_NOT_VALUE.sub(' ', value).strip()}\r\n".encode("ascii")


def prepend_fields(message: Message, fields: Iterable[bytes]) -> Splice:
    """The splice that puts the fields on top of the message, the first one topmost; each ends in CRLF."""
    at = message.root.header_start_byte
    return Splice(start_byte=at, end_byte=at, replacement=b"".join(fields))


def remove_fields(message: Message, names: Iterable[str], *, authserv_id: str | None = None) -> tuple[Splice, ...]:
    """The splices that take out every field of those names, folding and all.

    Authentication-Results goes only where it claims to come from `authserv_id`, ours; those of others stay.
    """
    gone = {name.lower() for name in names}
    return tuple(
        Splice(start_byte=field.start_byte, end_byte=field.end_byte, replacement=b"")
        for field in message.headers
        if field.name.lower() in gone and (not field.is_named("authentication-results") or _is_ours(field, authserv_id))
    )


def _is_ours(field: HeaderField, authserv_id: str | None) -> bool:
    if authserv_id is None:
        return False
    match = _AUTHSERV_ID.match(field.value_raw)
    return match is not None and match[1].strip(b'"').lower() == authserv_id.lower().encode("utf-8", "replace")


def _atom(word: str | None) -> str:
    return _NOT_ATOM.sub("", word or "")[:_MAX_WORD]
