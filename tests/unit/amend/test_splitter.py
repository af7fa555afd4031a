from __future__ import annotations

import pytest

from gateway.amend.splitter import head_fields, leaves
from gateway.message.parse import parse
from tests.shared_data import data_dir
from tests.unit.amend.builders import ATTACHED, leaf, message, multipart


def bodies(raw: bytes) -> list[tuple[tuple[int, ...], bytes, bytes]]:
    """Path, type and body of each leaf."""
    return [(part.path, part.content_type, raw[part.body_start_byte : part.end_byte]) for part in leaves(raw)]


def test_leaves_come_in_order_with_their_ranges() -> None:
    raw = message(multipart("mixed", multipart("alternative", leaf(b"A"), leaf(b"B"), boundary="ba"), ATTACHED))
    assert bodies(raw) == [
        ((1, 1), b"text/plain", b"A"),
        ((1, 2), b"text/plain", b"B"),
        ((2,), b"text/plain", b"This text is attached to the mail."),
    ]


def test_a_boundary_is_a_whole_line_and_may_be_folded() -> None:
    raw = b'Content-Type: multipart/mixed; boundary="a\r\n b"\r\n\r\n--a bc\r\n--a b\r\n\r\nA\r\n --a b\r\n--a b-- \r\n'
    assert bodies(raw) == [((1,), b"text/plain", b"A\r\n --a b")]


def test_attached_messages_and_digests_are_leaves() -> None:
    raw = message(multipart("digest", b"\r\nFrom: a@b.example\r\n\r\nHi."))
    assert [(kind, body) for _, kind, body in bodies(raw)] == [(b"message/rfc822", b"From: a@b.example\r\n\r\nHi.")]


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"x", b"A: 1", b"From x\r\nA: 1\r\n\r\nbody", b"Content-Type: multipart/mixed"]
)
def test_any_message_has_a_leaf(raw: bytes) -> None:
    assert leaves(raw)


def test_fields_have_lower_names_and_their_folding() -> None:
    raw = b"A: 1\r\n 2\r\nB : 3\r\n\r\nC: 4\r\n"
    assert [(name, raw[start:end]) for name, start, end in head_fields(raw)] == [
        (b"a", b"A: 1\r\n 2\r\n"),
        (b"b", b"B : 3\r\n"),
    ]


def test_it_agrees_with_the_first_parser_on_real_mail() -> None:
    compared = 0
    for path in sorted((data_dir("mime") / "dev").glob("*.eml")):
        raw = path.read_bytes()
        parsed = parse(raw)
        if parsed.problems or b"boundary*" in raw:  # RFC 2231 boundaries are left to the first parser
            continue
        first = [(p.path, raw[p.body_start_byte : p.body_end_byte]) for p in parsed.root.walk() if not p.children]
        second = [(path, body) for path, _, body in bodies(raw)]
        assert first == second, path.name
        compared += 1
    assert compared > 500
