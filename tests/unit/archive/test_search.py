"""The index against a search that looks at every message: words, files, days, persons and pages of any size."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.archive import index, search
from gateway.archive.index import Terms, person_term, word_term
from gateway.archive.indexing import Indexing
from gateway.archive.life_model import LifeRefused
from gateway.archive.search import Query
from gateway.archive.store import Store
from gateway.content.documents.reader import NOTHING, Attachments, DocumentReader
from gateway.message.model import Message, ReadableText, Zone, ZoneKind
from gateway.people.model import Direction
from tests.unit.archive.lives import a_life
from tests.unit.archive.lives import file as file_records
from tests.unit.archive.records import ADA, a_record, later

WORDS = ("quail", "heron", "finch", "raven", "stork")
FILES = ("C-0", "C-1", "C-2", "C-3", "C-4", "C-5", "C-6")
COUNT = 120


async def no_attachments(_message: Message) -> Attachments:
    return NOTHING


async def filled(store: Store, dice: random.Random) -> dict[str, tuple[frozenset[str], tuple[str, ...], int]]:
    """Records in random files with random words; each with its words, files and minute."""
    made: dict[str, tuple[frozenset[str], tuple[str, ...], int]] = {}
    records = []
    for number in range(COUNT):
        files = tuple(sorted(dice.sample(FILES, dice.choice((0, 1, 1, 1, 2)))))
        minute = dice.randrange(0, 60 * 24 * 40, 60)
        direction = dice.choice((Direction.INBOUND, Direction.OUTBOUND))
        records.append(a_record(f"m-{number:03d}", files=files, minutes=minute, direction=direction))
        words = frozenset(word for word in WORDS if dice.random() < 0.4)
        made[f"m-{number:03d}"] = (words | {direction.value}, files, minute)
    await asyncio.gather(*(store.file_sending(record) for record in records))
    while True:
        page = await store.ask(lambda c: index.waiting(c, 17))
        if page.upto <= page.after:
            return made
        terms = [
            Terms(
                record_id=entry.record_id,
                seq=entry.seq,
                terms=frozenset(map(word_term, made[entry.record_id][0])) | {person_term("s-okafor")},
            )
            for entry in page.records
        ]
        assert await store.transact(lambda c, page=page, terms=terms: index.write(c, page, terms))


async def every_id(store: Store, query: Query) -> list[str]:
    found: list[str] = []
    place = None
    while True:
        ids, place = await store.ask(lambda c, at=place: search.candidates(c, query, at))
        found += ids
        if place is None:
            return found


@pytest.mark.parametrize("page", [3, 7, 200])
def test_every_query_finds_what_looking_at_every_message_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(search, "PAGE", page)
    dice = random.Random(page)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            made = await filled(store, dice)
            for _ in range(60):
                wanted = dice.sample(WORDS, dice.randrange(4))
                file = dice.choice((None, None, *FILES))
                first, last = dice.choice(((None, None), (3, 20), (0, 5))) if dice.random() < 0.5 else (None, None)
                direction = dice.choice((None, None, *tuple(Direction)[:2]))
                people = (("nobody@x.example", "s-okafor"),) if dice.random() < 0.3 else ()
                start = date(2026, 10, 5)
                query = Query(
                    phrases=tuple((word,) for word in wanted),
                    people=people,
                    file=file,
                    first=None if first is None else start + timedelta(days=first),
                    last=None if last is None else start + timedelta(days=last),
                    direction=direction,
                )
                expected = {
                    name
                    for name, (words, files, minute) in made.items()
                    if words.issuperset(wanted)
                    and (file is None or file in files)
                    and (first is None or later(minute).date() >= start + timedelta(days=first))
                    and (last is None or later(minute).date() <= start + timedelta(days=last))
                    and (direction is None or direction.value in words)
                }
                found = await every_id(store, query)
                assert len(found) == len(set(found)), query
                assert set(found) == expected, query
                minutes = [made[name][2] for name in found]
                assert minutes == sorted(minutes, reverse=True), query

    asyncio.run(run())


def test_another_process_that_indexes_at_the_same_time_writes_nothing_twice(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1"))
            page = await store.ask(lambda c: index.waiting(c, 5))
            terms = [Terms(record_id="m-1", seq=page.records[0].seq, terms=frozenset({word_term("quail")}))]
            assert await store.transact(lambda c: index.write(c, page, terms))
            assert not await store.transact(lambda c: index.write(c, page, terms))
            assert await every_id(store, Query(phrases=(("quail",),))) == ["m-1"]

    asyncio.run(run())


def test_an_index_of_an_older_form_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1"))
            indexing = Indexing(store, no_attachments)
            assert await indexing.catch_up() == 1
            assert await indexing.catch_up() == 0
            monkeypatch.setattr(index, "FORM", 2)
            assert await indexing.catch_up() == 1
            assert [entry.id for entry in (await indexing.find(Query(phrases=(("thursday",),)))).records] == ["m-1"]

    asyncio.run(run())


def test_a_damaged_message_does_not_stop_the_index(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1"), a_record("m-2"))

            def spoil(connection: object) -> None:
                connection.exec_driver_sql("UPDATE bodies SET content = x'00' WHERE message_id = 'm-1'")  # type: ignore[attr-defined]

            await store.transact(spoil)
            found = await Indexing(store, no_attachments).find(Query(phrases=(("thursday",),)))
            assert [entry.id for entry in found.records] == ["m-2"]

    asyncio.run(run())


def test_the_words_of_attachments_are_found(tmp_path: Path) -> None:
    async def with_text(message: Message) -> Attachments:
        text = "the zephyrine plan"
        zones = (Zone(kind=ZoneKind.NEW, start=0, end=len(text)),)
        where = "attachment:plan.pdf"
        return Attachments(
            texts=(ReadableText(where=where, part=(1,), text=text, zones=zones, source_offsets=range(len(text))),)
        )

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1"))
            found = await Indexing(store, with_text).find(Query(phrases=(("zephyrine",), ("zephyrine", "plan"))))
            assert [entry.id for entry in found.records] == ["m-1"]

    asyncio.run(run())


def test_a_text_attachment_is_read_by_the_process_that_opens_them(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "plan"
    mail.set_content("See the file.")
    mail.add_attachment("<html><body><p>The marzipan plan</p></body></html>", subtype="html", filename="plan.html")
    reader = DocumentReader()

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1", received=mail.as_bytes().replace(b"\n", b"\r\n")))
            found = await Indexing(store, reader.read_in_thread).find(Query(phrases=(("marzipan",),)))
            assert [entry.id for entry in found.records] == ["m-1"]

    try:
        asyncio.run(run())
    finally:
        reader.close()


def test_who_stands_in_envelope_and_header_is_found_in_any_spelling(tmp_path: Path) -> None:
    raw = b"From: Ada <Ada.Okafor@agency.example>\r\nCc: Sam <sam.lee@MAIL.example>\r\nSubject: x\r\n\r\nHello.\r\n"

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1", received=raw))
            indexing = Indexing(store, no_attachments)
            for person in (ADA, "sam.lee@mail.example", "s-okafor", "jordan.reyes@mail.example"):
                assert len((await indexing.find(Query(people=((person,),)))).records) == 1
            assert (await indexing.find(Query(people=(("someone@mail.example",),)))).records == ()

    asyncio.run(run())


def test_a_merged_file_has_the_words_of_both(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await file_records(store, a_record("m-1", files=("C-1",)), a_record("m-2", files=("C-2",)))
            indexing = Indexing(store, no_attachments)
            query = Query(phrases=(("thursday",),), file="C-2")
            assert [entry.id for entry in (await indexing.find(query)).records] == ["m-2"]
            await a_life(store).merge("C-1", "C-2", by="r", reason="r", at=datetime.now(UTC))
            assert {entry.id for entry in (await indexing.find(query)).records} == {"m-1", "m-2"}
            with pytest.raises(LifeRefused):
                await indexing.find(replace(query, file="C-1"))

    asyncio.run(run())


def test_words_are_folded_as_the_index_has_them() -> None:
    assert index.phrases_in(["Médicaments", "deux mots", " - "]) == (("medicaments",), ("deux", "mots"))
