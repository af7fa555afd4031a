"""A person decides on a held message: authority → release or return → record → tell.

A release signs and relays the amended message as it was held, files it in the client's file and tells the sender; a
return gives it back with the reason. Nobody decides on a message of their own, and no student decides at all
[CONF-2, STM-4]. Called by `held release` and `held return`; nothing here knows a shell.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.amend.signing import Signer, is_to_be_signed
from gateway.archive.model import Letter, ReasonRecord, StoredRecord
from gateway.archive.store import Store
from gateway.content.finding import About as Whose
from gateway.content.finding import Finding, Matter
from gateway.holding.model import Outcome, Release, StoredHold
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply
from gateway.message.submission import Envelope
from gateway.outbound.letters import REVIEWERS, About, LetterDesk, colleague
from gateway.people.addresses import canonical
from gateway.people.classify import party_of
from gateway.people.directory import Directory
from gateway.people.model import Worker
from gateway.policy.letters import LetterKind
from gateway.policy.pack import Pack
from gateway.policy.verdict import Action, Reason


class NoAuthority(Exception):
    """The person may not decide on this message; the text says why, in words for the person."""


class ReasonMissing(Exception):
    """A decision needs a reason: it is recorded and, for a return, told to the sender."""


class NotReleased(Exception):
    """The next hop did not take the message for anybody now; it is held as before, and can be released again."""


class Relay(Protocol):
    """The way on, outside any session of a client (`gateway.outbound.relay.NextHop`)."""

    async def send(self, envelope: Envelope, content: bytes) -> dict[str, Reply]:
        """Relay to every recipient; the final reply for each. Raises GatewayError if there was no answer at all."""


class Decided(StrEnum):
    """How a decision ended."""

    RELEASED = "released"
    PARTLY_RELEASED = "partly_released"
    REFUSED = "refused"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of the hold, and for how many recipients the next hop took, refused or put off the message."""

    ref: str
    decided: Decided
    taken: int = 0
    refused: int = 0
    put_off: int = 0


class Decide:
    """The flow. `now` gives an aware time, `signer` the keys of now (ConfigInvalid if they can't be read)."""

    def __init__(
        self,
        *,
        directory: Directory,
        pack: Pack,
        store: Store,
        relay: Relay,
        desk: LetterDesk,
        now: Callable[[], datetime],
        signer: Callable[[], Signer] = Signer,
    ) -> None:
        self._directory = directory
        self._pack = pack
        self._store = store
        self._relay = relay
        self._desk = desk
        self._now = now
        self._signer = signer

    async def release(self, ref: str, *, by: str, reason: str) -> Decision:
        """Relay the held message. Raises HoldUnknown, HoldNotOpen, NoAuthority, ReasonMissing, NotReleased."""
        hold = await self._store.held(ref)
        who = self._authority(hold, by, reason)
        signer = self._signer()
        release = await self._store.begin_release(hold.ref, by=who, why=reason, at=self._now())
        try:
            content = await _signed(release, signer, self._now())
            answers = await self._relay.send(release.envelope, content)
        except GatewayError as error:
            await self._store.abandon_release(hold.ref, why=error.cause, at=self._now())
            raise NotReleased(error.cause) from error
        outcomes = tuple(Outcome(address=address, code=answer.code) for address, answer in answers.items())
        return await self._close(release.hold, outcomes, by, reason)

    async def give_back(self, ref: str, *, by: str, reason: str) -> Decision:
        """Return the held message to its sender, with the reason.

        Raises HoldUnknown, HoldNotOpen, NoAuthority, ReasonMissing.
        """
        hold = await self._store.held(ref)
        who = self._authority(hold, by, reason)
        letters = self._letters(LetterKind.RETURNED_SENDER, hold, by, reason)
        await self._store.return_hold(hold.ref, by=who, why=reason, at=self._now(), letters=letters)
        return Decision(ref=hold.ref, decided=Decided.RETURNED)

    async def _close(self, hold: StoredHold, outcomes: tuple[Outcome, ...], by: str, reason: str) -> Decision:
        """End the release, or leave it open for the recipients whom the next hop put off with a 4xx."""
        taken = sum(200 <= outcome.code < 300 for outcome in outcomes)
        put_off = sum(not outcome.is_final for outcome in outcomes)
        refused = len(outcomes) - taken - put_off
        if put_off:
            await self._store.abandon_release(hold.ref, why="put off", at=self._now(), outcomes=outcomes)
            if not taken and not refused:
                raise NotReleased("put off")
            decided = Decided.PARTLY_RELEASED
        else:
            letters = self._letters(LetterKind.RELEASED_SENDER, hold, by, reason) if taken else ()
            await self._store.finish_release(hold.ref, at=self._now(), outcomes=outcomes, letters=letters)
            decided = Decided.RELEASED if taken else Decided.REFUSED
        return Decision(ref=hold.ref, decided=decided, taken=taken, refused=refused, put_off=put_off)

    def _authority(self, hold: StoredHold, by: str, reason: str) -> str:
        """Who decides, for the record: a worker's id, or the words of a person whom people.yaml does not list.

        The shell is the administrator's: whoever may open the store may name somebody who is not listed (ADR 0006). A
        listed person must be one who reviews, and not the sender.
        """
        if not reason.strip():
            raise ReasonMissing("say why, with --reason: it is recorded")
        if not by.strip():
            raise NoAuthority("say who decides, with --by")
        worker = find_worker(self._directory, by)
        if worker is None:
            return by.strip()
        if worker.id == hold.record.worker_id:
            raise NoAuthority("nobody decides on a message of their own; ask the supervisor")
        if worker.role not in REVIEWERS and worker.id != hold.supervisor:
            raise NoAuthority(f"a {worker.role.value} does not review messages; ask the supervisor")
        return worker.id

    def _letters(self, kind: LetterKind, hold: StoredHold, by: str, reason: str) -> tuple[Letter, ...]:
        worker = find_worker(self._directory, by)
        about = about_hold(hold, self._directory, self._pack)
        return self._desk.for_decision(kind, about, by=worker.name if worker else by.strip(), why=reason.strip())


