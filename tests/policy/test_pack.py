"""The shipped pack as a whole: every clause has its place, every rule speaks two languages and offers a way."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from gateway.content.finding import Matter
from gateway.people.model import Direction, Role
from gateway.policy.cases import uncovered_rules, unknown_covers
from gateway.policy.coverage import coverage
from gateway.policy.load import load_pack
from gateway.policy.load_cases import load_cases
from gateway.policy.pack import FACTS, JUDGED, ClauseStatus, Rule, Thresholds
from gateway.policy.verdict import Action

COUNTS = {
    "PRE": 4, "VAL": 6, "STM": 5, "GEN": 10, "CONF": 2, "RESP": 4, "PHOTO": 3, "LEGAL": 4, "CLI": 9,
    "TIP-F": 4, "TIP-I": 3, "TIP-E": 5, "CONS": 1, "META": 2,
}  # fmt: skip
"""How many clauses each section of the policy has."""
CLAUSES = {f"{name}{'' if '-' in name else '-'}{at}" for name, count in COUNTS.items() for at in range(1, count + 1)}

PACK = load_pack("renison-2013")


@pytest.fixture(params=PACK.rules, ids=lambda rule: rule.id)
def rule(request: pytest.FixtureRequest) -> Rule:
    found: Rule = request.param
    return found


def test_every_sentence_of_the_policy_has_its_row() -> None:
    assert {clause.id for clause in PACK.clauses} == CLAUSES | {"TIP-0"}


def test_a_clause_is_met_or_says_why_not() -> None:
    rows = coverage(PACK, load_cases(PACK))
    assert [row.clause for row in rows if row.status is ClauseStatus.RULE and not (row.rules and row.case_count)] == []
    assert [row.clause for row in rows if not row.by.endswith(".")] == []


def test_every_rule_and_the_notice_has_one_case_of_each_kind() -> None:
    assert uncovered_rules(PACK, load_cases(PACK)) == ()


def test_every_case_is_about_something_that_the_pack_has() -> None:
    assert unknown_covers(PACK, load_cases(PACK)) == ()


def test_only_facts_return(rule: Rule) -> None:
    assert rule.action is not Action.RETURN or rule.matters <= FACTS


def test_mail_from_clients_is_never_held(rule: Rule) -> None:
    assert Direction.INBOUND not in rule.scope.directions or rule.action is Action.NOTE


def test_colleagues_are_in_the_scope_of_one_content_rule_which_wants_to_be_sure(rule: Rule) -> None:
    if rule.id == "respect.colleagues":
        assert rule.matters == {Matter.DISRESPECT}
        assert rule.thresholds == Thresholds(note=0.75, hold=0.9)
        assert Role.FACULTY not in (rule.scope.recipients or {Role.FACULTY})
    elif rule.matters & JUDGED:
        assert Direction.INTERNAL not in rule.scope.directions
        readers = rule.scope.recipients or frozenset()
        assert not readers & {Role.SUPERVISOR, Role.FACULTY, Role.COLLEAGUE, Role.STAFF}


def test_words_are_whole_sentences_in_two_languages(rule: Rule) -> None:
    for words in rule.words.values():
        assert not words.title.endswith(".")
        assert words.why.endswith(".")
        assert words.instead.endswith(".")
    assert rule.words["en"] != rule.words["fr"]


def test_french_uses_canadian_spacing_and_the_typographic_apostrophe(rule: Rule) -> None:
    text = " ".join(f"{words.title} {words.why} {words.instead}" for words in [rule.words["fr"]])
    assert "'" not in text
    assert not re.search(r"\s[;?!]", text)
    assert not re.search(r"«(?!\u00a0)|(?<!\u00a0)»|(?<![\u00a0\d]):", text)


def test_every_matter_has_a_rule_but_the_place_of_the_notice() -> None:
    spoken = frozenset(matter for rule in PACK.rules for matter in rule.matters)
    assert set(Matter) - spoken == {Matter.NOTICE_NOT_PLACED}


def test_an_own_notice_is_known_in_both_forms_and_languages() -> None:
    assert len(PACK.own_notice_texts()) == 4 - sum(notice.text == notice.ascii_text for notice in PACK.notices.values())


def test_a_past_client_is_in_scope_wherever_a_client_is(rule: Rule) -> None:
    readers = rule.scope.recipients or frozenset()
    assert (Role.CLIENT in readers) == (Role.PAST_CLIENT in readers)


def test_the_pack_is_named_with_its_version() -> None:
    assert re.fullmatch(r"renison-2013@\d+", PACK.label)


@pytest.mark.parametrize("texts", [PACK.letters, PACK.templates], ids=["letters", "templates"])
def test_french_letters_and_templates_use_the_same_spacing(texts: Mapping[str, Mapping[str, str]]) -> None:
    for sources in texts.values():
        prose = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|^Subject:", "x", sources["fr"])
        assert "'" not in prose
        assert not re.search(r"\s[;?!]|«(?!\u00a0)|(?<!\u00a0)»|(?<!\u00a0):", prose)
