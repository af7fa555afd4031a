"""The steps of `gateway.arrive` that are more than one line: each does one thing with the rooms, timed.

No order of things stands here: what comes after what is told in `arrive` (ADR 0009).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

from gateway.amend.amend import Sign, amend
from gateway.amend.signing import is_to_be_signed
from gateway.amend.treatment import Amended
from gateway.amend.verify import Verifier
from gateway.archive.model import Letter
from gateway.archive.store import Store
from gateway.content.documents.reader import NOTHING, Attachments
from gateway.content.finding import Finding
from gateway.flow import Judged, Knowledge, Observer, record_of
from gateway.message.authentication import AuthenticationResults
from gateway.message.errors import GatewayError
from gateway.message.limits import Limits
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.message.threads import thread_key
from gateway.outbound.delivery import Delivery
from gateway.outbound.relay import NextHopLost, NextHopSlow
from gateway.people.model import Parties
from gateway.policy.judge import fact_findings, inspection_request
from gateway.policy.memory import Memory, needs_memory
from gateway.policy.pack import Pack
from gateway.policy.scope import are_attachments_in_scope, matters_to_look_for
from gateway.policy.verdict import Action, Plan, Verdict

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_THREAD_FROM_BYTES = 262_144
"""Messages of this size and more are parsed and amended in a thread, so that others do not wait."""


class Steps:
    """What `Arrival` does with the rooms. `now` gives an aware time; `host_name` is ours, for Received."""

    def __init__(
        self,
        *,
        store: Store,
        observer: Observer,
        now: Callable[[], datetime],
        host_name: str,
        limits: Limits,
        verifier: Verifier,
    ) -> None:
        self._store = store
        self._observer = observer
        self._now = now
        self._host_name = host_name
        self._limits = limits
        self._verifier = verifier

    async def parse(self, submission: Submission, pack: Pack) -> Message:
        """The message, parsed, its texts yet unread; our own notices are known to the parser."""
        with self._observer.stage("parse"):
            notices = pack.own_notice_texts()
            return await _run(submission, parse, submission.raw, limits=self._limits, notices=notices)

    async def authenticate(
        self, submission: Submission, message: Message, parties: Parties
    ) -> AuthenticationResults | None:
        """Where mail from outside really comes from; None where nobody asks."""
        with self._observer.stage("authenticate"):
            return await self._verifier.origin_of(submission, message, parties)

    async def findings(
        self,
        known: Knowledge,
        submission: Submission,
        message: Message,
        parties: Parties,
        origin: AuthenticationResults | None,
    ) -> tuple[Finding, ...]:
        """The facts, and what the recognizers see in the text where a rule looks at it, attachments included."""
        with self._observer.stage("inspect"):
            matters = await _run(submission, matters_to_look_for, known.pack, parties, message)
            if matters or are_attachments_in_scope(known.pack, parties):
                await _run(submission, lambda: message.texts)  # read here, and in a thread if it is large
            attachments = await self._attachments(known, message, parties)
            whole = attachments.added_to(message)
            facts = fact_findings(
                submission=submission,
                message=whole,
                parties=parties,
                directory=known.directory,
                pack=known.pack,
                today=self._now().astimezone().date(),
                origin=origin,
                attachments=attachments,
            )
            if not matters:
                return facts
            request = inspection_request(known.pack, parties, whole, directory=known.directory, concerns=known.concerns)
            return (*facts, *(await known.inspect(request))) if request else facts

    async def memory(
        self, submission: Submission, message: Message, pack: Pack, parties: Parties, verdict: Verdict
    ) -> Memory | None:
        """What the clients concerned have been told, where the policy asks; None on any doubt: the notice goes in."""
        if not needs_memory(pack, parties, verdict.action):
            return None
        thread = thread_key(message)
        try:
            tellings = await self._store.tellings(parties.client_files, thread)
        except GatewayError as error:
            self._observer.forgot(submission, error)
            return None
        return Memory(now=self._now(), thread=thread, tellings=tellings)

    async def amend(
        self,
        known: Knowledge,
        submission: Submission,
        message: Message,
        parties: Parties,
        plan: Plan,
        origin: AuthenticationResults | None,
    ) -> Amended:
        """The bytes to send, with notice, trace and signature."""
        with self._observer.stage("amend"):
            return await _run(
                submission,
                amend,
                submission,
                message,
                plan,
                host_name=self._host_name,
                authserv_id=self._verifier.authserv_id,
                trace=self._verifier.fields(origin),
                sign=self._sign(known, parties, plan),
            )

    async def file(self, judged: Judged) -> None:
        """The copy in the client's file, on disk before the message leaves [TIP-E5]."""
        with self._observer.stage("archive"):
            await self._store.file_sending(record_of(judged))

    async def deliver(self, judged: Judged, delivery: Delivery) -> Reply:
        """The next hop's final reply.

        If it was lost after the content, the record says that nobody knows what it took; before, that it took nothing.
        """
        try:
            with self._observer.stage("relay"):
                return await delivery.deliver(judged.amended.raw)
        except GatewayError as error:
            if judged.plan.client_files:
                if isinstance(error, NextHopLost | NextHopSlow) and error.has_sent_content:
                    await self._store.mark_unconfirmed(judged.submission.id, self._now())
                else:
                    await self._store.mark_refused(judged.submission.id, error.reply.code, self._now())
            raise

    async def close(self, judged: Judged, answer: Reply, letters: tuple[Letter, ...]) -> None:
        """Write the next hop's answer beside the record, and the tips that go with it.

        The record itself is safe already. A failure to write the answer must not make the sender send again what the
        next hop has taken: the record then stays `sending`, and is found `unconfirmed` at the next start.
        """
        try:
            with self._observer.stage("archive"):
                if not judged.plan.client_files:
                    await self._store.enqueue(letters)
                elif answer.is_positive:
                    await self._store.mark_sent(judged.submission.id, answer.code, self._now(), letters)
                else:
                    await self._store.mark_refused(judged.submission.id, answer.code, self._now())
        except GatewayError as error:
            self._observer.failed(judged.submission, error)
        except Exception as error:  # noqa: BLE001 -- the message has left: a defect of ours must not make it leave twice
            self._observer.broke(judged.submission, error)

    async def _attachments(self, known: Knowledge, message: Message, parties: Parties) -> Attachments:
        """What stands in the attachments, opened in a process of their own, where a rule looks at such mail."""
        if not are_attachments_in_scope(known.pack, parties):
            return NOTHING
        return await known.open_attachments(message)

    def _sign(self, known: Knowledge, parties: Parties, plan: Plan) -> Sign | None:
        """Who signs what leaves now; a held message is signed when a person releases it (`gateway.decide`)."""
        leaves = plan.action in {Action.DELIVER, Action.NOTE}
        if not leaves or not is_to_be_signed(parties.direction, has_login=parties.login is not None):
            return None
        return partial(known.signer.signature, at=self._now())


async def _run(
    submission: Submission, work: Callable[_Given, _Made], /, *args: _Given.args, **more: _Given.kwargs
) -> _Made:
    if len(submission.raw) < _THREAD_FROM_BYTES:
        return work(*args, **more)
    return await asyncio.to_thread(work, *args, **more)
