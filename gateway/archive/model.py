"""What the store is given and what it shows, as values. No behaviour, no I/O, no SQL.

`Record` goes in with its bytes; `StoredRecord` comes out without them (`Store.body` reads them). The verdict comes out
as plain words (`VerdictRecord`), because a client's file outlives the release of the program that judged it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.archive.states import IN_CLIENT_FILE, MessageState, listed_as
from gateway.message.submission import Envelope, SessionFacts
from gateway.people.model import Direction
from gateway.policy.verdict import Verdict


class Stage(StrEnum):
    """Which form of a message: as it came to the gateway, or as it went (or was to go) to the next hop."""

    RECEIVED = "received"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message to be filed: what came, what goes out, why, and whom it concerns.

    `client_files` may be empty (a held message to an outsider). `treatment` is what was done about the notice
    (`gateway.amend`); `notice_language` is set only if `delivered` carries the notice. `received_at` is aware.
    `authentication` is what the check of its origin found, as JSON (`AuthenticationResults.as_json`), None for mail
    that was not checked. `thread` is the key of `gateway.message.threads`, None if the message does not say.
    """

    id: str
    received_at: datetime
    direction: Direction
    client_files: tuple[str, ...]
    worker_id: str | None
    envelope: Envelope
    session: SessionFacts
    received: bytes = field(repr=False)
    delivered: bytes = field(repr=False)
    verdict: Verdict
    treatment: str = ""
    notice_language: str | None = None
    authentication: str | None = None
    thread: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRecord:
    """One reason of a verdict in plain words. `text` is the matched text: only for those who may read the message."""

    rule: str
    clause: str
    action: str
    category: str
    matter: str
    where: str
    start: int
    end: int
    score: float
    text: str = field(default="", repr=False)
    part: tuple[int, ...] = ()
    is_quoted: bool = False
    is_simulated: bool = False
    about: str = ""
    reason: str = ""
    explanation: str = ""
    client_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRecord:
    """A verdict as it was given: action, `name@version` and SHA-256 of the policy, reasons worst first."""

    action: str
    policy: str
    digest: str
    reasons: tuple[ReasonRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBody:
    """Size in bytes and SHA-256 in hex of one form of a message."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A filed message as the store has it. `reply_code` is the next hop's final answer, None before there is one."""

    id: str
    ref: str
    received_at: datetime
    direction: Direction
    state: MessageState
    state_at: datetime
    reply_code: int | None
    client_files: tuple[str, ...]
    worker_id: str | None
    envelope: Envelope
    session: SessionFacts
    verdict: VerdictRecord
    treatment: str
    notice_language: str | None
    received: StoredBody
    delivered: StoredBody
    authentication: str | None = None

    @property
    def is_in_client_file(self) -> bool:
        """True for mail that was sent or received; `unconfirmed` counts, for it may have arrived."""
        return self.state in IN_CLIENT_FILE

    @property
    def listed_as(self) -> str:
        """What became of it, in words for a list."""
        return listed_as(self.state, self.direction)

    @property
    def is_amended(self) -> bool:
        """True if the delivered bytes differ from the received ones."""
        return self.received.sha256 != self.delivered.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFile:
    """A client's file: mail sent and received in order, and apart from it what was not sent."""

    file: str
    entries: tuple[StoredRecord, ...]
    not_sent: tuple[StoredRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who did what, when and why; about a message, a hold or a client's file. `who` is a worker's id or `gateway`."""

    at: datetime
    who: str
    what: str
    why: str = ""
    message_id: str | None = None
    ref: str | None = None
    file: str | None = None


class LetterState(StrEnum):
    """Where a mail of the gateway's own stands."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that the gateway writes itself.

    `envelope.mail_from` is None (RFC 3834 section 3.3); `about` is the id of the message that it tells about; `kind`
    one word for lists (`held.sender`, `tip`); `content` complete, CRLF line ends.
    """

    id: str
    kind: str
    about: str | None
    envelope: Envelope
    content: bytes = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedLetter:
    """A letter in the queue and how often it was tried."""

    letter: Letter
    state: LetterState
    tries: int
    next_try: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """When a client was first and last sent the retention notice, in which language [CLI-8].

    Only messages count that the next hop took for all their readers.
    """

    file: str
    language: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What `Store.recover` found after a killed process: records now unconfirmed, releases given back, stray files."""

    unconfirmed: int
    releases: int
    stray_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """Whether the committer runs, how many writes wait for it, and the free bytes of the store's disk.

    `free_bytes` is None if the disk is another machine's.
    """

    is_alive: bool
    waiting: int
    free_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A body that `Store.verify` could not vouch for: `why` is `changed`, `missing` or `unreadable`."""

    message_id: str
    ref: str
    stage: Stage
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Something that is not as the ledger has it.

    `kind` is record, state, hold, audit, ledger, checkpoint or kept checkpoint; `about` its id, reference or number;
    `why` is `changed`, `missing`, `added`, or words.
    """

    kind: str
    about: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProof:
    """That a record is a leaf of the ledger: its index from 0, salt and entry, and the audit path to the root."""

    record_id: str
    index: int
    entry: bytes = field(repr=False)
    path: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerProofs:
    """Proofs of records against one signed head of the ledger."""

    size: int
    root: bytes
    at: str
    public_key: bytes
    signature: bytes
    records: tuple[LedgerProof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of `Store.verify`: bodies looked at, every one that is damaged, and what differs from the ledger."""

    bodies: int
    damages: tuple[Damage, ...]
    breaks: tuple[Break, ...] = ()

    @property
    def is_sound(self) -> bool:
        """True if nothing is damaged and everything is as the ledger has it."""
        return not self.damages and not self.breaks
