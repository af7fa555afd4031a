"""swaps: the variants of a case, the mistakes in its lists, and how a failing variant is named."""

from __future__ import annotations

import pytest

from gateway.content.documents.reader import NOTHING, Attachments
from gateway.content.finding import Finding, Matter
from gateway.content.inspector import InspectionRequest
from gateway.message.errors import ConfigInvalid
from gateway.message.model import Message
from gateway.people.directory import Directory
from gateway.people.model import Organisation
from gateway.policy.cases import parse_case, run_case
from gateway.policy.swaps import variants
from tests.unit.policy.policy_builders import JORDAN, STUDENT, a_pack, a_rule

CASE = """title: A case
covers: {rule: test.rule, as: passes}
envelope: {from: ada@agency.example, to: [jordan@mail.example]}
login: ada
swap:
  NAME: [Zoé, Aisha]
  DAY: [Monday, Friday]
expect: {verdict: deliver}
---
From: ada@agency.example
To: jordan@mail.example
Subject: @NAME@
Content-Type: text/plain; charset=utf-8

Dear @NAME@, see you @DAY@.
"""
DIRECTORY = Directory(
    organisation=Organisation(name="K", professional_domains=("agency.example",)), workers=(STUDENT,), clients=(JORDAN,)
)


def _problems(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigInvalid) as raised:
        parse_case("a", "a.case", text.encode())
    return [(problem.line, problem.what) for problem in raised.value.problems]


def _opened(_: Message) -> Attachments:
    return NOTHING


def _dislikes_aisha(request: InspectionRequest) -> tuple[Finding, ...]:
    hit = any("Aisha, see you Friday" in text.text for text in request.texts)
    return (Finding(matter=Matter.PERSONAL_DISCLOSURE, where="body", score=0.9),) if hit else ()


def test_all_places_take_the_same_word_and_lists_go_together() -> None:
    found = variants({"A": ["1", "2"], "B": ["x", "y"]}, b"@A@ @B@ @A@ a@b.example @a@")
    assert [variant.raw for variant in found] == [b"1 x 1 a@b.example @a@", b"2 y 2 a@b.example @a@"]


def test_a_word_is_put_in_as_it_is_even_if_it_looks_like_a_place() -> None:
    assert variants({"A": ["@B@\\1"], "B": ["x"]}, b"@A@ @B@")[0].raw == b"@B@\\1 x"


def test_without_lists_there_is_no_variant() -> None:
    assert variants({}, b"plain") == ()


def test_every_variant_is_run_and_the_failing_one_is_named_with_its_words() -> None:
    case = parse_case("a", "a.case", CASE.encode())
    result = run_case(
        case, pack=a_pack(a_rule()), directory=DIRECTORY, inspect=_dislikes_aisha, open_attachments=_opened
    )
    assert result.failures == (
        "variant 2 (NAME: Aisha, DAY: Friday): the verdict is hold because of test.rule, not deliver",
    )
    assert result.judgement.verdict.action == "hold"


def test_a_case_passes_if_every_variant_does() -> None:
    case = parse_case("a", "a.case", CASE.encode())
    assert run_case(
        case, pack=a_pack(a_rule()), directory=DIRECTORY, inspect=lambda _: (), open_attachments=_opened
    ).is_passed


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("  DAY: [Monday, Friday]\n", "", 14, "`@DAY@` has no list; add `DAY: [...]` under `swap`"),
        ("see you @DAY@", "see you", 7, "`@DAY@` is nowhere in the message"),
        ("[Monday, Friday]", "[Monday]", 7, "`DAY` has 1 words and another list 2; make them equally long"),
        ("[Monday, Friday]", "[]", 7, "`DAY` has no words; list at least one"),
        ("[Monday, Friday]", '[Monday, "x\\nBcc: y"]', 7, "word 2 of `DAY` is empty or has a line break"),
        ("[Monday, Friday]", "[Monday, '']", 7, "word 2 of `DAY` is empty or has a line break"),
        ("  DAY:", "  day:", 7, "the key `day` is no capital letter"),
        ("[Monday, Friday]", "Monday", 7, "swap.DAY"),
    ],
)
def test_lists_and_places_that_do_not_fit_are_told_with_line_and_remedy(
    old: str, new: str, line: int, words: str
) -> None:
    found = _problems(CASE.replace(old, new))
    assert any(at == line and words in what for at, what in found), found
