"""Whose a term is, and how weights add up."""

import pytest

from gateway.content.reading import read
from gateway.content.sighting import Person, clauses_of, owned, together
from tests.unit.content.texts import text_of


@pytest.mark.parametrize(
    ("words", "person"),
    [
        ("my mother", Person.SENDER),
        ("I hope your mother is well", Person.READER),
        ("she said her mother came", Person.OTHER),
        ("mother and child", Person.NOBODY),
        ("je crois que votre mère va mieux", Person.READER),
    ],
)
def test_the_nearest_person_before_a_term_owns_it(words, person):
    sentence = read(text_of(words), max_chars=100).sentences[0]
    assert next(owned(sentence, "topic.personal.family")).person is person


def test_signs_add_up_but_never_to_certainty():
    assert together([]) == 0.0
    assert together([0.5, 0.5]) == pytest.approx(0.75)
    assert together([0.9] * 10) == pytest.approx(0.98)
    assert together([1.0]) == pytest.approx(0.98)


def test_a_phrase_reaches_from_turn_to_turn():
    words = "Well; please do not use Messenger, but add me there"
    sentence = read(text_of(words), max_chars=1000).sentences[0]
    clauses = {words[begin:stop] for _, begin, stop in clauses_of(sentence, "refusal")}
    assert clauses == {" please do not use Messenger, "}
