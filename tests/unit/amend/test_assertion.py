from __future__ import annotations

import pytest

from gateway.amend.assertion import breach
from gateway.amend.own_notice import own_notice
from tests.unit.amend.builders import PNG, amended, leaf, message, multipart
from tests.unit.amend.notices import ENGLISH

HTML = leaf(b"<p>See you.</p>\r\n", "text/html; charset=utf-8")
RAW = message(multipart("mixed", multipart("alternative", leaf(b"See you."), HTML, boundary="a"), PNG))
GOOD = amended(RAW, ENGLISH).raw
TARGETS = ((1, 1), (1, 2))


def rule(after: bytes, *, before: bytes = RAW) -> str | None:
    """The rule that is broken, if any."""
    found = breach(before, after, targets=TARGETS, notices=own_notice(ENGLISH).wordings)
    return None if found is None else found.rule


def test_the_notice_alone_breaks_no_rule() -> None:
    assert GOOD != RAW
    assert rule(GOOD) is None


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (b"Subject: Monday", b"Subject: Sunday", "header"),
        (b"See you.\r\n\r\nIf", b"See him.\r\n\r\nIf", "text changed"),
        (b"aGVsbG8=", b"aGVsbG9=", "another part"),
        (b"preamble", b"Preamble", "bytes between the parts"),
        (b"epilogue", b"epilog", "bytes between the parts"),
        (b"--b\r\nContent-Type: image", b"--c\r\nContent-Type: image", "structure"),
        (b"image/png", b"image/gif", "structure"),
        (b"read it.\r\n--a\r\n", "read ït.\r\n--a\r\n".encode(), "eighth bit"),
        (b"read it.\r\n--a\r\n", b"read it.\r\n>\r\n--a\r\n", "wording"),
        (b"read it.\r\n--a\r\n", b"read it." + b"x" * 999 + b"\r\n--a\r\n", "long line"),
        (b"read it.\r\n--a\r\n", b"read it.\n\r\n--a\r\n", "line ends"),
        (b"read it.\r\n--a\r\n", b"read it.\0\r\n--a\r\n", "line ends"),
        (b'<div class="practicum-notice"', b'<div hidden class="practicum-notice"', "not seen"),
        (b'\r\n<div class="practicum-notice"', b'\r\n<a href="x"><div class="practicum-notice"', "not seen"),
        (b'\r\n<div class="practicum-notice"', b'\r\n<table><td><div class="practicum-notice"', "not seen"),
        (b'\r\n<div class="practicum-notice"', b'\r\n<blockquote><div class="practicum-notice"', "not seen"),
    ],
)
def test_each_harm_is_found(old: bytes, new: bytes, broken: str) -> None:
    assert old in GOOD
    assert rule(GOOD.replace(old, new)) == broken


def test_a_text_without_the_notice_is_found() -> None:
    assert rule(RAW) == "text changed"
    assert rule(RAW.replace(b"See you.\r\n--a", b"See you. Really.\r\n--a")) == "wording"


def test_a_part_header_may_change_its_labels_only() -> None:
    relabelled = GOOD.replace(b"Content-Type: text/html; charset=utf-8", b"Content-Type: text/html; charset=us-ascii")
    assert rule(relabelled) is None
    assert rule(GOOD.replace(b"text/html;", b"text/html;\r\nX-Odd: 1\r\nX-More:")) is not None
    before = RAW.replace(b"Content-Type: text/html", b"Content-ID: <1@x>\r\nContent-Type: text/html")
    assert rule(amended(before, ENGLISH).raw.replace(b"<1@x>", b"<2@x>"), before=before) == "part header"
