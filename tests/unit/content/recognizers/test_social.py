"""Invitations and messengers, and the refusal that the policy itself proposes."""

from dataclasses import replace

import pytest

from gateway.content.finding import Matter
from gateway.message.model import Link
from tests.unit.content.texts import inspector, request_of, score, score_in, signed, text_of

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


@pytest.mark.parametrize(
    "words",
    [
        "Email is not secure so add me on WhatsApp.",
        "I know it is against policy, but add me on Facebook.",
        "Our agency's policy is strict but add me on Facebook anyway.",
        "I'm not allowed to, but here's my Instagram: @ada_ok",
        "I can't accept clients on Facebook but you can follow me on Instagram @ada_ok",
        "Like our page, and add me on Facebook too.",
        "La politique l'interdit, mais ajoutez-moi sur Facebook.",
        "La politique l'interdit, ajoutez-moi quand même sur Facebook.",
        "I've just followed you on TikTok!",
    ],
)
def test_an_invitation_behind_a_refusal_is_held(words):
    assert max(score(words, Matter.SOCIAL_INVITATION), score(words, Matter.SOCIAL_CHANNEL_SHIFT)) >= HOLD


@pytest.mark.parametrize(
    "words",
    [
        "I do not accept friend requests on Facebook, so please don't add me.",
        "Our policy does not allow me to connect with clients on Facebook.",
        "I'm not able to add you on Facebook.",
        "Follow us on Instagram @kingstreet",
        "Suivez-nous sur Facebook et Instagram : @rueking",
        "facebook.com/kingstreet | @kingstreet",
        "www.kingstreet.example | Facebook | Instagram | LinkedIn",
    ],
)
def test_refusals_and_the_agencys_pages_are_silent(words):
    assert score_in(text_of(words), Matter.SOCIAL_INVITATION, sender_names=("Ada Okafor",)) < 0.35


@pytest.mark.parametrize("words", ["facebook.com/ada.okafor", "linkedin.com/in/aok", "wa.me/15195550177", "@adaokafor"])
def test_a_page_of_the_sender_in_a_signature_is_held(words):
    source = signed(f"Ada Okafor\n{words} | facebook.com/kingstreet")
    assert score_in(source, Matter.SOCIAL_INVITATION, sender_names=("Ada Okafor",)) >= HOLD


@pytest.mark.parametrize("target", ["https://facebook.com/ada.okafor", "https://wa.me/15195550177"])
def test_where_a_link_leads_is_read_and_found_at_its_text(target):
    source = replace(text_of("My photos are here."), links=(Link(start=14, end=18, target=target),))
    request = request_of(source, matters=frozenset({Matter.SOCIAL_INVITATION}))
    finding = max(inspector().inspect(request), key=lambda finding: finding.score)
    assert (finding.text, finding.score >= HOLD) == ("here", True)


def test_a_row_of_links_to_the_agencys_pages_is_silent():
    links = (
        Link(start=0, end=8, target="https://facebook.com/kingstreet"),
        Link(start=11, end=20, target="https://instagram.com/kingstreet"),
    )
    source = replace(text_of("Facebook | Instagram"), links=links)
    assert score_in(source, Matter.SOCIAL_INVITATION, sender_names=("Ada Okafor",)) < 0.35
