"""judge: the steps in order; what is not inspected, and what the inspector is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime

from gateway.content.documents.reader import NOTHING
from gateway.content.finding import Finding, Matter
from gateway.content.inspector import InspectionRequest
from gateway.message.parse import parse
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from gateway.people.directory import Directory
from gateway.people.model import Direction, Organisation
from gateway.policy.judge import Judgement, judge
from gateway.policy.load import load_pack
from gateway.policy.verdict import Action
from tests.unit.policy.policy_builders import JORDAN, STUDENT

PACK = load_pack("renison-2013")
DIRECTORY = Directory(
    organisation=Organisation(name="K", professional_domains=("agency.example",)), workers=(STUDENT,), clients=(JORDAN,)
)


class _Inspector:
    """Remembers what it was asked, and finds one thing."""

    def __init__(self, *findings: Finding) -> None:
        self.asked: list[InspectionRequest] = []
        self._findings = findings

    def __call__(self, request: InspectionRequest) -> tuple[Finding, ...]:
        self.asked.append(request)
        return self._findings


def _judge(
    inspector: _Inspector,
    to: str,
    *,
    by: str = "ada@agency.example",
    names: bool | None = None,
    subject: str = "Thursday",
) -> Judgement:
    raw = f"From: {by}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 2 Nov 2026 09:00:00 -0500\r\n\r\nAt two.\r\n"
    submission = Submission(
        id="m-1",
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        envelope=Envelope(mail_from=by, recipients=(Recipient(address=to),)),
        raw=raw.encode(),
        session=SessionFacts(is_trusted=True),
    )
    return judge(
        submission=submission,
        message=parse(submission.raw),
        directory=DIRECTORY,
        pack=PACK,
        inspect=inspector,
        today=date(2026, 11, 2),
        open_attachments=lambda _: NOTHING,
        concerns=None if names is None else lambda _: names,
    )


def test_mail_to_a_client_is_inspected_for_the_matters_in_scope() -> None:
    inspector = _Inspector()
    judgement = _judge(inspector, "jordan@mail.example")
    (request,) = inspector.asked
    assert Matter.CLINICAL in request.matters
    assert (request.direction, request.own_files) == (Direction.OUTBOUND, ("C-1042",))
    assert judgement.verdict.action is Action.DELIVER
    assert judgement.plan.notice is not None


def test_findings_of_the_inspector_and_facts_are_judged_together() -> None:
    seen = Finding(matter=Matter.CLINICAL, where="body", score=0.9)
    judgement = _judge(_Inspector(seen), "jordan@mail.example", by="eve@stranger.example")
    assert judgement.verdict.action is Action.RETURN
    assert {"clinical.to_client", "sender.professional"} <= {reason.rule for reason in judgement.verdict.reasons}
    assert seen in judgement.findings


def test_mail_to_a_colleague_is_inspected_for_contempt_if_a_harsh_word_stands_in_it() -> None:
    inspector = _Inspector()
    _judge(inspector, "luc@agency.example", subject="That idiot")
    assert [request.matters for request in inspector.asked] == [{Matter.DISRESPECT}]


def test_other_mail_to_a_colleague_is_not_inspected() -> None:
    inspector = _Inspector()
    judgement = _judge(inspector, "luc@agency.example")
    assert inspector.asked == []
    assert judgement.plan.stamp == "id=m-1; policy=renison-2013@1; verdict=deliver"


def test_mail_to_an_outsider_is_inspected_only_if_it_concerns_a_client() -> None:
    for names, asked in ((False, 0), (True, 1), (None, 1)):
        inspector = _Inspector()
        judgement = _judge(inspector, "rosa@housing.example", names=names)
        assert len(inspector.asked) == asked
        assert judgement.parties.direction is Direction.THIRD_PARTY


def test_mail_to_a_client_is_inspected_whatever_it_concerns() -> None:
    inspector = _Inspector()
    _judge(inspector, "jordan@mail.example", names=False)
    assert len(inspector.asked) == 1


def test_mail_from_a_client_reaches_its_reader_whatever_is_found() -> None:
    seen = tuple(Finding(matter=matter, where="body", score=1.0) for matter in Matter)
    judgement = _judge(_Inspector(*seen), "ada@agency.example", by="jordan@mail.example")
    assert judgement.verdict.action is Action.NOTE
    assert judgement.plan.tell_readers
