"""Records, verdicts and letters for the tests of the store. All people are invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.archive.model import Letter, Record
from gateway.archive.vault import Vault
from gateway.content.finding import About, Finding, Matter
from gateway.holding.model import Hold
from gateway.holding.refs import ref_of
from gateway.message.submission import Envelope, Recipient, SessionFacts
from gateway.people.model import Direction
from gateway.policy.verdict import Action, Reason, Verdict

NOON = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
ADA, JORDAN, SAM = "ada.okafor@agency.example", "jordan.reyes@mail.example", "sam.lee@mail.example"


def a_vault() -> Vault:
    """The keys of a store in tests, not open yet."""
    return Vault(b"m" * 32)


def later(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def a_verdict(action: Action = Action.DELIVER, *rules: str) -> Verdict:
    """A verdict of that action, with a clinical finding for each rule."""
    finding = Finding(
        matter=Matter.CLINICAL, where="body", start=3, end=9, score=0.9, text="dosage", part=(1,), about=About.READER
    )
    reasons = tuple(Reason(rule=rule, clause="CLI-7", action=action, finding=finding) for rule in rules)
    return Verdict(action=action, policy="renison-2013@1", digest="d1", reasons=reasons, recipients=())


def an_envelope(*recipients: str) -> Envelope:
    """From Ada to those recipients."""
    return Envelope(mail_from=ADA, recipients=tuple(Recipient(address=address) for address in recipients))


def a_record(
    record_id: str = "m-1",
    *,
    minutes: float = 0,
    direction: Direction = Direction.OUTBOUND,
    files: tuple[str, ...] = ("C-1042",),
    received: bytes = b"Subject: Thursday\r\n\r\nSee you at two.\r\n",
    delivered: bytes | None = None,
    recipients: tuple[str, ...] = (JORDAN,),
    verdict: Verdict | None = None,
    notice_language: str | None = None,
    authentication: str | None = None,
    thread: str | None = None,
) -> Record:
    """A message from Ada to a client, received some minutes after noon."""
    return Record(
        id=record_id,
        received_at=later(minutes),
        direction=direction,
        client_files=files,
        worker_id="s-okafor",
        envelope=an_envelope(*recipients),
        session=SessionFacts(client_ip="192.0.2.7", login="aokafor", is_trusted=True),
        received=received,
        delivered=received + b"-- notice\r\n" if delivered is None else delivered,
        verdict=a_verdict() if verdict is None else verdict,
        treatment="appended",
        notice_language=notice_language,
        authentication=authentication,
        thread=thread,
    )


def a_hold(record: Record, *, supervisor: str | None = "w-tremblay") -> Hold:
    """A hold of that record."""
    return Hold(ref=ref_of(record.id), created_at=record.received_at, supervisor=supervisor, expires_at=later(4000))


def a_letter(letter_id: str = "l-1", *, about: str | None = None, minutes: float = 0) -> Letter:
    """A mail of the gateway's own to Ada."""
    return Letter(
        id=letter_id,
        kind="held.sender",
        about=about,
        envelope=Envelope(mail_from=None, recipients=(Recipient(address=ADA),)),
        content=b"Auto-Submitted: auto-generated\r\n\r\nYour message waits.\r\n",
        created_at=later(minutes),
        expires_at=later(minutes + 2880),
    )
