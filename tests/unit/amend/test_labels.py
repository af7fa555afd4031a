from __future__ import annotations

import pytest

from gateway.amend.labels import label_splices
from gateway.message.parse import parse
from gateway.message.splice import apply_splices
from tests.unit.amend.builders import leaf, multipart, part_at


def relabelled(fields: bytes, *, charset: str | None = None, encoding: str | None = None) -> bytes:
    """The head with other labels."""
    raw = fields + b"\r\nHi.\r\n"
    parsed = parse(raw)
    changed = apply_splices(raw, label_splices(parsed, parsed.root, charset=charset, encoding=encoding))
    assert changed.endswith(b"\r\nHi.\r\n")
    return changed.removesuffix(b"\r\nHi.\r\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"text/plain", b"text/plain; charset=utf-8"),
        (b"text/plain;", b"text/plain; charset=utf-8;"),
        (b"text/plain; format=flowed", b"text/plain; charset=utf-8; format=flowed"),
        (b"text/plain; charset=us-ascii; format=flowed", b"text/plain; charset=utf-8; format=flowed"),
        (b'text/plain;\r\n\tCharSet = "us-ascii" ; a=b', b"text/plain;\r\n\tCharSet = utf-8 ; a=b"),
        (b'text/plain; name="charset=x"; charset=us-ascii', b'text/plain; name="charset=x"; charset=utf-8'),
        (b"text/plain; charset=us-ascii (plain)", b"text/plain; charset=utf-8 (plain)"),
        (b"text/plain; charset*=x''us-ascii", b"text/plain; charset=utf-8"),
        (b"text/plain; charset=", b"text/plain; charset=utf-8"),
        (b'text/plain; charset=\\"us-ascii\\"', b"text/plain; charset=utf-8"),
    ],
)
def test_only_the_charset_changes(old: bytes, new: bytes) -> None:
    head = b"MIME-Version: 1.0\r\nContent-Type: %s\r\nX-Last: 1\r\n"
    assert relabelled(head % old, charset="utf-8") == head % new


def test_only_the_encoding_changes() -> None:
    head = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding:%s (so)\r\nX: 1\r\n"
    assert relabelled(head % b" 7bit", encoding="quoted-printable") == head % b" quoted-printable"
    assert relabelled(b"MIME-Version: 1.0\r\nContent-Transfer-Encoding:\r\n", encoding="base64").endswith(
        b": base64\r\n"
    )


def test_missing_fields_are_added_at_the_end_of_the_head() -> None:
    added = relabelled(b"From: a@b.example\r\n", charset="utf-8", encoding="quoted-printable")
    assert added == (
        b"From: a@b.example\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n"
    )


def test_nothing_asked_changes_nothing() -> None:
    assert relabelled(b"From: a@b.example\r\n") == b"From: a@b.example\r\n"


def test_a_part_without_fields_gets_its_own() -> None:
    raw = b"MIME-Version: 1.0\r\n" + multipart("mixed", b"\r\nHi.", leaf(b"Two."))
    parsed = parse(raw)
    changed = apply_splices(raw, label_splices(parsed, part_at(parsed, 1), charset="utf-8"))
    assert part_at(parse(changed), 1).charset == "utf-8"
