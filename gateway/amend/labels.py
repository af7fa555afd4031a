"""New values for Content-Type's charset and for Content-Transfer-Encoding, as splices that leave all other bytes alone.

Called by `gateway.amend.notice` when a notice needs another label. RFC 2045 sections 4 to 6, RFC 2231.
"""

from __future__ import annotations

import re

from gateway.message.model import HeaderField, Message, Part
from gateway.message.splice import Splice

_QUOTED = rb'"(?:[^"\\]|\\.)*"'
_PARAMETER = re.compile(
    rb"(?P<gap>[ \t\r\n]*;[ \t\r\n]*)(?P<name>[^\s=;\"()]+)[ \t\r\n]*=[ \t\r\n]*(?P<value>" + _QUOTED + rb"|[^\s;(]*)",
    re.DOTALL,
)
_MEDIA_TYPE = re.compile(rb"[ \t\r\n]*[^\s;()\"]+")
_WORD = re.compile(rb"[^\s()]+")


def label_splices(
    message: Message, part: Part, *, charset: str | None = None, encoding: str | None = None
) -> tuple[Splice, ...]:
    """The splices that give `part` another charset or transfer encoding (None: as it is).

    Fields that are missing are added at the end of the part's head, and MIME-Version at the end of the message's.
    """
    splices: list[Splice] = []
    added = b""
    if charset is not None:
        field = _field(part, "content-type")
        if field is None:
            added += b"Content-Type: text/plain; charset=" + charset.encode("ascii") + b"\r\n"
        else:
            splices.append(_charset_splice(message.raw, field, charset.encode("ascii")))
    if encoding is not None:
        field = _field(part, "content-transfer-encoding")
        if field is None:
            added += b"Content-Transfer-Encoding: " + encoding.encode("ascii") + b"\r\n"
        else:
            splices.append(_encoding_splice(message.raw, field, encoding.encode("ascii")))
    if added:
        splices.append(_added(part, added))
    if splices and _field(message.root, "mime-version") is None:
        splices.append(_added(message.root, b"MIME-Version: 1.0\r\n"))
    return tuple(splices)


def _field(part: Part, name: str) -> HeaderField | None:
    return next((field for field in part.headers if field.is_named(name)), None)


def _added(part: Part, fields: bytes) -> Splice:
    at = part.headers[-1].end_byte if part.headers else part.header_start_byte
    return Splice(start_byte=at, end_byte=at, replacement=fields)


def _charset_splice(raw: bytes, field: HeaderField, charset: bytes) -> Splice:
    """The charset's value replaced, or the parameter put behind the media type.

    A field too torn to say where is given one more charset there; the assertion then finds that it did not help.
    """
    start, end = _value_range(raw, field)
    media_type = _MEDIA_TYPE.match(raw, start, end)
    at = position = start if media_type is None else media_type.end()
    while (parameter := _PARAMETER.match(raw, position, end)) is not None:
        match parameter["name"].lower():
            case b"charset":
                return _replaced(parameter, "value", charset)
            case b"charset*":
                return _replaced(parameter, "name", b"charset=" + charset)
        position = parameter.end()
    return Splice(start_byte=at, end_byte=at, replacement=b"; charset=" + charset)


def _replaced(parameter: re.Match[bytes], group: str, words: bytes) -> Splice:
    """The parameter from the start of that group to its end gives way to `words`."""
    return Splice(start_byte=parameter.start(group), end_byte=parameter.end(), replacement=words)


def _encoding_splice(raw: bytes, field: HeaderField, encoding: bytes) -> Splice:
    """The encoding's word replaced, or put in if the field is empty."""
    start, end = _value_range(raw, field)
    word = _WORD.search(raw, start, end)
    if word is None:
        return Splice(start_byte=end, end_byte=end, replacement=b" " + encoding)
    return Splice(start_byte=word.start(), end_byte=word.end(), replacement=encoding)


def _value_range(raw: bytes, field: HeaderField) -> tuple[int, int]:
    """The field's value, from behind the colon to its line end."""
    whole = raw[field.start_byte : field.end_byte]
    return field.start_byte + whole.index(b":") + 1, field.start_byte + len(whole.rstrip(b"\r\n"))
