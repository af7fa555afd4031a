"""Canadian identifiers: checked where there is a check digit, labelled or not. All numbers are invented."""

import pytest

from gateway.content.finding import Matter
from gateway.content.recognizers.identifier import bc_health_number_is_valid, luhn_is_valid
from tests.unit.content.texts import found, score


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("His SIN is 130 692 544.", "confidential.sin"),
        ("NAS : 130-692-544", "confidential.sin"),
        ("Health card 1234 567 897 AB", "confidential.health_card"),
        ("RAMQ TREM 8056 1234", "confidential.health_card"),
        ("Date of birth: 1990-04-12", "confidential.birth_date"),
        ("née le 12 avril 1990", "confidential.birth_date"),
    ],
)
def test_an_identifier_is_held_with_its_kind(words, reason):
    finding = max(found(words, Matter.IDENTIFIER), key=lambda one: one.score)
    assert finding.score >= 0.5
    assert finding.reason == reason


@pytest.mark.parametrize(
    "words",
    [
        "Call 519-555-0110.",
        "Meeting on 2026-11-02 at 10:00.",
        "Invoice 130692545",
        "The room is 204, floor 12.",
        "Tracking 1234567890123456",
    ],
)
def test_phones_dates_and_other_numbers_are_not(words):
    assert score(words, Matter.IDENTIFIER) < 0.5


def test_check_digits():
    assert luhn_is_valid("130692544")
    assert not luhn_is_valid("130692545")
    assert bc_health_number_is_valid("9698658215")
    assert not bc_health_number_is_valid("9698658216")
    assert not bc_health_number_is_valid("1698658215")
