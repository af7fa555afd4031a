"""What the flows know and hand on: the knowledge of one moment, a judged message, its outcome, who watches. Values.

No step of a flow stands here (`gateway.arrive`, `gateway.decide`, `gateway.elapse`); made by `gateway.service.wiring`
and by the flows (ADR 0009).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from gateway.amend.signing import SIGNS_NOTHING, Signer
from gateway.amend.treatment import Amended, Signing
from gateway.archive.model import Record
from gateway.content.documents.reader import Attachments
from gateway.content.finding import Finding
from gateway.content.inspector import InspectionRequest
from gateway.message.authentication import AuthenticationResults
from gateway.message.errors import GatewayError
from gateway.message.model import Message
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.message.threads import thread_key
from gateway.outbound.letters import About, colleague
from gateway.people.directory import Directory
from gateway.people.model import Parties
from gateway.policy.judge import Concerns
from gateway.policy.pack import Pack
from gateway.policy.verdict import Plan, Verdict


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

    @classmethod
    def of(cls, judged: Judged, answer: Reply, *, seconds: float) -> Outcome:
        """The outcome of a judged message that was answered so, after so many seconds."""
        return cls(
            reply=answer,
            treatment=judged.amended.treatment.value,
            treatment_detail=judged.amended.detail,
            signing=judged.amended.signing.value,
            received_bytes=len(judged.submission.raw),
            delivered_bytes=len(judged.amended.raw),
            seconds=seconds,
        )


Inspect = Callable[[InspectionRequest], Awaitable[tuple[Finding, ...]]]
OpenAttachments = Callable[[Message], Awaitable[Attachments]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the gateway knows at one moment, as one value, so that a reload swaps all of it or nothing.

    `concerns` tells cheaply whether mail to an outsider names a client or speaks for the school. `signer` has the keys.
    """

    directory: Directory
    pack: Pack
    inspect: Inspect
    open_attachments: OpenAttachments
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


def record_of(judged: Judged) -> Record:
    """The message as the store keeps it."""
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


def reader_language(judged: Judged) -> str:
    """The language of the person who reads the reply: the sender's, not the client's."""
    return judged.parties.worker.language if judged.parties.worker else "en"


def about(judged: Judged) -> About:
    """What a letter about the message tells."""
    return About(
        message_id=judged.submission.id,
        reference=judged.reference,
        reasons=judged.verdict.reasons,
        worker=judged.parties.worker or colleague(judged.parties.mail_from),
        directory=judged.known.directory,
        pack=judged.known.pack,
    )
