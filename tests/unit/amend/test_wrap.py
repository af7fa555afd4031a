"""Wrapping: the original whole beside the notice, once, with its content fields; nothing where that can't be."""

from __future__ import annotations

import pytest

from gateway.amend.splitter import root_children
from gateway.amend.treatment import Treatment
from gateway.message.parse import parse
from gateway.policy.verdict import Notice, Wrap
from tests.unit.amend.builders import HEAD, amended, leaf, message, multipart, plain, told
from tests.unit.amend.notices import ENGLISH, ENGLISH_PHRASE, FRENCH, FRENCH_PHRASE

SIGNATURE = leaf(b"-----BEGIN PGP SIGNATURE-----", "application/pgp-signature")
SIGNED_ENTITY = multipart("signed", leaf(b"Hello."), SIGNATURE, more='; protocol="application/pgp-signature"')
SIGNED = message(SIGNED_ENTITY)
ENCRYPTED = message(leaf(b"aGVsbG8=\r\n", "application/pkcs7-mime; smime-type=enveloped-data", "base64"))
PDF_ENTITY = (
    b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment;\r\n\tfilename="a.pdf"\r\n\r\naGVsbG8=\r\n'
)
PDF = message(PDF_ENTITY)


def entities(raw: bytes) -> list[bytes]:
    return [raw[start:end] for start, end in root_children(raw)]


@pytest.mark.parametrize("notice", [ENGLISH, FRENCH])
@pytest.mark.parametrize(
    ("raw", "entity", "place"), [(SIGNED, SIGNED_ENTITY, 0), (PDF, PDF_ENTITY, 1)], ids=["signed", "pdf"]
)
def test_the_original_entity_stands_byte_for_byte_beside_the_notice(
    raw: bytes, entity: bytes, place: int, notice: Notice
) -> None:
    done = amended(raw, notice, wrap=Wrap.BOTH)
    assert done.treatment is Treatment.WRAPPED
    found = entities(done.raw)
    assert len(found) == 2
    assert found[place] == entity
    assert done.raw.startswith(HEAD)
    assert told(done.raw, FRENCH_PHRASE if notice is FRENCH else ENGLISH_PHRASE) == 1
    assert done.raw.isascii()


@pytest.mark.parametrize(
    ("raw", "wrap", "treatment"),
    [
        (SIGNED, Wrap.NONE, Treatment.UNTOUCHED_SIGNED),
        (SIGNED, Wrap.NO_TEXT, Treatment.UNTOUCHED_SIGNED),
        (SIGNED, Wrap.SIGNED, Treatment.WRAPPED),
        (ENCRYPTED, Wrap.SIGNED, Treatment.WRAPPED),
        (ENCRYPTED, Wrap.NONE, Treatment.UNTOUCHED_ENCRYPTED),
        (PDF, Wrap.SIGNED, Treatment.UNTOUCHED_NO_TEXT),
        (PDF, Wrap.NO_TEXT, Treatment.WRAPPED),
        (message(leaf(b"eJ8+\r\n", "application/ms-tnef", "base64")), Wrap.NO_TEXT, Treatment.WRAPPED),
        (message(leaf(b"BEGIN:VCALENDAR\r\n", "text/calendar")), Wrap.BOTH, Treatment.UNTOUCHED_CALENDAR),
        (message(multipart("report", leaf(b"Failed."))), Wrap.BOTH, Treatment.UNTOUCHED_REPORT),
        (plain("Hello.\n"), Wrap.BOTH, Treatment.APPENDED),
    ],
)
def test_only_what_the_policy_names_is_wrapped(raw: bytes, wrap: Wrap, treatment: Treatment) -> None:
    assert amended(raw, ENGLISH, wrap=wrap).treatment is treatment


@pytest.mark.parametrize("raw", [SIGNED, ENCRYPTED, PDF])
@pytest.mark.parametrize("again", list(Wrap))
def test_what_is_wrapped_once_is_not_wrapped_twice(raw: bytes, again: Wrap) -> None:
    once = amended(raw, FRENCH, wrap=Wrap.BOTH)
    twice = amended(once.raw, FRENCH, wrap=again)
    assert (twice.treatment, twice.raw) == (Treatment.ALREADY_THERE, once.raw)


def test_the_record_says_why_a_message_was_wrapped() -> None:
    assert amended(SIGNED, ENGLISH, wrap=Wrap.BOTH).detail == "untouched-signed"


def test_the_wrapper_is_no_attachment() -> None:
    root = parse(amended(PDF, ENGLISH, wrap=Wrap.BOTH).raw).root
    assert (root.content_type, root.disposition, root.filename) == ("multipart/mixed", None, None)
    assert [child.disposition for child in root.children] == ["inline", "attachment"]


def test_what_is_true_of_the_wrapper_too_stays_on_top() -> None:
    raw = HEAD + b"Content-Disposition: inline\r\nContent-Language: en\r\nX-After: 1\r\n" + SIGNED_ENTITY
    done = amended(raw, ENGLISH, wrap=Wrap.SIGNED)
    head = done.raw.partition(b"\r\n\r\n")[0]
    assert b"Content-Disposition: inline\r\nContent-Language: en\r\nX-After: 1\r\n" in head
    assert entities(done.raw)[0].startswith(b"Content-Disposition: inline\r\nContent-Language: en\r\n")


def test_stale_lengths_go_and_a_missing_mime_version_comes() -> None:
    raw = SIGNED.replace(b"MIME-Version: 1.0\r\n", b"Content-Length: 12\r\nLines: 3\r\n")
    done = amended(raw, ENGLISH, wrap=Wrap.SIGNED)
    assert done.treatment is Treatment.WRAPPED
    head = done.raw.partition(b"\r\n\r\n")[0]
    assert b"MIME-Version: 1.0" in head
    assert b"Content-Length" not in done.raw
    assert b"Lines" not in done.raw


def test_an_eight_bit_original_makes_an_eight_bit_wrapper() -> None:
    raw = HEAD + b"Content-Transfer-Encoding: 8bit\r\n" + SIGNED_ENTITY.replace(b"Hello.", "Été".encode())
    done = amended(raw, ENGLISH, wrap=Wrap.SIGNED)
    assert done.treatment is Treatment.WRAPPED
    assert parse(done.raw).root.encoding == "8bit"


@pytest.mark.parametrize(
    "raw",
    [
        SIGNED.replace(b"Hello.", b"Hel\nlo."),
        SIGNED.replace(b"Hello.", b"Hel\0lo."),
        SIGNED.partition(b"--b--")[0],
        HEAD + b"Content-Type: multipart/signed; boundary=c\r\n" + SIGNED_ENTITY,
        HEAD + b"Content-Type: application/pkcs7-mime\r\n",
        HEAD + b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n\xff\xfe\r\n",
    ],
)
def test_what_is_torn_is_left_as_it_came(raw: bytes) -> None:
    done = amended(raw, ENGLISH, wrap=Wrap.BOTH)
    assert done.raw == raw
    assert done.treatment.is_missing
