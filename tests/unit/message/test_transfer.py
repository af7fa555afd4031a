from __future__ import annotations

import base64

import pytest

from gateway.message.transfer import decode_transfer, is_known_encoding


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", ""])
def test_identity_encodings_change_nothing(encoding: str) -> None:
    assert decode_transfer(b"a=3D\r\n", encoding) == (b"a=3D\r\n", True)


def test_an_unknown_encoding_leaves_the_bytes_and_says_so() -> None:
    assert decode_transfer(b"abc", "x-rot") == (b"abc", False)
    assert not is_known_encoding("x-rot")


def test_base64_of_a_mailer_is_clean() -> None:
    assert decode_transfer(base64.encodebytes(b"x" * 100).replace(b"\n", b"\r\n"), "base64") == (b"x" * 100, True)


@pytest.mark.parametrize(
    ("body", "octets"),
    [
        (b"YWJj*ZGVm", b"abcdef"),
        (b"YWI=YWI=", b"abab"),
        (b"YWJjZ", b"abc"),
        (b"YWI", b"ab"),
        (b"YWI=\r\n-- \r\nfooter", b"ab"),
    ],
)
def test_torn_base64_gives_what_can_be_read_and_is_named(body: bytes, octets: bytes) -> None:
    decoded, is_clean = decode_transfer(body, "base64")
    assert decoded.startswith(octets)
    assert not is_clean


def test_quoted_printable_joins_soft_breaks_with_either_line_end() -> None:
    assert decode_transfer(b"a=\r\nb=\nc=20=C3=a9", "quoted-printable") == (b"abc \xc3\xa9", True)


def test_a_soft_break_may_have_white_space_behind_it() -> None:
    assert decode_transfer(b"a= \t\r\nb", "quoted-printable") == (b"ab", True)


@pytest.mark.parametrize("body", [b"a=ZZ", b"1 = 2", b"a=4"])
def test_broken_quoted_printable_is_named(body: bytes) -> None:
    assert decode_transfer(body, "quoted-printable")[1] is False
