"""Private ways of contact, and the agency's."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import score


@pytest.mark.parametrize(
    "words",
    [
        "My personal cell is 519-555-0110.",
        "Call me at home any time.",
        "My cell is 519-555-0110, text me.",
        "My private email is ada.okafor@gmail.example.",
        "Mon cellulaire personnel est le 519-555-0111.",
        "Appelez-moi à la maison.",
    ],
)
def test_a_private_way_of_contact_is_held(words):
    assert score(words, Matter.PERSONAL_CONTACT) >= 0.5


@pytest.mark.parametrize(
    "words",
    [
        "My office number is 519-555-0100, extension 12.",
        "Call the front desk at 519-555-0100.",
        "I have your email as jordan@gmail.example; is that right?",
        "The office is at 45 King Street.",
        "My work cell is 519-555-0102.",
    ],
)
def test_the_agencys_numbers_and_the_readers_are_not(words):
    assert score(words, Matter.PERSONAL_CONTACT) < 0.5
