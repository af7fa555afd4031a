"""A release that does not come to its end, or whose end can't be recorded: doubt is written down."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import decide
from gateway.archive.states import MessageState
from gateway.archive.store import RELEASE_LEASE
from gateway.decide import Decided, NotRecorded, NotReleased, PerhapsReleased
from gateway.holding.states import HoldState
from gateway.message.errors import StoreFull
from gateway.message.reply import Reply
from gateway.outbound.relay import NextHopLost
from tests.builders import JORDAN, MINA
from tests.unit.flow_builders import flows
from tests.unit.test_decide import LATER, NEVER, hold_one, run

LOST = NextHopLost("gone", has_sent_content=True)


def test_a_next_hop_lost_after_the_content_leaves_a_hold_that_says_it_may_have_been_delivered(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house, JORDAN, MINA)
            house.relay.refused_at_rcpt = {MINA: NEVER}
            house.relay.error_after_content = LOST
            with pytest.raises(PerhapsReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            hold = await house.store.held(ref)
            assert (hold.state, hold.may_be_delivered) == (HoldState.HELD, True)
            assert [to.address for to in hold.pending] == [JORDAN]
            assert "may have been delivered" in (await house.store.audit(ref=ref))[-1].why

    run(story)


def test_before_the_content_is_ended_the_store_knows_that_it_may_be_delivered(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            seen = []

            class Killed(BaseException):
                """A process that ends at once runs no handler; this one is caught by none."""

            house.relay.error_after_content = Killed()
            with pytest.raises(Killed):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            seen.append(await house.store.held(ref))
            house.clock += RELEASE_LEASE + timedelta(seconds=1)
            await house.elapse.holds()
            seen.append(await house.store.held(ref))
            assert [(hold.state, hold.may_be_delivered) for hold in seen] == [
                (HoldState.RELEASING, True),
                (HoldState.HELD, True),
            ]

    run(story)


@pytest.mark.parametrize("end", ["return", "expire", "refused"])
def test_what_may_have_been_delivered_is_filed_as_unconfirmed_however_it_ends(tmp_path: Path, end: str) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            house.relay.error_after_content = LOST
            with pytest.raises(PerhapsReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            house.relay.error_after_content = None
            if end == "return":
                await house.decide.give_back(ref, by="w-tremblay", reason="no")
            elif end == "expire":
                house.pass_time(days=8)
                await house.elapse.holds()
            else:
                house.relay.answers = {JORDAN: NEVER}
                decision = await house.decide.release(ref, by="w-tremblay", reason="again")
                assert (decision.decided, decision.may_be_twice) == (Decided.REFUSED, True)
            entries = (await house.store.client_file("C-1042")).entries
            assert [entry.state for entry in entries] == [MessageState.UNCONFIRMED]

    run(story)


@pytest.mark.parametrize("second", [LATER, NEVER])
def test_only_a_delivery_takes_the_doubt_away(tmp_path: Path, second: Reply) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house, JORDAN, MINA)
            house.relay.error_after_content = LOST
            with pytest.raises(PerhapsReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            house.relay.error_after_content = None
            house.relay.answers = {JORDAN: second, MINA: LATER}
            with contextlib.suppress(NotReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert (await house.store.held(ref)).may_be_delivered
            house.relay.answers = {}
            decision = await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert (decision.decided, decision.taken, decision.may_be_twice) == (Decided.RELEASED, 2, True)
            hold = await house.store.held(ref)
            assert (hold.may_be_delivered, hold.record.state) == (False, MessageState.RELEASED)

    run(story)


@pytest.mark.parametrize(("answer", "code"), [(LATER, 451), (NEVER, 550)])
def test_an_answer_to_the_content_leaves_no_doubt(tmp_path: Path, answer: Reply, code: int) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            house.relay.answers = {JORDAN: answer}
            with contextlib.suppress(NotReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            hold = await house.store.held(ref)
            assert ([outcome.code for outcome in hold.outcomes], hold.may_be_delivered) == ([code], False)

    run(story)


@pytest.mark.parametrize("has_sent", [False, True])
def test_a_release_that_is_broken_off_is_held_again_at_once(tmp_path: Path, has_sent: bool) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            began, never = asyncio.Event(), asyncio.Event()

            async def send(envelope, content, *, before_end):  # type: ignore[no-untyped-def]
                if has_sent:
                    await before_end({JORDAN: Reply(code=250, lines=("Ok",))})
                began.set()
                await never.wait()

            house.relay.send = send  # type: ignore[method-assign]
            releasing = asyncio.create_task(house.decide.release(ref, by="w-tremblay", reason="fine"))
            await began.wait()
            releasing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await releasing
            hold = await house.store.held(ref)
            assert (hold.state, hold.may_be_delivered) == (HoldState.HELD, has_sent)

    run(story)


@pytest.mark.parametrize("has_sent", [False, True])
def test_a_release_ends_before_its_lease_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_sent: bool) -> None:
    limits: list[asyncio.Timeout] = []

    def timeout(seconds: float) -> asyncio.Timeout:
        assert seconds < RELEASE_LEASE.total_seconds()
        limits.append(asyncio.Timeout(None))
        return limits[-1]

    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)

            async def send(envelope, content, *, before_end):  # type: ignore[no-untyped-def]
                if has_sent:
                    await before_end({JORDAN: Reply(code=250, lines=("Ok",))})
                limits[0].reschedule(asyncio.get_running_loop().time())  # the time is over now
                await asyncio.Event().wait()

            house.relay.send = send  # type: ignore[method-assign]
            monkeypatch.setattr(decide.asyncio, "timeout", timeout)
            with pytest.raises(PerhapsReleased if has_sent else NotReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert (await house.store.held(ref)).may_be_delivered is has_sent

    run(story)


def test_a_release_whose_hold_was_given_back_meanwhile_does_not_end_its_content(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            end_content = house.store.end_content

            async def late(ref, **more):  # type: ignore[no-untyped-def]
                await house.store.give_back_releases(house.clock + RELEASE_LEASE * 2)
                await end_content(ref, **more)

            house.store.end_content = late  # type: ignore[method-assign]
            with pytest.raises(NotReleased):
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert house.relay.sent == []
            assert not (await house.store.held(ref)).may_be_delivered

    run(story)


@pytest.mark.parametrize(("answer", "taken"), [(Reply(code=250, lines=("Ok",)), 1), (NEVER, 0), (LATER, 0)])
def test_an_answer_that_can_not_be_recorded_is_told_apart_from_no_answer(
    tmp_path: Path, answer: Reply, taken: int
) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            house.relay.answers = {JORDAN: answer}

            async def fail(*_: object, **__: object) -> None:
                raise StoreFull

            house.store.finish_release = fail  # type: ignore[method-assign,assignment]
            house.store.abandon_release = fail  # type: ignore[method-assign,assignment]
            with pytest.raises(NotRecorded) as caught:
                await house.decide.release(ref, by="w-tremblay", reason="fine")
            assert caught.value.taken == taken
            assert (await house.store.held(ref)).may_be_delivered

    run(story)


def test_a_letter_that_can_not_be_written_stops_the_release_before_anything_is_sent(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house)
            with pytest.raises(UnicodeError):
                await house.decide.release(ref, by="w-tremblay", reason="caf\udce9")
            assert house.relay.sent == []
            assert (await house.store.held(ref)).state is HoldState.HELD

    run(story)


def test_a_sender_is_told_of_the_release_even_if_the_last_recipient_refuses_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with flows(tmp_path) as house:
            ref = await hold_one(house, JORDAN, MINA)
            house.relay.answers = {MINA: LATER}
            await house.decide.release(ref, by="w-tremblay", reason="fine")
            house.relay.answers = {MINA: NEVER}
            assert (await house.decide.release(ref, by="w-tremblay", reason="fine")).decided is Decided.RELEASED
            assert [q.letter.kind for q in await house.store.due_letters(house.clock)] == ["released_sender"]

    run(story)
