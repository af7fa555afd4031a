"""Markings, secrets and other clients; a disclaimer marks nothing."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import found, score


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("STRICTLY CONFIDENTIAL", "confidential.marked"),
        ("Protégé B", "confidential.marked"),
        ("Keep this to yourself for now.", "confidential.secret"),
        ("The alarm code is 4471.", "confidential.secret"),
        ("Le code d'alarme est maintenant Loutre-88, notez-le.", "confidential.secret"),
        ("I had another client with the same landlord.", "confidential.other_client"),
    ],
)
def test_a_marking_is_found_with_its_reason(words, reason):
    finding = found(words, Matter.MARKED_CONFIDENTIAL)[0]
    assert finding.reason == reason
    assert finding.score >= 0.5


@pytest.mark.parametrize(
    "words",
    [
        "This email is intended only for the intended recipient and may contain confidential information.",
        "What you tell us is confidential.",
        "I have another client at two; could we meet at three?",
        "The alarm code changed and you get it by phone.",
        "The video link is below and the passcode is 447193.",
        "The alarm code is off from 10:30.",
        "Le code de la porte est affiché au comptoir.",
    ],
)
def test_disclaimers_promises_and_schedules_are_not_held(words):
    assert score(words, Matter.MARKED_CONFIDENTIAL) < 0.5


@pytest.mark.parametrize(
    "words",
    [
        "CONFIDENTIALITY NOTICE: This message is private and confidential. Do not forward or distribute it.",
        "AVIS DE CONFIDENTIALITÉ : Ce message est strictement confidentiel. Ne pas diffuser.",
        "Ce courriel est strictement confidentiel et s'adresse uniquement à la personne nommée.",
    ],
)
def test_all_of_a_disclaimers_paragraph_marks_nothing(words):
    assert score(words, Matter.MARKED_CONFIDENTIAL) < 0.35


def test_a_disclaimer_does_not_cover_the_paragraph_above_it():
    words = "The memo is strictly confidential.\n\nConfidentiality notice: delete it if it came in error."
    assert score(words, Matter.MARKED_CONFIDENTIAL) >= 0.5
