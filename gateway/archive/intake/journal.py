"""Journal reports of Exchange: a mail whose text has the envelope and whose attachment is the message itself.

Recognised by its header field (X-MS-Journal-Report), or by the form that Microsoft documents: multipart/mixed, first a
text that begins with `Sender:`, then one message/rfc822. What the report says of sender and recipients, blind copies
and members of groups included, is the envelope; the attached message, byte for byte, is the message. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.message.model import Message, Part
from gateway.message.texts import part_octets
from gateway.people.addresses import canonical

_MARKS = (
    "X-MS-Journal-Report",
    "X-MS-Exchange-Organization-Journal-Report",
    "X-MS-Exchange-Organization-Journaling-Report",
)
_LINE = re.compile(r"^(Sender|On-Behalf-Of|Recipient|To|Cc|Bcc):[ \t]*(.*)$", re.IGNORECASE)
_MESSAGES = frozenset({"message/rfc822", "message/global"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Journalled:
    """What a journal report holds: the message, and its envelope as the server knew it."""

    raw: bytes = field(repr=False)
    sender: str | None
    recipients: tuple[str, ...]


class ReportIncomplete(Exception):
    """A journal report without a message in it."""


def journalled(message: Message) -> Journalled | None:
    """The journalled message; None if this is no journal report. Raises ReportIncomplete."""
    parts = [part for part in message.root.walk() if not part.children]
    attached = next((part for part in parts if part.content_type in _MESSAGES), None)
    text = _report_text(message, parts)
    is_marked = any(message.fields(name) for name in _MARKS)
    if not is_marked and (attached is None or len(parts) != 2 or not text.startswith("Sender:")):
        return None
    if attached is None:
        raise ReportIncomplete
    raw, _ = part_octets(message.raw, attached)
    senders, recipients = _envelope(text)
    return Journalled(raw=raw, sender=senders[0] if senders else None, recipients=tuple(dict.fromkeys(recipients)))


def _report_text(message: Message, parts: list[Part]) -> str:
    first = next((part for part in parts if part.content_type == "text/plain"), None)
    if first is None:
        return ""
    octets, _ = part_octets(message.raw, first)
    return octets.decode("utf-8", "replace").lstrip("\ufeff\r\n\t ")


def _envelope(text: str) -> tuple[list[str], list[str]]:
    """The addresses of sender and recipients. `To: a@x, Expanded: group@x` is a recipient a@x."""
    senders: list[str] = []
    recipients: list[str] = []
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match is None:
            continue
        address = canonical(match[2].split(",")[0].strip().strip("<>"))
        if address is not None:
            (senders if match[1].lower() in {"sender", "on-behalf-of"} else recipients).append(address)
    return senders, recipients
