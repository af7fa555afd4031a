"""What the reader saw: the chosen alternative, what stands in place, and what is attached."""

from __future__ import annotations

from email.message import EmailMessage

from gateway.archive.export.rendering.view import View, view_of
from gateway.message.parse import parse


def seen(message: EmailMessage) -> View:
    return view_of(parse(message.as_bytes().replace(b"\n", b"\r\n")))


def a_mail(text: str = "plain words") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"] = "Ada <a@agency.example>", "=?utf-8?q?=C3=A9t=C3=A9?="
    message.set_content(text)
    return message


def test_plain_text_and_header_lines() -> None:
    view = seen(a_mail())
    assert (view.header("From"), view.header("Subject"), view.header("To")) == ("Ada <a@agency.example>", "été", "")
    assert [(segment.html, segment.text.strip()) for segment in view.segments] == [(None, "plain words")]
    assert view.attachments == ()


def test_of_two_forms_the_html_is_shown_and_the_plain_one_helps_where_it_says_nothing() -> None:
    message = a_mail()
    message.add_alternative("<img src='cid:x'>", subtype="html")
    (segment,) = seen(message).segments
    assert segment.html is not None
    assert segment.text.strip() == "plain words"


def test_pictures_of_the_html_have_their_ids_and_are_not_shown_twice() -> None:
    message = a_mail()
    message.add_alternative("<p>html <img src='cid:x@y'></p>", subtype="html")
    message.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<x@y>")  # type: ignore[union-attr, index]
    view = seen(message)
    assert len(view.segments) == 1
    assert [(part.content_id, part.octets) for part in view.attachments] == [("x@y", b"\x89PNG")]


def test_attachments_have_names_bytes_and_texts() -> None:
    message = a_mail()
    message.add_attachment("attached words", filename="notes.txt")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="é.pdf")
    inner = a_mail("inner words")
    message.add_attachment(inner)
    view = seen(message)
    assert [part.name for part in view.attachments] == ["notes.txt", "é.pdf", "attached message"]
    assert [part.text and part.text.strip() for part in view.attachments][:2] == ["attached words", None]
    assert "inner words" in (view.attachments[2].text or "")
    assert view.attachments[1].octets == b"%PDF"


def test_a_signed_message_shows_what_is_signed_and_names_the_signature() -> None:
    raw = (
        b'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n\r\nsigned words\r\n'
        b"--b\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--b--\r\n"
    )
    view = view_of(parse(raw))
    assert [segment.text.strip() for segment in view.segments] == ["signed words"]
    assert [part.content_type for part in view.attachments] == ["application/pgp-signature"]


def test_nothing_at_all_is_a_view_too() -> None:
    assert view_of(parse(b"")).segments == ()
