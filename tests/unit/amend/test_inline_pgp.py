"""Inline PGP: untouched, but with a compulsory notice behind the last block, its octets and labels as they were."""

from __future__ import annotations

import pytest

from gateway.amend.treatment import Treatment
from gateway.policy.verdict import Notice
from tests.unit.amend.builders import amended, leaf, message, told
from tests.unit.amend.notices import ENGLISH, ENGLISH_PHRASE, FRENCH

CLEARSIGNED = (
    b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nMonday.\r\n"
    b"-----BEGIN PGP SIGNATURE-----\r\n\r\nabc=\r\n-----END PGP SIGNATURE-----\r\n"
)
ENCRYPTED = b"-----BEGIN PGP MESSAGE-----\r\n\r\nabc=\r\n-----END PGP MESSAGE-----"


@pytest.mark.parametrize("notice", [ENGLISH, FRENCH])
@pytest.mark.parametrize("charset", ["us-ascii", "utf-8", "iso-8859-1"])
@pytest.mark.parametrize("body", [CLEARSIGNED, ENCRYPTED, CLEARSIGNED + b"\r\nRegards\r\n"])
def test_a_compulsory_notice_stands_behind_the_block_under_the_same_labels(
    body: bytes, charset: str, notice: Notice
) -> None:
    raw = message(leaf(body, f"text/plain; charset={charset}"))
    done = amended(raw, notice, is_compulsory=True)
    assert done.treatment is Treatment.APPENDED
    assert done.raw.startswith(raw)
    assert amended(done.raw, notice, is_compulsory=True).treatment is Treatment.ALREADY_THERE


def test_a_quoted_printable_block_keeps_its_octets() -> None:
    raw = message(
        leaf(CLEARSIGNED.replace(b"=", b"=3D").replace(b"Monday.", b"Caf=C3=A9."), encoding="quoted-printable")
    )
    done = amended(raw, ENGLISH, is_compulsory=True)
    assert done.treatment is Treatment.APPENDED
    assert done.raw.startswith(raw)
    assert told(done.raw, ENGLISH_PHRASE) == 1


@pytest.mark.parametrize("is_compulsory", [False, True])
def test_an_open_block_is_untouched_and_so_is_every_block_without_need(is_compulsory: bool) -> None:
    body = CLEARSIGNED.partition(b"-----END")[0] if is_compulsory else CLEARSIGNED
    raw = message(leaf(body))
    done = amended(raw, ENGLISH, is_compulsory=is_compulsory)
    assert (done.treatment, done.raw) == (Treatment.UNTOUCHED_INLINE_PGP, raw)


def test_a_block_in_html_is_untouched() -> None:
    raw = message(leaf(b"<pre>" + CLEARSIGNED + b"</pre>", "text/html; charset=utf-8"))
    assert amended(raw, ENGLISH, is_compulsory=True).treatment is Treatment.UNTOUCHED_INLINE_PGP
