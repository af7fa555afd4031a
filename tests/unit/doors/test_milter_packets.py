from __future__ import annotations

import pytest

from gateway.doors.milter_packets import (
    Ask,
    Chunk,
    Connect,
    Header,
    Helo,
    Macros,
    Negotiate,
    Path,
    Payload,
    ProtocolError,
    Say,
    packet,
    read_packet,
    reply_code_packet,
)
from gateway.message.reply import Reply, reply

READ: list[tuple[bytes, bytes, Payload]] = [
    (b"O", b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff", Negotiate(version=6, actions=0x1FF, steps=0x1FFFFF)),
    (b"O", b"\0\0\0\x02\0\0\0\x01\0\0\0\x02and more", Negotiate(version=2, actions=1, steps=2)),
    (b"D", b"C", Macros(stage=Ask.CONNECT, values=())),
    (b"D", b"M{auth_authen}\0ada\0i\x00Q1\0", Macros(stage=Ask.MAIL, values=(("auth_authen", "ada"), ("i", "Q1")))),
    (b"D", b"Ma\0\0", Macros(stage=Ask.MAIL, values=(("a", ""),))),
    (b"D", b"Ma\0b\nc\0", Macros(stage=Ask.MAIL, values=(("a", "b\N{REPLACEMENT CHARACTER}c"),))),
    (b"C", b"mail.example\x004\x1f\x90192.0.2.1\0", Connect(host_name="mail.example", address="192.0.2.1")),
    (b"C", b"[x]\x006\0\0IPv6:2001:db8::1\0", Connect(host_name="[x]", address="IPv6:2001:db8::1")),
    (b"C", b"localhost\0L\0\0/run/x\0", Connect(host_name="localhost", address=None)),
    (b"C", b"unknown\0U", Connect(host_name="unknown", address=None)),
    (b"H", b"caf\xc3\xa9\0", Helo(name="café")),
    (b"H", b"caf\xe9\x07\0", Helo(name="caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}")),
    (b"M", b"<>\0", Path(address="", parameters=())),
    (b"M", b"<a@b.example>\0SIZE=1\0X\0", Path(address="a@b.example", parameters=("SIZE=1", "X"))),
    (b"M", b"a@b.example\0", Path(address="a@b.example", parameters=())),
    (b"R", b"<\xff@b.example>\0", Path(address=None, parameters=())),
    (b"R", b"<a@b.example>\0OR\x01\0", Path(address=None, parameters=())),
    (b"L", b"Subject\0 a: b\0", Header(name=b"Subject", value=b" a: b")),
    (b"L", b"Subject\0 a\n\tb\0", Header(name=b"Subject", value=b" a\n\tb")),
    (b"L", b"Subject\0 a\r\n\tb\r\0", Header(name=b"Subject", value=b" a\n\tb\r")),
    (b"L", b"Subject \0\0", Header(name=b"Subject ", value=b"")),
    (b"B", b"a\0b", Chunk(octets=b"a\0b")),
    (b"E", b"", Chunk(octets=b"")),
    (b"N", b"", None),
    (b"A", b"whatever", None),
]


@pytest.mark.parametrize(("letter", "octets", "payload"), READ)
def test_a_packet_is_read(letter: bytes, octets: bytes, payload: Payload) -> None:
    found = read_packet(letter[0], octets)
    assert (found.ask, found.payload) == (Ask(letter[0]), payload)


BREACHES = [
    (b"z", b""),
    (b"O", b"\0\0\0\x06\0\0\x01\xff\0\x1f\xff"),
    (b"O", b"\0\0\0\x01\0\0\x01\xff\0\x1f\xff\xff"),
    (b"D", b""),
    (b"D", b"zname\0value\0"),
    (b"D", b"Mname\0"),
    (b"D", b"Mname\0value"),
    (b"D", b"M" + b"a\0b\0" * 65),
    (b"D", b"Ma\0" + b"x" * 9000 + b"\0"),
    (b"C", b""),
    (b"C", b"name"),
    (b"C", b"name\0"),
    (b"C", b"name\x009"),
    (b"C", b"name\x004"),
    (b"C", b"name\x004\0\x01192.0.2.1"),
    (b"C", b"name\x004\0\x01" + b"1" * 200 + b"\0"),
    (b"C", b"x" * 9000 + b"\0U"),
    (b"H", b""),
    (b"H", b"a"),
    (b"H", b"a\0b\0"),
    (b"M", b""),
    (b"M", b"<a@b.example>"),
    (b"M", b"<a@b.example>\0" + b"X\0" * 64),
    (b"R", b"<" + b"x" * 9000 + b">\0"),
    (b"R", b"<a@b.example>\0" * 5000),
    (b"L", b"Subject"),
    (b"L", b"Subject\0"),
    (b"L", b"Subject\0value"),
    (b"L", b"\0value\0"),
    (b"L", b"Sub:ject\0value\0"),
    (b"L", b" Subject\0value\0"),
    (b"L", b"Sub\nject\0value\0"),
    (b"L", b"Subject\0va\0lue\0"),
    (b"L", b"Subject\0a\nBcc: b\0"),
    (b"L", b"Subject\0a\n\0"),
    (b"L", b"Subject\0a\n\n b\0"),
]


@pytest.mark.parametrize(("letter", "octets"), BREACHES)
def test_what_no_mail_server_sends_is_a_breach_that_tells_nothing_of_it(letter: bytes, octets: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_packet(letter[0], octets)
    assert "example" not in str(caught.value)


def test_a_packet_carries_its_length() -> None:
    assert packet(Say.ACCEPT) == b"\0\0\0\x01a"
    assert packet(Say.REPLACE_BODY, b"xyz") == b"\0\0\0\x04bxyz"


def test_a_reply_has_its_percent_signs_doubled_and_no_line_end() -> None:
    assert reply_code_packet(Reply(code=550, lines=("5.7.1 100%", "no"))) == packet(
        Say.REPLY_CODE, b"550-5.7.1 100%%\r\n550 no\0"
    )
    assert reply_code_packet(reply("machinery")).endswith(b"not accepted\0")


def test_a_nul_in_a_reply_does_not_end_it() -> None:
    assert reply_code_packet(Reply(code=450, lines=("a\0b",))) == packet(Say.REPLY_CODE, b"450 a b\0")
