"""The assertion on a wrapped message: each harm that could be done is named."""

from __future__ import annotations

import pytest

from gateway.amend.own_notice import own_notice
from gateway.amend.wrap_assertion import wrap_breach
from gateway.policy.verdict import Wrap
from tests.unit.amend.builders import amended
from tests.unit.amend.notices import ENGLISH
from tests.unit.amend.test_wrap import SIGNED

WRAPPED = amended(SIGNED, ENGLISH, wrap=Wrap.SIGNED).raw
WORDINGS = own_notice(ENGLISH).wordings


def test_a_good_wrap_keeps_every_rule() -> None:
    assert wrap_breach(SIGNED, WRAPPED, notices=WORDINGS) is None


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (b"Hello.", b"Hello!", "structure"),
        (b"protocol=", b"Protocol=", "structure"),
        (b"epilogue", b"epi", "structure"),
        (b"Subject: Monday\r\n", b"", "header"),
        (b"Subject: Monday", b"Subject: Tuesday", "header"),
        (b"every message is kept", b"no message is kept", "wording"),
        (b"text/plain; charset=us-ascii", b"application/octet-stream", "structure"),
        (b"every message", "évery message".encode(), "eighth bit"),
    ],
)
def test_each_harm_is_named(old: bytes, new: bytes, rule: str) -> None:
    assert old in WRAPPED
    assert wrap_breach(SIGNED, WRAPPED.replace(old, new), notices=WORDINGS) == rule


def test_a_part_too_many_is_found() -> None:
    boundary = WRAPPED.partition(b'boundary="')[2].partition(b'"')[0]
    more = WRAPPED.replace(b"--" + boundary + b"--", b"--" + boundary + b"\r\n\r\nx\r\n--" + boundary + b"--")
    assert wrap_breach(SIGNED, more, notices=WORDINGS) == "structure"


def test_a_message_that_was_not_wrapped_is_found() -> None:
    assert wrap_breach(SIGNED, SIGNED, notices=WORDINGS) == "structure"
