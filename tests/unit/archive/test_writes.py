"""Transactions taken step by step: what a step that fails half way leaves, and what the audit says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive import bodies, reads, writes
from gateway.archive.database import Connection, Database, DatabaseError
from gateway.archive.model import LetterState
from gateway.archive.states import MessageEvent, MessageState
from gateway.holding.model import UNDER_WAY, Outcome
from gateway.holding.refs import ref_of
from gateway.holding.states import HoldNotOpen
from tests.unit.archive.records import JORDAN, SAM, a_hold, a_letter, a_record, a_vault, later


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    database = Database(tmp_path / "store.sqlite", a_vault())
    database.migrate()
    with database.writing() as connection:
        yield connection
    database.close()


def filed(connection: Connection, folder: Path, state: MessageState = MessageState.SENDING) -> None:
    record = a_record(files=("C-1", "C-1", "C-2"), notice_language="en")
    writes.file_record(connection, record, bodies.pack(record), state)


def test_a_client_file_named_twice_is_filed_once(connection: Connection, tmp_path: Path) -> None:
    filed(connection, tmp_path)
    assert reads.record(connection, "m-1").client_files == ("C-1", "C-2")


@pytest.mark.parametrize("found", [None, '{"dmarc":{"result":"fail"}}'])
def test_what_was_found_about_the_origin_stays_beside_the_message(
    connection: Connection, tmp_path: Path, found: str | None
) -> None:
    record = a_record(authentication=found)
    writes.file_record(connection, record, bodies.pack(record), MessageState.SENDING)
    assert reads.record(connection, "m-1").authentication == found


def test_every_client_of_a_message_counts_as_told(connection: Connection, tmp_path: Path) -> None:
    filed(connection, tmp_path)
    writes.mark(connection, "m-1", MessageEvent.ACCEPTED, code=250, at=later(1))
    assert [reads.told_about(connection, file)[0].last_at for file in ("C-1", "C-2")] == [later(1)] * 2


def test_what_was_told_in_a_thread_is_remembered_for_that_thread_alone(connection: Connection, tmp_path: Path) -> None:
    record = a_record(files=("C-1", "C-2"), notice_language="fr", thread="t-1")
    writes.file_record(connection, record, bodies.pack(record), MessageState.SENDING)
    assert reads.tellings(connection, ("C-1", "C-2"), "t-1") == ()
    writes.mark(connection, "m-1", MessageEvent.ACCEPTED, code=250, at=later(1))
    for thread, threads in (("t-1", {"t-1"}), ("t-2", set()), (None, set())):
        found = reads.tellings(connection, ("C-1", "C-2", "C-3"), thread)
        assert {(entry.file, entry.language, entry.last_at) for entry in found} == {
            ("C-1", "fr", later(1)),
            ("C-2", "fr", later(1)),
        }
        assert all(entry.threads == threads for entry in found)


def test_the_same_thread_told_twice_is_one_entry(connection: Connection, tmp_path: Path) -> None:
    for number in (1, 2):
        record = a_record(f"m-{number}", files=("C-1",), notice_language="en", thread="t-1")
        writes.file_record(connection, record, bodies.pack(record), MessageState.SENDING)
        writes.mark(connection, f"m-{number}", MessageEvent.ACCEPTED, code=250, at=later(number))
    (found,) = reads.tellings(connection, ("C-1",), "t-1")
    assert (found.last_at, found.threads) == (later(2), {"t-1"})


@pytest.mark.parametrize(("second", "told_files"), [(250, ["C-1", "C-2"]), (550, [])])
def test_a_release_that_did_not_reach_every_reader_tells_nobody_for_certain(
    connection: Connection, tmp_path: Path, second: int, told_files: list[str]
) -> None:
    record = a_record(files=("C-1", "C-2"), notice_language="en", thread="t-1")
    hold = a_hold(record)
    writes.add_hold(connection, record, bodies.pack(record), hold, ())
    writes.begin_release(connection, hold.ref, by="w-tremblay", why="Fine.", at=later(1))
    outcomes = (Outcome(address=JORDAN, code=250), Outcome(address=SAM, code=second))
    writes.finish_release(connection, hold.ref, at=later(2), outcomes=outcomes)
    assert reads.record(connection, "m-1").state is MessageState.RELEASED
    assert [entry.file for entry in reads.tellings(connection, ("C-1", "C-2"), "t-1")] == told_files


def test_many_files_are_asked_for_in_pages(connection: Connection, tmp_path: Path) -> None:
    files = tuple(f"C-{number}" for number in range(1200))
    record = a_record(files=files, notice_language="en", thread="t-1")
    writes.file_record(connection, record, bodies.pack(record), MessageState.SENDING)
    writes.mark(connection, "m-1", MessageEvent.ACCEPTED, code=250, at=later(1))
    assert {entry.file for entry in reads.tellings(connection, files, "t-1")} == set(files)


def test_a_hold_of_another_reference_can_not_take_a_message_that_is_held(
    connection: Connection, tmp_path: Path
) -> None:
    record = a_record()
    packed = bodies.pack(record)
    writes.add_hold(connection, record, packed, a_hold(record), ())
    with pytest.raises(DatabaseError):
        writes.add_hold(connection, record, packed, a_hold(a_record("m-2")), ())


def test_a_form_without_its_message_can_not_be_stored(connection: Connection) -> None:
    with pytest.raises(DatabaseError):
        connection.exec_driver_sql("INSERT INTO bodies (message_id, stage) VALUES ('m-9', 'received')")


def test_the_audit_counts_recipients_and_names_none(connection: Connection, tmp_path: Path) -> None:
    record = a_record(recipients=(JORDAN, SAM))
    writes.add_hold(connection, record, bodies.pack(record), a_hold(record), ())
    ref = ref_of("m-1")
    writes.begin_release(connection, ref, by="w-tremblay", why="fine", at=later(1))
    outcomes = [Outcome(address=JORDAN, code=250), Outcome(address=SAM, code=550)]
    writes.finish_release(connection, ref, at=later(2), outcomes=outcomes)
    entries = reads.audit_entries(connection, ref=ref, message_id=None, file=None)
    assert entries[-1].why == "1 of 2 recipients accepted"
    assert "@" not in "".join(entry.why for entry in entries)


def test_the_audit_tells_what_a_release_that_was_cut_off_may_have_done(connection: Connection, tmp_path: Path) -> None:
    record = a_record(recipients=(JORDAN, SAM), notice_language="en")
    writes.add_hold(connection, record, bodies.pack(record), a_hold(record), ())
    ref = ref_of("m-1")
    for minute in (1, 5):
        writes.begin_release(connection, ref, by="w-tremblay", why="fine", at=later(minute))
        under_way = [Outcome(address=JORDAN, code=UNDER_WAY), Outcome(address=SAM, code=550)]
        writes.end_content(connection, ref, at=later(minute + 1), outcomes=under_way)
        if minute == 1:
            writes.abandon_release(connection, ref, why="lost", at=later(3), outcomes=())
    refused = [Outcome(address=JORDAN, code=550)]
    writes.finish_release(connection, ref, at=later(7), outcomes=refused)
    entries = reads.audit_entries(connection, ref=ref, message_id=None, file=None)
    assert [(entry.what, entry.why) for entry in entries[2:4]] == [
        ("content sent", ""),
        ("release abandoned", "lost; it may have been delivered"),
    ]
    assert entries[-1].why == "0 of 2 recipients accepted, 1 may have it"
    found = reads.record(connection, "m-1")
    assert (found.state, found.reply_code) == (MessageState.UNCONFIRMED, None)
    assert reads.told_about(connection, "C-1042") == ()


def test_the_content_of_a_hold_that_is_not_being_released_can_not_be_ended(
    connection: Connection, tmp_path: Path
) -> None:
    record = a_record()
    writes.add_hold(connection, record, bodies.pack(record), a_hold(record), ())
    with pytest.raises(HoldNotOpen):
        writes.end_content(connection, ref_of("m-1"), at=later(1), outcomes=())


def test_a_letter_that_has_left_the_queue_keeps_its_last_answer(connection: Connection) -> None:
    writes.enqueue(connection, [a_letter(about="m-1")])
    writes.postpone_letter(connection, "l-1", later(5), code=None)
    writes.end_letter(connection, "l-1", LetterState.REFUSED, code=550)
    (queued,) = reads.letters_about(connection, "m-1")
    assert (queued.state, queued.tries) == (LetterState.REFUSED, 2)
    assert reads.due_letters(connection, "9999", 10) == ()
