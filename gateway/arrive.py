"""A message arrives: the whole story, top to bottom.

identify → parse → classify → authenticate → inspect → evaluate → plan → amend and sign → archive → relay, hold or
return → answer.

Each step of `_judge` is a room of the house; this file holds no detail. Called by the doors with a `Submission` and the
open way to the next hop; the `Reply` that it gives is the sender's answer. The order of the durable steps is DESIGN
section 5: client mail is on our disk before it leaves, a hold is on our disk before 250, and every failure of machinery
is a 4xx, so that the sender keeps the message.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import ParamSpec, Protocol, TypeVar, assert_never

from gateway.amend.amend import Sign, amend
from gateway.amend.signing import SIGNS_NOTHING, Signer, is_to_be_signed
from gateway.amend.treatment import Amended, Signing
from gateway.amend.verify import Verifier
from gateway.archive.model import Letter, Record
from gateway.archive.store import Store
from gateway.content.finding import Finding
from gateway.content.inspector import InspectionRequest
from gateway.holding.model import Hold
from gateway.message.authentication import AuthenticationResults
from gateway.message.errors import GatewayError
from gateway.message.limits import Limits
from gateway.message.model import Message
from gateway.message.parse import parse
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.message.threads import thread_key
from gateway.outbound.delivery import Delivery
from gateway.outbound.letters import About, LetterDesk, colleague, reviewers_of
from gateway.people.classify import classify
from gateway.people.directory import Directory
from gateway.people.model import Parties
from gateway.policy.evaluate import evaluate
from gateway.policy.facts_notice import not_placed_finding
from gateway.policy.judge import Concerns, fact_findings, inspection_request
from gateway.policy.memory import Memory, needs_memory
from gateway.policy.pack import Pack
from gateway.policy.plan import make_plan
from gateway.policy.verdict import Action, Plan, Verdict
from gateway.policy.words import reply_words

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")
_THREAD_FROM_BYTES = 262_144
"""Messages of this size and more are parsed and amended in a thread, so that others do not wait."""


class Observer(Protocol):
    """Who counts and times what happens: metrics and logs. Told names, ids, counts and seconds, never contents."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time one stage of a message."""

    def judged(self, submission: Submission, parties: Parties, verdict: Verdict, outcome: Outcome) -> None:
        """A message was answered."""

    def failed(self, submission: Submission, error: GatewayError) -> None:
        """A message was not taken, and why, for the log."""

    def forgot(self, submission: Submission, error: GatewayError) -> None:
        """What the clients of a message have been told could not be read: the notice goes in."""

    def broke(self, submission: Submission, error: Exception) -> None:
        """A message was not taken because of a defect of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message: the reply, what notice and signature came to, bytes in and out, seconds spent.

    `treatment_detail` says more of the notice in a few fixed words, such as the rule that its assertion found broken.
    """

    reply: Reply
    treatment: str
    treatment_detail: str = ""
    signing: str = Signing.NOT_ASKED.value
    received_bytes: int
    delivered_bytes: int
    seconds: float


