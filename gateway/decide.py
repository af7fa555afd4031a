"""A person decides on a held message: authority → release or return → record → tell.

A release signs and relays the amended message as it was held, files it in the client's file and tells the sender; a
return gives it back with the reason. Nobody decides on a message of their own, and no student decides at all
[CONF-2, STM-4]. Called by `held release` and `held return`; nothing here knows a shell.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.amend.signing import Signer, is_to_be_signed
from gateway.archive.model import Letter, ReasonRecord, StoredRecord
from gateway.archive.store import RELEASE_LEASE, Store
from gateway.content.finding import About as Whose
from gateway.content.finding import Finding, Matter
from gateway.holding.model import UNDER_WAY, Outcome, Release, StoredHold
from gateway.holding.states import HoldNotOpen
from gateway.message.errors import GatewayError
from gateway.message.reply import Reply
from gateway.message.submission import Envelope
from gateway.outbound.letters import REVIEWERS, About, LetterDesk, colleague
from gateway.people.classify import party_of
from gateway.people.directory import Directory
from gateway.people.model import Worker
from gateway.policy.letters import LetterKind
from gateway.policy.pack import Pack
from gateway.policy.verdict import Action, Reason

SEND_LIMIT = RELEASE_LEASE * 3 / 4
"""How long a release may take at the next hop: it must have ended before the store gives the hold back."""


class NoAuthority(Exception):
    """The person may not decide on this message; the text says why, in words for the person."""


class ReasonMissing(Exception):
    """A decision needs a reason: it is recorded and, for a return, told to the sender."""


class NotReleased(Exception):
    """The next hop did not take the message for anybody now; it is held as before, and can be released again."""


class PerhapsReleased(NotReleased):
    """The next hop was lost after it had the whole message: held again, and marked that it may have been delivered."""


class NotRecorded(Exception):
    """The next hop has answered, and the store could not write that down. `taken`: how many recipients it took."""

    def __init__(self, taken: int) -> None:
        super().__init__("not recorded")
        self.taken = taken


class Relay(Protocol):
    """The way on, outside any session of a client (`gateway.outbound.relay.NextHop`)."""

    async def send(
        self,
        envelope: Envelope,
        content: bytes,
        *,
        before_end: Callable[[Mapping[str, Reply]], Awaitable[None]] | None = None,
    ) -> dict[str, Reply]:
        """Relay to every recipient; the final reply for each. Raises GatewayError if there was no answer at all.

        `before_end` is told the replies so far before the final dot is written; if it raises, nothing was sent.
        """


class Decided(StrEnum):
    """How a decision ended."""

    RELEASED = "released"
    PARTLY_RELEASED = "partly_released"
    REFUSED = "refused"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What became of the hold, and for how many recipients the next hop took, refused or put off the message.

    `may_be_twice`: an earlier release was cut off, so that some recipients may have had the message before.
    """

    ref: str
    decided: Decided
    taken: int = 0
    refused: int = 0
    put_off: int = 0
    may_be_twice: bool = False


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
        """Relay the held message.

        Raises HoldUnknown, HoldNotOpen, NoAuthority, ReasonMissing, NotReleased, PerhapsReleased, NotRecorded.
        """
        hold = await self._store.held(ref)
        who = self._authority(hold, by, reason)
        signer = self._signer()
        letters = self._letters(LetterKind.RELEASED_SENDER, hold, by, reason)  # what can fail comes before the sending
        release = await self._store.begin_release(hold.ref, by=who, why=reason, at=self._now())
        outcomes = await self._relayed(release, signer)
        try:
            return await self._close(release.hold, outcomes, letters)
        except GatewayError as error:
            raise NotRecorded(sum(outcome.is_accepted for outcome in outcomes)) from error

    async def give_back(self, ref: str, *, by: str, reason: str) -> Decision:
        """Return the held message to its sender, with the reason.

        Raises HoldUnknown, HoldNotOpen, NoAuthority, ReasonMissing.
        """
        hold = await self._store.held(ref)
        who = self._authority(hold, by, reason)
        letters = self._letters(LetterKind.RETURNED_SENDER, hold, by, reason)
        await self._store.return_hold(hold.ref, by=who, why=reason, at=self._now(), letters=letters)
        return Decision(ref=hold.ref, decided=Decided.RETURNED)

    async def _relayed(self, release: Release, signer: Signer) -> tuple[Outcome, ...]:
        """What the next hop said. Before the final dot the store knows that the message may have been delivered."""
        ref, is_sent = release.hold.ref, False

        async def before_end(answers: Mapping[str, Reply]) -> None:
            nonlocal is_sent
            await self._store.end_content(ref, at=self._now(), outcomes=_under_way(answers))
            is_sent = True

        try:
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                content = await _signed(release, signer, self._now())
                answers = await self._relay.send(release.envelope, content, before_end=before_end)
        except asyncio.CancelledError:
            await self._abandon(ref, "broken off")
            raise
        except HoldNotOpen as error:
            raise NotReleased(error.cause) from error  # it took too long, and the hold is somebody else's now
        except (GatewayError, TimeoutError) as error:
            cause = error.cause if isinstance(error, GatewayError) else "next hop: release took too long"
            await self._abandon(ref, cause)
            raise (PerhapsReleased if is_sent else NotReleased)(cause) from error
        return tuple(Outcome(address=address, code=answer.code) for address, answer in answers.items())

    async def _abandon(self, ref: str, why: str) -> None:
        """Hold the message again. What the store can't do now, it does when the lease of the release is over."""
        with suppress(GatewayError):
            await self._store.abandon_release(ref, why=why, at=self._now())

    async def _close(self, hold: StoredHold, outcomes: tuple[Outcome, ...], letters: tuple[Letter, ...]) -> Decision:
        """End the release, or leave it open for the recipients whom the next hop put off with a 4xx."""
        taken = sum(outcome.is_accepted for outcome in outcomes)
        put_off = sum(not outcome.is_final for outcome in outcomes)
        refused = len(outcomes) - taken - put_off
        if put_off:
            await self._store.abandon_release(hold.ref, why="put off", at=self._now(), outcomes=outcomes)
            if not taken and not refused:
                raise NotReleased("put off")
            decided = Decided.PARTLY_RELEASED
        else:
            is_delivered = taken > 0 or hold.is_delivered_to_some
            told = letters if is_delivered else ()
            await self._store.finish_release(hold.ref, at=self._now(), outcomes=outcomes, letters=told)
            decided = Decided.RELEASED if is_delivered else Decided.REFUSED
        return Decision(
            ref=hold.ref,
            decided=decided,
            taken=taken,
            refused=refused,
            put_off=put_off,
            may_be_twice=hold.may_be_delivered,
        )

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


