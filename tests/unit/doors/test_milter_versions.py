from __future__ import annotations

import pytest

from gateway.doors.milter_packets import Action, Ask, Negotiate, Say, Step, packet
from gateway.doors.milter_versions import VERSIONS, agree
from gateway.doors.milter_wire import NEEDED, WANTED_STEPS, AnswerNotAllowed, MilterWire
from tests.unit.doors.test_milter_wire import asked

ALL = 0xFFFFFFFF
WANTED = NEEDED | Action.SET_MACROS | Action.QUARANTINE
ALWAYS = {"a", "c", "d", "O", "p", "t", "y"}

# Version, actions offered, steps offered; then what comes of it: actions, steps, and the answers that are edits.
AGREEMENTS = [
    (2, 0x1F, 0x7F, 0x13, 0, "hmb"),  # Sendmail 8.12
    (2, 0x3F, 0x7F, 0x33, 0, "himbq"),  # Sendmail 8.13, Postfix with milter_protocol = 2
    (2, ALL, ALL, 0x33, 0, "himbq"),
    (3, 0x3F, 0xFF, 0x33, 0, "himbq"),
    (3, ALL, ALL, 0x33, 0x100, "himbq"),
    (4, 0x3F, 0x3FF, 0x33, 0x300, "himbq"),
    (5, ALL, ALL, 0x33, 0x300, "himbq"),
    (6, 0x1F, 0x1FFFFF, 0x13, 0x1F3380, "himb"),
    (6, 0x1FF, 0x1FFFFF, 0x133, 0x1F3380, "himbq"),
    (7, ALL, ALL, 0x133, 0x1F3380, "himbq"),
]


@pytest.mark.parametrize(("version", "actions", "steps", "permitted", "spared", "edits"), AGREEMENTS)
def test_what_a_version_and_an_offer_come_to(
    version: int, actions: int, steps: int, permitted: int, spared: int, edits: str
) -> None:
    offer = Negotiate(version=version, actions=actions, steps=steps)
    agreed = agree(offer, wanted_actions=WANTED, wanted_steps=WANTED_STEPS)
    assert (agreed.version, agreed.actions, agreed.steps) == (min(version, 6), permitted, spared)
    assert {chr(say) for say in agreed.answers} == ALWAYS | set(edits)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_we_did_not_ask_for_is_not_permitted(version: int) -> None:
    agreed = agree(Negotiate(version=version, actions=ALL, steps=ALL), wanted_actions=NEEDED, wanted_steps=Step(0))
    assert (agreed.actions, agreed.steps) == (NEEDED, 0)
    assert not agreed.can_quarantine


def at_end_of_message(version: int, actions: int, *, wants_quarantine: bool) -> MilterWire:
    wire = MilterWire(wants_quarantine=wants_quarantine)
    for ask in (Ask.NEGOTIATE, Ask.MAIL, Ask.RCPT, Ask.END_OF_HEADERS, Ask.END_OF_MESSAGE):
        wire.feed(asked(ask))
        found = wire.next_packet()
        assert found is not None
        if ask is Ask.NEGOTIATE:
            wire.negotiated(Negotiate(version=version, actions=actions, steps=0))
        elif ask is not Ask.END_OF_MESSAGE:
            wire.answer(packet(Say.CONTINUE))
    return wire


@pytest.mark.parametrize(
    ("version", "actions", "wants_quarantine", "say"),
    [
        (2, 0x1F, True, Say.QUARANTINE),
        (2, 0x1F, False, Say.INSERT_HEADER),
        (2, 0x3F, False, Say.QUARANTINE),
        (6, 0x1F, True, Say.QUARANTINE),
        (6, 0x1FF, False, Say.QUARANTINE),
    ],
)
def test_an_answer_that_the_peer_does_not_know_or_permit_is_never_sent(
    version: int, actions: int, wants_quarantine: bool, say: Say
) -> None:
    wire = at_end_of_message(version, actions, wants_quarantine=wants_quarantine)
    with pytest.raises(AnswerNotAllowed):
        wire.answer(packet(say), packet(Say.ACCEPT))
    assert wire.answer(packet(Say.ACCEPT)) == packet(Say.ACCEPT)


def test_a_quarantine_stands_before_the_last_word() -> None:
    wire = at_end_of_message(6, 0x1FF, wants_quarantine=True)
    with pytest.raises(AnswerNotAllowed):
        wire.answer(packet(Say.QUARANTINE, b"x\0"))
    assert wire.answer(packet(Say.QUARANTINE, b"x\0"), packet(Say.ACCEPT))
