"""iCalendar and vCard files: every value, with folded lines joined and escapes undone. RFC 5545 section 3.1, RFC 6350.

Read by lines and not by a calendar library: what is not a valid calendar is shown by mail programs all the same, and
all of its text is to be looked at, known property or not.
"""

from __future__ import annotations

import base64
import binascii
import re

from gateway.content.documents.trouble import Sink, Trouble, Unreadable

_FOLD = re.compile(rb"\r?\n[ \t]")
_SILENT = re.compile(
    r"(?:BEGIN|END|VERSION|PRODID|UID|DTSTAMP|SEQUENCE|CALSCALE|METHOD|STATUS|TRANSP|CLASS|RRULE|TZ\w+|DTSTART|DTEND"
    r"|CREATED|LAST-MODIFIED|PRIORITY|TRIGGER|ACTION|X-MICROSOFT-[\w-]+|X-WR-[\w-]+|REV)[;:]",
    re.IGNORECASE,
)
_IS_BASE64 = re.compile(r"ENCODING=(?:BASE64|B)\b|;BASE64\b|^data:[^,]{0,100};base64,", re.IGNORECASE)
_ESCAPES = {"\\n": "\n", "\\N": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}
_ESCAPE = re.compile(r"\\[nN,;\\]")


def read_lines(sink: Sink, data: bytes, depth: int) -> None:
    """Say every value, names in parameters (CN) too, and open what is attached inline."""
    text = _FOLD.sub(b"", data).decode("utf-8", "replace")
    for line in text.splitlines():
        if _SILENT.match(line):
            continue
        head, value = _split(line)
        if _IS_BASE64.search(head) or _IS_BASE64.search(value[:200]):
            _open_inline(sink, value, depth)
            continue
        sink.say("".join(f"{name}\n" for name in _names(head)))
        sink.say(_ESCAPE.sub(lambda found: _ESCAPES[found[0]], value) + "\n")


def _split(line: str) -> tuple[str, str]:
    """What stands before and behind the first colon outside of quotation marks."""
    is_quoted = False
    for place, char in enumerate(line):
        if char == '"':
            is_quoted = not is_quoted
        elif char == ":" and not is_quoted:
            return line[:place], line[place + 1 :]
    return line, ""


def _names(head: str) -> list[str]:
    return [piece[3:].strip('"') for piece in head.split(";") if piece[:3].upper() == "CN="]


def _open_inline(sink: Sink, value: str, depth: int) -> None:
    try:
        content = base64.b64decode(value.partition(";base64,")[2] or value, validate=False)
    except binascii.Error as problem:
        raise Unreadable(Trouble.BROKEN) from problem
    sink.spend(len(content))
    sink.enter_member()
    sink.open(content, depth=depth + 1)
