from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.doors.milter_edits import edits, header_difference
from gateway.doors.milter_packets import CHUNK_BYTES

RECEIVED = b"Received: from a\r\n\tby gateway.example\r\n"


def taken(packets: tuple[bytes, ...]) -> list[tuple[bytes, int, bytes, bytes]]:
    """Each packet as command, number, name and value."""
    found = []
    for one in packets:
        (length,) = struct.unpack_from(">I", one)
        assert length == len(one) - 4
        command, octets = one[4:5], one[5:]
        number = 0
        if command in {b"i", b"m"}:
            (number,) = struct.unpack_from(">I", octets)
            octets = octets[4:]
        if command == b"b":
            found.append((command, 0, b"", octets))
            continue
        name, value, rest = octets.split(b"\0")
        assert rest == b""
        found.append((command, number, name, value))
    return found


def carried_out(before: bytes, packets: tuple[bytes, ...], *, adds_space: bool = False) -> bytes:
    """What a mail server makes of the edits: as Postfix does it, one after the other."""
    head, _, body = before.partition(b"\r\n\r\n") if not before.startswith(b"\r\n") else (b"", b"", before[2:])
    fields: list[bytes] = []
    for line in head.split(b"\r\n") if head else []:
        if line[:1] in {b" ", b"\t"}:
            fields[-1] += b"\r\n" + line
        else:
            fields.append(line)
    new_body: bytes | None = None
    for command, number, name, value in taken(packets):
        whole = name + (b": " if adds_space else b":") + value.replace(b"\n", b"\r\n")
        match command:
            case b"i":
                fields.insert(number, whole)
            case b"h":
                fields.append(whole)
            case b"b":
                new_body = (new_body or b"") + value
            case b"m":
                same = [at for at, field in enumerate(fields) if field.partition(b":")[0].lower() == name.lower()]
                fields[same[number - 1] : same[number - 1] + 1] = [whole] if value else []
    return b"".join(field + b"\r\n" for field in fields) + b"\r\n" + (body if new_body is None else new_body)


