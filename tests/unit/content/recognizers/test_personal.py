"""The writer's own life: what is one, what is the reader's, and what is only an appointment."""

import pytest

from gateway.content.finding import About, Matter
from tests.unit.content.texts import found, score

HOLD = 0.5
NOTE = 0.35


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("My mother is in the hospital again.", "personal.family"),
        ("I love you.", "personal.feelings"),
        ("I'm pregnant and due in May.", "personal.history"),
        ("My husband and I are getting a divorce.", "personal.family"),
        ("My anxiety has been bad lately.", "personal.health"),
        ("I'll pray for you on Sunday.", "personal.faith"),
        ("I can lend you some cash until Friday.", "personal.money"),
        ("I bought you a little something.", "personal.gifts"),
        ("Would you like to grab a coffee with me after work?", "personal.plans"),
        ("When I was your age I ran away from home.", "personal.history"),
        ("Ma mère est à l'hôpital.", "personal.family"),
        ("Je prie pour vous tous les soirs.", "personal.faith"),
        ("Mon conjoint et moi nous séparons.", "personal.family"),
        ("Quand j'avais votre âge, je buvais beaucoup.", "personal.history"),
        ("Je vous ai acheté un livre.", "personal.gifts"),
    ],
)
def test_a_disclosure_is_found_with_its_reason(words, reason):
    best = max(found(words, Matter.PERSONAL_DISCLOSURE), key=lambda finding: finding.score)
    assert best.score >= HOLD
    assert best.reason == reason
    assert best.about is About.SENDER


@pytest.mark.parametrize(
    "words",
    [
        "I hope your mother is well.",
        "You may bring your daughter to the appointment.",
        "My colleague will meet you at two.",
        "The family room is on the first floor.",
        "Have a good weekend.",
        "I am away until Monday.",
        "Our office is closed on Family Day.",
        "The meeting takes place at the United Church on King Street.",
        "My schedule is full on Thursday; would Friday suit you?",
        "Je serai absente mardi.",
        "Bonne fin de semaine!",
        "Son fils peut venir avec elle.",
        "J'ai une place jeudi à 10 h.",
        "My phone died, so I missed your call.",
    ],
)
def test_what_is_not_the_writers_life_stays_below_a_note(words):
    assert score(words, Matter.PERSONAL_DISCLOSURE) < NOTE


@pytest.mark.parametrize(
    "words",
    ["I am sick today, so I need to reschedule our meeting.", "Je suis malade, je dois reporter notre rencontre."],
)
def test_illness_as_the_reason_for_a_new_time_is_below_a_hold(words):
    assert score(words, Matter.PERSONAL_DISCLOSURE) < HOLD


def test_several_topics_weigh_more_than_one():
    one = score("My mother called.", Matter.PERSONAL_DISCLOSURE)
    assert score("My mother called about my divorce.", Matter.PERSONAL_DISCLOSURE) > one


@pytest.mark.parametrize(
    "words",
    [
        "Thank you for the gift card but I must return it.",
        "My baby-sitter cancelled, so can we meet at 4?",
        "My kids' school is closed, so can we move to 3?",
    ],
)
def test_a_gift_that_goes_back_and_a_reason_for_another_time_are_not_held(words):
    assert score(words, Matter.PERSONAL_DISCLOSURE) < 0.5
