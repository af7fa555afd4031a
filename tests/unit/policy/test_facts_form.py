"""Facts of form: what each problem of a message means for mail to a client, and that no other mail is asked."""

import pytest

from gateway.content.finding import Finding, Matter
from gateway.message.model import ProblemKind
from gateway.message.parse import parse
from gateway.people.classify import classify
from gateway.policy.facts_form import MATTER_OF, form_findings
from tests.builders import ADA, JORDAN, LUC, OUTSIDER, MessageBuilder, a_directory, a_message


def findings_of(builder: MessageBuilder, raw: bytes | None = None) -> tuple[Finding, ...]:
    message = parse(raw) if raw is not None else builder.message()
    return form_findings(message, classify(builder.envelope(), message, builder.session(), a_directory()))


def test_every_problem_of_form_has_its_matter() -> None:
    assert set(MATTER_OF) == set(ProblemKind)


def test_a_well_formed_message_gives_nothing() -> None:
    assert findings_of(a_message().showing("<p>Hello.</p>")) == ()


@pytest.mark.parametrize(
    ("kind", "raw", "matter"),
    [
        ("nul", a_message().saying("a\0b").bytes(), Matter.MESSAGE_MALFORMED),
        ("bare-lf", a_message().bytes().replace(b"Hello.", b"a\nb"), Matter.MESSAGE_MALFORMED),
        ("duplicate-field", a_message().header("Subject", "again").bytes(), Matter.MESSAGE_MALFORMED),
        ("unclosed-multipart", a_message().showing("<p>").bytes().replace(b"--b1--", b""), Matter.MESSAGE_MALFORMED),
        ("bad-address", a_message().header("Cc", "<<x>>").bytes(), Matter.MESSAGE_MALFORMED),
        ("unknown-charset", a_message().bytes().replace(b"utf-8", b"x-none"), Matter.UNSCANNABLE),
    ],
)
def test_a_problem_is_a_finding_with_its_reason(kind: str, raw: bytes, matter: Matter) -> None:
    found = {finding.reason: finding.matter for finding in findings_of(a_message(), raw)}
    assert found.get(f"form.{kind}") is matter


def test_a_problem_that_many_parts_have_is_one_finding() -> None:
    raw = a_message().showing("<p>").bytes().replace(b"utf-8", b"x-none")
    assert [found.reason for found in findings_of(a_message(), raw)].count("form.unknown-charset") == 1


@pytest.mark.parametrize(
    "builder", [a_message().to(LUC), a_message().to(OUTSIDER), a_message().from_(JORDAN, envelope=JORDAN).to(ADA)]
)
def test_other_mail_is_not_asked_for_its_form(builder: MessageBuilder) -> None:
    assert findings_of(builder.saying("a\0b")) == ()
