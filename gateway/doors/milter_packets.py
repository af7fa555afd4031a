"""The packets of the milter protocol as values, and the bytes of our answers. No state, no I/O.

Which packet may follow which is `gateway.doors.milter_wire`'s. Versions 2 to 6 as libmilter and Postfix speak them
(there is no RFC: Sendmail `mfdef.h`, Postfix MILTER_README): four octets of length, one of command, then its arguments.
Whatever breaks the form is a `ProtocolError`, which costs the peer its connection and nobody else anything.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from gateway.message.reply import Reply

MAX_PACKET_BYTES = 1 << 20
"""The longest packet that is read: Postfix sends a header field of its `header_size_limit` (100 kB) in one."""
CHUNK_BYTES = 65_535
"""The longest part of a body in one packet of ours; Sendmail takes no more."""
MIN_VERSION, MAX_VERSION = 2, 6
_MAX_MACROS = 64
_MAX_ARGUMENTS = 64
_MAX_VALUE_BYTES = 8192
_MAX_SMALL_BYTES = 65_536
_BAD_NAME = re.compile(rb"\A[ \t]|[\r\n:]")
_BAD_FOLD = re.compile(rb"\n(?![ \t])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UINT32 = struct.Struct(">I")
_OPTNEG = struct.Struct(">III")


class ProtocolError(Exception):
    """The peer sent what no mail server sends. The words name the fact and hold nothing of what was sent."""


class Ask(IntEnum):
    """What a mail server sends, by its command octet."""

    ABORT = ord("A")
    BODY = ord("B")
    CONNECT = ord("C")
    MACRO = ord("D")
    END_OF_MESSAGE = ord("E")
    HELO = ord("H")
    QUIT_NEW_CONNECTION = ord("K")
    HEADER = ord("L")
    MAIL = ord("M")
    END_OF_HEADERS = ord("N")
    NEGOTIATE = ord("O")
    QUIT = ord("Q")
    RCPT = ord("R")
    DATA = ord("T")
    UNKNOWN = ord("U")


_ASKS = {int(ask): ask for ask in Ask}


class Say(IntEnum):
    """What we answer, by its command octet."""

    ACCEPT = ord("a")
    REPLACE_BODY = ord("b")
    CONTINUE = ord("c")
    DISCARD = ord("d")
    INSERT_HEADER = ord("i")
    CHANGE_HEADER = ord("m")
    ADD_HEADER = ord("h")
    NEGOTIATE = ord("O")
    PROGRESS = ord("p")
    QUARANTINE = ord("q")
    TEMPFAIL = ord("t")
    REPLY_CODE = ord("y")


class Action(IntFlag):
    """What a milter may do to a message (SMFIF)."""

    ADD_HEADERS = 0x1
    CHANGE_BODY = 0x2
    CHANGE_HEADERS = 0x10
    QUARANTINE = 0x20
    SET_MACROS = 0x100


class Step(IntFlag):
    """What is left out of the conversation, or done otherwise (SMFIP)."""

    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    NO_REPLY_HEADER = 0x80
    NO_REPLY_CONNECT = 0x1000
    NO_REPLY_HELO = 0x2000
    NO_REPLY_DATA = 0x10000
    NO_REPLY_UNKNOWN = 0x20000
    NO_REPLY_END_OF_HEADERS = 0x40000
    NO_REPLY_BODY = 0x80000
    HEADER_LEADING_SPACE = 0x100000


class MacroStage(IntEnum):
    """Where a list of wanted macros belongs (SMFIM)."""

    CONNECT = 0
    HELO = 1
    MAIL = 2
    RCPT = 3
    DATA = 4
    END_OF_MESSAGE = 5
    END_OF_HEADERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiate:
    """What the mail server can do."""

    version: int
    actions: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Macros:
    """Macros for the command `stage` that follows; names without braces."""

    stage: Ask
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A client has connected. `address` is None for a family that is neither IPv4 nor IPv6."""

    host_name: str
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Helo:
    """The client's name for itself."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """MAIL or RCPT: the address without angle brackets ("" for the null path), and the parameters verbatim.

    `address` is None if it, or a parameter, is no UTF-8 text without control characters: refuse the command.
    """

    address: str | None
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One header field as octets. `value` has line feeds alone where it is folded, as the protocol wants it."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Octets of the body; also what the end of the message may bring along."""

    octets: bytes


