"""cases: the form of a .case file, its mistakes, and how a result differs from what is expected."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.content.documents.reader import NOTHING
from gateway.content.finding import Finding, Matter
from gateway.content.inspector import InspectionRequest
from gateway.message.errors import ConfigInvalid
from gateway.people.directory import Directory
from gateway.people.model import Organisation
from gateway.policy.cases import CaseKind, CaseResult, parse_case, run_case, run_cases, uncovered_rules, unknown_covers
from tests.unit.policy.policy_builders import JORDAN, STUDENT, a_pack, a_rule

CASE = """title: A case
covers: {rule: test.rule, as: near_miss}
envelope: {from: ada@agency.example, to: [jordan@mail.example]}
login: ada
day: 2026-11-03
expect: {verdict: hold, rules: [test.rule], not_rules: [other.rule], direction: outbound, notice: en}
---
From: ada@agency.example
To: jordan@mail.example
Subject: Hello

---
Body
"""
DIRECTORY = Directory(
    organisation=Organisation(name="K", professional_domains=("agency.example",)), workers=(STUDENT,), clients=(JORDAN,)
)


def _seen(request: InspectionRequest) -> tuple[Finding, ...]:
    assert request.own_files == ("C-1042",)
    return (Finding(matter=Matter.PERSONAL_DISCLOSURE, where="body", score=0.9),)


def _run(text: str, *, sees: bool = True) -> CaseResult:
    case = parse_case("a", "a.case", text.encode())
    return run_case(
        case,
        pack=a_pack(a_rule()),
        directory=DIRECTORY,
        inspect=_seen if sees else lambda _: (),
        open_attachments=lambda _: NOTHING,
    )


def test_a_case_has_a_head_and_a_message_with_crlf() -> None:
    case = parse_case("a", "a.case", CASE.encode())
    assert case.head.covers.kind is CaseKind.NEAR_MISS
    assert case.head.day == date(2026, 11, 3)
    assert case.raw.startswith(b"From: ada@agency.example\r\nTo:")
    assert case.raw.endswith(b"\r\n\r\n---\r\nBody\r\n")


def test_line_ends_of_the_file_make_no_difference() -> None:
    windows = CASE.replace("\n", "\r\n").encode()
    assert parse_case("a", "a.case", windows) == parse_case("a", "a.case", CASE.encode())


def test_the_null_path_is_null() -> None:
    case = parse_case("a", "a.case", CASE.replace("from: ada@agency.example,", "from: null,").encode())
    assert case.head.envelope.mail_from is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: A case\n", "", "title"),
        ("as: near_miss", "as: miss", "covers.as"),
        ("{rule: test.rule, as", "{rule: test.rule, clause: CLI-6, as", "a case covers a rule or a clause"),
        ("{rule: test.rule, as", "{as", "a case covers a rule or a clause"),
        ("verdict: hold", "verdict: bounce", "expect.verdict"),
        ("to: [jordan@mail.example]", "to: []", "envelope.to"),
        ("login: ada\n", "logins: ada\n", "logins"),
        ("login: ada\n", "login: ada\nlogin: eve\n", "login"),
    ],
)
def test_a_mistake_in_the_head_is_told(old: str, new: str, told: str) -> None:
    assert old in CASE
    with pytest.raises(ConfigInvalid) as caught:
        parse_case("a", "a.case", CASE.replace(old, new, 1).encode())
    assert told in str(caught.value.problems[0])
    assert str(caught.value.problems[0]).startswith("a.case:")


def test_a_mistake_is_told_with_its_line() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parse_case("a", "a.case", CASE.replace("verdict: hold", "verdict: bounce").encode())
    assert str(caught.value.problems[0]).startswith("a.case:6: expect.verdict: ")


def test_a_case_without_its_line_of_hyphens_is_told() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        parse_case("a", "a.case", b"title: A case\n\nFrom: ada@agency.example\n")
    assert "three hyphens" in str(caught.value.problems[0])


def test_a_case_that_is_judged_as_expected_passes() -> None:
    assert _run(CASE).is_passed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("verdict: hold", "verdict: deliver", "the verdict is hold because of test.rule, not deliver"),
        ("rules: [test.rule]", "rules: [other.rule]", "rule other.rule does not speak"),
        ("not_rules: [other.rule]", "not_rules: [test.rule]", "rule test.rule speaks"),
        ("direction: outbound", "direction: inbound", "the direction is outbound, not inbound"),
        ("notice: en", "notice: none", "the notice is en, not none"),
    ],
)
def test_each_difference_is_a_sentence(old: str, new: str, told: str) -> None:
    assert _run(CASE.replace(old, new, 1)).failures == (told,)


def test_what_is_not_asked_is_not_compared() -> None:
    start = CASE.index("expect:")
    end = CASE.index("\n---\n")
    assert _run(CASE[:start] + "expect: {verdict: deliver}" + CASE[end:], sees=False).is_passed


def test_results_come_in_the_order_of_the_cases() -> None:
    cases = [parse_case(name, "x.case", CASE.encode()) for name in ("b", "a")]
    results = run_cases(
        cases, pack=a_pack(a_rule()), directory=DIRECTORY, inspect=_seen, open_attachments=lambda _: NOTHING
    )
    assert [result.case.name for result in results] == ["b", "a"]


def test_a_kind_of_case_that_is_lacking_is_named() -> None:
    case = parse_case("a", "a.case", CASE.encode())
    lacking = uncovered_rules(a_pack(a_rule()), [case])
    assert lacking == (
        "test.rule: fires",
        "test.rule: passes",
        "notice.retention: fires",
        "notice.retention: passes",
        "notice.retention: near_miss",
    )


def test_a_case_about_an_unknown_rule_is_named() -> None:
    case = parse_case("a", "a.case", CASE.encode())
    assert unknown_covers(a_pack(a_rule("other.rule")), [case]) == ("a",)
    assert unknown_covers(a_pack(a_rule()), [case]) == ()
