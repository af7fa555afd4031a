"""Contempt by its target; style, forms and oneself may be scolded."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import found, score


@pytest.mark.parametrize(
    "words",
    [
        "You are an idiot.",
        "My supervisor is useless and lazy.",
        "The agency is a joke.",
        "That client is a junkie.",
        "You are such an 1d10t.",
        "What an i d i o t she is.",
        "idiooooot",
        "Cette intervenante est une imbécile.",
        "Votre superviseure est incompétente.",
        "Ta gueule!",
    ],
)
def test_contempt_for_people_is_held(words):
    assert score(words, Matter.DISRESPECT) >= 0.5


@pytest.mark.parametrize(
    "words",
    [
        "This stupid printer is broken again.",
        "That was a dumb mistake of mine.",
        "I disagree with the dean's decision.",
        "Je demeure disponible.",
        "Je serai en retard.",
        "The weather is crazy.",
        "That is no stupid question.",
        "I am such an idiot, I forgot the form.",
        "u dont gotta bring nothin",
        "Two garbage bags of wool came for you.",
        "Il est inutile de nettoyer l'appareil.",
        "I wrote idiot-proof instructions for your worker.",
        "The Pakistani community centre meets in room 3.",
        "Bring your fire retardant blanket.",
        "Si la fenêtre est ouverte, fermez-la en partant.",
        "Il n'y a pas de classe vendredi.",
        "Va te faire vacciner à la pharmacie, c'est gratuit.",
        "The treatment against parasites is free at the clinic.",
    ],
)
def test_things_style_oneself_and_opinion_are_not(words):
    assert score(words, Matter.DISRESPECT) < 0.5


def test_name_calling_and_contempt_have_their_own_reasons():
    assert found("You idiot.", Matter.DISRESPECT)[0].reason == "disrespect.name_calling"
    assert found("My supervisor is useless.", Matter.DISRESPECT)[0].reason == "disrespect.derogatory"
