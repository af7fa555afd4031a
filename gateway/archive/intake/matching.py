"""An old message and the client's file that it belongs to: envelope and date from its fields, people by address.

What can't be matched has a reason, never a guess: no date, nobody of ours, no client. Which messages are the same is
said by a fingerprint of what does not change when a mail is stored or forwarded by servers: identification, date, who,
subject, and the body. Two different messages never share one; a Message-ID alone proves nothing. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from gateway.archive.intake.journal import Journalled, ReportIncomplete, journalled
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.people.addresses import canonical
from gateway.people.classify import classify
from gateway.people.directory import Directory
from gateway.people.model import Direction, Parties

_RECIPIENT_FIELDS = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")
_MAILBOX_FIELDS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
_SAME_FIELDS = ("Message-ID", "Date", "From", "To", "Cc", "Subject")
_FIRST_YEAR = 1985


class NotMatched(StrEnum):
    """Why a message was not filed; the words are those of the report."""

    UNREADABLE = "can't be read"
    DRAFT = "a draft, never sent"
    NO_SENDER = "no sender that can be read"
    NO_DATE = "no date that can be believed"
    EMPTY_REPORT = "a journal report without a message"
    NO_CLIENT = "no client of people.yaml among sender and recipients"
    NOT_OURS = "to a client, from somebody who is neither ours nor a client"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A message with its place: what is filed, when it was, who is in it. `is_journalled`: it came in a report."""

    raw: bytes = field(repr=False)
    at: datetime
    envelope: Envelope
    parties: Parties
    fingerprint: str
    is_journalled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """A message without a place: why, and the addresses in it, so that people.yaml can be mended."""

    reason: NotMatched
    sender: str = ""
    recipients: tuple[str, ...] = ()
    at: datetime | None = None


def match(raw: bytes, directory: Directory, *, now: datetime, hint: datetime | None = None) -> Matched | Unmatched:
    """Where the message belongs. `hint` is a time that its source has, `now` the latest that is believed."""
    message = parse(raw)
    try:
        report = journalled(message)
    except ReportIncomplete:
        return Unmatched(reason=NotMatched.EMPTY_REPORT)
    if report is not None:
        message = parse(report.raw)
    envelope = _envelope_of(message, report)
    authors = [address.addr_spec for address in message.addresses("From")]
    recipients = tuple(recipient.address for recipient in envelope.recipients)
    at = date_of(message, now=now, hint=hint)
    about = {"sender": (authors or [envelope.mail_from or ""])[0], "recipients": recipients, "at": at}
    if not authors and envelope.mail_from is None:
        return Unmatched(reason=NotMatched.NO_SENDER, **about)  # type: ignore[arg-type]
    parties = classify(envelope, message, SessionFacts(protocol="import"), directory)
    if not parties.client_files:
        return Unmatched(reason=NotMatched.NO_CLIENT, **about)  # type: ignore[arg-type]
    if parties.direction is Direction.OUTBOUND and parties.worker is None and not _is_professional(parties):
        return Unmatched(reason=NotMatched.NOT_OURS, **about)  # type: ignore[arg-type]
    if at is None:
        return Unmatched(reason=NotMatched.NO_DATE, **about)  # type: ignore[arg-type]
    return Matched(
        raw=message.raw,
        at=at,
        envelope=envelope,
        parties=parties,
        fingerprint=fingerprint(message),
        is_journalled=report is not None,
    )


def fingerprint(message: Message) -> str:
    """What is the same in every stored copy of one message, hashed (SHA-256, hex)."""
    digest = hashlib.sha256()
    for name in _SAME_FIELDS:
        for entry in message.fields(name):
            digest.update(name.encode() + b"\0" + b" ".join(entry.value_raw.split()) + b"\n")
    body = message.raw[message.root.body_start_byte :]
    digest.update(b"\0" + body.replace(b"\r\n", b"\n").rstrip())
    return digest.hexdigest()


def date_of(message: Message, *, now: datetime, hint: datetime | None = None) -> datetime | None:
    """When it was sent: its Date, else the newest Received, else what its source says; None if none can be believed."""
    written = [entry.value for entry in message.fields("Date")]
    stamped = [entry.value.rpartition(";")[2] for entry in message.fields("Received")]
    for text in (*written, *stamped):
        try:
            at = parsedate_to_datetime(text.strip())
        except (ValueError, IndexError, OverflowError):
            continue
        if _is_believable(at, now):
            return _in_utc(at)
    return _in_utc(hint) if hint is not None and _is_believable(hint, now) else None


def _is_believable(at: datetime, now: datetime) -> bool:
    return at.year >= _FIRST_YEAR and _in_utc(at) <= now + timedelta(days=1)


def _in_utc(at: datetime) -> datetime:
    """A time without a zone is taken for UTC (RFC 5322 section 3.3: `-0000`)."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _envelope_of(message: Message, report: Journalled | None) -> Envelope:
    """The report's envelope, completed from the fields; without a report, Return-Path or From, and every recipient."""
    listed = [address.addr_spec for name in _RECIPIENT_FIELDS for address in message.addresses(name)]
    stamped = [entry.value.strip().strip("<>") for name in _MAILBOX_FIELDS for entry in message.fields(name)]
    told = () if report is None else report.recipients
    sender = report.sender if report is not None and report.sender else _sender(message)
    return Envelope(
        mail_from=sender,
        recipients=tuple(Recipient(address=address) for address in _once((*told, *listed, *stamped))),
    )


def _sender(message: Message) -> str | None:
    for entry in message.fields("Return-Path"):
        path = entry.value.strip().strip("<>")
        return canonical(path)
    return next((address.addr_spec for address in message.addresses("From")), None)


def _once(addresses: Iterable[str]) -> tuple[str, ...]:
    found = {canonical(address): None for address in addresses}
    return tuple(address for address in found if address is not None)


def _is_professional(parties: Parties) -> bool:
    writers = (*parties.authors, *((parties.mail_from,) if parties.mail_from else ()))
    return any(writer.is_professional for writer in writers)
