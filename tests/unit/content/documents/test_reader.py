"""The gateway's side: what is skipped, what is added up, and when it says that it can't."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.reader import NOTHING, Attachments, DocumentReader
from gateway.message.errors import MachineryFailed
from gateway.message.model import Message
from gateway.message.parse import parse
from tests.builders import JORDAN, a_message
from tests.documents.mail import a_docx, with_attachment
from tests.documents.sources import photograph


@pytest.fixture(scope="module")
def reader() -> Iterator[DocumentReader]:
    reader = DocumentReader()
    yield reader
    reader.close()


def _with(name: str, content: bytes) -> Message:
    return parse(with_attachment(a_message().to(JORDAN), name, content))


def test_the_texts_stand_behind_those_of_the_message(reader: DocumentReader) -> None:
    message = _with("a.docx", a_docx("Inside."))
    whole = reader.read(message).added_to(message)
    assert [text.where for text in whole.texts] == [
        "subject",
        "body",
        "header:Content-Disposition",
        "attachment:a.docx",
    ]
    assert whole.raw is message.raw
    assert NOTHING.added_to(message) is message


def test_a_message_without_attachments_starts_no_process() -> None:
    reader = DocumentReader()
    assert reader.read(parse(a_message().to(JORDAN).bytes())) == NOTHING
    assert asyncio.run(reader.read_in_thread(parse(a_message().to(JORDAN).bytes()))) == NOTHING
    assert reader._nursery is None


def test_a_known_picture_starts_no_process() -> None:
    photo = photograph((300, 200))
    reader = DocumentReader(known_pictures=frozenset({sha256(photo).hexdigest()}))
    assert reader.read(_with("a.jpg", photo)) == NOTHING
    assert reader._nursery is None


def test_the_characters_of_all_attachments_together_are_limited() -> None:
    reader = DocumentReader(limits=replace(DEFAULT, message_chars=10))
    try:
        found = reader.read(_with("a.txt.bin", b"A text of more than ten characters"))
    finally:
        reader.close()
    assert [text.text for text in found.texts][-1] == "A text of "
    assert [finding.reason for finding in found.findings] == ["unscannable.too_long"]


def test_an_attachment_that_is_too_large_is_not_even_sent() -> None:
    reader = DocumentReader(limits=replace(DEFAULT, max_bytes=10))
    found = reader.read(_with("a.bin", b"A text of more than ten characters"))
    assert [finding.reason for finding in found.findings] == ["unscannable.too_large"]
    assert reader._nursery is None


def test_a_thread_beside_the_loop_finds_the_same(reader: DocumentReader) -> None:
    message = _with("a.docx", a_docx("Inside."))
    assert asyncio.run(reader.read_in_thread(message)) == reader.read(message)


def test_too_many_messages_at_once_are_asked_to_come_again() -> None:
    reader = DocumentReader(at_once=1, limits=replace(DEFAULT, message_s=0.0))
    message = _with("a.docx", a_docx("Inside."))

    async def all_at_once() -> list[Attachments | BaseException]:
        return await asyncio.gather(*(reader.read_in_thread(message) for _ in range(12)), return_exceptions=True)

    came = asyncio.run(all_at_once())
    reader.close()
    failed = [result for result in came if isinstance(result, MachineryFailed)]
    assert len(failed) == 7
    assert {error.reply.code for error in failed} == {451}
    assert sum(isinstance(result, Attachments) for result in came) == 5


def test_where_no_process_can_be_started_the_machinery_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(MachineryFailed):
        DocumentReader().read(_with("a.docx", a_docx("Inside.")))


def test_a_closed_reader_opens_nothing() -> None:
    reader = DocumentReader()
    reader.close()
    with pytest.raises(MachineryFailed):
        reader.read(_with("a.docx", a_docx("Inside.")))
