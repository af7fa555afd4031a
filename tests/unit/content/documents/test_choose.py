"""Which parts are opened, and what is said of them."""

from __future__ import annotations

import base64

import pytest

from gateway.content.documents.choose import (
    documents_of,
    findings_of_document,
    name_of_document,
    readable_name,
    text_of_document,
)
from gateway.content.documents.model import Opened, Picture
from gateway.content.finding import Category, Matter
from gateway.message.model import Message, ZoneKind
from gateway.message.parse import parse
from tests.documents.mail import a_zip

ENCRYPTED = (
    b"Content-Type: multipart/encrypted; boundary=c\r\n\r\n--c\r\n"
    b"Content-Type: application/octet-stream\r\n\r\nx\r\n--c--"
)
ZIP = base64.b64encode(a_zip({"a.txt": b"hello"}))


def _message(*parts: bytes) -> Message:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    head = b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    return parse(head + body + b"--b--\r\n")


def _part(content_type: str, body: bytes, *, encoding: str = "7bit", name: str = "") -> bytes:
    disposition = f'Content-Disposition: attachment; filename="{name}"\r\n' if name else ""
    return f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{disposition}\r\n".encode() + body


@pytest.mark.parametrize(
    ("part", "is_opened"),
    [
        (_part("text/plain", b"hello"), False),
        (_part("text/html", b"<p>hello"), False),
        (_part("text/csv", b"a,b", name="a.csv"), False),
        (_part("text/plain", b"%PDF-1.4 not text"), True),
        (_part("text/plain", ZIP, encoding="base64"), True),
        (_part("text/rtf", b"{\\rtf1 hello}"), True),
        (_part("text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR"), True),
        (_part("application/pdf", b"%PDF-1.4"), True),
        (_part("application/octet-stream", ZIP, encoding="base64"), True),
        (_part("image/png", b"\x89PNG"), True),
        (_part("application/x-unheard-of", b"x"), True),
        (_part("message/rfc822", b"From: a@b.example\r\n\r\nhi"), True),
        (_part("message/delivery-status", b"Reporting-MTA: dns; a"), False),
        (_part("application/pkcs7-signature", b"x"), False),
        (_part("application/pgp-signature", b"x"), False),
        (_part("application/pkcs7-mime", b"x"), False),
        (_part("application/pdf", b""), False),
        (ENCRYPTED, False),
    ],
)  # fmt: skip
def test_what_holds_words_that_nobody_has_read_is_opened(part: bytes, is_opened: bool) -> None:
    assert bool(documents_of(_message(part))) is is_opened


def test_a_document_bears_the_name_and_the_path_of_its_part() -> None:
    named, unnamed = documents_of(
        _message(_part("application/pdf", b"%PDF", name="plan.pdf"), _part("application/pdf", b"%PDF"))
    )
    assert (named.where, named.part, named.name) == ("attachment:plan.pdf", (1,), "plan.pdf")
    assert (unnamed.where, unnamed.part, unnamed.name) == ("attachment:part 2", (2,), "")


def test_what_is_in_a_part_that_was_read_as_text_too_has_a_place_apart() -> None:
    message = _message(
        _part("message/rfc822", b"From: a@b.example\r\n\r\nhi", name="a.eml"),
        _part("text/calendar", b"BEGIN:VCALENDAR\r\nSUMMARY:x\r\nEND:VCALENDAR", name="b.ics"),
    )
    documents = documents_of(message)
    assert [(document.where, document.part) for document in documents] == [
        ("attachment:a.eml", (1, 0)),
        ("attachment:b.ics", (2, 0)),
    ]
    assert {(text.where, text.part) for text in message.texts} == {
        ("attachment:a.eml", (1,)),
        ("attachment:b.ics", (2,)),
    }


def test_the_text_of_a_document_is_new_from_end_to_end() -> None:
    (document,) = documents_of(_message(_part("application/pdf", b"%PDF", name="plan.pdf")))
    text = text_of_document(document, Opened(text="On Monday\n> a\n> b\n"), 100)
    assert text is not None
    assert (text.where, text.zone_at(12)) == ("attachment:plan.pdf", ZoneKind.NEW)
    assert text_of_document(document, Opened(text="On Monday"), 2).text == "On"  # type: ignore[union-attr]
    assert text_of_document(document, Opened(text="On Monday"), 0) is None
    assert text_of_document(document, Opened(text=" \n"), 100) is None


def test_the_name_of_a_file_is_a_text_of_its_header() -> None:
    named, unnamed = documents_of(
        _message(_part("application/pdf", b"%PDF", name="Sam_Ito-plan.pdf"), _part("application/pdf", b"%PDF"))
    )
    text = name_of_document(named)
    assert text is not None
    assert (text.where, text.text) == ("header:Content-Disposition", "Sam Ito plan.pdf")
    assert name_of_document(unnamed) is None


def test_pictures_and_troubles_become_findings() -> None:
    (document,) = documents_of(_message(_part("application/pdf", b"%PDF", name="plan.pdf")))
    picture = Picture(score=0.9, reason="photograph.camera", size="3 by 4 pixels", digest="ab", taken="taken today")
    photo, locked, odd = findings_of_document(
        document, Opened(pictures=(picture,), troubles=("unscannable.encrypted", "no such trouble"))
    )
    assert (photo.matter, photo.score, photo.text) == (Matter.PHOTOGRAPH, 0.9, "taken today")
    assert "ab" in photo.explanation
    assert "today" not in repr(photo)
    assert (locked.category, locked.where) == (Category.UNSCANNABLE, "attachment:plan.pdf")
    assert odd.reason == "unscannable.broken"


def test_a_readable_name_is_short_and_of_words() -> None:
    assert readable_name("../a/b_c-d+e.txt") == ".. a b c d e.txt"
    assert len(readable_name("x" * 5000)) == 300
    assert readable_name("") == ""
