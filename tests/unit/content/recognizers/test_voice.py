"""Speaking for the School."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import score, score_in, signed


@pytest.mark.parametrize(
    "words",
    [
        "On behalf of the School I can say that we regret this.",
        "It is the School's position.",
        "Au nom de l’École, merci.",
    ],
)
def test_speaking_for_the_school_is_held(words):
    assert score(words, Matter.SPEAKS_FOR) >= 0.5


@pytest.mark.parametrize(
    "words",
    [
        "Thank you on behalf of the team.",
        "These views are my own and I am not speaking on behalf of the School.",
        "The School is on Westmount Road.",
        "Je ne parle pas au nom de l’École.",
        "Pourrions-nous nous voir jeudi?",
    ],
)
def test_thanks_own_views_and_directions_are_not(words):
    assert score(words, Matter.SPEAKS_FOR) < 0.5


def test_a_signature_may_say_for_whom_its_writer_works():
    assert score_in(signed("Ada\nOn behalf of the School"), Matter.SPEAKS_FOR) == 0.0
