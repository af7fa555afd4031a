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
    ],
)
def test_disclaimers_promises_and_schedules_are_not_held(words):
    assert score(words, Matter.MARKED_CONFIDENTIAL) < 0.5