Inspect = Callable[[InspectionRequest], Awaitable[tuple[Finding, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the gateway knows at one moment, as one value, so that a reload swaps all of it or nothing.

    `concerns` tells cheaply whether mail to an outsider names a client or speaks for the school. `signer` has the keys.
    """

    directory: Directory
    pack: Pack
    inspect: Inspect
    concerns: Concerns
    signer: Signer = SIGNS_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A message and all that was made of it before anything was done, under the knowledge of that moment.

    `amended` holds the bytes to send, our signature included. `origin` is what the check of incoming mail found.
    """

    known: Knowledge
    submission: Submission
    message: Message
    parties: Parties
    verdict: Verdict
    plan: Plan
    amended: Amended
    origin: AuthenticationResults | None
    reference: str


class Arrival:
    """The flow.

    `knowledge` gives the people and the policy of now, `now` an aware time, `reference_of` what people call a message;
    `hold_days` says after how many days an undecided hold goes back.
    """

    def __init__(
        self,
        *,
        knowledge: Callable[[], Knowledge],
        store: Store,
        desk: LetterDesk,
        observer: Observer,
        now: Callable[[], datetime],
        reference_of: Callable[[str], str],
        host_name: str,
        hold_days: int,
        limits: Limits,
        verifier: Verifier | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._store = store
        self._desk = desk
        self._observer = observer
        self._now = now
        self._reference_of = reference_of
        self._host_name = host_name
        self._hold_life = timedelta(days=hold_days)
        self._limits = limits
        self._verifier = verifier or Verifier(authserv_id=host_name)

    async def __call__(self, submission: Submission, delivery: Delivery) -> Reply:
        """The answer to one message. Never raises but for cancellation; on any failure nothing is accepted."""
        try:
            return await self._arrive(submission, delivery)
        except GatewayError as error:
            self._observer.failed(submission, error)
            await delivery.abandon()
            return error.reply
        except Exception as error:  # noqa: BLE001 -- the guard around one message: a defect of ours is a 451
            self._observer.broke(submission, error)
            await delivery.abandon()
            return reply("machinery")

    async def _arrive(self, submission: Submission, delivery: Delivery) -> Reply:
        started = time.perf_counter()
        judged = await self._judge(submission)
        match judged.plan.action:
            case Action.DELIVER | Action.NOTE:
                answer = await self._relay(judged, delivery)
            case Action.HOLD:
                answer = await self._hold(judged, delivery)
            case Action.RETURN:
                answer = await self._return(judged, delivery)
            case _ as never:
                assert_never(never)
        outcome = Outcome(
            reply=answer,
            treatment=judged.amended.treatment.value,
            treatment_detail=judged.amended.detail,
            signing=judged.amended.signing.value,
            received_bytes=len(submission.raw),
            delivered_bytes=len(judged.amended.raw),
            seconds=time.perf_counter() - started,
        )
        self._observer.judged(submission, judged.parties, judged.verdict, outcome)
        return answer

    async def _judge(self, submission: Submission) -> Judged:
        known = self._knowledge()
        directory, pack = known.directory, known.pack
        with self._observer.stage("parse"):
            notices = pack.own_notice_texts()
            message = await self._run(submission, parse, submission.raw, limits=self._limits, notices=notices)
        with self._observer.stage("classify"):
            parties = classify(submission.envelope, message, submission.session, directory)
        with self._observer.stage("authenticate"):
            origin = await self._verifier.origin_of(submission, message, parties)
        with self._observer.stage("inspect"):
            facts = fact_findings(
                submission=submission,
                message=message,
                parties=parties,
                directory=directory,
                pack=pack,
                today=self._now().astimezone().date(),
                origin=origin,
            )
            request = inspection_request(pack, parties, message, concerns=known.concerns)
            judgements = await known.inspect(request) if request else ()
        with self._observer.stage("plan"):
            verdict = evaluate(pack, parties, (*facts, *judgements))
            memory = await self._memory(submission, message, pack, parties, verdict)
            reference = self._reference_of(submission.id)
            plan = make_plan(pack, parties, verdict, message=message, reference=reference, memory=memory)
        judged = Judged(
            known=known,
            submission=submission,
            message=message,
            parties=parties,
            verdict=verdict,
            plan=plan,
            amended=await self._amend(known, submission, message, parties, plan, origin),
            origin=origin,
            reference=reference,
        )
        if pack.notice_rule.is_compulsory and judged.amended.treatment.is_missing:
            return await self._without_notice(judged, (*facts, *judgements))
        return judged

    async def _memory(
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

    async def _amend(
        self,
        known: Knowledge,
        submission: Submission,
        message: Message,
        parties: Parties,
        plan: Plan,
        origin: AuthenticationResults | None,
    ) -> Amended:
        with self._observer.stage("amend"):
            return await self._run(
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

    async def _without_notice(self, judged: Judged, findings: tuple[Finding, ...]) -> Judged:
        """The judgement anew with one more finding: a compulsory notice has no place in this message [CLI-8]."""
        known, parties, message = judged.known, judged.parties, judged.message
        treatment = judged.amended.treatment.value
        verdict = evaluate(known.pack, parties, (*findings, not_placed_finding(treatment)))
        plan = make_plan(known.pack, parties, verdict, message=message, reference=judged.reference)
        amended = await self._amend(known, judged.submission, message, parties, plan, judged.origin)
        return replace(judged, verdict=verdict, plan=plan, amended=amended)

    def _sign(self, known: Knowledge, parties: Parties, plan: Plan) -> Sign | None:
        """Who signs what leaves now; a held message is signed when a person releases it (`gateway.decide`)."""
        leaves = plan.action in {Action.DELIVER, Action.NOTE}
        if not leaves or not is_to_be_signed(parties.direction, has_login=parties.login is not None):
            return None
        return partial(known.signer.signature, at=self._now())

    async def _relay(self, judged: Judged, delivery: Delivery) -> Reply:
        is_client_mail = bool(judged.plan.client_files)
        if is_client_mail:
            with self._observer.stage("archive"):
                await self._store.file_sending(self._record(judged))
        letters = self._desk.for_note(_about(judged), judged.plan, judged.parties)
        with self._observer.stage("relay"):
            answer = await self._deliver(judged, delivery)
        if is_client_mail or letters:
            with self._observer.stage("archive"):
                await self._close(judged, answer, letters if answer.is_positive else ())
        return answer

    async def _deliver(self, judged: Judged, delivery: Delivery) -> Reply:
        """The next hop's final reply; if it was lost on the way, the record says that nobody knows what it took."""
        try:
            return await delivery.deliver(judged.amended.raw)
        except GatewayError:
            if judged.plan.client_files:
                await self._store.mark_unconfirmed(judged.submission.id, self._now())
            raise

    async def _close(self, judged: Judged, answer: Reply, letters: tuple[Letter, ...]) -> None:
        """Write the next hop's answer beside the record, and the tips that go with it.

        The record itself is safe already. A failure to write the answer must not make the sender send again what the
        next hop has taken: the record then stays `sending`, and is found `unconfirmed` at the next start.
        """
        try:
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

    async def _hold(self, judged: Judged, delivery: Delivery) -> Reply:
        about = _about(judged)
        now = self._now()
        reviewer = next(iter(reviewers_of(about)), None)
        hold = Hold(
            ref=judged.reference,
            created_at=now,
            supervisor=reviewer.id if reviewer else None,
            expires_at=now + self._hold_life,
        )
        with self._observer.stage("archive"):
            await self._store.hold(self._record(judged), hold, self._desk.for_hold(about))
        await delivery.abandon()
        return reply("held", ref=judged.reference)

    async def _return(self, judged: Judged, delivery: Delivery) -> Reply:
        if judged.parties.client_files:
            with self._observer.stage("archive"):
                await self._store.file_not_sent(self._record(judged))
        await delivery.abandon()
        rule = next(reason.rule for reason in judged.verdict.reasons if reason.action is Action.RETURN)
        words = reply_words(judged.known.pack, rule, _reader_language(judged))
        return reply("policy_return", rule=rule, ref=judged.reference, words=words)

    def _record(self, judged: Judged) -> Record:
        return Record(
            id=judged.submission.id,
            received_at=judged.submission.received_at,
            direction=judged.parties.direction,
            client_files=judged.parties.client_files,
            worker_id=judged.parties.worker.id if judged.parties.worker else None,
            envelope=judged.submission.envelope,
            session=judged.submission.session,
            received=judged.submission.raw,
            delivered=judged.amended.raw,
            verdict=judged.verdict,
            treatment=judged.amended.treatment.value,
            notice_language=judged.plan.notice.language
            if judged.amended.treatment.is_notice_there and judged.plan.notice
            else None,
            authentication=judged.origin.as_json() if judged.origin else None,
            thread=thread_key(judged.message),
        )

    async def _run(
        self, submission: Submission, work: Callable[_Given, _Made], /, *args: _Given.args, **more: _Given.kwargs
    ) -> _Made:
        if len(submission.raw) < _THREAD_FROM_BYTES:
            return work(*args, **more)
        return await asyncio.to_thread(work, *args, **more)


def _reader_language(judged: Judged) -> str:
    """The language of the person who reads the reply: the sender's, not the client's."""
    return judged.parties.worker.language if judged.parties.worker else "en"


def _about(judged: Judged) -> About:
    return About(
        message_id=judged.submission.id,
        reference=judged.reference,
        reasons=judged.verdict.reasons,
        worker=judged.parties.worker or colleague(judged.parties.mail_from),
        directory=judged.known.directory,
        pack=judged.known.pack,
    )
