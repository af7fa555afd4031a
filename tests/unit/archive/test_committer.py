"""The committer: groups, savepoints, errors for all or for one, and its guards."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from gateway.archive.committer import Committer
from gateway.archive.database import Connection, Database, told
from gateway.message.errors import MachineryFailed, StoreFull
from tests.unit.archive.records import a_vault

WAIT_S = 30


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "store.sqlite", a_vault())
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def committer(database: Database) -> Iterator[Committer]:
    committer = Committer(database)
    committer.start()
    yield committer
    committer.close()


def tell(connection: Connection, file: str) -> str:
    row = {"file": file, "language": "en", "first_at": "1", "last_at": "1"}
    connection.execute(told.insert(), row)
    return file


def files(database: Database) -> list[str]:
    return database.read(lambda connection: [row.file for row in connection.execute(told.select())])


def in_one_group(committer: Committer, *works: object) -> list[Future[object]]:
    """The works queued while the committer is busy, so that it takes them together."""
    gate, entered = threading.Event(), threading.Event()

    def block(_connection: Connection) -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    first = committer.submit(block)
    assert entered.wait(WAIT_S)
    futures = [committer.submit(work) for work in works]  # type: ignore[arg-type]
    gate.set()
    first.result(WAIT_S)
    return futures


def test_a_write_has_its_result_after_commit(committer: Committer, database: Database) -> None:
    assert committer.submit(lambda c: tell(c, "C-1")).result(WAIT_S) == "C-1"
    assert files(database) == ["C-1"]


def test_what_waits_is_committed_together(committer: Committer, database: Database) -> None:
    transactions: list[object] = []

    def work(connection: Connection) -> None:
        outer = connection.get_transaction()
        if not any(outer is seen for seen in transactions):
            transactions.append(outer)

    for future in in_one_group(committer, *[work] * 50):
        future.result(WAIT_S)
    assert len(transactions) == 1


def test_a_refused_write_undoes_itself_alone(committer: Committer, database: Database) -> None:
    def refused(connection: Connection) -> None:
        tell(connection, "C-half")
        raise StoreFull

    good, bad, other = in_one_group(committer, lambda c: tell(c, "C-1"), refused, lambda c: tell(c, "C-2"))
    assert (good.result(WAIT_S), other.result(WAIT_S)) == ("C-1", "C-2")
    assert isinstance(bad.exception(WAIT_S), StoreFull)
    assert files(database) == ["C-1", "C-2"]


def test_a_row_twice_is_refused_alone(committer: Committer, database: Database) -> None:
    first, second, third = in_one_group(
        committer, lambda c: tell(c, "C-1"), lambda c: tell(c, "C-1"), lambda c: tell(c, "C-2")
    )
    assert first.result(WAIT_S) == "C-1"
    assert third.result(WAIT_S) == "C-2"
    error = second.exception(WAIT_S)
    assert isinstance(error, MachineryFailed)
    assert error.cause == "already in the store"


def test_a_fault_in_a_write_stops_neither_its_neighbours_nor_the_thread(
    committer: Committer, database: Database
) -> None:
    def faulty(connection: Connection) -> None:
        tell(connection, "C-half")
        raise ZeroDivisionError("text of a body")

    bad, good = in_one_group(committer, faulty, lambda c: tell(c, "C-1"))
    assert good.result(WAIT_S) == "C-1"
    error = bad.exception(WAIT_S)
    assert isinstance(error, MachineryFailed)
    assert error.context == {"fault": "ZeroDivisionError"}
    assert "text of a body" not in f"{error} {error.context}"
    assert files(database) == ["C-1"]


def test_an_error_of_the_database_goes_to_every_waiting_caller_and_the_next_write_works(
    committer: Committer, database: Database
) -> None:
    def broken(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT * FROM no_such_table")

    futures = in_one_group(committer, lambda c: tell(c, "C-1"), broken, lambda c: tell(c, "C-2"))
    errors = [future.exception(WAIT_S) for future in futures]
    assert all(isinstance(error, MachineryFailed) for error in errors)
    assert len({id(error) for error in errors}) == 3
    assert files(database) == []
    assert committer.submit(lambda c: tell(c, "C-3")).result(WAIT_S) == "C-3"
    assert files(database) == ["C-3"]


def test_a_transaction_that_can_not_begin_is_the_callers_error_not_the_threads_end(
    committer: Committer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writing() -> object:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(database, "writing", writing)
        error = committer.submit(lambda c: tell(c, "C-1")).exception(WAIT_S)
    assert isinstance(error, MachineryFailed)
    assert committer.submit(lambda c: tell(c, "C-2")).result(WAIT_S) == "C-2"


def test_a_write_cancelled_before_its_turn_is_not_done(committer: Committer, database: Database) -> None:
    gate, entered = threading.Event(), threading.Event()

    def block(_connection: Connection) -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    committer.submit(block)
    assert entered.wait(WAIT_S)
    cancelled = committer.submit(lambda c: tell(c, "C-1"))
    kept = committer.submit(lambda c: tell(c, "C-2"))
    assert cancelled.cancel()
    gate.set()
    kept.result(WAIT_S)
    assert files(database) == ["C-2"]


def test_tasks_of_a_group_are_woken_with_their_own_results_and_errors(committer: Committer, database: Database) -> None:
    def refused(connection: Connection) -> None:
        tell(connection, "C-half")
        raise StoreFull

    async def write() -> list[object]:
        works = (lambda c: tell(c, "C-1"), refused, lambda c: tell(c, "C-2"))
        return await asyncio.gather(*(committer.write(work) for work in works), return_exceptions=True)

    first, second, third = asyncio.run(write())
    assert (first, third) == ("C-1", "C-2")
    assert isinstance(second, StoreFull)
    assert files(database) == ["C-1", "C-2"]


def test_a_task_that_gave_up_and_a_loop_that_ended_hold_nobody_up(committer: Committer, database: Database) -> None:
    gate, entered = threading.Event(), threading.Event()

    def block(_connection: Connection) -> None:
        entered.set()
        assert gate.wait(WAIT_S)

    async def give_up() -> None:
        writing = asyncio.create_task(committer.write(block))
        await asyncio.to_thread(entered.wait, WAIT_S)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    asyncio.run(give_up())
    gate.set()
    assert committer.submit(lambda c: tell(c, "C-1")).result(WAIT_S) == "C-1"
    assert files(database) == ["C-1"]


def test_closing_commits_what_waits_and_takes_no_more(database: Database) -> None:
    committer = Committer(database)
    committer.start()
    futures = [committer.submit(lambda c, file=f"C-{n}": tell(c, file)) for n in range(20)]  # type: ignore[misc]
    committer.close()
    assert all(future.done() and future.exception() is None for future in futures)
    late = committer.submit(lambda c: tell(c, "C-late"))
    assert isinstance(late.exception(WAIT_S), MachineryFailed)
    assert not committer.is_alive
    with pytest.raises(MachineryFailed):
        asyncio.run(committer.write(lambda c: tell(c, "C-late")))
    committer.close()
    assert len(files(database)) == 20
