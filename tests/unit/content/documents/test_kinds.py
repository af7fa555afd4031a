"""What a file is, by its bytes."""

from __future__ import annotations

import pytest

from gateway.content.documents.kinds import Kind, binary_kind, kinds_of, text_of

ZIP = b"PK\x03\x04" + bytes(30) + b"PK\x01\x02" + bytes(42) + b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", Kind.NOTHING),
        (b" \r\n", Kind.NOTHING),
        (b"%PDF-1.7\n", Kind.PDF),
        (ZIP, Kind.ZIP),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(20), Kind.OLE),
        (b"{\\rtf1\\ansi hello}", Kind.RTF),
        (b"\xff\xd8\xff\xe0" + bytes(20), Kind.PICTURE),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Kind.PICTURE),
        (b"RIFF\x10\0\0\0AVI LIST", Kind.VIDEO),
        (b"RIFF\x10\0\0\0WAVEfmt ", Kind.UNKNOWN),
        (b"\0\0\0\x18ftypheic" + bytes(20), Kind.PICTURE),
        (b"\0\0\0\x18ftypM4A " + bytes(20), Kind.UNKNOWN),
        (b"\0\0\0\x18ftypqt  " + bytes(20), Kind.VIDEO),
        (b"\0\0\0\x08wide\0\0\0\0mdat", Kind.VIDEO),
        (b"citywide news of today", Kind.TEXT),
        (b"BM is a department, not a bitmap.", Kind.TEXT),
        (b"7z\xbc\xaf'\x1c" + bytes(20), Kind.PACKED),
        (b"\x1f\x8b\x08" + bytes(20), Kind.PACKED),
        (bytes(257) + b"ustar\0" + bytes(20), Kind.PACKED),
        (b'<?xml version="1.0"?><a/>', Kind.XML),
        (b"<svg xmlns='x'><text>hi</text></svg>", Kind.XML),
        (b'<?xml version="1.0"?><!DOCTYPE html><html><body>x</body></html>', Kind.HTML),
        (b"<!doctype html><p>hi", Kind.HTML),
        (b"Hello <b>you</b>, <p>new line", Kind.HTML),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", Kind.LINES),
        (b"begin:vcard\nend:vcard\n", Kind.LINES),
        (b"From: a@b.example\r\nTo: c@d.example\r\n\r\nhi", Kind.MAIL),
        (b"To: do today\n\nBuy bread", Kind.TEXT),
        ("Été, déjà".encode(), Kind.TEXT),
        ("Été, déjà".encode("cp1252"), Kind.TEXT),
        ("A note of some length".encode("utf-16"), Kind.TEXT),
        ("A note of some length".encode("utf-16-le"), Kind.TEXT),
        (bytes(range(256)), Kind.UNKNOWN),
        (b"text with a \0 in it", Kind.UNKNOWN),
    ],
)
def test_the_first_kind_is_told_by_the_bytes(data: bytes, kind: Kind) -> None:
    assert kinds_of(data)[0] is kind


def test_a_file_that_is_two_things_is_told_as_both() -> None:
    assert kinds_of(b"GIF89a" + bytes(40) + ZIP) == (Kind.PICTURE, Kind.ZIP)
    assert kinds_of(b"#!/bin/sh\n" + b"%PDF-1.4\n" + b"x" * 50) == (Kind.TEXT, Kind.PDF)
    assert kinds_of(ZIP) == (Kind.ZIP,)


def test_plain_text_is_no_binary_kind() -> None:
    assert binary_kind(b"Dear Jordan, see you on Tuesday") is None


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_text_without_a_label_is_decoded(codec: str) -> None:
    assert text_of("Léa Côté revient à l’école".encode(codec)) == "Léa Côté revient à l’école"
