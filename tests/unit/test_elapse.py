"""What time brings: letters that go out late rather than never, holds that do not wait for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.archive.life import FileLife
from gateway.archive.life_model import OPEN_DISPOSALS
from gateway.archive.model import LetterState, Stage
from gateway.elapse import FIRST_PAUSE, LONGEST_PAUSE, pause
from gateway.holding.states import HoldState
from gateway.message.reply import Reply
from gateway.outbound.relay import NextHopDown
from gateway.policy.retention import RetentionRules
from tests.builders import ADA, LUC, a_message
from tests.unit.archive.lives import an_old_record
from tests.unit.archive.lives import file as file_records
from tests.unit.flow_builders import FakeDelivery, Flows, a_clinical_finding, flows, held_ref


def run(work) -> None:  # type: ignore[no-untyped-def]
    asyncio.run(work())


async def hold_one(house: Flows) -> str:
    house.findings = (a_clinical_finding(),)
    return held_ref(await house.arrival(a_message().submission(), FakeDelivery()))


def test_letters_that_are_due_go_out_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            await hold_one(house)
            assert await house.elapse.letters() == 2
            assert {envelope.recipients[0].address for envelope, _ in house.relay.sent} == {ADA, LUC}
            assert await house.elapse.letters() == 0
            assert house.watcher.letters == ["sent", "sent"]

    run(story)


def test_a_next_hop_that_is_down_delays_a_letter_and_does_not_lose_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            await hold_one(house)
            house.relay.error = NextHopDown("refused")
            await house.elapse.letters()
            assert house.watcher.letters == ["deferred", "deferred"]
            assert await house.elapse.letters() == 0
            house.relay.error = None
            house.pass_time(minutes=1)
            assert await house.elapse.letters() == 2
            assert len(house.relay.sent) == 2

    run(story)


def test_a_letter_that_is_refused_for_good_is_not_tried_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            await hold_one(house)
            house.relay.answers = {ADA: Reply(code=550, lines=("5.1.1 no",))}
            await house.elapse.letters()
            assert sorted(house.watcher.letters) == ["refused", "sent"]
            house.pass_time(days=1)
            assert await house.elapse.letters() == 0

    run(story)


def test_a_letter_that_can_not_be_sent_in_its_time_expires(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            await hold_one(house)
            house.relay.error = NextHopDown("refused")
            house.pass_time(days=6)
            await house.elapse.letters()
            assert house.watcher.letters == ["expired", "expired"]
            states = {queued.state for queued in await house.store.letters_about("m-1")}
            assert states == {LetterState.EXPIRED}

    run(story)


def test_an_undecided_hold_goes_back_to_its_sender_when_its_time_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            await house.elapse.letters()
            assert await house.elapse.holds() == 0
            house.pass_time(days=7, seconds=1)
            assert await house.elapse.holds() == 1
            assert (await house.store.held(ref)).state is HoldState.EXPIRED
            (queued,) = await house.store.due_letters(house.clock)
            assert queued.letter.kind == "expired_sender"
            assert queued.letter.envelope.recipients[0].address == ADA
            assert await house.elapse.holds() == 0

    run(story)


@pytest.mark.parametrize(
    ("tries", "expected"), [(0, FIRST_PAUSE), (1, FIRST_PAUSE * 2), (3, timedelta(minutes=8)), (99, LONGEST_PAUSE)]
)
def test_the_pause_between_tries_doubles_up_to_an_hour(tries: int, expected: timedelta) -> None:
    assert pause(tries) == expected


def test_a_file_whose_time_is_over_is_suggested_and_stays(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            old = an_old_record("m-old", files=("C-1042",))
            await file_records(house.store, old)
            assert await house.elapse.retention() == 1
            assert await house.elapse.retention() == 1
            assert await house.store.body("m-old", Stage.RECEIVED) == old.received
            life = FileLife(house.store, RetentionRules(), {}.get)
            (found,) = await life.disposals(OPEN_DISPOSALS)
            assert (found.file, found.proposed_by) == ("C-1042", None)

    run(story)
