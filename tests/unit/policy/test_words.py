"""words: what a rule says, in the reader's language, and the sentence of a reply."""

from __future__ import annotations

from types import MappingProxyType

from gateway.policy.verdict import Action, Reason
from gateway.policy.words import reply_words, seen_words, sender_words
from tests.unit.policy.policy_builders import a_fact_rule, a_finding, a_pack, a_rule


def _reason(rule: str) -> Reason:
    return Reason(rule=rule, clause="CLI-6", action=Action.HOLD, finding=a_finding())


def test_words_are_in_the_language_that_is_asked_for() -> None:
    pack = a_pack(a_rule())
    assert sender_words(pack, _reason("test.rule"), "fr").title == "Un titre"
    assert sender_words(pack, _reason("test.rule"), "en").title == "A title"


def test_an_unknown_language_gets_english() -> None:
    assert sender_words(a_pack(a_rule()), _reason("test.rule"), "cr").title == "A title"


def test_a_rule_of_an_older_pack_is_named_by_its_id() -> None:
    assert sender_words(a_pack(), _reason("old.rule"), "en").title == "old.rule [CLI-6]"


def test_the_reply_is_the_rule_s_sentence() -> None:
    pack = a_pack(a_fact_rule())
    assert reply_words(pack, "fact.rule", "fr") == "Envoyez du travail."
    assert reply_words(pack, "fact.rule", "cr") == "Send from work."


def test_a_rule_without_a_reply_answers_with_its_title() -> None:
    assert reply_words(a_pack(a_rule(reply=MappingProxyType({}))), "test.rule", "fr") == "A title"
    assert reply_words(a_pack(), "gone.rule", "en").isascii()


def test_what_was_noticed_is_said_by_the_reason_or_its_first_part() -> None:
    pack = a_pack(
        why=MappingProxyType({"personal": {"en": "Life."}, "personal.health": {"en": "Health.", "fr": "Santé."}})
    )
    assert seen_words(pack, a_finding(reason="personal.health"), "fr") == "Santé."
    assert seen_words(pack, a_finding(reason="personal.loss"), "fr") == "Life."
    assert seen_words(pack, a_finding(reason=""), "en") == ""
