"""The mails that the gateway writes itself: who gets one, in which language, with which header.

Not their words (`gateway.policy.letters`, from the pack) and not their queue (`gateway.archive.store`). Called by the
flows. Every letter has the null reverse-path and Auto-Submitted (RFC 3834 sections 3.1.7 and 3.3), so that nothing
answers it; none holds a line, a subject or an address of the message that it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.archive.model import Letter
from gateway.message.submission import Envelope, Recipient
from gateway.people.directory import Directory
from gateway.people.model import Parties, Party, Role, Worker
from gateway.policy.letters import LetterFacts, LetterKind, letter_words
from gateway.policy.pack import Pack
from gateway.policy.verdict import Plan, Reason

LETTER_LIFE = timedelta(days=5)
"""How long a letter is tried (RFC 5321 section 4.5.4.1: at least four to five days)."""

REVIEWERS = frozenset({Role.SUPERVISOR, Role.STAFF, Role.FACULTY})
"""Roles that may be asked to review, if the worker names no supervisor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a letter tells about: the message's id, its reference, the reasons, and what is known of the people."""

    message_id: str
    reference: str
    reasons: tuple[Reason, ...]
    worker: Worker | None
    directory: Directory
    pack: Pack


class LetterDesk:
    """Writes letters. `sender` is their From address, or None for practicum-gateway@ the first professional domain."""

    def __init__(self, *, sender: str | None, new_id: Callable[[], str], now: Callable[[], datetime]) -> None:
        self._sender = sender
        self._new_id = new_id
        self._now = now

    def for_hold(self, about: About) -> tuple[Letter, ...]:
        """A word to the sender, and the request to each who may review it."""
        letters = [self._to(reviewer, LetterKind.HELD_SUPERVISOR, about) for reviewer in reviewers_of(about)]
        if about.worker is not None:
            letters.append(self._to(about.worker, LetterKind.HELD_SENDER, about))
        return tuple(letters)

    def for_note(self, about: About, plan: Plan, parties: Parties) -> tuple[Letter, ...]:
        """A tip to the sender of a delivered message, or to the workers who read a client's message."""
        letters = []
        if plan.tell_sender and about.worker is not None:
            letters.append(self._to(about.worker, LetterKind.NOTE_SENDER, about))
        if plan.tell_readers:
            readers = {party.worker.id: party.worker for party in parties.recipients if party.worker is not None}
            letters += [self._to(reader, LetterKind.TIP_READER, about) for reader in readers.values()]
        return tuple(letters)

    def for_decision(self, kind: LetterKind, about: About, *, by: str = "", why: str = "") -> tuple[Letter, ...]:
        """A word to the sender that the message was released, returned or has expired; () if nobody of ours sent it."""
        if about.worker is None:
            return ()
        return (self._to(about.worker, kind, about, by=by, why=why),)

    def _to(self, reader: Worker, kind: LetterKind, about: About, *, by: str = "", why: str = "") -> Letter:
        organisation = about.directory.organisation
        words = letter_words(
            about.pack,
            kind,
            reader.language,
            LetterFacts(
                reference=about.reference,
                name=reader.name,
                worker_name=about.worker.name if about.worker else "",
                organisation=organisation.name,
                reasons=about.reasons,
                decided_by=by,
                decision_reason=why,
            ),
        )
        sender = self._sender or f"practicum-gateway@{organisation.professional_domains[0]}"
        letter_id, now = self._new_id(), self._now()
        mail = EmailMessage(policy=SMTP)
        mail["From"] = f"Practicum Gateway <{sender}>"
        mail["To"] = reader.addresses[0]
        mail["Subject"] = words.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{letter_id}@{sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(words.body, cte="quoted-printable")
        mail["Content-Language"] = reader.language
        return Letter(
            id=letter_id,
            kind=kind.value,
            about=about.message_id,
            envelope=Envelope(mail_from=None, recipients=(Recipient(address=reader.addresses[0]),)),
            content=mail.as_bytes(),
            created_at=now,
            expires_at=now + LETTER_LIFE,
        )


def colleague(party: Party | None) -> Worker | None:
    """A sender at a professional address whom people.yaml does not list, as somebody to write to; else None."""
    if party is None or party.role is not Role.COLLEAGUE or not party.is_readable:
        return None
    return Worker(id="", name=party.address.partition("@")[0], role=Role.COLLEAGUE, addresses=(party.address,))


def reviewers_of(about: About) -> tuple[Worker, ...]:
    """Who is asked to review: the worker's supervisor, else all supervisors, staff and faculty but the sender."""
    if about.worker is not None:
        supervisor = about.directory.supervisor_of(about.worker)
        if supervisor is not None:
            return (supervisor,)
    return tuple(_by_role(about.directory.workers, but=about.worker))


def _by_role(workers: Iterable[Worker], *, but: Worker | None) -> Iterable[Worker]:
    return (worker for worker in workers if worker.role in REVIEWERS and (but is None or worker.id != but.id))
