"""The words by which mail readers introduce quoted text, English and French: attributions, separators, header blocks.

Patterns over lines, no decisions about zones (that is `zones`). Every pattern wants evidence, such as a date beside
the name, because a stretch that is wrongly called quoted is hidden from the rules for new text. All linear, on lines
cut short.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAX_LINE = 400
_MAX_ATTRIBUTION_LINES = 4
_MAX_BLOCK_LINES = 16
_MAX_WRAPPED_LINES = 3
_MAX_BLANK_ABOVE = 20

_QUOTE_LINE = re.compile(r" ?>(?!From )")
_ATTRIBUTION_END = re.compile(r"(?:\bwrote|\bwrites|\ba écrit|\bécrit)\s?:\s*$", re.IGNORECASE)
_ATTRIBUTION_START = re.compile(
    r"\*?(?:on\s+(?:(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\d)"
    r"|le\s+(?:(?:lun|mar|mer|jeu|ven|sam|dim)[a-z]*\b|\d))",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}\s?[:h]\s?\d\d\b|\b\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}\b")
_ADDRESS = re.compile(r"[^\s<>@]{1,64}@[^\s<>@]{1,255}")
_SEPARATOR = re.compile(
    r"[-_=*\s]{0,40}(?:original message|message d['’]origine|message original|forwarded message|message transféré"
    r"|message réexpédié|begin forwarded message|début du message (?:réexpédié|transféré))\s?:?[-_=*\s]{0,40}$",
    re.IGNORECASE,
)
_RULE = re.compile(r"[_\-]{5,80}\s*$")
_LABEL = re.compile(
    r"[*\s]{0,4}(?P<label>from|de|sent|date|envoyé le|envoyé|to|à|a|cc|bcc|cci|copie à|subject|objet|sujet|reply-to"
    r"|répondre à)"
    r"[*\s\u00a0]{0,4}:(?P<value>.*)$",
    re.IGNORECASE,
)
_KIND_OF_LABEL = {
    "from": "from", "de": "from", "sent": "date", "date": "date", "envoyé": "date", "envoyé le": "date",
    "to": "to", "à": "to", "a": "to", "cc": "cc", "cci": "cc", "bcc": "cc", "copie à": "cc",
    "subject": "subject", "objet": "subject", "sujet": "subject", "reply-to": "cc", "répondre à": "cc",
}  # fmt: skip


def is_quote_line(line: str) -> bool:
    """True for a line marked with `>`; not for mbox's `>From `, which mail stores make out of new text."""
    return _QUOTE_LINE.match(line) is not None


def attribution_start(lines: Sequence[str], index: int) -> int | None:
    """The first line of the attribution that ends in that line ("On … wrote:", "Le … a écrit :"), or None.

    Mailers wrap attributions: up to four lines, none of them empty. It begins with a day and holds a date or an
    address.
    """
    if _ATTRIBUTION_END.search(lines[index][-_MAX_LINE:]) is None:
        return None
    for start in range(index, max(index - _MAX_ATTRIBUTION_LINES, -1), -1):
        line = lines[start]
        if not line.strip() or is_quote_line(line) or len(line) > _MAX_LINE:
            return None
        if _ATTRIBUTION_START.match(line.lstrip()) is not None:
            joined = " ".join(lines[start : index + 1])
            return start if len(joined) <= _MAX_LINE and _has_evidence(joined) else None
    return None


def is_loose_attribution(line: str) -> bool:
    """True for other lines that introduce a quote right below: "Name writes:", "2026-09-08 10:15 … <address>:"."""
    if len(line) > 200 or not line.rstrip().endswith(":"):
        return False
    if _ATTRIBUTION_END.search(line) is not None:
        return _has_evidence(line) or len(line.split()) <= 5
    return _ADDRESS.search(line) is not None and _DATE.search(line) is not None


def is_full_attribution(lines: Sequence[str]) -> bool:
    """True for an attribution with a date and an address: enough to take what follows for quoted without any marks."""
    joined = " ".join(lines)
    return _DATE.search(joined) is not None and _ADDRESS.search(joined) is not None


def is_dated(text: str) -> bool:
    """True if a date with a year, or a time of day, stands in the text."""
    return _DATE.search(text[:_MAX_LINE]) is not None


def quoted_rest_start(lines: Sequence[str], index: int) -> bool:
    """True if everything from that line on is an older message, shown under a block of its header fields.

    A separator ("-----Original Message-----", a forwarded message) or a line of underscores counts only with such a
    block below it; a block alone needs text above it, and who, when, and to whom or about what.
    """
    line = lines[index]
    if len(line) <= 120 and _SEPARATOR.match(line) is not None:
        return _block_kinds(lines, _next_filled(lines, index + 1)) >= 2
    if _RULE.match(line) is not None:
        start = _next_filled(lines, index + 1)
        return _is_from(lines, start) and _block_kinds(lines, start) >= 3
    return _is_from(lines, index) and _block_kinds(lines, index) >= 3 and _has_text_above(lines, index)


def _has_text_above(lines: Sequence[str], index: int) -> bool:
    """False on top of a text: a message that only begins with such a block may be new as a whole."""
    return any(line.strip() for line in lines[max(0, index - _MAX_BLANK_ABOVE) : index])


def _next_filled(lines: Sequence[str], index: int) -> int:
    end = min(index + 3, len(lines))
    while index < end and not lines[index].strip():
        index += 1
    return index


def _is_from(lines: Sequence[str], index: int) -> bool:
    if index >= len(lines):
        return False
    label = _LABEL.match(lines[index][:_MAX_LINE])
    return (
        label is not None
        and _KIND_OF_LABEL[label["label"].lower()] == "from"
        and bool(label["value"].strip("* \u00a0"))
    )


def _block_kinds(lines: Sequence[str], index: int) -> int:
    """How many kinds of header field the block at that line has; 0 unless it says who, and when with a date."""
    kinds: set[str] = set()
    wrapped = 0
    for line in lines[index : index + _MAX_BLOCK_LINES]:
        if not line.strip():
            break
        label = _LABEL.match(line[:_MAX_LINE])
        if label is None:
            wrapped += 1
            if wrapped > _MAX_WRAPPED_LINES or not kinds:
                break
            continue
        wrapped = 0
        kind = _KIND_OF_LABEL[label["label"].lower()]
        if kind == "from" and kind in kinds:
            break
        if kind != "date" or is_dated(label["value"]):
            kinds.add(kind)
    return len(kinds) if {"from", "date"} <= kinds else 0


def _has_evidence(text: str) -> bool:
    return _DATE.search(text) is not None or _ADDRESS.search(text) is not None