Payload = Negotiate | Macros | Connect | Helo | Path | Header | Chunk | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet of the mail server; `payload` is None where the command has none that matters."""

    ask: Ask
    payload: Payload = None


def read_packet(code: int, octets: bytes) -> Packet:
    """The packet of a command octet and its arguments. Raises ProtocolError."""
    ask = _ASKS.get(code)
    if ask is None:
        raise ProtocolError("unknown command")
    if len(octets) > _MAX_SMALL_BYTES and ask not in {Ask.HEADER, Ask.BODY, Ask.END_OF_MESSAGE}:
        raise ProtocolError("arguments are too long")
    match ask:
        case Ask.NEGOTIATE:
            return Packet(ask=ask, payload=_negotiate(octets))
        case Ask.MACRO:
            return Packet(ask=ask, payload=_macros(octets))
        case Ask.CONNECT:
            return Packet(ask=ask, payload=_connect(octets))
        case Ask.HELO:
            return Packet(ask=ask, payload=Helo(name=_text(_strings(octets, 1)[0])))
        case Ask.MAIL | Ask.RCPT:
            return Packet(ask=ask, payload=_path(octets))
        case Ask.HEADER:
            return Packet(ask=ask, payload=_header(octets))
        case Ask.BODY | Ask.END_OF_MESSAGE:
            return Packet(ask=ask, payload=Chunk(octets=octets))
        case _:
            return Packet(ask=ask)


def packet(say: Say, octets: bytes = b"") -> bytes:
    """The bytes of one answer."""
    return _UINT32.pack(len(octets) + 1) + bytes((say,)) + octets


def negotiate_packet(
    *, version: int, actions: int, steps: int, wanted_macros: tuple[tuple[MacroStage, str], ...]
) -> bytes:
    """What we will do, what we do not want to be told, and which macros we want to hear."""
    lists = b"".join(_UINT32.pack(stage) + names.encode("ascii") + b"\0" for stage, names in wanted_macros)
    return packet(Say.NEGOTIATE, _OPTNEG.pack(version, actions, steps) + lists)


def insert_header_packet(index: int, name: bytes, value: bytes) -> bytes:
    """Put a field before the one that stands at `index`; 0 is the top."""
    return packet(Say.INSERT_HEADER, _UINT32.pack(index) + name + b"\0" + value + b"\0")


def change_header_packet(number: int, name: bytes, value: bytes) -> bytes:
    """Give the field that is the `number`th of its name (from 1) another value; an empty one takes it out."""
    return packet(Say.CHANGE_HEADER, _UINT32.pack(number) + name + b"\0" + value + b"\0")


def add_header_packet(name: bytes, value: bytes) -> bytes:
    """Put a field at the end of the header."""
    return packet(Say.ADD_HEADER, name + b"\0" + value + b"\0")


def quarantine_packet(reason: str) -> bytes:
    """Keep the message in the mail server's queue for a person; `reason` is ASCII text without control characters."""
    return packet(Say.QUARANTINE, _CONTROL.sub(" ", reason).encode("ascii", "replace") + b"\0")


def reply_code_packet(answer: Reply) -> bytes:
    """An SMTP reply in place of the mail server's own. Percent signs are doubled: Sendmail expands what follows one."""
    words = answer.wire().removesuffix(b"\r\n").replace(b"\0", b" ").replace(b"%", b"%%")
    return packet(Say.REPLY_CODE, words + b"\0")


def _negotiate(octets: bytes) -> Negotiate:
    if len(octets) < _OPTNEG.size:
        raise ProtocolError("negotiation is too short")
    version, actions, steps = _OPTNEG.unpack_from(octets)
    if version < MIN_VERSION:
        raise ProtocolError("version is too old")
    return Negotiate(version=version, actions=actions, steps=steps)


def _macros(octets: bytes) -> Macros:
    if not octets:
        raise ProtocolError("macros of no command")
    stage = _ASKS.get(octets[0])
    if stage is None:
        raise ProtocolError("macros of an unknown command")
    words = octets[1:].split(b"\0")
    if words.pop() or len(words) % 2 or len(words) > 2 * _MAX_MACROS:
        raise ProtocolError("macros are no pairs, or too many")
    names, values = words[::2], words[1::2]
    if any(len(word) > _MAX_VALUE_BYTES for word in words):
        raise ProtocolError("a macro is too long")
    pairs = zip((_bare(_text(name)) for name in names), map(_text, values), strict=True)
    return Macros(stage=stage, values=tuple(pairs))


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith("{") and name.endswith("}") else name


def _connect(octets: bytes) -> Connect:
    host_name, end, rest = octets.partition(b"\0")
    if not end or not rest or len(host_name) > _MAX_VALUE_BYTES:
        raise ProtocolError("connection without a name or a family")
    family, rest = rest[:1], rest[1:]
    if family not in {b"4", b"6"}:
        if family not in {b"L", b"U"}:
            raise ProtocolError("connection of an unknown family")
        return Connect(host_name=_text(host_name), address=None)
    if len(rest) < 3 or not rest.endswith(b"\0") or len(rest) > 100:
        raise ProtocolError("connection without an address")
    return Connect(host_name=_text(host_name), address=_text(rest[2:-1]))


def _path(octets: bytes) -> Path:
    try:
        address, *parameters = (word.decode("utf-8") for word in _strings(octets, _MAX_ARGUMENTS))
    except UnicodeDecodeError:
        return Path(address=None, parameters=())
    if any(_CONTROL.search(word) for word in (address, *parameters)):
        return Path(address=None, parameters=())
    if address.startswith("<") and address.endswith(">"):
        address = address[1:-1]
    return Path(address=address, parameters=tuple(parameters))


def _header(octets: bytes) -> Header:
    name, end, value = octets.partition(b"\0")
    if not end or not value.endswith(b"\0"):
        raise ProtocolError("header field without its ends")
    value = value[:-1].replace(b"\r\n", b"\n")
    if _BAD_NAME.search(name) or not name:
        raise ProtocolError("header field with a bad name")
    if b"\0" in value or _BAD_FOLD.search(value):
        raise ProtocolError("header field that is no one field")
    return Header(name=name, value=value)


def _strings(octets: bytes, most: int) -> list[bytes]:
    words = octets.split(b"\0")
    if words.pop() or not 1 <= len(words) <= most or any(len(word) > _MAX_VALUE_BYTES for word in words):
        raise ProtocolError("arguments without their ends, or too many, or too long")
    return words


def _text(octets: bytes) -> str:
    """UTF-8, or what else it is with replacement characters, and so for control characters."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", octets.decode("utf-8", "replace"))
