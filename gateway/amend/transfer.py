"""An insertion under a Content-Transfer-Encoding: which bytes of the encoded body give way to which.

The encoded text in front of the insertion stays byte for byte, except in the one base64 line where it falls. Not a
decoder (that is `gateway.message.transfer`). Pure; called by `gateway.amend.notice`. RFC 2045 sections 6.7 and 6.8.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from gateway.message.splice import Splice
from gateway.message.transfer import decode_transfer

IDENTITY = frozenset({"7bit", "8bit", "binary"})
_BASE64_LINE_OCTETS = 57
_QP_TOKEN = re.compile(rb"=[0-9A-Fa-f]{2}|.", re.DOTALL)


def quoted_printable(octets: bytes) -> bytes:
    """The octets in quoted-printable: CRLF pairs as line ends, lines of at most 76 columns, nothing that mail bends.

    A CR or LF that stands alone, white space at a line's end, a lone full stop and `From ` at a line's start are
    escaped.
    """
    return b"\r\n".join(_qp_line(line) for line in octets.split(b"\r\n"))


def _qp_line(line: bytes) -> bytes:
    if line.startswith(b"From "):
        return b"=46rom =\r\n" + _qp_line(line[5:])
    return binascii.b2a_qp(line, istext=False).replace(b"=\n", b"=\r\n")


def base64_lines(octets: bytes) -> bytes:
    """The octets in base64, lines of 76 columns that each end in CRLF."""
    step = _BASE64_LINE_OCTETS
    return b"".join(
        binascii.b2a_base64(octets[at : at + step], newline=False) + b"\r\n" for at in range(0, len(octets), step)
    )


def insertion(body: bytes, encoding: str, offset: int, octets: bytes) -> Splice:
    """The splice on an encoded `body` after which it decodes to its old octets with `octets` standing at `offset`.

    `offset` counts decoded octets, 0 to their number. Splice offsets count from the start of `body`. For an identity
    encoding the octets go in as they are: the caller sees to it that they may.
    """
    match encoding:
        case "base64":
            return _base64_insertion(body, offset, octets)
        case "quoted-printable":
            return _qp_insertion(body, offset, octets)
        case _:
            return Splice(start_byte=offset, end_byte=offset, replacement=octets)


def reencoded(octets: bytes, body: bytes, encoding: str) -> bytes:
    """A whole body anew: `octets` in `encoding`, with a final line end where the old encoded `body` had one."""
    match encoding:
        case "base64":
            return _ending_like(base64_lines(octets), body)
        case "quoted-printable":
            return quoted_printable(octets)
        case _:
            return octets


def _ending_like(encoded: bytes, body: bytes) -> bytes:
    return encoded if body.endswith(b"\n") else encoded.removesuffix(b"\r\n")


def _base64_insertion(body: bytes, offset: int, octets: bytes) -> Splice:
    kept_bytes = kept_octets = letters = position = 0
    for line in _lines(body):
        letters += len(line.translate(None, b" \t\r\n"))
        position += len(line)
        if letters * 3 // 4 > offset or b"=" in line:
            break
        if letters % 4 == 0 and line.endswith(b"\r\n"):
            kept_bytes, kept_octets = position, letters * 3 // 4
    tail, _ = decode_transfer(body[kept_bytes:], "base64")
    at = offset - kept_octets
    encoded = _ending_like(base64_lines(tail[:at] + octets + tail[at:]), body)
    return Splice(start_byte=kept_bytes, end_byte=len(body), replacement=encoded)


def _qp_insertion(body: bytes, offset: int, octets: bytes) -> Splice:
    at = _qp_position(body, offset)
    line_start = body.rfind(b"\n", 0, at) + 1
    encoded = quoted_printable(octets)
    before = body[line_start:at]
    if encoded.startswith(b"\r\n"):
        if before[-1:] in {b" ", b"\t"}:
            encoded = b"=\r\n" + encoded
    elif before:
        encoded = b"=\r\n" + encoded
    behind = body[at : at + 2]
    if not encoded.endswith(b"\r\n") and behind not in {b"", b"\r\n"}:
        encoded += b"=\r\n"
    return Splice(start_byte=at, end_byte=at, replacement=encoded)


def _qp_position(body: bytes, offset: int) -> int:
    """Where in an encoded body the decoded octet `offset` begins; the end of the body for the end of the octets."""
    octets = position = 0
    for line in _lines(body):
        count = len(decode_transfer(line, "quoted-printable")[0])
        if octets + count > offset:
            return position + _qp_column(line, offset - octets)
        octets += count
        position += len(line)
    return position


def _qp_column(line: bytes, count: int) -> int:
    for index, token in enumerate(_QP_TOKEN.finditer(line)):
        if index == count:
            return token.start()
    return len(line)


def _lines(body: bytes) -> Iterator[bytes]:
    """The lines with their line feeds, one after another, so that a large body is not held twice."""
    position = 0
    while position < len(body):
        newline = body.find(b"\n", position)
        end = len(body) if newline < 0 else newline + 1
        yield body[position:end]
        position = end
