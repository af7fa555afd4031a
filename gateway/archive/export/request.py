"""What an export is asked for, and what it hands back: values, and the choice of messages. No I/O.

An export is of one client's file, by somebody, for a purpose; it may be cut down to days and to one person, and spans
of text about third parties may be blacked out in it. Read by every form of export.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from gateway.archive.export.redact import Redactor
from gateway.archive.model import StoredRecord
from gateway.people.addresses import canonical


class ExportRefused(Exception):
    """The export can't be made as asked; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whose messages are chosen: the name to print, canonical addresses, and a worker's id if it is one."""

    label: str
    addresses: frozenset[str] = frozenset()
    worker_id: str | None = None

    def is_in(self, record: StoredRecord) -> bool:
        """True if the message is the worker's, or an address of the envelope is the person's."""
        if self.worker_id is not None and record.worker_id == self.worker_id:
            return True
        ends = [record.envelope.mail_from or "", *(recipient.address for recipient in record.envelope.recipients)]
        return any((canonical(address) or address) in self.addresses for address in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    """Words to black out wherever they stand, and why; `words` never stand in what is handed over."""

    words: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which messages of a file: days from `first` to `last`, both included, in this machine's time; one person's.

    `redactions` not empty makes a redacted copy: texts only, and nothing that has the original bytes.
    """

    first: date | None = None
    last: date | None = None
    person: Person | None = None
    redactions: tuple[Redaction, ...] = ()

    def takes(self, record: StoredRecord) -> bool:
        """True for a message that is chosen."""
        day = record.received_at.astimezone().date()
        if (self.first is not None and day < self.first) or (self.last is not None and day > self.last):
            return False
        return self.person is None or self.person.is_in(record)

    def values(self) -> dict[str, str]:
        """The choice as a manifest has it; empty for the whole file."""
        found = {
            "from": None if self.first is None else self.first.isoformat(),
            "to": None if self.last is None else self.last.isoformat(),
            "person": None if self.person is None else self.person.label,
        }
        return {name: value for name, value in found.items() if value is not None}


EVERYTHING = Choice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An export as somebody asked for it. `at` is aware."""

    file: str
    form: str
    by: str
    purpose: str
    at: datetime
    choice: Choice = EVERYTHING

    def handed(self) -> Request:
        """The request as a redacted copy may say it: the words to black out stand in none of its texts either."""
        redactions = self.choice.redactions
        redactor = Redactor([redaction.words for redaction in redactions])
        person = self.choice.person
        choice = replace(
            self.choice,
            person=None if person is None else replace(person, label=redactor.hide(person.label)),
            redactions=tuple(replace(entry, reason=redactor.hide(entry.reason)) for entry in redactions),
        )
        by, purpose = redactor.hide(self.by), redactor.hide(self.purpose)
        return replace(self, by=by, purpose=purpose, choice=choice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote: where, how many messages and files, and the SHA-256 of its manifest (or of the one file).

    `notes` are sentences about what is not as one might expect, for whoever made the export.
    """

    folder: Path
    messages: int
    files: int
    manifest_sha256: str
    notes: tuple[str, ...] = ()
