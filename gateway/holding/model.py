"""A hold as values: what the store is given, what it shows, and what a release relays. No behaviour, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.archive.model import StoredRecord
from gateway.holding.states import HoldState
from gateway.message.submission import Envelope, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A message that waits for a person.

    `ref` is `ref_of(record.id)`; `supervisor` the id of the worker who is asked, None if there is none on record;
    `expires_at` when it goes back to the sender undecided, None for never.
    """

    ref: str
    created_at: datetime
    supervisor: str | None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the next hop said about one recipient at a release: the code of its final reply."""

    address: str
    code: int

    @property
    def is_final(self) -> bool:
        """True for 2xx and 5xx: this recipient is not tried again."""
        return 200 <= self.code < 300 or 500 <= self.code < 600


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHold:
    """A hold as the store has it.

    `rules` are the ids of the rules that speak in its verdict, worst first. `decided_*` and `why` are of the last act
    of a person (None while undecided); `outcomes` of the releases tried so far.
    """

    ref: str
    state: HoldState
    created_at: datetime
    expires_at: datetime | None
    supervisor: str | None
    rules: tuple[str, ...]
    decided_at: datetime | None
    decided_by: str | None
    why: str | None
    outcomes: tuple[Outcome, ...]
    record: StoredRecord

    @property
    def pending(self) -> tuple[Recipient, ...]:
        """The recipients that have no final answer yet."""
        done = {outcome.address for outcome in self.outcomes if outcome.is_final}
        return tuple(recipient for recipient in self.record.envelope.recipients if recipient.address not in done)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What to relay: the envelope with the recipients that are still to be served, and the amended bytes."""

    hold: StoredHold
    envelope: Envelope
    content: bytes
