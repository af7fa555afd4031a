"""The content of a message as it comes after DATA: its end, its octets before dot-stuffing, and what is wrong with it.

Not a parser of messages (`gateway.message.parse`): octets and counts only, no I/O. Called by
`gateway.doors.smtp_session`. RFC 5321 sections 2.3.8 and 4.1.1.4 (only CRLF ends a line, only CRLF.CRLF ends the
data), 4.5.2 (transparency), 6.3 (hops).
"""

from __future__ import annotations

import re

from gateway.message.limits import Limits
from gateway.message.search import find_mark, has_bad_line_ends

_END_OF_DATA = b"\r\n.\r\n"
_OVERLAP = len(_END_OF_DATA) - 1
_RECEIVED = re.compile(rb"(?im)^received[ \t]*:")
_DISGUISED_END = re.compile(rb"[\r\n\x00]\.[\r\n\x00]")
_MAX_HEAD_BYTES = 4 << 20


class ContentReader:
    """Takes chunks until the end of data. Linear: each octet is searched twice at most, with an overlap of four.

    Octets beyond `max_bytes` are dropped as they come, so that memory stays bounded; the end is found all the same.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._max_stuffed_bytes = max_bytes * 4 // 3 + 8  # "..CRLF" for ".CRLF" is the worst that stuffing does
        self._kept = bytearray(b"\r\n")  # the CRLF of the DATA command, so that an empty message ends too
        self._is_dropping = False
        self._has_stuffing = False
        self.is_too_large = False

    def feed(self, chunk: bytes | bytearray) -> bytes | None:
        """None while the data go on; at their end the octets that follow it (b"" for none)."""
        start = max(0, len(self._kept) - _OVERLAP)
        self._kept += chunk
        end = self._end(start)
        if end < 0:
            if len(self._kept) > self._max_stuffed_bytes:
                self.is_too_large = True
                self.drop()
            if self._is_dropping:
                del self._kept[:-_OVERLAP]
            return None
        rest = bytes(self._kept[end + len(_END_OF_DATA) :])
        del self._kept[end + 2 :]
        return rest

    def _end(self, start: int) -> int:
        """Where the end of data begins, or -1. Most mail has no line with a dot before it: one search then tells both.

        A dot whose line is not whole yet is found again with the next chunk.
        """
        if not self._has_stuffing:
            dot = find_mark(self._kept, b"\r\n.", start)
            if dot < 0 or len(self._kept) < dot + len(_END_OF_DATA):
                return -1
            if self._kept.startswith(_END_OF_DATA, dot):
                return dot
            self._has_stuffing = True
        return self._kept.find(_END_OF_DATA, start)

    def drop(self) -> None:
        """Keep nothing from now on; the end of data is still found."""
        self._is_dropping = True

    def content(self) -> bytes:
        """What was sent, each line's first dot taken away. Call it once, after the end, if nothing was dropped."""
        kept, self._kept = self._kept, bytearray()
        stuffed = kept.replace(b"\r\n.", b"\r\n") if self._has_stuffing else kept
        content = bytes(memoryview(stuffed)[2:])
        self.is_too_large = self.is_too_large or len(content) > self._max_bytes
        return content


def content_fault(content: bytes, limits: Limits) -> str | None:
    """The name of the reply that this content gets at once, or None: line ends, NUL, hops, number of header fields."""
    if has_bad_line_ends(content):
        return "bad_line_ends"
    head = _head(content)
    if len(_RECEIVED.findall(head)) >= limits.max_hops:
        return "too_many_hops"
    fields = head.count(b"\n") + bool(head) - head.count(b"\n ") - head.count(b"\n\t")
    return "too_many_headers" if fields > limits.max_header_fields else None


def is_disguised_end(content: bytes) -> bool:
    """True if a lone dot stands between bad line ends.

    Some servers take that as the end of data, and what follows as commands. Ask only of content with bad line ends.
    """
    return _DISGUISED_END.search(content) is not None


def _head(content: bytes) -> bytes:
    if content.startswith(b"\r\n"):
        return b""
    end = content.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
    return content[: end if end >= 0 else _MAX_HEAD_BYTES]
