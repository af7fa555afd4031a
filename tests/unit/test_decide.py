"""A person's decision on a held message: who may, what goes out, what is written down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.archive.states import MessageState
from gateway.decide import Decided, NoAuthority, NotReleased, ReasonMissing, find_worker
from gateway.holding.states import HoldNotOpen, HoldState, HoldUnknown
from gateway.message.reply import Reply
from gateway.outbound.relay import NextHopDown
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, MINA, a_directory, a_message
from tests.unit.flow_builders import FakeDelivery, Flows, a_clinical_finding, flows, held_ref

LATER = Reply(code=451, lines=("4.2.0 later",))
NEVER = Reply(code=550, lines=("5.1.1 no such mailbox",))


def run(work) -> None:  # type: ignore[no-untyped-def]
    asyncio.run(work())


async def hold_one(house: Flows, *recipients: str) -> str:
    """A held message to the client, and its reference; its letters are out of the way."""
    house.findings = (a_clinical_finding(),)
    built = a_message().to(*(recipients or (JORDAN,)))
    ref = held_ref(await house.arrival(built.submission(), FakeDelivery()))
    await house.elapse.letters()
    house.relay.sent.clear()
    return ref


def test_a_release_relays_the_amended_message_files_it_and_tells_the_sender(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            decision = await house.decide.release(ref, by="w-tremblay", reason="agreed with the client")
            assert decision.decided is Decided.RELEASED
            envelope, content = house.relay.sent[0]
            assert envelope.mail_from == ADA
            assert [to.address for to in envelope.recipients] == [JORDAN]
            assert b"About e-mail with King Street Outreach" in content
            hold = await house.store.held(ref)
            assert (hold.state, hold.decided_by, hold.why) == (
                HoldState.RELEASED,
                "w-tremblay",
                "agreed with the client",
            )
            assert [e.state for e in (await house.store.client_file("C-1042")).entries] == [MessageState.RELEASED]
            letters = await house.store.due_letters(house.clock)
            assert [q.letter.kind for q in letters] == ["released_sender"]

    run(story)


def test_a_return_tells_the_sender_who_and_why_and_sends_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            decision = await house.decide.give_back(ref, by=LUC, reason="talk about it when you meet")
            assert decision.decided is Decided.RETURNED
            assert house.relay.sent == []
            (queued,) = await house.store.due_letters(house.clock)
            assert b"talk about it when you meet" in queued.letter.content
            assert b"Luc Tremblay" in queued.letter.content
            assert (await house.store.client_file("C-1042")).entries == ()

    run(story)


OWN_NAMES = (
    "s-okafor",
    ADA,
    "aokafor",
    "ada okafor",
    "ADA.OKAFOR@AGENCY.EXAMPLE",
    ADA_HOME,
    " Ada.Okafor+x@gmail.example ",
    "Ada  Okafor",
    "Ada\u00a0Okafor",
    "Ada\tOKAFOR",
)


@pytest.mark.parametrize("who", OWN_NAMES)
def test_nobody_decides_on_a_message_of_their_own(tmp_path: Path, who: str) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            with pytest.raises(NoAuthority, match="their own"):
                await house.decide.release(ref, by=who, reason="fine")
            assert (await house.store.held(ref)).state is HoldState.HELD

    run(story)


def test_a_worker_who_does_not_review_may_not_decide(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            with pytest.raises(NoAuthority, match="does not review"):
                await house.decide.give_back(ref, by="w-singh", reason="fine")

    run(story)


def test_a_person_whom_people_yaml_does_not_list_is_written_down_as_given(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            await house.decide.release(ref, by="the night administrator", reason="emergency")
            assert (await house.store.held(ref)).decided_by == "the night administrator"

    run(story)


@pytest.mark.parametrize(("by", "reason", "error"), [("w-tremblay", "  ", ReasonMissing), (" ", "fine", NoAuthority)])
def test_who_and_why_are_required(tmp_path: Path, by: str, reason: str, error: type[Exception]) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            with pytest.raises(error):
                await house.decide.release(ref, by=by, reason=reason)
            assert house.relay.sent == []

    run(story)


def test_an_unknown_reference_is_said_to_be_unknown(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            with pytest.raises(HoldUnknown):
                await house.decide.release("NOSUCHREF0", by="w-tremblay", reason="fine")

    run(story)


def test_a_message_is_released_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            await house.decide.release(ref, by="w-tremblay", reason="fine")
            for again in (house.decide.release, house.decide.give_back):
                with pytest.raises(HoldNotOpen):
                    await again(ref, by="w-tremblay", reason="again")
            assert len(house.relay.sent) == 1

    run(story)


def test_a_next_hop_that_is_down_leaves_the_message_held(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            house.relay.error = NextHopDown("refused")
            with pytest.raises(NotReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert (await house.store.held(ref)).state is HoldState.HELD
            house.relay.error = None
            assert (await house.decide.release(ref, by="w-tremblay", reason="fine")).decided is Decided.RELEASED

    run(story)


def test_only_recipients_who_were_put_off_are_tried_at_the_next_release(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house, JORDAN, MINA)
            house.relay.answers = {MINA: LATER}
            first = await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert (first.decided, first.taken, first.put_off) == (Decided.PARTLY_RELEASED, 1, 1)
            house.relay.answers = {}
            second = await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert second.decided is Decided.RELEASED
            assert [[to.address for to in envelope.recipients] for envelope, _ in house.relay.sent] == [
                [JORDAN, MINA],
                [MINA],
            ]

    run(story)


def test_a_release_that_every_recipient_refuses_is_filed_as_not_sent(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            house.relay.answers = {JORDAN: NEVER}
            assert (await house.decide.release(ref, by="w-tremblay", reason="fine")).decided is Decided.REFUSED
            assert (await house.store.client_file("C-1042")).entries == ()

    run(story)


@pytest.mark.parametrize("words", ["w-tremblay", "ltremblay", LUC, " Luc Tremblay ", "LUC TREMBLAY"])
def test_a_worker_is_found_by_id_login_address_or_name(words: str) -> None:
    found = find_worker(a_directory(), words)
    assert found is not None
    assert found.id == "w-tremblay"


@pytest.mark.parametrize("by", ["Ada Okafor", "ada  okafor"])
def test_a_name_that_several_people_have_is_asked_back_and_not_taken_for_a_stranger(tmp_path: Path, by: str) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            twin = replace(house.directory.workers[0], id="s-okafor-2", logins=(), addresses=(), personal_addresses=())
            directory = replace(house.directory, workers=(*house.directory.workers, twin))
            house.decide._directory = directory
            with pytest.raises(NoAuthority, match="say the id"):
                await house.decide.release(ref, by=by, reason="fine")
            assert (await house.store.held(ref)).state is HoldState.HELD

    run(story)


@pytest.mark.parametrize("words", ["Luc", "nobody@agency.example", "", "w-"])
def test_a_worker_is_not_guessed(words: str) -> None:
    assert find_worker(a_directory(), words) is None
