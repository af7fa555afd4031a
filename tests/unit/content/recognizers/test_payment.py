"""Numbers of cards, accounts and papers. The numbers are the networks' and banks' published samples, or invented."""

import pytest

from gateway.content.finding import Matter
from gateway.content.recognizers.payment import iban_is_valid
from tests.unit.content.texts import found, score


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Please charge my card 4111 1111 1111 1111 for the room.", "confidential.payment_card"),
        ("C'est la carte 5555-5555-5555-4444.", "confidential.payment_card"),
        ("The number is 378282246310005", "confidential.payment_card"),
        ("Send it to GB82 WEST 1234 5698 7654 32 please.", "confidential.bank_account"),
        ("Her bank account number is 003-12345-1234567.", "confidential.bank_account"),
        ("His SSN is 078-05-1120.", "confidential.sin"),
        ("My driver's license number is 6940579", "confidential.licence"),
        ("Permis de conduire : T1234-567890-12", "confidential.licence"),
        ("passport no. AB123456", "confidential.passport"),
    ],
)
def test_a_number_is_held_with_its_kind(words, reason):
    finding = max(found(words, Matter.IDENTIFIER), key=lambda one: one.score)
    assert finding.score >= 0.5
    assert finding.reason == reason


@pytest.mark.parametrize(
    "words",
    [
        "Tracking number 4111 1111 1111 1112",
        "Call 519-555-0110 or 226-555-0199, extension 12345.",
        "Invoice 2026-000045, order 1234567890123.",
        "Bring your passport and your driver's licence on the 12th at 10:30.",
        "Bank account forms are on page 3 of 12.",
        "The license plate rules changed in 2026.",
        "Les places 35 000 à 36 000 sont prises.",
    ],
)
def test_other_numbers_are_not(words):
    assert score(words, Matter.IDENTIFIER) < 0.5


def test_an_iban_checks_itself():
    assert iban_is_valid("DE89 3704 0044 0532 0130 00")
    assert not iban_is_valid("DE89 3704 0044 0532 0130 01")
    assert not iban_is_valid("not one")


def test_digits_without_end_take_linear_time():
    assert score("1 " * 200_000, Matter.IDENTIFIER) < 0.5
    assert score("bank account " + "is the number " * 50_000, Matter.IDENTIFIER) < 0.5


def test_noise_of_hexadecimal_digits_holds_no_account():
    lines = "\n".join(f"{number * 7919 % 16**64:064x}" for number in range(16**8, 16**8 + 2000))
    assert score(lines, Matter.IDENTIFIER) < 0.5
