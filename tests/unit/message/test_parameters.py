from __future__ import annotations

import pytest

from gateway.message.model import ProblemKind
from gateway.message.parameters import (
    filename_text,
    read_content_type,
    read_disposition,
    read_encoding,
    without_comments,
)


def content_type(value: bytes) -> tuple[str, dict[str, str], tuple[ProblemKind, ...]]:
    found = read_content_type(value, default="text/plain")
    return found.value, dict(found.parameters), found.problems


@pytest.mark.parametrize(
    ("value", "media_type", "parameters"),
    [
        (b" text/HTML; Charset=utf-8", "text/html", {"charset": "utf-8"}),
        (b'multipart/mixed; boundary="a b;c"', "multipart/mixed", {"boundary": "a b;c"}),
        (b'multipart/mixed; boundary="a\\"b"', "multipart/mixed", {"boundary": 'a"b'}),
        (b"multipart/mixed; boundary*0=a; boundary*1=b", "multipart/mixed", {"boundary": "ab"}),
        (b"text/plain (a comment); charset=us-ascii (plain)", "text/plain", {"charset": "us-ascii"}),
        (b"text/plain;\r\n\tcharset=utf-8;", "text/plain", {"charset": "utf-8"}),
        (b"text/plain; name*=utf-8'fr'caf%C3%A9", "text/plain", {"name": "café"}),
        (b"text/plain; name*0*=iso-8859-1''caf%E9; name*1=%20x", "text/plain", {"name": "caf\u00e9%20x"}),
    ],
)
def test_content_types_are_read(value: bytes, media_type: str, parameters: dict[str, str]) -> None:
    assert content_type(value) == (media_type, parameters, ())


@pytest.mark.parametrize("value", [b"", b"text", b"text/", b"/plain", b"te xt/pl/ain", b"; charset=utf-8"])
def test_an_unreadable_type_is_the_default_and_named(value: bytes) -> None:
    media_type, _, problems = content_type(value)
    assert media_type == "text/plain"
    assert ProblemKind.BAD_CONTENT_TYPE in problems


@pytest.mark.parametrize(
    "value",
    [
        b"multipart/mixed; boundary=a; boundary=b",
        b"multipart/mixed; boundary=a; BOUNDARY=b",
        b"multipart/mixed; boundary*0=a; boundary*0=b",
        b"multipart/mixed; boundary=a; boundary*0=b",
        b"multipart/mixed; boundary*0*=a; boundary*0=b",
    ],
)
def test_a_parameter_given_twice_is_named(value: bytes) -> None:
    assert ProblemKind.DUPLICATE_PARAMETER in content_type(value)[2]


@pytest.mark.parametrize(
    "value", [b'text/plain; name="open', b"text/plain; charset", b'text/plain; name="a"b', b"text/plain; =x"]
)
def test_a_torn_parameter_is_named(value: bytes) -> None:
    assert ProblemKind.BAD_CONTENT_TYPE in content_type(value)[2]


def test_dispositions_and_encodings_are_lower_case() -> None:
    disposition = read_disposition(b' Attachment; filename="r\xc3\xa9sum\xc3\xa9.txt"')
    assert (disposition.value, disposition.parameter("filename")) == ("attachment", "résumé.txt")
    assert disposition.parameter("size") is None
    assert read_encoding(b" Base64 (x)") == "base64"
    assert read_encoding(b"") == "7bit"


def test_comments_go_but_not_out_of_quotes() -> None:
    assert without_comments('a (b (c) \\) d) "e (f)" (open').split() == ["a", '"e', '(f)"', "(open"]


def test_file_names_are_one_clean_line() -> None:
    assert filename_text("=?utf-8?q?caf=C3=A9=0D=0A.txt?=") == "café  .txt"


def test_every_token_of_rfc_2045_is_a_media_type() -> None:
    assert read_content_type(b" multipart/*; boundary=b", default="text/plain").value == "multipart/*"
    assert read_content_type(b" x-a%b/c'd|e~", default="text/plain").value == "x-a%b/c'd|e~"
