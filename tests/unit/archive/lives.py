"""Clients, people and a store with files whose time is over, for the tests of the life of a file. All are invented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

from gateway.archive.life import FileLife
from gateway.archive.life_model import Disposed, Person, Traces
from gateway.archive.model import Record
from gateway.archive.store import Store
from gateway.message.submission import Envelope
from gateway.people.model import Client
from gateway.policy.retention import RetentionRules
from tests.unit.archive.records import ADA, JORDAN, a_record

LONG_AGO = datetime(2015, 3, 1, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 5, 12, 0, tzinfo=UTC)
TODAY = date(2026, 10, 5)
NORA, LUC = Person(id="r-nadeau", name="Nora Nadeau"), Person(id="w-tremblay", name="Luc Tremblay")


def a_client(file: str = "C-1042", *addresses: str, born: date | None = None, retention: str | None = None) -> Client:
    """A past client of that file."""
    return Client(
        file=file, name="Jordan Reyes", addresses=addresses or (JORDAN,), is_past=True, born=born, retention=retention
    )


def an_old_record(record_id: str, *, at: datetime = LONG_AGO, is_inbound: bool = False, **more: object) -> Record:
    """A message of long ago; from the client if `is_inbound`."""
    from gateway.people.model import Direction

    record = replace(a_record(record_id, **more), received_at=at)  # type: ignore[arg-type]
    if is_inbound:
        envelope = Envelope(mail_from=JORDAN, recipients=a_record(recipients=(ADA,)).envelope.recipients)
        return replace(record, direction=Direction.INBOUND, envelope=envelope)
    return record


async def file(store: Store, *records: Record) -> None:
    """File those records as sent."""
    for record in records:
        await store.file_sending(record)
        await store.mark_sent(record.id, 250, record.received_at)


def a_life(store: Store, *clients: Client, rules: RetentionRules | None = None) -> FileLife:
    """The life of the files of a store, with those clients in people.yaml."""
    known: Mapping[str, Client] = {client.file: client for client in clients}
    return FileLife(store, rules or RetentionRules(), known.get)


async def dispose(life: FileLife, number: str, *, at: datetime = NOW) -> tuple[Disposed, Traces]:
    """Nora proposes and Luc confirms."""
    await life.propose(number, by=NORA, reason="its time is over", day=at.date(), at=at)
    return await life.confirm(number, by=LUC, day=at.date(), at=at, organisation="King Street Outreach")