async def _signed(release: Release, signer: Signer, at: datetime) -> bytes:
    """The held message as it leaves. Signed now and not when it was held, so that time and key are those of today."""
    record = release.hold.record
    if not is_to_be_signed(record.direction, has_login=record.session.login is not None):
        return release.content
    return await asyncio.to_thread(signer.sign, release.content, at)


def find_worker(directory: Directory, words: str) -> Worker | None:
    """The worker whom a person means by an id, a login, an address or a full name; None if there is none or several."""
    said = words.strip()
    address = canonical(said) if "@" in said else None
    found = directory.worker(said) or directory.worker_of_login(said)
    if found is None and address is not None:
        found = directory.worker_of_address(address)
    if found is not None:
        return found
    named = [worker for worker in directory.workers if worker.name.casefold() == said.casefold()]
    return named[0] if len(named) == 1 else None


def about_hold(hold: StoredHold, directory: Directory, pack: Pack) -> About:
    """What a letter about a held message tells, from the store."""
    record = hold.record
    return About(
        message_id=record.id,
        reference=hold.ref,
        reasons=tuple(_reason(entry) for entry in record.verdict.reasons),
        worker=_sender(record, directory),
        directory=directory,
        pack=pack,
    )


def _sender(record: StoredRecord, directory: Directory) -> Worker | None:
    """Who is told: the worker, or a colleague at a professional address whom people.yaml does not list."""
    if record.worker_id is not None:
        return directory.worker(record.worker_id)
    return colleague(party_of(directory, record.envelope.mail_from)) if record.envelope.mail_from else None


def _reason(entry: ReasonRecord) -> Reason:
    """A reason as letters need it: the rule and its clause; the finding without its text."""
    return Reason(
        rule=entry.rule,
        clause=entry.clause,
        action=Action(entry.action),
        is_simulated=entry.is_simulated,
        finding=Finding(
            matter=Matter(entry.matter),
            where=entry.where,
            score=entry.score,
            is_quoted=entry.is_quoted,
            about=Whose(entry.about) if entry.about else Whose.UNKNOWN,
            reason=entry.reason,
        ),
    )
