"""One attachment as a whole: mail, calendars, markup, and the limits."""

from __future__ import annotations

import base64

from gateway.content.documents.limits import DEFAULT
from gateway.content.documents.model import Document
from gateway.content.documents.opening import open_document
from tests.documents.mail import a_docx, a_zip
from tests.documents.sources import photograph
from tests.unit.content.documents.opened import opened

MAIL = (
    b"From: a@b.example\r\nTo: c@d.example\r\nSubject: The plan\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n> quoted\r\n"
    b"--b\r\nContent-Type: application/octet-stream; name=plan.docx\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.encodebytes(a_docx("Inside.")).replace(b"\n", b"\r\n")
    + b"--b--\r\n"
)


def test_a_message_is_read_with_what_is_attached_to_it() -> None:
    assert opened(MAIL).text.split() == ["The", "plan", "Hello.", ">", "quoted", "plan.docx", "Inside."]


def test_of_a_message_that_was_read_only_the_attachments_are_opened() -> None:
    assert opened(MAIL, is_read=True).text.split() == ["plan.docx", "Inside."]


def test_messages_in_messages_end_at_the_depth() -> None:
    nested = MAIL
    for _ in range(DEFAULT.max_depth + 2):
        nested = (
            b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
            b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n--b%d--\r\n"
        ) % (len(nested), len(nested), base64.b64encode(a_zip({"a.eml": nested})), len(nested))
    assert opened(nested).troubles == ("unscannable.too_deep",)


def test_an_encrypted_part_of_an_attached_message_is_told() -> None:
    mail = b"From: a@b.example\r\nTo: c@d.example\r\nContent-Type: application/pkcs7-mime\r\n\r\nxx\r\n"
    assert opened(mail).troubles == ("unscannable.encrypted",)


def test_lines_of_a_calendar_are_joined_and_unescaped() -> None:
    calendar = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:12@x\r\nSUMMARY;LANGUAGE=en:Plan for Sam Whi\r\n"
        b' tecloud\\, again\\nand again\r\nATTENDEE;CN="Reyes: Jordan";ROLE=X:mailto:jo@mail.example\r\n'
        b"ATTACH;ENCODING=BASE64;VALUE=BINARY:"
        + base64.b64encode(a_docx("Inside."))
        + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = opened(calendar)
    assert [line for line in found.text.splitlines() if line] == [
        "Plan for Sam Whitecloud, again", "and again", "Reyes: Jordan", "mailto:jo@mail.example", "Inside.",
    ]  # fmt: skip


def test_markup_is_read_as_a_reader_sees_it() -> None:
    assert opened(b"<html><body><p>Hello <b>Jo</b>rdan<script>x()</script></p></body></html>").text == "Hello Jordan"


def test_drawings_and_flat_documents_are_read_as_xml() -> None:
    assert opened(b"<svg xmlns='s'><title>Plan</title><text>Room 2</text></svg>").text == "Plan\nRoom 2"


def test_a_known_picture_is_no_finding_wherever_it_stands() -> None:
    photo = photograph((300, 200))
    (picture,) = opened(photo).pictures
    known = frozenset({picture.digest})
    for data in (photo, a_zip({"a.jpg": photo}), a_docx("Text.", word__media__a=photo)):
        assert len(opened(data).pictures) == 1
        assert opened(data, known=known).pictures == ()


def test_one_picture_in_many_places_is_one_finding() -> None:
    photo = photograph((300, 200))
    assert len(opened(a_zip({f"{number}.jpg": photo for number in range(30)})).pictures) == 1


def test_too_many_different_pictures_are_told() -> None:
    package = a_zip({f"{side}.jpg": photograph((side, 200), notes=False) for side in range(200, 206)})
    assert len(opened(package).pictures) == 6
    assert opened(package, max_pictures=3).troubles == ("unscannable.too_large",)


def test_base64_that_gives_nothing_is_broken() -> None:
    document = Document(name="a", content_type="", encoding="base64", body=b"%%%%", where="", part=())
    assert open_document(document, limits=DEFAULT).troubles == ("unscannable.broken",)


def test_what_holds_nothing_gives_nothing() -> None:
    for data in (b"", b"\r\n", a_zip({})):
        found = opened(data)
        assert (found.text, found.pictures, found.troubles) == ("", (), ())


def test_sound_and_films_are_told() -> None:
    assert opened(b"\0\0\0\x18ftypM4A " + bytes(99)).troubles == ("unscannable.unknown",)
    (film,) = opened(b"\0\0\0\x18ftypmp42" + bytes(99)).pictures
    assert film.reason == "photograph.video"
