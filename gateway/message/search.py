"""Octets looked for in whole messages, quickly: a mark that is rare in mail, and line ends that SMTP does not allow.

A search for one octet is the quickest there is, and large attachments hold neither dots nor hyphens. Pure, linear, any
octets. Called by the doors, by `gateway.outbound.wire` and by `gateway.message.structure`.
RFC 5321 sections 2.3.8 and 4.5.2.
"""

from __future__ import annotations

import numpy as np

_TRIES = 64
_SMALL_BYTES = _BLOCK_BYTES = 1 << 16
_CR, _LF = 13, 10


def find_mark(octets: bytes | bytearray, mark: bytes, start: int = 0) -> int:
    """As `octets.find(mark, start)`, quicker where the last octet of the mark is rare."""
    last, before = mark[-1:], len(mark) - 1
    at = start + before
    for _ in range(_TRIES):
        at = octets.find(last, at)
        if at < 0 or octets.startswith(mark, at - before):
            return at - before if at >= 0 else -1
        at += 1
    return octets.find(mark, at - before)


def has_bad_line_ends(octets: bytes) -> bool:
    """True if there is a CR or LF that is not part of a CRLF, or a NUL."""
    if len(octets) < _SMALL_BYTES:
        pairs = octets.count(b"\r\n")
        return octets.count(b"\n") != pairs or octets.count(b"\r") != pairs or b"\0" in octets
    if octets.startswith(b"\n") or octets.endswith(b"\r") or b"\0" in octets:
        return True
    values = np.frombuffer(octets, dtype=np.uint8)
    blocks = (values[at : at + _BLOCK_BYTES + 1] for at in range(0, len(values), _BLOCK_BYTES))
    return any(bool(((block[:-1] == _CR) != (block[1:] == _LF)).any()) for block in blocks)
