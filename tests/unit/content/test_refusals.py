"""A no to contact is told from an invitation, in both languages."""

from __future__ import annotations

import pytest

from gateway.content.finding import Matter
from gateway.content.folding import fold
from gateway.content.refusals import refuses_contact
from tests.unit.content.texts import inspector, request_of, text_of

HELD_FROM = 0.5
REFUSALS = [
    "Thanks for the friend request, but I can't add clients on Facebook.",
    "I saw your request on LinkedIn and I'm not able to connect there, it's our policy.",
    "Please do not use Twitter or Facebook messages to reach me; those sites are not secure.",
    "Our agency doesn't use WhatsApp with clients, so please call the front desk instead.",
    "I got your message on Instagram but I don't answer there.",
    "It's kind of you to ask, but I don't connect with clients on social media.",
    "I noticed that you followed me on Instagram, I've had to remove you because of our rules.",
    "We keep our contact to the office line and this address, so no Messenger, please.",
    "About Facebook: I won't be accepting, and it isn't because of you.",
    "I have to decline your LinkedIn invitation, as I do with everyone I work with.",
    "I can't join the WhatsApp group you made, but thank you for thinking of me.",
    "If you need me, use the phone number we agreed on, not Messenger.",
    "No need to add me on Facebook, this address is the best way.",
    "Your LinkedIn message reached me, but please write here from now on.",
    "Merci pour l'invitation sur Facebook, mais je n'ajoute pas les gens que j'accompagne.",
    "Je ne réponds pas sur Messenger, écrivez-moi ici ou appelez au bureau.",
    "Nous ne communiquons pas par WhatsApp avec la clientèle.",
    "J'ai vu votre demande d'amitié, je dois la refuser, comme pour tout le monde.",
    "Je ne peux pas vous suivre sur Instagram, c'est une règle de l'organisme.",
    "Je peux pas t'ajouter sur Snap, c'est la règle ici.",
    "I keep my Instagram for family, so I won't be adding you there.",
    "Please take me off your Snap, we only talk through the office.",
    "I'm going to pass on the WhatsApp group, thank you for thinking of me.",
    "It's against our rules for me to be on Discord with you.",
    "Thanks for the invite to connect on LinkedIn, but I only connect with coworkers there.",
    "I'd rather you wrote here than in my DMs.",
    "I noticed a follow request from you on TikTok and I declined it, as I do with everyone.",
    "I can't be in the group chat, please ask Dana to send me the time by e-mail.",
    "Je garde Facebook pour ma famille, alors je vais laisser votre demande de côté.",
    "Enlève-moi de tes contacts Snap, on se parle par le bureau.",
    "J'ajoute personne de mes groupes sur Insta, c'est la règle.",
]
INVITATIONS = [
    "Don't hesitate to add me on Facebook.",
    "Don't forget to follow me on Insta, I post every day.",
    "I can't wait to add you on Facebook.",
    "I don't check email, add me on WhatsApp instead.",
    "This email isn't private, message me on Insta.",
    "I'm not on Facebook much, find me on Snapchat.",
    "Why don't you add me on LinkedIn?",
    "I don't answer emails on weekends, text me on WhatsApp.",
    "Add me on Insta, I don't use Facebook.",
    "I can't add clients from work, but on my own Facebook I'm under Ada O.",
    "We shouldn't, but follow me on TikTok anyway.",
    "If I don't answer here, I'm quicker on Messenger.",
    "Don't tell my supervisor, but I'm on Facebook as Ada O.",
    "Not on Facebook anymore, but I am on Instagram as ada.o.",
    "N'hésite pas à m'ajouter sur Facebook.",
    "Oublie pas de me suivre sur Insta.",
    "Je réponds pas aux courriels, texte-moi sur WhatsApp.",
    "I left your request on Facebook for a week, but I accepted it today.",
    "I keep Facebook for friends, so add me there.",
    "Normalement je garde Insta pour ma famille, mais ajoute-moi.",
]


@pytest.mark.parametrize("words", REFUSALS)
def test_a_no_is_a_refusal_and_is_not_held(words: str) -> None:
    assert refuses_contact(fold(words))
    request = request_of(text_of(words), matters=frozenset({Matter.SOCIAL_INVITATION, Matter.SOCIAL_CHANNEL_SHIFT}))
    assert not [finding for finding in inspector().inspect(request) if finding.score >= HELD_FROM]


@pytest.mark.parametrize("words", INVITATIONS)
def test_an_invitation_with_a_no_in_it_is_one(words: str) -> None:
    assert not refuses_contact(fold(words))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("words", "is_no"),
    [
        ("don't add ", True),
        ("ne ", False),
        ("no facebook or ", True),
        ("your facebook please ", False),
        ("pas de ", False),
        ("request ", False),
        ("i keep my rather prefer ", False),
        ("against the ", False),
        ("garde demande ", False),
    ],
)
def test_a_sentence_of_any_length_is_read(words: str, is_no: bool) -> None:
    assert refuses_contact(words * 10_000) is is_no
