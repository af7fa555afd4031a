"""Whose a page of a network is, by its name and its line."""

from dataclasses import replace

import pytest

from gateway.content.pages import is_of_person, is_row_of_pages
from gateway.content.reading import Circumstances, read
from tests.unit.content.texts import text_of

ADA = Circumstances(sender_words=frozenset({"ada", "okafor"}))


@pytest.mark.parametrize(
    ("page", "is_persons"),
    [
        ("facebook.com/ada.okafor", True),
        ("@okafor_a", True),
        ("linkedin.com/in/queenbee", True),
        ("wa.me/15195550177", True),
        ("facebook.com/sam.ito", True),
        ("facebook.com/kingstreet", False),
        ("linkedin.com/company/ada-centre", False),
        ("@kingstreet", False),
    ],
)
def test_a_page_is_a_persons_by_its_form_or_the_senders_name(page, is_persons):
    reading = replace(read(text_of("x"), max_chars=10), around=ADA)
    assert is_of_person(page, reading) is is_persons


@pytest.mark.parametrize(
    ("words", "is_row"),
    [
        ("facebook.com/kingstreet | @kingstreet", True),
        ("www.kingstreet.example | Facebook: facebook.com/kingstreet", True),
        ("see facebook.com/kingstreet", False),
        ("@kingstreet", False),
        ("My page:\nfacebook.com/kingstreet", False),
    ],
)
def test_a_row_of_pages_holds_addresses_alone_and_speaks_to_nobody(words, is_row):
    reading = read(text_of(words), max_chars=1000)
    assert is_row_of_pages(reading.sentences[-1], reading) is is_row
