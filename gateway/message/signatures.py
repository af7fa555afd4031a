"""Signatures at the end of a stretch of new text, told conservatively: what is in doubt stays new text.

Called by `zones`. RFC 3676 section 4.3 (the separator `-- `); the rest is how people and telephones sign,
in English and French.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_LINES = 15
_MAX_CHARS = 1000
_MAX_CONTACT_LINES = 8
_MAX_CONTACT_CHARS = 70

_DEVICE = re.compile(
    r"(?:sent from (?:my )?|envoyé (?:de|depuis|à partir de) (?:mon |ma )?|get |obtene[zr] |obtenir |télécharge[zr] )"
    r"(?:iphone|ipad|samsung|galaxy|android|blackberry|pixel|huawei|mobile|phone|téléphone|tablet|tablette|outlook|yahoo"
    r"|mail|gmail|courrier)"
    r"(?:\s(?:mail|mobile|phone|device|galaxy|samsung|smartphone|intelligent|android|ios|windows|outlook|for|pour|on|sur|and"
    r"|et|\d{1,2}))*\s*\.?$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:best(?: regards| wishes)?|(?:kind(?:est)?|warm(?:est)?|many) (?:regards|thanks)|regards|sincerely(?: yours)?"
    r"|yours(?: truly| sincerely)?|thanks(?: again| so much)?|thank you|take care|cheers|respectfully|cordialement"
    r"|bien (?:cordialement|à vous|à toi)|sincèrement|salutations(?: distinguées)?|merci(?: beaucoup| bien)?"
    r"|amicalement|au plaisir|bonne journée)\s?[,.!]?$",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"\+?\d[\d\s().\-]{5,20}\d|[^\s@]{1,64}@[^\s@]{1,255}\.[a-z]{2,}|\bwww\.|https?://", re.IGNORECASE
)
_PERSONAL_WORD = re.compile(
    r"\b(?:i|i'm|i’m|my|me|we|our|you|your|je|j'ai|j’ai|mon|ma|mes|moi|tu|toi|vous|votre|ton|ta|call|text|add|appelle|appelez|"
    r"texte|textez|ajoute|ajoutez)\b",
    re.IGNORECASE,
)


def signature_lines(lines: Sequence[str]) -> tuple[range, ...]:
    """Which of the lines of one stretch of new text are a signature: indexes into `lines`.

    Up to 15 lines and 1000 characters behind a `-- `; a telephone's own line ("Sent from my iPhone"); and, behind a
    closing word on its own line, a block of short lines with a telephone number or an address in it.
    """
    last = len(lines)
    while last and not lines[last - 1].strip():
        last -= 1
    separator = _separator(lines, last)
    if separator is not None:
        return (range(separator, len(lines)),)
    devices = tuple(range(index, index + 1) for index in range(max(0, last - 4), last) if _is_device(lines[index]))
    if devices:
        return devices
    contact = _contact_block(lines, last)
    return () if contact is None else (contact,)


def _is_device(line: str) -> bool:
    return len(line) <= 80 and _DEVICE.match(line.strip()) is not None


def _separator(lines: Sequence[str], last: int) -> int | None:
    """The earliest `-- ` line that is near enough to the end."""
    chars = 0
    found = None
    for index in range(last - 1, max(last - _MAX_LINES - 2, -1), -1):
        chars += len(lines[index])
        if chars > _MAX_CHARS:
            break
        if lines[index] in ("-- ", "--"):
            found = index
    return found


def _contact_block(lines: Sequence[str], last: int) -> range | None:
    has_contact = False
    filled = 0
    for index in range(last - 1, -1, -1):
        line = lines[index].strip()
        if not line:
            continue
        if _CLOSING.match(line[:60]) is not None and len(line) <= 40:
            return range(index + 1, last) if has_contact else None
        filled += 1
        if filled > _MAX_CONTACT_LINES or not _is_contact_line(line):
            return None
        has_contact = has_contact or _CONTACT.search(line) is not None
    return None


def _is_contact_line(line: str) -> bool:
    """True for a short line that is no sentence."""
    if len(line) > _MAX_CONTACT_CHARS or len(line.split()) > 9 or line.endswith(("!", "?", ";", ":")):
        return False
    return _PERSONAL_WORD.search(line) is None
