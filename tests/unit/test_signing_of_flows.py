"""Which of the mails that leave carry our signature: through arrive, decide and elapse, with a real key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from gateway.amend.signing import Signer
from gateway.amend.treatment import Signing
from gateway.archive.model import Stage
from gateway.decide import Decide
from gateway.outbound.letters import LetterDesk
from tests.builders import ADA, JORDAN, NOON, a_message
from tests.unit.amend.keys import ed25519_key
from tests.unit.flow_builders import FakeDelivery, Flows, a_clinical_finding, flows, held_ref

KEY = ed25519_key()
SIGNER = Signer((KEY,))


def told(folder: Path, story: Callable[[Flows], Awaitable[None]]) -> None:
    """Run a story in a house that has a key."""

    async def run() -> None:
        async with flows(folder) as house:
            known = house.knowledge
            house.arrival._knowledge = house.elapse._knowledge = lambda: replace(known(), signer=SIGNER)
            await story(house)

    asyncio.run(run())


def is_signed(content: bytes) -> bool:
    """True if our key's signature is there and good, whatever the clock of this machine says."""
    return SIGNER.signature(content, NOON).signing is Signing.ALREADY_SIGNED


def deciding(house: Flows, signer: Callable[[], Signer]) -> Decide:
    return Decide(
        directory=house.directory,
        pack=house.pack,
        store=house.store,
        relay=house.relay,
        desk=LetterDesk(sender=None, new_id=lambda: "letter-d", now=house.now),
        now=house.now,
        signer=signer,
    )


def test_mail_to_a_client_is_signed_after_its_notice_and_filed_as_it_left(tmp_path: Path) -> None:
    async def story(house: Flows) -> None:
        submission, delivery = a_message().to(JORDAN).submission(), FakeDelivery()
        await house.arrival(submission, delivery)
        (sent,) = delivery.delivered
        assert is_signed(sent)
        assert await house.store.body(submission.id, Stage.DELIVERED) == sent
        ((_, outcome),) = house.watcher.outcomes
        assert outcome.signing == Signing.SIGNED.value
        assert outcome.delivered_bytes == len(sent)

    told(tmp_path, story)


def test_mail_from_a_client_is_not_signed(tmp_path: Path) -> None:
    async def story(house: Flows) -> None:
        delivery = FakeDelivery()
        await house.arrival(a_message().from_(JORDAN, envelope=JORDAN).to(ADA).login(None).submission(), delivery)
        assert b"DKIM-Signature" not in delivery.delivered[0]
        assert house.watcher.outcomes[0][1].signing == Signing.NOT_ASKED.value

    told(tmp_path, story)


def test_a_held_message_is_signed_at_its_release_with_the_time_of_the_release(tmp_path: Path) -> None:
    async def story(house: Flows) -> None:
        house.findings = (a_clinical_finding(),)
        submission = a_message().to(JORDAN).submission()
        ref = held_ref(await house.arrival(submission, FakeDelivery()))
        assert b"DKIM-Signature" not in await house.store.body(submission.id, Stage.DELIVERED)
        house.pass_time(days=3)
        await deciding(house, lambda: SIGNER).release(ref, by="w-tremblay", reason="agreed")
        (_, content) = house.relay.sent[0]
        assert is_signed(content)
        assert f"t={int(house.now().timestamp())};".encode() in content

    told(tmp_path, story)


def test_keys_are_not_read_for_a_return_and_are_read_before_a_release_begins(tmp_path: Path) -> None:
    class KeysUnusable(Exception):
        pass

    def refuse() -> Signer:
        raise KeysUnusable

    async def story(house: Flows) -> None:
        house.findings = (a_clinical_finding(),)
        ref = held_ref(await house.arrival(a_message().to(JORDAN).submission(), FakeDelivery()))
        decide = deciding(house, refuse)
        try:
            await decide.release(ref, by="w-tremblay", reason="agreed")
        except KeysUnusable:
            pass
        else:
            raise AssertionError("released without the keys")
        await decide.give_back(ref, by="w-tremblay", reason="not by e-mail")

    told(tmp_path, story)


def test_the_gateways_own_letters_are_signed_when_they_are_sent(tmp_path: Path) -> None:
    async def story(house: Flows) -> None:
        house.findings = (a_clinical_finding(),)
        await house.arrival(a_message().to(JORDAN).submission(), FakeDelivery())
        await house.elapse.letters()
        assert len(house.relay.sent) == 2
        assert all(is_signed(content) for _, content in house.relay.sent)

    told(tmp_path, story)
