"""The life of a client's file as values: holds, where it stands, its disposal, what refuses a step. No I/O, no SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from gateway.message.errors import GatewayError
from gateway.message.reply import reply


class HoldKind(StrEnum):
    """Why a file may not be disposed of: a legal matter, or somebody's request to see it."""

    LEGAL = "legal"
    ACCESS = "access"


class DisposalState(StrEnum):
    """Where a disposal stands.

    SUGGESTED: the gateway says that the file's time is over. PROPOSED: a person says so. DONE: another person
    confirmed, and the file's key is destroyed. WITHDRAWN: it is not to be.
    """

    SUGGESTED = "suggested"
    PROPOSED = "proposed"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class DisposalStep(StrEnum):
    """What can happen to a disposal."""

    PROPOSE = "propose"
    CONFIRM = "confirm"
    WITHDRAW = "withdraw"


STEPS: Mapping[tuple[DisposalState | None, DisposalStep], DisposalState] = MappingProxyType(
    {
        (None, DisposalStep.PROPOSE): DisposalState.PROPOSED,
        (DisposalState.SUGGESTED, DisposalStep.PROPOSE): DisposalState.PROPOSED,
        (DisposalState.SUGGESTED, DisposalStep.WITHDRAW): DisposalState.WITHDRAWN,
        (DisposalState.PROPOSED, DisposalStep.WITHDRAW): DisposalState.WITHDRAWN,
        (DisposalState.PROPOSED, DisposalStep.CONFIRM): DisposalState.DONE,
    }
)
OPEN_DISPOSALS = frozenset({DisposalState.SUGGESTED, DisposalState.PROPOSED})


class LifeRefused(GatewayError):
    """A step in the life of a file that can't be; `words` say why and what to do, for the person who asked."""

    def __init__(self, words: str) -> None:
        super().__init__(reply=reply("machinery"), cause=words)
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who acts: the id in people.yaml, and the name for certificates."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHold:
    """A hold on a client's file: it is kept, whatever its day, until a person ends the hold."""

    number: int
    file: str
    kind: HoldKind
    reason: str = field(repr=False)
    placed_by: str
    placed_at: datetime
    ended_by: str | None = None
    ended_at: datetime | None = None
    end_reason: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """A disposal from its suggestion to its end. `proposed_by` is None while the gateway alone suggests it.

    `certificate` is the signed text in JSON, None before the end.
    """

    number: int
    file: str
    state: DisposalState
    at: datetime
    kept_as: str
    due: date | None
    proposed_by: Person | None = None
    proposed_at: datetime | None = None
    reason: str = field(default="", repr=False)
    ended_by: Person | None = None
    certificate: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a client's file stands: class, last entry, from which day it may go (None: never), what holds it."""

    file: str
    entries: int
    first_entry: date
    last_entry: date
    born: date | None = field(repr=False)
    kept_as: str
    due: date | None
    holds: tuple[FileHold, ...] = ()
    disposal: Disposal | None = None

    def is_due(self, day: date) -> bool:
        """True if the file's time is over on that day and nothing holds it."""
        return self.due is not None and self.due <= day and not self.holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposed:
    """What a confirmed disposal left behind, and what is to be taken from the disk.

    `objects` are names of large forms; `sealed` the first bytes of everything that was sealed, to look for remains.
    """

    disposal: Disposal
    records: int
    kept_elsewhere: int
    objects: tuple[str, ...] = field(repr=False)
    sealed: frozenset[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What was found on the disk afterwards: how many places still had sealed bytes, and whether the log is empty.

    On a server the log is not ours, and whether it is empty not known: None. `was_rewritten` says that the whole file
    had to be written anew to be rid of them; `objects_left` how many large forms could not be taken away.
    """

    places: int
    is_log_empty: bool | None
    was_rewritten: bool
    objects_left: int = 0

    @property
    def is_clean(self) -> bool:
        """True if nothing is left where we can look."""
        return self.places == 0 and self.is_log_empty is not False and self.objects_left == 0
