from __future__ import annotations

import base64

import pytest

from gateway.message.limits import Limits
from gateway.message.model import Message, ProblemKind, ZoneKind
from gateway.message.parse import parse
from gateway.message.texts import part_octets, written_texts


def told(message: Message) -> list[tuple[str, tuple[int, ...], str]]:
    return [(text.where, text.part, text.text.strip()) for text in message.texts]


def mixed(*parts: bytes, subtype: bytes = b"mixed") -> bytes:
    body = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    return b"Subject: s\r\nContent-Type: multipart/" + subtype + b"; boundary=b\r\n\r\n" + body + b"--b--\r\n"


def test_every_displayable_part_is_read_with_its_place() -> None:
    raw = mixed(
        b"\r\nplain",
        b"Content-Type: text/html\r\n\r\n<p>html</p>",
        b"Content-Type: text/csv; name=list.csv\r\n\r\na,b",
        b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nunnamed",
        b"Content-Type: image/png\r\n\r\nnot text",
        b"Content-Type: message/delivery-status\r\n\r\nStatus: 5.0.0",
    )
    assert told(parse(raw)) == [
        ("subject", (), "s"),
        ("body", (1,), "plain"),
        ("body", (2,), "html"),
        ("attachment:list.csv", (3,), "a,b"),
        ("attachment:part 4", (4,), "unnamed"),
        ("body", (6,), "Status: 5.0.0"),
    ]


def test_a_named_branch_of_an_alternative_is_body() -> None:
    raw = mixed(b"Content-Type: text/plain; name=x.txt\r\n\r\nplain", subtype=b"alternative")
    assert told(parse(raw))[1][0] == "body"


@pytest.mark.parametrize("encoding", [b"7bit", b"base64"])
def test_an_attached_message_is_read_with_its_subject_and_is_not_quoted(encoding: bytes) -> None:
    inner = b"Subject: inner\r\nContent-Type: text/html\r\n\r\n<p>hello</p>"
    octets = base64.encodebytes(inner) if encoding == b"base64" else inner
    raw = mixed(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + octets)
    message = parse(raw)
    assert told(message)[1:] == [("attachment:message", (1,), "inner"), ("attachment:message", (1,), "hello")]
    assert all(zone.kind is ZoneKind.NEW for text in message.texts for zone in text.zones)


def test_messages_in_messages_end_somewhere() -> None:
    message = parse(b"Content-Type: message/rfc822\r\n\r\n" * 100 + b"Subject: deep\r\n\r\nx")
    assert message.has(ProblemKind.TOO_DEEP)


def test_a_multipart_that_can_not_be_opened_is_read_as_text() -> None:
    message = parse(b"Content-Type: multipart/mixed\r\n\r\nhidden words")
    assert told(message) == [("body", (), "hidden words")]


@pytest.mark.parametrize(
    ("head", "body", "kind", "text"),
    [
        (b"text/plain; charset=utf-8", b"caf\xe9", ProblemKind.UNDECODABLE_TEXT, "café"),
        (b"text/plain", b"caf\xe9", ProblemKind.UNDECODABLE_TEXT, "café"),
        (b"text/plain; charset=x-odd", b"abc", ProblemKind.UNKNOWN_CHARSET, "abc"),
        (b"text/plain\r\nContent-Transfer-Encoding: base64", b"YWJj!ZGVm", ProblemKind.BAD_TRANSFER_ENCODING, "abcdef"),
        (b"text/html", b"<div>" * 2000 + b"deep", ProblemKind.HTML_TOO_COMPLEX, "deep"),
    ],
)
def test_what_had_to_be_guessed_is_named(head: bytes, body: bytes, kind: ProblemKind, text: str) -> None:
    message = parse(b"Content-Type: " + head + b"\r\n\r\n" + body)
    assert message.has(kind)
    assert message.texts[0].text.strip() == text


def test_an_html_part_may_name_its_charset_itself() -> None:
    body = '<html><meta charset="windows-1251"><p>привет'.encode("cp1251")
    message = parse(b"Content-Type: text/html\r\n\r\n" + body)
    assert told(message)[0][2] == "привет"
    assert not message.has(ProblemKind.UNDECODABLE_TEXT)


def test_text_beyond_the_limit_is_cut_and_named() -> None:
    limits = Limits(max_text_chars=10)
    message = parse(mixed(b"\r\n" + b"x" * 8, b"\r\n" + b"y" * 8, b"\r\nz"), limits=limits)
    assert sum(len(text.text) for text in message.texts) <= 10
    assert message.has(ProblemKind.TEXT_TOO_LONG)


def test_flowed_text_is_made_whole_and_maps_back() -> None:
    message = parse(b"Content-Type: text/plain; format=Flowed; delsp=YES\r\n\r\nther \r\napy")
    assert message.texts[0].text == "therapy"
    assert message.texts[0].source_offsets[4] == 7


def test_octets_of_a_part_come_decoded() -> None:
    raw = b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D"
    assert part_octets(raw, parse(raw).root) == (b"a=", True)


def test_parts_of_attached_messages_count_too() -> None:
    inner = mixed(*[b"\r\nx"] * 4)
    message = parse(
        mixed(b"Content-Type: message/rfc822\r\n\r\n" + inner.replace(b"--b", b"--i").replace(b"=b", b"=i"))
    )
    assert not message.has(ProblemKind.TOO_MANY_PARTS)
    tight = Limits(max_parts=5)
    parts = b"Content-Type: message/rfc822\r\n\r\n" + inner.replace(b"--b", b"--i").replace(b"=b", b"=i")
    assert parse(mixed(parts, parts), limits=tight).has(ProblemKind.TOO_MANY_PARTS)


def test_an_attached_message_that_is_torn_is_named_and_read() -> None:
    octets = base64.b64encode(b"Subject: inner\r\n\r\nhello") + b"!"
    raw = mixed(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + octets)
    assert parse(raw).has(ProblemKind.BAD_TRANSFER_ENCODING)
    assert told(parse(raw))[-1] == ("attachment:message", (1,), "hello")


def test_a_body_far_beyond_the_limit_is_cut_before_it_is_decoded() -> None:
    message = parse(b"\r\n" + b"x" * 1000, limits=Limits(max_text_chars=10))
    assert message.texts[0].text == "x" * 10
    assert message.has(ProblemKind.TEXT_TOO_LONG)


@pytest.mark.parametrize("head", [b"text/plain", b"text/plain; charset=us-ascii", b"text/html"])
def test_utf_8_without_its_label_is_read_as_what_it_is(head: bytes) -> None:
    message = parse(b"From: a@b.example\r\nContent-Type: " + head + b"\r\n\r\n" + "à jeudi".encode())
    assert told(message)[0][2] == "à jeudi"
    assert message.problems == ()


def test_written_texts_are_decoded_sources_without_attached_messages_and_pictures() -> None:
    raw = mixed(
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n> =E9t=E9",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"<p>html</p>"),
        b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner",
        b"Content-Type: image/png\r\n\r\nnot text",
    )
    assert [text.strip() for text in written_texts(parse(raw))] == ["s", "> été", "<p>html</p>"]


def test_written_texts_keep_to_the_limits() -> None:
    message = parse(mixed(b"\r\n" + b"x" * 1000, b"\r\nsecond"))
    assert [len(text) for text in written_texts(message, limits=Limits(max_text_chars=10, max_parts=1))] == [1, 10]
