"""The cheap look at mail to outsiders."""

import pytest

from gateway.content.names import NameIndex
from gateway.content.watch import Watch, has_harsh_words, speaks_of
from tests.unit.content.texts import CLIENTS, text_of

WATCH = Watch(NameIndex.of(CLIENTS))


@pytest.mark.parametrize(
    "words", ["About Jordan Reyes", "file C-1042", "On behalf of the School, we regret", "strictly confidential"]
)
def test_mail_that_names_a_client_or_speaks_for_the_school_is_looked_into(words):
    assert WATCH.concerns([text_of("Hello"), text_of(words)])


@pytest.mark.parametrize("words", ["I think the dean is wrong about tuition.", "Lunch on Friday?", ""])
def test_mail_that_concerns_nobody_is_not(words):
    assert not WATCH.concerns([text_of(words)])


@pytest.mark.parametrize(
    ("words", "is_about"),
    [
        ("Dr. Singh, Jordan's Zoloft was raised to 50 mg.", True),
        ("Jordan will call you on Friday.", False),
        ("The jordan almonds are for the depression group.", False),
        ("Alex takes Zoloft.", False),
    ],
)
def test_an_own_clients_first_name_counts_with_words_of_the_work_only(words, is_about):
    assert speaks_of([text_of(words)], ["Jordan"]) is is_about


def test_nobodys_names_open_nothing():
    assert not speaks_of([text_of("Jordan takes Zoloft.")], [])


@pytest.mark.parametrize(
    ("words", "is_harsh"),
    [
        ("That idiot forgot the keys.", True),
        ("<p>Quelle b&ecirc;tise, quel imbécile.</p>", True),
        ("Room 204 is free on Thursday.", False),
        ("", False),
    ],
)
def test_mail_among_colleagues_is_looked_into_for_a_harsh_word(words, is_harsh):
    assert has_harsh_words(["Subject", words]) is is_harsh
