"""Private ways of contact, and the agency's."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import score, score_in, signed, text_of


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


def test_an_unwillingness_to_use_work_email_covers_no_number():
    assert score("I prefer not to use work email, here's my personal cell 519-555-0177", Matter.PERSONAL_CONTACT) >= 0.5


def test_a_number_that_is_refused_is_not_held():
    assert score("I don't give out my personal number.", Matter.PERSONAL_CONTACT) < 0.5


def test_the_office_cell_is_the_agencys():
    assert score("Text me at the office cell, 519-555-0100.", Matter.PERSONAL_CONTACT) < 0.5


def test_an_address_of_the_envelope_or_one_that_is_sent_to_is_not_the_writers():
    words = "I have your old one, jordan.reyes@mail.example, and I can use that."
    own = ("Jordan.Reyes@mail.example",)
    assert score_in(text_of(words), Matter.PERSONAL_CONTACT, own_addresses=own) < 0.35
    assert score("I will send the invite to sam@mail.example", Matter.PERSONAL_CONTACT) < 0.35
    assert score("I am at ada.okafor@gmail.example", Matter.PERSONAL_CONTACT) >= 0.5


def test_a_personal_cell_in_a_signature_is_held_and_an_office_number_is_not():
    assert score_in(signed("Ada\n519-555-0177 (personal cell)"), Matter.PERSONAL_CONTACT) >= 0.5
    assert score_in(signed("Ada\nKing Street Outreach\n519-555-0134 ext. 4"), Matter.PERSONAL_CONTACT) < 0.35
