"""The last look before an amended message leaves: it must be the old one plus the notice, and nothing else.

Reads both messages anew with a parser of its own (`gateway.amend.splitter`) and decoders of its own, and compares them
byte by byte. The answer is the rule that is broken, in a fixed word, or None. Called by `gateway.amend.notice`, which
sends the message as it came if anything is wrong (NOTICE-RULES, "general method").
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.amend.html_place import bare_text, is_seen
from gateway.amend.splitter import Entity, head_fields, leaves

_CHUNK_BYTES = 1 << 20
_MAX_LINE = 998
_ROOT_MAY_CHANGE = frozenset(
    {b"content-type", b"content-transfer-encoding", b"mime-version", b"content-length", b"lines"}
)
_PART_MAY_CHANGE = frozenset({b"content-type", b"content-transfer-encoding"})
_CHARSET = re.compile(
    rb"""[;\s]charset(?:\*=[^\s;']*'[^\s;']*'|[ \t]*=[ \t\r\n]*[\\"]*)([^\s;"()\\]+)""", re.IGNORECASE
)
_CLOSING_TAIL = re.compile(r"\s*</(?:body|html)\b", re.IGNORECASE)
# Labels that Python does not know, or reads more narrowly than mail programs do.
_CODECS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-sjis": "cp932",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A broken rule, in a fixed word, and the path of the part that broke it; None if it is not one part's fault."""

    rule: str
    path: tuple[int, ...] | None = None


def breach(before: bytes, after: bytes, *, targets: Iterable[tuple[int, ...]], notices: Iterable[str]) -> Breach | None:
    """The first rule that `after` breaks as `before` with a notice in the leaves `targets`, or None if it keeps all.

    `notices` are the wordings that may have been inserted, as plain text with normal white space.
    """
    old, new = leaves(before), leaves(after)
    if [(leaf.path, leaf.content_type) for leaf in old] != [(leaf.path, leaf.content_type) for leaf in new]:
        return Breach(rule="structure")
    changed = set(targets)
    wordings = tuple(notices)
    if (rule := _whole_rule(before, after, changed)) is not None:
        return Breach(rule=rule)
    if not _are_gaps_same(before, after, old, new):
        return Breach(rule="bytes between the parts")
    for was, now in zip(old, new, strict=True):
        if was.path in changed:
            if (rule := _target_rule(before, after, was, now, wordings)) is not None:
                return Breach(rule=rule, path=was.path)
        elif not _is_same(before, (was.start_byte, was.end_byte), after, (now.start_byte, now.end_byte)):
            return Breach(rule="another part")
    return None


def _whole_rule(before: bytes, after: bytes, changed: set[tuple[int, ...]]) -> str | None:
    """Rules for the message as a whole: no octet of eight bits where there was none, and the fields of its head."""
    if before.isascii() and not after.isascii():
        return "eighth bit"
    if () in changed:
        return None
    return None if _kept_fields(before, _ROOT_MAY_CHANGE) == _kept_fields(after, _ROOT_MAY_CHANGE) else "header"


def _kept_fields(raw: bytes, may_change: frozenset[bytes]) -> list[bytes]:
    return [raw[start:end] for name, start, end in head_fields(raw) if name not in may_change]


def _are_gaps_same(before: bytes, after: bytes, old: list[Entity], new: list[Entity]) -> bool:
    """True if all that stands between, before and behind the leaves is the same, the message's own head left out."""
    old_at = head_fields(before)[-1][2] if head_fields(before) else 0
    new_at = head_fields(after)[-1][2] if head_fields(after) else 0
    for was, now in zip(old, new, strict=True):
        if was.path and not _is_same(before, (old_at, was.start_byte), after, (new_at, now.start_byte)):
            return False
        old_at, new_at = was.end_byte, now.end_byte
    return _is_same(before, (old_at, len(before)), after, (new_at, len(after)))


def _is_same(before: bytes, old: tuple[int, int], after: bytes, new: tuple[int, int]) -> bool:
    """True if two ranges hold the same bytes; compared in pieces, so that nothing large is copied."""
    if old[1] - old[0] != new[1] - new[0]:
        return False
    return all(
        before[at : min(at + _CHUNK_BYTES, old[1])]
        == after[new[0] + at - old[0] : new[0] + min(at + _CHUNK_BYTES, old[1]) - old[0]]
        for at in range(old[0], old[1], _CHUNK_BYTES)
    )


def _target_rule(before: bytes, after: bytes, was: Entity, now: Entity, wordings: tuple[str, ...]) -> str | None:
    """Rules for a part that got the notice: its fields, its lines, and its text."""
    may_change = _PART_MAY_CHANGE if was.path else _ROOT_MAY_CHANGE
    if _entity_fields(before, was, may_change) != _entity_fields(after, now, may_change):
        return "part header"
    old_body = before[was.body_start_byte : was.end_byte]
    new_body = after[now.body_start_byte : now.end_byte]
    if Counter(_long_lines(new_body)) - Counter(_long_lines(old_body)):
        return "long line"
    if any(new > old for old, new in zip(_odd_octets(old_body), _odd_octets(new_body), strict=True)):
        return "line ends"
    old_text, new_text = entity_text(before, was, old_body), entity_text(after, now, new_body)
    if old_text is None or new_text is None:
        return "undecodable"
    inserted = _inserted(old_text, new_text)
    if inserted is None:
        return "text changed"
    head, words, tail = inserted
    if was.content_type == b"text/html":
        return _html_rule(old_text, new_text, head, tail)
    plain = "\n".join(line.removeprefix(" ") for line in words.split("\n"))
    return None if any(wording == " ".join(plain.split()) for wording in wordings) else "wording"


def _long_lines(body: bytes) -> list[bytes]:
    lines = (line.removesuffix(b"\r") for line in body.split(b"\n"))
    return [line for line in lines if len(line) > _MAX_LINE]


def _odd_octets(body: bytes) -> tuple[int, int, int]:
    """How many NUL, lone CR and lone LF there are."""
    pairs = body.count(b"\r\n")
    return body.count(b"\0"), body.count(b"\r") - pairs, body.count(b"\n") - pairs


def _html_rule(old: str, new: str, head: str, tail: str) -> str | None:
    """Rules for what a reader of the HTML sees: the notice, and all else as before."""
    is_last = not tail.strip() or _CLOSING_TAIL.match(tail) is not None
    if not is_seen(new, head, tail, is_last=is_last):
        return "not seen"
    return None if _inserted(bare_text(old), bare_text(new)) is not None else "visible text changed"


def _entity_fields(raw: bytes, entity: Entity, may_change: frozenset[bytes]) -> list[bytes]:
    return [raw[start:end] for name, start, end in entity.fields if name not in may_change]


def _value(raw: bytes, entity: Entity, name: bytes) -> bytes:
    return next((raw[start:end].split(b":", 1)[1] for field, start, end in entity.fields if field == name), b"")


def entity_text(raw: bytes, entity: Entity, body: bytes) -> str | None:
    """The part's text with simple line ends, or None if it can't be decoded."""
    encoding = _value(raw, entity, b"content-transfer-encoding").split(b";")[0].strip().lower()
    charset = _CHARSET.search(_value(raw, entity, b"content-type"))
    label = charset[1].decode("latin-1").lower() if charset else "us-ascii"
    try:
        if encoding == b"base64":
            body = base64.b64decode(body)
        elif encoding == b"quoted-printable":
            body = quopri.decodestring(body)
        text = body.decode(codecs.lookup(_CODECS.get(label, label)).name)
    except (LookupError, UnicodeError, binascii.Error, ValueError):
        return None
    return text.replace("\r\n", "\n")


def _inserted(old: str, new: str) -> tuple[str, str, str] | None:
    """`new` as the beginning of `old`, what was inserted, and the rest of `old`; None if it is anything else."""
    size = len(new) - len(old)
    if size <= 0:
        return None
    start = _common_prefix(old, new)
    if old[start:] != new[start + size :]:
        return None
    return old[:start], new[start : start + size], old[start:]


def _common_prefix(old: str, new: str) -> int:
    """How many characters two texts share at the start, found by halving."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
