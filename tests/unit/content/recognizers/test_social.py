"""Invitations and messengers, and the refusal that the policy itself proposes."""

import pytest

from gateway.content.finding import Matter
from tests.unit.content.texts import score

HOLD = 0.5


@pytest.mark.parametrize(
    "words",
    [
        "Add me on Facebook!",
        "I sent you a friend request.",
        "Follow me @ada.writes on Instagram.",
        "My profile is linkedin.com/in/ada-okafor",
        "Ajoutez-moi sur Facebook.",
        "Vous pouvez me suivre sur Instagram, mon compte est @leo.g",
    ],
)
def test_an_invitation_is_held(words):
    assert score(words, Matter.SOCIAL_INVITATION) >= HOLD


@pytest.mark.parametrize(
    "words",
    [
        "Just DM me.",
        "Let's talk on WhatsApp instead.",
        "Message me on Messenger, it is easier.",
        "Écrivez-moi en message privé.",
        "On peut continuer sur WhatsApp?",
    ],
)
def test_moving_to_a_messenger_is_held(words):
    assert score(words, Matter.SOCIAL_CHANNEL_SHIFT) >= HOLD


@pytest.mark.parametrize(
    "words",
    [
        "I do not accept friend requests on Facebook or any other network.",
        "I can't add clients on Instagram.",
        "The hours are on our agency's Facebook page.",
        "Please add me to the list for Thursday.",
        "Je n'accepte pas les demandes d'ami sur Facebook.",
        "Signal me if the door is locked.",
        "Write to ada.okafor@agency.example.",
    ],
)
def test_refusals_and_ordinary_words_are_not_held(words):
    assert score(words, Matter.SOCIAL_INVITATION) < HOLD
    assert score(words, Matter.SOCIAL_CHANNEL_SHIFT) < HOLD
