"""opaque: what nobody but the reader can open is named, in mail to clients only."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.content.finding import Matter
from gateway.message.model import Message, Part, ReadableText, Zone, ZoneKind
from gateway.people.model import Direction, Role
from gateway.policy.opaque import REASON_OF_TYPE, opaque_findings
from tests.unit.policy.policy_builders import a_message, a_party, parties, to_client

ARMOURED = "-----BEGIN PGP MESSAGE-----\nabc\n-----END PGP MESSAGE-----\n"


def _part(content_type: str, *children: Part, path: tuple[int, ...] = (), filename: str | None = None) -> Part:
    return dataclasses.replace(
        a_message().root, content_type=content_type, children=children, path=path, filename=filename
    )


def _message(root: Part, text: str = "", zone: ZoneKind = ZoneKind.NEW) -> Message:
    zones = (Zone(kind=zone, start=0, end=len(text)),)
    readable = ReadableText(where="body", part=(), text=text, zones=zones, source_offsets=range(len(text)))
    return dataclasses.replace(a_message(), root=root).with_texts((readable,))


@pytest.mark.parametrize("content_type", sorted(REASON_OF_TYPE))
def test_each_opaque_type_is_named_at_any_depth(content_type: str) -> None:
    inner = _part(content_type, path=(2,), filename="x.bin")
    root = _part("multipart/mixed", _part("text/plain", path=(1,)), inner)
    (finding,) = opaque_findings(_message(root), to_client())
    assert (finding.matter, finding.part, finding.where) == (Matter.UNSCANNABLE, (2,), "attachment:x.bin")
    assert finding.reason == REASON_OF_TYPE[content_type]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/pdf", "image/png", "multipart/signed", "message/rfc822"]
)
def test_other_types_are_not_named(content_type: str) -> None:
    assert opaque_findings(_message(_part(content_type)), to_client()) == ()


def test_what_lies_inside_an_opaque_part_is_not_named_again() -> None:
    root = _part("multipart/encrypted", _part("application/pkcs7-mime", path=(1,)))
    assert len(opaque_findings(_message(root), to_client())) == 1


def test_the_original_in_a_delivery_report_is_not_named() -> None:
    root = _part("multipart/report", _part("application/pkcs7-mime", path=(3,)))
    assert opaque_findings(_message(root), to_client()) == ()


def test_armour_in_the_text_is_named_with_its_place() -> None:
    (finding,) = opaque_findings(_message(_part("text/plain"), f"Hi\n{ARMOURED}"), to_client())
    assert (finding.start, finding.end, finding.where) == (3, 30, "body")


def test_quoted_armour_is_not_named() -> None:
    assert opaque_findings(_message(_part("text/plain"), ARMOURED, ZoneKind.QUOTED), to_client()) == ()


@pytest.mark.parametrize("direction", [Direction.INTERNAL, Direction.THIRD_PARTY, Direction.INBOUND])
def test_mail_that_goes_to_no_client_is_left_alone(direction: Direction) -> None:
    people = parties(direction, a_party(Role.OUTSIDER))
    assert opaque_findings(_message(_part("multipart/encrypted")), people) == ()