def _under_way(answers: Mapping[str, Reply]) -> tuple[Outcome, ...]:
    """What is known before the final dot: who was refused, and who will have the message if the next hop takes it."""
    return tuple(
        Outcome(address=address, code=UNDER_WAY if answer.is_positive else answer.code)
        for address, answer in answers.items()
    )


async def _signed(release: Release, signer: Signer, at: datetime) -> bytes:
    """The held message as it leaves. Signed now and not when it was held, so that time and key are those of today."""
    record = release.hold.record
    if not is_to_be_signed(record.direction, has_login=record.session.login is not None):
        return release.content
    return await asyncio.to_thread(signer.sign, release.content, at)


def find_worker(directory: Directory, words: str) -> Worker | None:
    """The worker whom a person means by an id, a login, an address (a personal one too) or a full name; None for none.

    Case and white space do not matter in a name. Raises NoAuthority for a name that several workers have.
    """
    said = words.strip()
    found = directory.worker(said) or directory.worker_of_login(said) or directory.worker_of_personal(said)
    if found is not None:
        return found
    name = _name_key(said)
    named = [worker for worker in directory.workers if _name_key(worker.name) == name]
    if len(named) > 1:
        raise NoAuthority(f"{len(named)} people have that name; say the id, as people.yaml has it")
    return named[0] if named else None


def _name_key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


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
