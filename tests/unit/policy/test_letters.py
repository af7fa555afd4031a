"""letters: every kind in both languages, kind words, nothing of the message, no header tricks."""

from __future__ import annotations

import itertools

import pytest

from gateway.content.finding import Matter
from gateway.policy.letters import LetterFacts, LetterKind, letter_words, spoken_reasons, template_text
from gateway.policy.load import load_pack
from gateway.policy.pack import Pack
from gateway.policy.verdict import Action, Reason
from tests.unit.policy.policy_builders import a_finding


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("renison-2013", organisation="King Street Outreach")


def _reason(rule: str, action: Action = Action.HOLD) -> Reason:
    finding = a_finding(Matter.SOCIAL_INVITATION, text="add me on the blue site")
    return Reason(rule=rule, clause="CLI-1", action=action, finding=finding)


def _facts(**fields: object) -> LetterFacts:
    values: dict[str, object] = {
        "reference": "h-77", "name": "Ada Okafor", "worker_name": "Ada Okafor", "organisation": "King Street Outreach",
        "reasons": (_reason("social.invite"), _reason("social.invite"), _reason("personal.disclosure")),
        "decided_by": "Luc Tremblay", "decision_reason": "Fine as it is.",
    }  # fmt: skip
    return LetterFacts(**{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "language"), list(itertools.product(LetterKind, ("en", "fr"))))
def test_every_letter_has_a_subject_and_a_body_without_the_matched_text(
    pack: Pack, kind: LetterKind, language: str
) -> None:
    words = letter_words(pack, kind, language, _facts())
    assert "h-77" in words.subject
    assert "\n" not in words.subject
    assert "King Street Outreach" in words.body
    assert "blue site" not in words.subject + words.body
    assert "{" not in words.body


def test_a_held_letter_says_each_rule_once_and_what_to_do(pack: Pack) -> None:
    body = letter_words(pack, LetterKind.HELD_SENDER, "en", _facts()).body
    assert body.count("[CLI-1]") == 2
    assert body.count("No friend requests") == 1
    assert "What you can do:" in body


def test_a_tip_offers_the_template_of_its_rule(pack: Pack) -> None:
    facts = _facts(reasons=(_reason("inbound.social_request", Action.NOTE),))
    body = letter_words(pack, LetterKind.TIP_READER, "en", facts).body
    assert "keep my social networks separate" in " ".join(body.split())


def test_the_held_letter_offers_the_template_too(pack: Pack) -> None:
    body = letter_words(pack, LetterKind.HELD_SENDER, "fr", _facts()).body
    assert "mes réseaux sociaux de mon travail" in " ".join(body.split())


def test_the_reviewer_gets_the_commands_whole(pack: Pack) -> None:
    body = letter_words(pack, LetterKind.HELD_SUPERVISOR, "fr", _facts()).body
    assert "\n  practicum-gateway held release h-77 --by" in body


def test_an_unknown_sender_is_called_so(pack: Pack) -> None:
    assert "an unknown sender" in letter_words(pack, LetterKind.HELD_SUPERVISOR, "en", _facts(worker_name="")).body


def test_a_name_with_a_line_end_makes_no_second_header(pack: Pack) -> None:
    words = letter_words(pack, LetterKind.HELD_SENDER, "en", _facts(reference="h-1\r\nBcc: x"))
    assert "\r" not in words.subject
    assert "\n" not in words.subject


def test_simulated_and_quoted_reasons_stay_unspoken(pack: Pack) -> None:
    assert spoken_reasons(pack, (_reason("social.invite", Action.DELIVER),), "en") == ()


def test_a_template_has_a_place_for_the_agreed_channel(pack: Pack) -> None:
    assert "the office line, 555-0142" in template_text(
        pack, "interacting", "en", agreed_channel="the office line, 555-0142"
    )
    assert "first met" in template_text(pack, "interacting", "en")


@pytest.mark.parametrize(
    ("name", "language"),
    [(name, language) for name in ("friending", "interacting", "email") for language in ("en", "fr")],
)
def test_every_template_offers_to_talk_and_is_wrapped(pack: Pack, name: str, language: str) -> None:
    text = template_text(pack, name, language)
    assert all(len(line) <= 72 for line in text.split("\n"))
    assert any(word in text for word in ("meet", "rencontre", "met"))
