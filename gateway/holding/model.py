"""A hold as values: what the store is given, what it shows, and what a release relays. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.archive.model import StoredRecord
from gateway.holding.states import HoldState
from gateway.message.submission import Envelope, Recipient

UNKNOWN = 0
"""In place of a reply's code: a release was cut off after it had sent the content, so this recipient may have it."""

UNDER_WAY = 1
"""In place of a reply's code: a release is sending the content now. Cut off, it becomes UNKNOWN (RFC 1047)."""


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
    """What the next hop said about one recipient at a release: the code of its final reply, UNKNOWN or UNDER_WAY."""

    address: str
    code: int

    @property
    def is_final(self) -> bool:
        """True for 2xx and 5xx: this recipient is not tried again."""
        return self.is_accepted or 500 <= self.code < 600

    @property
    def is_accepted(self) -> bool:
        """True for 2xx: the message is delivered to this recipient."""
        return 200 <= self.code < 300

    @property
    def is_uncertain(self) -> bool:
        """True if nobody knows whether this recipient has the message."""
        return self.code in (UNKNOWN, UNDER_WAY)


def merged(earlier: Iterable[Outcome], later: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The last outcome for each recipient; but UNKNOWN gives way to a 2xx alone.

    A refusal of a second try does not say that the first one did not arrive.
    """
    found = {outcome.address: outcome for outcome in earlier}
    for outcome in later:
        known = found.get(outcome.address)
        if known is None or known.code != UNKNOWN or outcome.is_accepted:
            found[outcome.address] = outcome
    return tuple(found.values())


def cut_off(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes of a release that has ended without an answer for those whose content was under way."""
    return tuple(
        Outcome(address=outcome.address, code=UNKNOWN) if outcome.code == UNDER_WAY else outcome for outcome in outcomes
    )


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

    @property
    def may_be_delivered(self) -> bool:
        """True if a release was, or is now, cut off from its answer: a recipient may have the message already."""
        return any(outcome.is_uncertain for outcome in self.outcomes)

    @property
    def is_delivered_to_some(self) -> bool:
        """True if an earlier release brought the message to a recipient."""
        return any(outcome.is_accepted for outcome in self.outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What to relay: the envelope with the recipients that are still to be served, and the amended bytes."""

    hold: StoredHold
    envelope: Envelope
    content: bytes
