from __future__ import annotations

import pytest

from gateway.amend.targets import has_tnef, target_parts
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from tests.unit.amend.builders import ATTACHED, PNG, leaf, message, multipart

TEXT = leaf(b"Hi.")
HTML = leaf(b"<p>Hi.</p>", "text/html")
NAMED = leaf(b"Hi.", "text/plain; name=a.txt")
INLINE = leaf(b"Hi.", "text/plain\r\nContent-Disposition: inline; filename=a.txt")


def paths(entity: bytes) -> list[tuple[int, ...]]:
    """Where the notice goes."""
    parts = target_parts(parse(message(entity)))
    assert not isinstance(parts, Treatment)
    return [part.path for part in parts]


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        (TEXT, [()]),
        (NAMED, [()]),
        (multipart("alternative", TEXT, HTML), [(1,), (2,)]),
        (multipart("alternative", TEXT, leaf(b"x", "text/enriched"), HTML), [(1,), (3,)]),
        (multipart("alternative", TEXT, leaf(b"x", "text/x-amp-html"), HTML), [(1,), (3,)]),
        (multipart("alternative", NAMED, HTML), [(1,), (2,)]),
        (multipart("alternative", TEXT, multipart("mixed", HTML, PNG, HTML, boundary="m")), [(1,), (2, 1)]),
        (multipart("mixed", TEXT, HTML), [(1,)]),
        (multipart("mixed", ATTACHED, NAMED, TEXT), [(3,)]),
        (multipart("mixed", NAMED, INLINE), [(2,)]),
        (multipart("x-odd", PNG, TEXT), [(2,)]),
        (multipart("related", HTML, PNG), [(1,)]),
        (multipart("mixed", leaf(b"From: a@b.example\r\n\r\nHi.", "message/rfc822"), TEXT), [(2,)]),
        (multipart("mixed", multipart("form-data", TEXT, boundary="f"), HTML), [(2,)]),
    ],
)
def test_each_way_of_showing_the_text_is_a_target(entity: bytes, expected: list[tuple[int, ...]]) -> None:
    assert paths(entity) == expected


@pytest.mark.parametrize(
    ("entity", "treatment"),
    [
        (multipart("mixed"), Treatment.UNTOUCHED_NO_TEXT),
        (multipart("digest", b"\r\nFrom: a@b.example\r\n\r\nHi."), Treatment.UNTOUCHED_EMBEDDED),
        (multipart("related", PNG, HTML), Treatment.UNTOUCHED_NO_TEXT),
        (b"Content-Type: <html>\r\n\r\nHi.", Treatment.UNTOUCHED_MALFORMED),
        (b"Content-Type: text/plain\r\nnot a field\r\n\r\nHi.", Treatment.UNTOUCHED_MALFORMED),
        (leaf(b"--b\r\n\r\nHi.\r\n--b--\r\n", "multipart/mixed; boundary=b", "base64"), Treatment.UNTOUCHED_MALFORMED),
    ],
)
def test_what_has_no_target_says_why(entity: bytes, treatment: Treatment) -> None:
    assert target_parts(parse(message(entity))) is treatment


def test_a_winmail_is_known() -> None:
    assert has_tnef(parse(message(multipart("mixed", TEXT, leaf(b"eJ8=", "application/ms-tnef", "base64")))))
    assert not has_tnef(parse(message(TEXT)))
