"""A message arrives: the whole story, top to bottom.

parse → classify → authenticate → inspect → evaluate → plan → amend and sign → archive → relay, hold or return → answer.

Each line of `_judge` is a room of the house; what a step needs besides its room stands in `gateway.steps`. Called by
the doors with a `Submission` and the open way to the next hop; the `Reply` is the sender's answer. The order of the
durable steps is DESIGN section 5: client mail is on our disk before it leaves, a hold is on our disk before 250, and
every failure of machinery is a 4xx, so that the sender keeps the message.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from gateway.amend.verify import Verifier
from gateway.archive.store import Store
from gateway.content.finding import Finding
from gateway.flow import Judged, Knowledge, Observer, Outcome, about, reader_language, record_of
from gateway.holding.model import Hold
from gateway.message.errors import GatewayError
from gateway.message.limits import Limits
from gateway.message.reply import Reply, reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from gateway.outbound.letters import LetterDesk, reviewers_of
from gateway.people.classify import classify
from gateway.policy.evaluate import evaluate
from gateway.policy.facts_notice import not_placed_finding
from gateway.policy.plan import make_plan
from gateway.policy.verdict import Action
from gateway.policy.words import reply_words
from gateway.steps import Steps


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
        self._hold_life = timedelta(days=hold_days)
        checks = verifier or Verifier(authserv_id=host_name)
        self._steps = Steps(
            store=store, observer=observer, now=now, host_name=host_name, limits=limits, verifier=checks
        )

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
        outcome = Outcome.of(judged, answer, seconds=time.perf_counter() - started)
        self._observer.judged(submission, judged.parties, judged.verdict, outcome)
        return answer

    async def _judge(self, submission: Submission) -> Judged:
        known, steps = self._knowledge(), self._steps
        message = await steps.parse(submission, known.pack)
        parties = classify(submission.envelope, message, submission.session, known.directory)
        origin = await steps.authenticate(submission, message, parties)
        findings = await steps.findings(known, submission, message, parties, origin)
        verdict = evaluate(known.pack, parties, findings)
        memory = await steps.memory(submission, message, known.pack, parties, verdict)
        reference = self._reference_of(submission.id)
        plan = make_plan(known.pack, parties, verdict, message=message, reference=reference, memory=memory)
        judged = Judged(
            known=known,
            submission=submission,
            message=message,
            parties=parties,
            verdict=verdict,
            plan=plan,
            amended=await steps.amend(known, submission, message, parties, plan, origin),
            origin=origin,
            reference=reference,
        )
        if known.pack.notice_rule.is_compulsory and judged.amended.treatment.is_missing:
            return await self._without_notice(judged, findings)
        return judged

    async def _without_notice(self, judged: Judged, findings: tuple[Finding, ...]) -> Judged:
        """The judgement anew with one more finding: a compulsory notice has no place in this message [CLI-8]."""
        known, parties, message = judged.known, judged.parties, judged.message
        missing = not_placed_finding(judged.amended.treatment.value)
        verdict = evaluate(known.pack, parties, (*findings, missing))
        plan = make_plan(known.pack, parties, verdict, message=message, reference=judged.reference)
        amended = await self._steps.amend(known, judged.submission, message, parties, plan, judged.origin)
        return replace(judged, verdict=verdict, plan=plan, amended=amended)

    async def _relay(self, judged: Judged, delivery: Delivery) -> Reply:
        is_client_mail = bool(judged.plan.client_files)
        letters = self._desk.for_note(about(judged), judged.plan, judged.parties)
        if is_client_mail:
            await self._steps.file(judged)
        answer = await self._steps.deliver(judged, delivery)
        if is_client_mail or letters:
            await self._steps.close(judged, answer, letters if answer.is_positive else ())
        return answer

    async def _hold(self, judged: Judged, delivery: Delivery) -> Reply:
        told, now = about(judged), self._now()
        reviewer = next(iter(reviewers_of(told)), None)
        hold = Hold(
            ref=judged.reference,
            created_at=now,
            supervisor=reviewer.id if reviewer else None,
            expires_at=now + self._hold_life,
        )
        with self._observer.stage("archive"):
            await self._store.hold(record_of(judged), hold, self._desk.for_hold(told))
        await delivery.abandon()
        return reply("held", ref=judged.reference)

    async def _return(self, judged: Judged, delivery: Delivery) -> Reply:
        if judged.parties.client_files:
            with self._observer.stage("archive"):
                await self._store.file_not_sent(record_of(judged))
        await delivery.abandon()
        rule = next(reason.rule for reason in judged.verdict.reasons if reason.action is Action.RETURN)
        words = reply_words(judged.known.pack, rule, reader_language(judged))
        return reply("policy_return", rule=rule, ref=judged.reference, words=words)
