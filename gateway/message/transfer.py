"""Content-Transfer-Encoding undone, tolerantly: what a reader would show, and whether the bytes were in order.

Not an encoder (that is `gateway.amend`). Linear in the bytes, never raises. RFC 2045 section 6.
"""

from __future__ import annotations

import binascii
import re

_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(octet for octet in range(256) if octet not in _BASE64 + b"=")
_WHITE = b" \t\r\n"
_PADDING = re.compile(rb"=+")
_QP_BROKEN = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\Z)")
_QP_SOFT_PADDED = re.compile(rb"=[ \t]+(\r?\n|\Z)")


def is_known_encoding(encoding: str) -> bool:
    """True for the five encodings of RFC 2045 section 6.1, given in lower case."""
    return encoding in _IDENTITY or encoding in {"base64", "quoted-printable"}


def decode_transfer(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """The octets under a transfer encoding, and True if nothing had to be guessed.

    An unknown encoding gives the bytes as they are and False. Line ends of quoted-printable text stay as they are.
    """
    match encoding:
        case "base64":
            return _decode_base64(body)
        case "quoted-printable":
            return _decode_quoted_printable(body)
        case _:
            return body, encoding in _IDENTITY


def _decode_base64(body: bytes) -> tuple[bytes, bool]:
    """Every run of the alphabet decoded, also what stands behind padding, where some readers stop and others go on."""
    letters = body.translate(None, _NOT_BASE64)
    is_clean = len(letters) == len(body.translate(None, _WHITE))
    runs = [run for run in _PADDING.split(letters) if run]
    if len(runs) > 1 or (letters and len(letters) % 4):
        is_clean = False
    decoded = [binascii.a2b_base64(_padded(run)) for run in runs]
    return b"".join(decoded), is_clean


def _padded(run: bytes) -> bytes:
    if len(run) % 4 == 1:
        run = run[:-1]
    return run + b"=" * (-len(run) % 4)


def _decode_quoted_printable(body: bytes) -> tuple[bytes, bool]:
    body = _QP_SOFT_PADDED.sub(rb"=\1", body)
    return binascii.a2b_qp(body), _QP_BROKEN.search(body) is None
