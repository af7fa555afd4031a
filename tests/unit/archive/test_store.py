"""The store from outside: filing, holds, letters, the client's file, recovery. A real SQLite file, no server."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.archive import bodies
from gateway.archive.bodies import Loose
from gateway.archive.bucket import STRAY_AGE
from gateway.archive.database import Database
from gateway.archive.model import AuditEntry, LetterState, Record, Stage
from gateway.archive.places import Folder
from gateway.archive.states import MessageState, RecordNotOpen, RecordUnknown
from gateway.archive.store import RELEASE_LEASE, Store
from gateway.holding.model import Outcome
from gateway.holding.refs import ref_of
from gateway.holding.states import HoldNotOpen, HoldState, HoldUnknown
from gateway.message.errors import MachineryFailed, StoreFull
from gateway.people.model import Direction
from gateway.policy.verdict import Action
from tests.unit.archive.records import JORDAN, NOON, SAM, a_hold, a_letter, a_record, a_verdict, later

LARGE = random.Random(3).randbytes(bodies.LARGE_BYTES * 2)
TestOfStore = Callable[[Store], Awaitable[None]]


def run(folder: Path, test: TestOfStore, *, reserve_bytes: int = 0) -> None:
    """Run a test on a store opened as the serving gateway."""

    async def opened() -> None:
        async with await Store.open(folder / "var", is_gateway=True, reserve_bytes=reserve_bytes) as store:
            await test(store)

    asyncio.run(opened())


async def held(store: Store, record: Record) -> str:
    hold = a_hold(record)
    await store.hold(record, hold)
    return hold.ref


# Messages


def test_a_filed_message_comes_back_whole(tmp_path: Path) -> None:
    record = a_record(files=("C-2", "C-1"), verdict=a_verdict(Action.NOTE, "tip.warmth"))

    async def test(store: Store) -> None:
        await store.file_sending(record)
        stored = await store.record("m-1")
        assert (stored.state, stored.reply_code, stored.ref) == (MessageState.SENDING, None, ref_of("m-1"))
        assert (stored.received_at, stored.direction, stored.worker_id) == (NOON, Direction.OUTBOUND, "s-okafor")
        assert (stored.envelope, stored.session) == (record.envelope, record.session)
        assert stored.client_files == ("C-1", "C-2")
        assert (stored.verdict.action, stored.verdict.policy) == ("note", "renison-2013@1")
        assert [reason.rule for reason in stored.verdict.reasons] == ["tip.warmth"]
        assert await store.body("m-1", Stage.RECEIVED) == record.received
        assert await store.body("m-1", Stage.DELIVERED) == record.delivered
        assert await store.record(stored.ref.lower()) == stored

    run(tmp_path, test)


def test_a_message_that_is_delivered_as_it_came_is_readable_in_both_forms(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record(received=b"same", delivered=b"same"))
        assert [await store.body("m-1", stage) for stage in Stage] == [b"same", b"same"]
        assert not (await store.record("m-1")).is_amended

    run(tmp_path, test)


@pytest.mark.parametrize("large", [LARGE, b"compresses well " * 100_000])
def test_a_large_message_comes_back_whole(large: bytes, tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record(received=large))
        assert await store.body("m-1", Stage.RECEIVED) == large
        assert (await store.verify()).damages == ()

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("act", "state", "code", "listed_as", "is_in_file"),
    [
        (lambda store: store.mark_sent("m-1", 250, later(1)), "sent", 250, "sent", True),
        (lambda store: store.mark_refused("m-1", 550, later(1)), "refused", 550, "not sent: refused by the next server",
         False),
        (lambda store: store.mark_unconfirmed("m-1", later(1)), "unconfirmed", None, "unconfirmed", True),
    ],
)  # fmt: skip
def test_what_became_of_a_message_is_marked_once(
    act: Callable[[Store], Awaitable[None]],
    state: str,
    code: int | None,
    listed_as: str,
    is_in_file: bool,
    tmp_path: Path,
) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record())
        await act(store)
        stored = await store.record("m-1")
        assert (stored.state.value, stored.reply_code, stored.state_at) == (state, code, later(1))
        assert (stored.listed_as, stored.is_in_client_file) == (listed_as, is_in_file)
        with pytest.raises(RecordNotOpen):
            await store.mark_sent("m-1", 250, later(2))

    run(tmp_path, test)


def test_a_message_that_is_not_there_can_not_be_marked_or_read(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        for wait in (store.mark_sent("m-9", 250, NOON), store.record("m-9"), store.body("m-\udcff", Stage.RECEIVED)):
            with pytest.raises(RecordUnknown):
                await wait

    run(tmp_path, test)


def test_an_id_is_filed_once_and_the_first_stays(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        for first, second in ((b"first", b"second"), (LARGE, LARGE[::-1])):
            record_id = f"m-{len(first)}"
            await store.file_sending(a_record(record_id, received=first))
            with pytest.raises(MachineryFailed):
                await store.file_sending(a_record(record_id, received=second))
            assert await store.body(record_id, Stage.RECEIVED) == first
        assert (await store.verify()).damages == ()

    run(tmp_path, test)


def test_the_notice_counts_as_told_only_when_the_message_went_out(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        for number, language in enumerate(("en", "en", "fr")):
            await store.file_sending(a_record(f"m-{number}", notice_language=language))
        assert await store.told("C-1042") == ()
        for number in range(2):
            await store.mark_sent(f"m-{number}", 250, later(number))
        await store.mark_refused("m-2", 550, later(5))
        (told,) = await store.told("C-1042")
        assert (told.language, told.first_at, told.last_at) == ("en", later(0), later(1))

    run(tmp_path, test)


def test_a_clients_file_has_sent_and_received_mail_in_order_and_the_rest_apart(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record("m-2", minutes=2, direction=Direction.INBOUND))
        await store.file_sending(a_record("m-1", minutes=1))
        await store.file_sending(a_record("m-3", minutes=3))
        await store.file_sending(a_record("m-4", minutes=4, files=("C-7",)))
        await store.file_not_sent(a_record("m-5", minutes=5), [a_letter()])
        await held(store, a_record("m-6", minutes=6))
        for record_id in ("m-1", "m-2", "m-4"):
            await store.mark_sent(record_id, 250, later(9))
        await store.mark_refused("m-3", 451, later(9))
        listed = await store.client_file("C-1042")
        assert [(entry.id, entry.listed_as) for entry in listed.entries] == [("m-1", "sent"), ("m-2", "received")]
        assert [entry.id for entry in listed.not_sent] == ["m-3", "m-5", "m-6"]
        assert [entry.id for entry in await store.records(limit=2)] == ["m-5", "m-6"]
        assert (await store.client_file("C-none\udcff")).entries == ()
        assert await store.counts() == {
            "messages.sent": 3, "messages.refused": 1, "messages.not_sent": 1, "messages.held": 1,
            "holds.held": 1, "letters.waiting": 1,
        }  # fmt: skip

    run(tmp_path, test)


# Holds


def test_a_hold_its_message_and_its_letters_come_together(tmp_path: Path) -> None:
    record = a_record(verdict=a_verdict(Action.HOLD, "clinical.to_client", "personal.family"))

    async def test(store: Store) -> None:
        hold = a_hold(record)
        await store.hold(record, hold, [a_letter("l-1", about="m-1"), a_letter("l-2", about="m-1")])
        (listed,) = await store.holds()
        assert listed == await store.held(hold.ref.lower()) == await store.held("m-1")
        assert (listed.state, listed.supervisor) == (HoldState.HELD, "w-tremblay")
        assert (listed.created_at, listed.expires_at) == (hold.created_at, hold.expires_at)
        assert listed.rules == ("clinical.to_client", "personal.family")
        assert listed.record.state is MessageState.HELD
        assert [queued.letter.id for queued in await store.letters_about("m-1")] == ["l-1", "l-2"]
        assert [entry.what for entry in await store.audit(ref=hold.ref)] == ["held"]

    run(tmp_path, test)


def test_a_hold_whose_letter_can_not_be_queued_is_not_there_at_all(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.enqueue([a_letter("l-1")])
        record = a_record()
        with pytest.raises(MachineryFailed):
            await store.hold(record, a_hold(record), [a_letter("l-1")])
        assert await store.holds() == ()
        assert await store.records() == ()

    run(tmp_path, test)


def test_a_release_gives_the_amended_bytes_and_files_the_message(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        record = a_record(recipients=(JORDAN, SAM), notice_language="fr")
        ref = await held(store, record)
        release = await store.begin_release(ref.lower(), by="w-tremblay", why="fine with me", at=later(10))
        assert (release.content, release.envelope) == (record.delivered, record.envelope)
        assert release.hold.state is HoldState.RELEASING
        outcomes = [Outcome(address=JORDAN, code=250), Outcome(address=SAM, code=550)]
        await store.finish_release(ref, at=later(11), outcomes=outcomes, letters=[a_letter(about="m-1")])
        hold = await store.held(ref)
        assert (hold.state, hold.decided_by, hold.why) == (HoldState.RELEASED, "w-tremblay", "fine with me")
        assert hold.decided_at == later(10)
        assert (hold.outcomes, hold.pending) == (tuple(outcomes), ())
        assert (hold.record.state, hold.record.reply_code) == (MessageState.RELEASED, 250)
        assert [entry.listed_as for entry in (await store.client_file("C-1042")).entries] == ["sent after review"]
        assert await store.told("C-1042") == ()  # one reader was refused, and the store can't say whose file that is
        trail = [(entry.who, entry.what, entry.why) for entry in await store.audit(message_id="m-1")]
        assert trail == [
            ("gateway", "held", ""),
            ("w-tremblay", "release begun", "fine with me"),
            ("gateway", "released", "1 of 2 recipients accepted"),
        ]

    run(tmp_path, test)


def test_a_release_that_the_next_hop_refuses_is_not_in_the_clients_file(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record(notice_language="en"))
        await store.begin_release(ref, by="w-tremblay", why="fine", at=later(1))
        await store.finish_release(ref, at=later(2), outcomes=[Outcome(address=JORDAN, code=550)])
        assert (await store.record("m-1")).state is MessageState.REFUSED
        assert (await store.client_file("C-1042")).entries == ()
        assert await store.told("C-1042") == ()

    run(tmp_path, test)


def test_an_abandoned_release_can_be_tried_again_for_those_without_an_answer(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record(recipients=(JORDAN, SAM)))
        await store.begin_release(ref, by="w-tremblay", why="fine", at=later(1))
        tried = [Outcome(address=JORDAN, code=250), Outcome(address=SAM, code=451)]
        await store.abandon_release(ref, why="next hop down", at=later(2), outcomes=tried)
        assert (await store.held(ref)).state is HoldState.HELD
        again = await store.begin_release(ref, by="w-tremblay", why="again", at=later(3))
        assert [recipient.address for recipient in again.envelope.recipients] == [SAM]
        await store.finish_release(ref, at=later(4), outcomes=[Outcome(address=SAM, code=250)])
        assert [outcome.code for outcome in (await store.held(ref)).outcomes] == [250, 250]

    run(tmp_path, test)


def test_of_two_people_who_release_at_once_one_succeeds(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record())
        tries = [store.begin_release(ref, by=f"w-{n}", why="fine", at=later(1)) for n in range(8)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(result, HoldNotOpen) for result in results) == 7
        assert sum(not isinstance(result, BaseException) for result in results) == 1

    run(tmp_path, test)


@pytest.mark.parametrize("decision", ["return", "expire"])
def test_a_draft_that_is_not_released_never_enters_the_clients_file(decision: str, tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record(notice_language="en"))
        letters = [a_letter(about="m-1")]
        if decision == "return":
            hold = await store.return_hold(ref, by="w-tremblay", why="ask \udce9", at=later(5), letters=letters)
            assert (hold.state, hold.why, hold.record.state) == (HoldState.RETURNED, "ask ?", "returned")
        else:
            await store.expire_hold(ref, at=later(5), letters=letters)
            assert (await store.held(ref)).record.state is MessageState.EXPIRED
        assert (await store.client_file("C-1042")).entries == ()
        assert await store.told("C-1042") == ()
        assert await store.holds() == ()
        assert len(await store.letters_about("m-1")) == 1
        for late in (
            store.begin_release(ref, by="w", why="", at=later(6)),
            store.return_hold(ref, by="w", why="", at=later(6)),
            store.expire_hold(ref, at=later(6)),
            store.finish_release(ref, at=later(6)),
            store.abandon_release(ref, why="", at=later(6)),
        ):
            with pytest.raises(HoldNotOpen):
                await late

    run(tmp_path, test)


def test_a_draft_returned_after_it_reached_one_recipient_is_in_the_clients_file(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record(recipients=(JORDAN, SAM)))
        await store.begin_release(ref, by="w", why="fine", at=later(1))
        await store.abandon_release(ref, why="lost", at=later(2), outcomes=[Outcome(address=JORDAN, code=250)])
        hold = await store.return_hold(ref, by="w", why="no", at=later(3))
        assert (hold.state, hold.record.state) == (HoldState.RETURNED, MessageState.RELEASED)

    run(tmp_path, test)


def test_a_hold_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        for wait in (
            store.held("0000000000"),
            store.begin_release("nonsense\udcff", by="w", why="", at=NOON),
            store.expire_hold("0000000000", at=NOON),
        ):
            with pytest.raises(HoldUnknown):
                await wait

    run(tmp_path, test)


# Letters


def test_letters_wait_are_tried_again_and_end(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.enqueue([a_letter(f"l-{n}", minutes=n) for n in range(4)])
        due = await store.due_letters(later(1))
        assert [(queued.letter, queued.tries) for queued in due] == [
            (a_letter("l-0", minutes=0), 0), (a_letter("l-1", minutes=1), 0)
        ]  # fmt: skip
        await store.letter_failed("l-0", later(30), code=451)
        await store.letter_sent("l-1", 250)
        await store.letter_refused("l-2", 550)
        await store.letter_expired("l-3")
        assert await store.due_letters(later(29)) == ()
        (again,) = await store.due_letters(later(30))
        assert (again.letter.id, again.tries, again.state) == ("l-0", 1, LetterState.WAITING)
        assert await store.counts() == {f"letters.{state}": 1 for state in ("waiting", "sent", "refused", "expired")}

    run(tmp_path, test)


def test_no_more_letters_are_given_than_asked_for(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.enqueue([a_letter(f"l-{n}") for n in range(5)])
        await store.enqueue([])
        assert len(await store.due_letters(NOON, limit=2)) == 2

    run(tmp_path, test)


# The store itself


def test_what_a_killed_gateway_was_sending_becomes_unconfirmed(tmp_path: Path) -> None:
    async def before(store: Store) -> None:
        await store.file_sending(a_record("m-1"))
        await store.file_sending(a_record("m-2"))
        await store.mark_sent("m-2", 250, NOON)

    async def after(store: Store) -> None:
        found = await store.recover(later(9))
        assert (found.unconfirmed, found.releases, found.stray_files) == (1, 0, 0)
        assert [entry.listed_as for entry in await store.records()] == ["unconfirmed", "sent"]
        assert (await store.recover(later(10))).unconfirmed == 0

    run(tmp_path, before)
    run(tmp_path, after)


def test_a_release_that_never_ended_is_given_back_when_its_time_is_over(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        ref = await held(store, a_record())
        await store.begin_release(ref, by="w", why="fine", at=NOON)
        assert (await store.recover(NOON + RELEASE_LEASE)).releases == 0
        assert (await store.recover(later(1) + RELEASE_LEASE)).releases == 1
        assert (await store.held(ref)).state is HoldState.HELD

    run(tmp_path, test)


def aged(folder: Path) -> None:
    long_ago = (datetime.now(tz=UTC) - STRAY_AGE - timedelta(minutes=1)).timestamp()
    for path in folder.iterdir():
        os.utime(path, (long_ago, long_ago))


def test_a_start_beside_a_command_that_files_lets_its_body_be(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        async with await Store.open(tmp_path / "var") as shell:
            swept: list[int] = []
            put = Folder.put

            async def put_and_start(place: Folder, bodies: Sequence[Loose]) -> None:
                await put(place, bodies)
                swept.append((await store.recover(NOON)).stray_files)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Folder, "put", put_and_start)
                await shell.file_sending(a_record(received=LARGE))
        assert swept == [0]
        assert await store.body("m-1", Stage.RECEIVED) == LARGE

    run(tmp_path, test)


def test_recovery_takes_stray_files_away_and_keeps_the_others(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record(received=LARGE))
        stray = tmp_path / "var" / "large" / "0000000000-received.sealed"
        stray.write_bytes(b"x")
        assert (await store.recover(NOON)).stray_files == 0  # its row may be on the way
        aged(stray.parent)
        assert (await store.recover(NOON)).stray_files == 1
        assert await store.body("m-1", Stage.RECEIVED) == LARGE

    run(tmp_path, test)


def test_a_body_put_by_a_process_that_was_killed_before_its_row_is_not_in_the_way(tmp_path: Path) -> None:
    record = a_record(received=LARGE)

    async def test(store: Store) -> None:
        await Folder(tmp_path / "var" / "large").put(bodies.pack(record).loose)
        await store.file_sending(record)
        assert await store.body("m-1", Stage.RECEIVED) == LARGE
        aged(tmp_path / "var" / "large")
        assert (await store.recover(NOON)).stray_files == 2
        assert (await store.verify()).is_sound

    run(tmp_path, test)


def test_only_the_serving_gateway_recovers(tmp_path: Path) -> None:
    async def test() -> None:
        async with await Store.open(tmp_path) as store:
            with pytest.raises(MachineryFailed):
                await store.recover(NOON)

    asyncio.run(test())


def test_a_second_gateway_on_the_same_store_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    async def test() -> None:
        async with await Store.open(tmp_path, is_gateway=True):
            with pytest.raises(MachineryFailed):
                await Store.open(tmp_path, is_gateway=True)
            async with await Store.open(tmp_path) as beside:
                assert await beside.records() == ()
        async with await Store.open(tmp_path, is_gateway=True) as second:
            assert second.health().is_alive

    asyncio.run(test())


def test_the_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record(received=LARGE))

    run(tmp_path, test)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in [tmp_path / "var", *(tmp_path / "var").rglob("*")]}
    assert modes == {True: 0o700, False: 0o600}


def test_a_message_that_would_eat_the_reserve_is_refused_while_marks_still_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(store: Store) -> None:
        await store.file_sending(a_record())
        monkeypatch.setattr(Database, "free_bytes", lambda _: 1_000_000)
        with pytest.raises(StoreFull):
            await store.file_sending(a_record("m-2"))
        await store.mark_sent("m-1", 250, NOON)
        assert store.health().free_bytes == 1_000_000
        monkeypatch.undo()
        await store.file_sending(a_record("m-3"))
        assert [entry.id for entry in await store.records()] == ["m-1", "m-3"]

    run(tmp_path, test, reserve_bytes=1_000_000)


def test_a_full_disk_at_commit_leaves_no_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(store: Store) -> None:
        def full(*_: object) -> None:
            raise StoreFull

        monkeypatch.setattr("gateway.archive.writes.file_record", full)
        with pytest.raises(StoreFull):
            await store.file_sending(a_record(received=LARGE))
        assert list((tmp_path / "var" / "large").iterdir()) == []

    run(tmp_path, test)


def test_a_closed_store_takes_nothing_and_says_so(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await store.close()
        assert not store.health().is_alive
        with pytest.raises(MachineryFailed):
            await store.file_sending(a_record())

    run(tmp_path, test)


def test_audit_entries_are_found_by_what_they_are_about(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        view = AuditEntry(at=NOON, who="r-lee", what="viewed", why="access request", message_id="m-1", file="C-1042")
        await store.write_audit(view)
        await store.write_audit(AuditEntry(at=later(1), who="r-\udcff", what="viewed", file="C-7"))
        assert await store.audit(file="C-1042") == await store.audit(message_id="m-1") == (view,)
        assert [entry.who for entry in await store.audit()] == ["r-lee", "r-?"]

    run(tmp_path, test)
