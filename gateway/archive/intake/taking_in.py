"""Old mail taken into the clients' files: found, matched, filed once, and what could not be matched told.

A message has the same id every time that it is found (a keyed hash of its fingerprint), so that an interrupted import
is called again, and the same mail in two mailboxes is filed once. What the gateway filed itself while it passed is
recognised too. Each message is filed with an entry of the access log in the same transaction. Called by
`archive import`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from gateway.archive.intake.matching import Matched, NotMatched, Unmatched, fingerprint, match
from gateway.archive.intake.sources import Found, messages_in
from gateway.archive.model import AuditEntry, Record, Stage, StoredRecord
from gateway.archive.states import RecordUnknown
from gateway.archive.store import Store
from gateway.holding.refs import ref_of
from gateway.message.parse import parse
from gateway.message.submission import SessionFacts
from gateway.people.directory import Directory
from gateway.policy.verdict import Action, Verdict

TREATMENT = "imported"
_VERDICT = Verdict(action=Action.DELIVER, policy=TREATMENT, digest="", reasons=(), recipients=())
_NEAR = timedelta(days=3)


class End(StrEnum):
    """What became of a message that was found."""

    FILED = "filed"
    ALREADY = "already there"
    UNMATCHED = "not filed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report."""

    where: str
    end: End
    reason: str = ""
    ref: str | None = None
    files: tuple[str, ...] = ()
    at: datetime | None = None
    sender: str = ""
    recipients: tuple[str, ...] = ()
    is_journalled: bool = False

    def values(self) -> dict[str, object]:
        """The line as a JSON object."""
        return {
            "where": self.where,
            "end": self.end.value,
            "reason": self.reason,
            "ref": self.ref,
            "client_files": list(self.files),
            "date": None if self.at is None else self.at.isoformat(),
            "from": self.sender,
            "to": list(self.recipients),
            "journal_report": self.is_journalled,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts of an import: by end, and of what was not filed by reason."""

    ends: Counter[str]
    reasons: Counter[str]


async def take_in(
    store: Store,
    directory: Directory,
    sources: Sequence[Path],
    *,
    by: str,
    purpose: str,
    at: datetime,
    tell: Callable[[Line], None],
    is_trial: bool = False,
) -> Summary:
    """File every message of the sources that belongs to a client; `tell` gets a line for each that is found.

    `is_trial` files nothing and says what would be. Raises StoreFull or MachineryFailed; what is filed then stays.
    """
    intake = _Intake(store, directory, by, purpose, at, is_trial)
    if not is_trial:
        await store.write_audit(AuditEntry(at=at, who=by, what="import begun", why=purpose))
    ends: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for source in sources:
        waiting = messages_in(source)
        while (found := await asyncio.to_thread(_next, waiting)) is not None:
            line = await intake.take(found)
            ends[line.end.value] += 1
            if line.end is End.UNMATCHED:
                reasons[line.reason] += 1
            tell(line)
    if not is_trial:
        counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items())) or "nothing found"
        await store.write_audit(AuditEntry(at=at, who=by, what="import ended", why=f"{purpose} ({counts})"))
    return Summary(ends=ends, reasons=reasons)


def _next(waiting: Iterator[Found]) -> Found | None:
    return next(waiting, None)


class _Intake:
    """One import: who does it why, and what the files that it touches had before."""

    def __init__(self, store: Store, directory: Directory, by: str, purpose: str, at: datetime, is_trial: bool) -> None:
        self._store, self._directory, self._by, self._purpose, self._at = store, directory, by, purpose, at
        self._is_trial = is_trial
        self._tried: set[str] = set()
        self._passed: dict[str, tuple[StoredRecord, ...]] = {}
        self._known: dict[str, tuple[str, ...]] = {}

    async def take(self, found: Found) -> Line:
        """File one message, or say why not."""
        if found.trouble is not None:
            return Line(where=found.where, end=End.UNMATCHED, reason=f"{NotMatched.UNREADABLE.value}: {found.trouble}")
        if found.is_draft:
            return Line(where=found.where, end=End.UNMATCHED, reason=NotMatched.DRAFT.value)
        matched = await asyncio.to_thread(match, found.raw, self._directory, now=self._at, hint=found.at)
        if isinstance(matched, Unmatched):
            return Line(
                where=found.where, end=End.UNMATCHED, reason=matched.reason.value, at=matched.at,
                sender=matched.sender, recipients=matched.recipients,
            )  # fmt: skip
        return await self._file(found, matched)

    async def _file(self, found: Found, matched: Matched) -> Line:
        record_id = await self._store.past_id(matched.at, matched.fingerprint)
        there = await self._there(record_id, matched)
        if there is None and not self._is_trial:
            record = self._record(record_id, matched)
            entry = AuditEntry(
                at=self._at, who=self._by, what="imported", why=self._purpose, message_id=record_id,
                ref=ref_of(record_id), file=record.client_files[0],
            )  # fmt: skip
            await self._store.file_past(record, entry)
        self._tried.add(record_id)
        return Line(
            where=found.where,
            end=End.FILED if there is None else End.ALREADY,
            ref=ref_of(record_id) if there is None else there,
            files=matched.parties.client_files,
            at=matched.at,
            sender=matched.envelope.mail_from or "",
            recipients=tuple(recipient.address for recipient in matched.envelope.recipients),
            is_journalled=matched.is_journalled,
        )

    def _record(self, record_id: str, matched: Matched) -> Record:
        parties = matched.parties
        return Record(
            id=record_id,
            received_at=matched.at,
            direction=parties.direction,
            client_files=parties.client_files,
            worker_id=parties.worker.id if parties.worker else None,
            envelope=matched.envelope,
            session=SessionFacts(protocol="import"),
            received=matched.raw,
            delivered=matched.raw,
            verdict=_VERDICT,
            treatment=TREATMENT,
        )

    async def _there(self, record_id: str, matched: Matched) -> str | None:
        """The reference under which the message is in the store already; None if it is not."""
        if record_id in self._tried:
            return ref_of(record_id)
        try:
            return (await self._store.record(record_id)).ref
        except RecordUnknown:
            pass
        for file in matched.parties.client_files:
            for record in await self._passed_of(file):
                is_near = abs(record.received_at - matched.at) <= _NEAR
                if is_near and matched.fingerprint in await self._fingerprints(record):
                    return record.ref
        return None

    async def _passed_of(self, file: str) -> tuple[StoredRecord, ...]:
        """What the gateway itself filed there."""
        if file not in self._passed:
            records = await self._store.records(file)
            self._passed[file] = tuple(record for record in records if record.treatment != TREATMENT)
        return self._passed[file]

    async def _fingerprints(self, record: StoredRecord) -> tuple[str, ...]:
        """Those of both forms of a stored message."""
        if record.id not in self._known:
            stages = (Stage.RECEIVED, Stage.DELIVERED) if record.is_amended else (Stage.DELIVERED,)
            bodies = [await self._store.body(record.id, stage) for stage in stages]
            self._known[record.id] = tuple(fingerprint(parse(content)) for content in bodies)
        return self._known[record.id]
