"""Time passes: send the letters that are due, give back the holds that nobody decided.

Called by the jobs of the serving gateway. What stands here is what a held message needs so as not to wait for ever
unseen, and the clients' files whose time is over; there are no reminders or stand-ins yet.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from gateway.archive.life import FileLife
from gateway.archive.model import QueuedLetter
from gateway.archive.store import Store
from gateway.decide import Relay, about_hold
from gateway.flow import Knowledge
from gateway.holding.states import HoldNotOpen, HoldState
from gateway.message.errors import GatewayError
from gateway.outbound.letters import LetterDesk
from gateway.policy.letters import LetterKind

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
"""Retries of a letter: after one minute, then twice as long each time, at most an hour (RFC 5321 section 4.5.4.1)."""


class Observer(Protocol):
    """Who counts what time brings."""

    def letter(self, outcome: str) -> None:
        """A letter was `sent`, `deferred`, `refused` or has `expired`."""

    def decision(self, decision: str) -> None:
        """A hold has `expired`."""


class Elapse:
    """The flow. `knowledge` gives the people and the policy of now; `now` an aware time."""

    def __init__(
        self,
        *,
        knowledge: Callable[[], Knowledge],
        store: Store,
        relay: Relay,
        desk: LetterDesk,
        observer: Observer,
        now: Callable[[], datetime],
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._relay = relay
        self._desk = desk
        self._observer = observer
        self._now = now

    async def letters(self) -> int:
        """Try every letter that is due; the number of letters tried."""
        due = await self._store.due_letters(self._now())
        for queued in due:
            await self._try(queued)
        return len(due)

    async def holds(self) -> int:
        """Give back every hold whose time is over, with a letter to its sender; the number of these holds.

        Releases that a killed shell never ended become holds again first.
        """
        known, now, expired = self._knowledge(), self._now(), 0
        await self._store.give_back_releases(now)
        for hold in await self._store.holds(frozenset({HoldState.HELD})):
            if hold.expires_at is None or hold.expires_at > now:
                continue
            about = about_hold(hold, known.directory, known.pack)
            letters = self._desk.for_decision(LetterKind.EXPIRED_SENDER, about)
            try:
                await self._store.expire_hold(hold.ref, at=now, letters=letters)
            except HoldNotOpen:
                continue  # somebody decided in this moment
            self._observer.decision("expired")
            expired += 1
        return expired

    async def retention(self) -> int:
        """Suggest the disposal of every client's file whose time is over; how many there are. Destroys nothing."""
        known, now = self._knowledge(), self._now()
        life = FileLife(self._store, known.pack.retention, known.directory.client)
        return len(await life.suggest(day=now.date(), at=now))

    async def _try(self, queued: QueuedLetter) -> None:
        letter, now = queued.letter, self._now()
        code: int | None = None
        try:
            content = self._knowledge().signer.sign(letter.content, now)
            answers = await self._relay.send(letter.envelope, content)
            code = max((answer.code for answer in answers.values()), default=None)
        except GatewayError:
            code = None
        if code is not None and 200 <= code < 300:
            await self._store.letter_sent(letter.id, code)
            self._observer.letter("sent")
        elif code is not None and code >= 500:
            await self._store.letter_refused(letter.id, code)
            self._observer.letter("refused")
        elif now >= letter.expires_at:
            await self._store.letter_expired(letter.id)
            self._observer.letter("expired")
        else:
            await self._store.letter_failed(letter.id, now + pause(queued.tries), code)
            self._observer.letter("deferred")


def pause(tries: int) -> timedelta:
    """How long to wait after that many failed tries."""
    return min(FIRST_PAUSE * (1 << min(tries, 16)), LONGEST_PAUSE)
