from __future__ import annotations

import base64

import pytest

from gateway.amend.transfer import base64_lines, insertion, quoted_printable, reencoded
from gateway.message.splice import apply_splices
from gateway.message.transfer import decode_transfer

HOSTILE = [
    b"", b"a", b"a ", b"a\t\r\nb ", b"=", b"a=b", b".\r\n..\r\n.", b"From me\r\nFrom you", b"\xc3\xa9" * 60, b"x" * 300,
    b"\r", b"\n",
    b"a\rb\nc\r\n", b" " * 100, b"From " + b"y" * 100,
]  # fmt: skip


@pytest.mark.parametrize("octets", HOSTILE)
def test_quoted_printable_holds_the_same_octets_in_safe_lines(octets: bytes) -> None:
    encoded = quoted_printable(octets)
    assert decode_transfer(encoded, "quoted-printable") == (octets, True)
    lines = encoded.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") or line == b"." for line in lines)
    assert encoded.isascii()


@pytest.mark.parametrize("octets", HOSTILE)
def test_base64_lines_hold_the_same_octets(octets: bytes) -> None:
    encoded = base64_lines(octets)
    assert base64.b64decode(encoded) == octets
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_an_insertion_anywhere_decodes_to_the_octets_with_it(encoding: str, end: bytes) -> None:
    octets = "Réunion à dix heures. \r\nOn se voit = là ?\r\n\r\n".encode() * 4 + b"end" + end
    body = reencoded(octets, b"\n", encoding)
    for offset in range(len(octets) + 1):
        for new in (b"\r\n\r\nNotice \xe2\x80\x99\r\n", b"<p>\r\n"):
            changed = apply_splices(body, [insertion(body, encoding, offset, new)])
            assert decode_transfer(changed, encoding) == (octets[:offset] + new + octets[offset:], True)


def test_a_base64_body_keeps_its_lines_up_to_the_insertion() -> None:
    body = base64_lines(b"x" * 570)
    splice = insertion(body, "base64", 570, b"notice")
    assert splice.start_byte >= len(body) - 80
    one_line = base64.b64encode(b"x" * 570)
    assert insertion(one_line, "base64", 570, b"notice").start_byte == 0


def test_a_soft_break_at_the_end_stays() -> None:
    body = b"soft=\r\n"
    changed = apply_splices(body, [insertion(body, "quoted-printable", 4, b"\r\nNotice\r\n")])
    assert changed == b"soft=\r\n\r\nNotice\r\n"


def test_an_unencoded_body_anew_is_its_octets() -> None:
    assert reencoded(b"abc", b"", "8bit") == b"abc"
    assert not reencoded(b"abc", b"YQ==", "base64").endswith(b"\n")
