"""Header text for people: encoded-words decoded, folding undone, and nothing left that could trick an eye or a line.

What comes out here is shown, or read by recognizers; it is never written into a header. Structure (addresses and
parameters) is parsed before words are decoded, never after. Linear, never raises. RFC 2047, RFC 2231 section 5, RFC
5322 section 2.2.3.
"""

from __future__ import annotations

import binascii
import re

from gateway.message.charsets import decode_leniently, decode_strictly

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_WORD = re.compile(r"=\?([^?\s]{1,75})\?([bBqQ])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
_DIRECTION = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
_SPACES = dict.fromkeys((0x09, 0x0A, 0x0D, 0x2028, 0x2029), " ")
_CLEAN: dict[int, str | None] = {**_CONTROLS, **_DIRECTION, **_SPACES}


def header_text(value: bytes) -> str:
    """The value of an unstructured field as a person reads it, without the white space around it."""
    if value.isascii() and b"\n" not in value and b"=?" not in value:  # most fields, which need none of what follows
        text = value.decode("ascii").strip()
        if text.isprintable():
            return text
    return clean_text(decode_words(unfolded(value))).strip()


def unfolded(value: bytes) -> str:
    """The value as text on one line: UTF-8 (RFC 6532), else windows-1252; the breaks of folding are taken out."""
    text = value.decode("ascii") if value.isascii() else decode_leniently(value, None)
    return _FOLD.sub("", text) if "\n" in text else text


def clean_text(text: str) -> str:
    """The text in printable characters only: none that control, override the direction or show nothing (a soft hyphen).

    Line breaks, tabs and other white space become spaces.
    """
    if text.isprintable():
        return text
    text = text.translate(_CLEAN)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def decode_words(text: str) -> str:
    """The text with its encoded-words decoded; a malformed one stays as it is.

    White space between two encoded-words goes (RFC 2047 section 6.2). Adjacent words of one charset are decoded
    together, because mailers cut characters in two.
    """
    if "=?" not in text:
        return text
    pieces: list[str] = []
    pending: list[bytes] = []
    pending_charset = ""
    position = 0
    for match in _WORD.finditer(text):
        charset, octets = match[1].partition("*")[0].lower(), _octets(match[2], match[3])
        between = text[position : match.start()]
        is_adjacent = position > 0 and not between.strip(" \t\r\n")
        if pending and not (is_adjacent and charset == pending_charset):
            pieces.append(_decoded(pending, pending_charset))
            pending = []
        if not is_adjacent:
            pieces.append(between)
        pending.append(octets)
        pending_charset = charset
        position = match.end()
    if pending:
        pieces.append(_decoded(pending, pending_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def _octets(encoding: str, encoded: str) -> bytes:
    if encoding in "bB":
        run = _NOT_BASE64.sub("", encoded)
        run = run[:-1] if len(run) % 4 == 1 else run
        return binascii.a2b_base64(run + "=" * (-len(run) % 4))
    return binascii.a2b_qp(encoded.encode("utf-8", "surrogateescape"), header=True)


def _decoded(octets: list[bytes], charset: str) -> str:
    joined = b"".join(octets)
    strict = decode_strictly(joined, charset)
    return decode_leniently(joined, charset) if strict is None else strict