BEFORE = (
    b"From: a@b.example\r\nX-Practicum-Gateway: forged\r\n"
    b"Subject: Hi\r\n there\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
)
CASES = {
    "nothing": BEFORE,
    "on top": b"A: 1\r\n 2\r\nB: 3\r\n" + BEFORE,
    "forgery out": BEFORE.replace(b"X-Practicum-Gateway: forged\r\n", b""),
    "forgery out, stamp on top": b"X-Practicum-Gateway: id=1\r\n"
    + BEFORE.replace(b"X-Practicum-Gateway: forged\r\n", b""),
    "forgery out, stamp on top, field changed": b"X-Practicum-Gateway: id=1\r\n"
    + BEFORE.replace(b"X-Practicum-Gateway: forged\r\n", b"").replace(b"text/plain", b"text/html"),
    "field changed": BEFORE.replace(b"text/plain", b"text/plain;\r\n charset=utf-8"),
    "field at the end": BEFORE.replace(b"\r\n\r\n", b"\r\nMIME-Version: 1.0\r\n\r\n"),
    "changed, and one behind it": BEFORE.replace(b"text/plain", b"text/html\r\nMIME-Version: 1.0"),
    "one out and others at the end": BEFORE.replace(b"From: a@b.example\r\n", b"").replace(
        b"\r\n\r\n", b"\r\nFrom: c@b.example\r\nX: 1\r\n\r\n"
    ),
    "every field out": b"\r\nHello\r\n",
    "other body": BEFORE.replace(b"Hello", b"Hello\r\n-- \r\nnotice"),
    "empty body": BEFORE.replace(b"Hello\r\n", b""),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("has_leading_space", [True, False])
def test_the_mail_server_makes_of_the_edits_what_was_to_leave(name: str, has_leading_space: bool) -> None:
    after = CASES[name]
    packets = edits(BEFORE, RECEIVED + after, received=RECEIVED, has_leading_space=has_leading_space)
    assert carried_out(BEFORE, packets, adds_space=not has_leading_space) == after


def test_what_does_not_change_is_not_named() -> None:
    assert edits(BEFORE, RECEIVED + BEFORE, received=RECEIVED, has_leading_space=True) == ()


def test_only_our_own_trace_field_is_left_out() -> None:
    after = RECEIVED + b"Received: from another\r\n" + BEFORE
    (one,) = taken(edits(BEFORE, after, received=RECEIVED, has_leading_space=True))
    assert one == (b"i", 0, b"Received", b" from another")


def test_fields_of_one_name_are_numbered_and_taken_out_from_the_bottom() -> None:
    before = b"X: 1\r\nY: 0\r\nx: 2\r\nX : 3\r\n\r\n"
    found = taken(edits(before, b"X: 1\r\nY: 0\r\n\r\n", received=b"", has_leading_space=True))
    assert found == [(b"m", 3, b"X", b""), (b"m", 2, b"x", b"")]


@pytest.mark.parametrize(
    ("old", "new", "on_top", "removed"),
    [
        ([], [], [], []),
        ([], [b"A: 1\r\n"], [b"A: 1\r\n"], []),
        ([b"A: 1\r\n"], [], [], [0]),
        ([b"A: 1\r\n"], [b"A: 1\r\n"], [], []),
        ([b"A: 1\r\n"], [b"A: 1\r\n", b"A: 1\r\n"], [b"A: 1\r\n"], []),
        ([b"A: 1\r\n", b"A: 1\r\n"], [b"A: 1\r\n"], [], [0]),
        ([b"A: 1\r\n", b"B: 1\r\n"], [b"B: 1\r\n"], [], [0]),
    ],
)
def test_the_end_that_both_have_is_left_alone(
    old: list[bytes], new: list[bytes], on_top: list[bytes], removed: list[int]
) -> None:
    told = header_difference(old, new)
    assert (told.on_top, told.removed, told.changed, told.at_end) == (on_top, removed, [], [])


@pytest.mark.parametrize("size", [1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_new_body_goes_in_pieces_that_sendmail_takes(size: int) -> None:
    found = taken(edits(b"A: 1\r\n\r\nold", b"A: 1\r\n\r\n" + b"x" * size, received=b"", has_leading_space=True))
    assert b"".join(value for *_, value in found) == b"x" * size
    assert all(command == b"b" and 0 < len(value) <= CHUNK_BYTES for command, _, _, value in found)


@pytest.mark.parametrize("at", [0, 299_999, 300_000, 599_999])
def test_one_octet_anywhere_in_a_large_body_is_a_new_body(at: int) -> None:
    before = b"A: 1\r\n\r\n" + b"x" * 600_000
    after = before[: 8 + at] + b"y" + before[9 + at :]
    assert edits(before, before, received=b"", has_leading_space=True) == ()
    packets = edits(before, after, received=b"", has_leading_space=True)
    assert carried_out(before, packets) == after


def test_a_message_without_a_header_gets_its_fields_on_top() -> None:
    packets = edits(b"\r\nHello\r\n", b"A: 1\r\n\r\nHello\r\n", received=b"", has_leading_space=True)
    assert taken(packets) == [(b"i", 0, b"A", b" 1")]


fields = st.lists(
    st.sampled_from([b"A: 1\r\n", b"A: 2\r\n", b"a: 1\r\n", b"B: 1\r\n", b"B: 1\r\n 2\r\n", b"C:\r\n"]), max_size=8
)


@given(old=fields, on_top=fields, out=st.sets(st.integers(0, 7)), at_end=fields)
def test_whatever_is_put_on_top_taken_out_or_added_the_same_fields_arrive(
    old: list[bytes], on_top: list[bytes], out: set[int], at_end: list[bytes]
) -> None:
    new = [*on_top, *(field for at, field in enumerate(old) if at not in out), *at_end]
    before, after = b"".join(old) + b"\r\nbody\r\n", b"".join(new) + b"\r\nbody\r\n"
    packets = edits(before, after, received=b"", has_leading_space=True)
    result = carried_out(before, packets)
    assert sorted(result.splitlines()) == sorted(after.splitlines())
    if not at_end and not set(on_top) & set(old):
        assert [line for line in result.splitlines() if line] == [line for line in after.splitlines() if line]


def test_many_fields_of_one_name_are_no_burden() -> None:
    old = [b"X: 1\r\n", b"X: 2\r\n"] * 20_000
    told = header_difference(old, [b"S: 1\r\n", *old[::2]])
    assert len(told.removed) == 20_000
    assert told.on_top == [b"S: 1\r\n"]
