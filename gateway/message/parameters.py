"""Structured MIME fields: Content-Type, Content-Disposition and Content-Transfer-Encoding taken apart.

Tolerant, because mail is: what can't be read is named as a problem, and the likeliest reading is kept. Not for
addresses. Called by `gateway.message.structure`. RFC 2045 section 5.1, RFC 2183, RFC 2231 (continuations and
charsets).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from gateway.message.charsets import decode_leniently, decode_strictly
from gateway.message.model import ProblemKind
from gateway.message.words import clean_text, decode_words, unfolded

_MAX_PARAMETERS = 200
_TYPE = re.compile(r"[\w!#$%&'*+.^`{|}~\-]+/[\w!#$%&'*+.^`{|}~\-]+", re.ASCII)
_TOKEN = re.compile(r"[^\s\"\\/,:;<=>?@\[\]()]+", re.ASCII)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_SECTION = re.compile(r"([^*]+)(?:\*([0-9]{1,3}))?(\*)?")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)("?)', re.DOTALL)
_NAME = re.compile(r"[\s;]*([^\s=;\"]*)\s*(=?)\s*")
_BARE = re.compile(r"[^;]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """A value in lower case, its parameters decoded, in the order of first mention, and what was wrong with them."""

    value: str
    parameters: tuple[tuple[str, str], ...]
    problems: tuple[ProblemKind, ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of that parameter, or None."""
        return next((value for key, value in self.parameters if key == name), None)


def read_content_type(value: bytes, *, default: str) -> Structured:
    """The media type and its parameters; `default` with BAD_CONTENT_TYPE where no `type/subtype` can be read."""
    text = without_comments(unfolded(value))
    head, _, tail = text.partition(";")
    media_type = "".join(head.split()).lower()
    parameters, problems = _read_parameters(tail, bad=ProblemKind.BAD_CONTENT_TYPE)
    if _TYPE.fullmatch(media_type) is None:
        return Structured(value=default, parameters=parameters, problems=(*problems, ProblemKind.BAD_CONTENT_TYPE))
    return Structured(value=media_type, parameters=parameters, problems=problems)


def read_disposition(value: bytes) -> Structured:
    """The disposition type (`inline`, `attachment`, another word, or empty) and its parameters."""
    text = without_comments(unfolded(value))
    head, _, tail = text.partition(";")
    parameters, problems = _read_parameters(tail, bad=ProblemKind.MALFORMED_HEADER)
    return Structured(value=head.strip().lower(), parameters=parameters, problems=problems)


def read_encoding(value: bytes) -> str:
    """The transfer encoding in lower case, known or not; `7bit` for an empty field."""
    text = without_comments(unfolded(value)).strip().strip(";").strip().lower()
    return clean_text(text)[:80] or "7bit"


def without_comments(text: str) -> str:
    """The text without RFC 5322 comments, each giving way to a space; quoted strings stay. Unclosed ones stay too."""
    if "(" not in text:
        return text
    kept: list[str] = []
    depth = start = position = 0
    is_quoted = False
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == '"' and depth == 0:
            is_quoted = not is_quoted
        elif char == "(" and not is_quoted:
            if depth == 0:
                kept.append(text[start:position])
                start = position
            depth += 1
        elif char == ")" and depth > 0:
            depth -= 1
            if depth == 0:
                kept.append(" ")
                start = position + 1
        position += 1
    kept.append(text[start:])
    return "".join(kept)


def _read_parameters(text: str, *, bad: ProblemKind) -> tuple[tuple[tuple[str, str], ...], tuple[ProblemKind, ...]]:
    """`name=value` pairs behind the first semicolon; the first of two equal names counts."""
    raw: dict[str, str] = {}
    problems: list[ProblemKind] = []
    position = 0
    while position < len(text):
        name = _NAME.match(text, position)
        if name is None or name.end() == position:
            break
        position = name.end()
        if not name[1] and not name[2] and position >= len(text):
            break
        value, position, is_clean = _read_value(text, position)
        if not (name[1] and name[2] and is_clean):
            problems.append(bad)
        if not (name[1] and name[2]):
            continue
        key = name[1].lower()
        if key in raw or len(raw) >= _MAX_PARAMETERS:
            problems.append(ProblemKind.DUPLICATE_PARAMETER)
        else:
            raw[key] = value
    return _joined(raw, problems), tuple(dict.fromkeys(problems))


def _read_value(text: str, position: int) -> tuple[str, int, bool]:
    """A parameter's value up to its semicolon, the offset behind that, and whether it is a token or quoted string."""
    is_clean = True
    quoted = _QUOTED.match(text, position) if text.startswith('"', position) else None
    if quoted is not None:
        value = _QUOTED_PAIR.sub(r"\1", quoted[1])
        rest = _BARE.match(text, quoted.end())
        is_clean = bool(quoted[2]) and not (rest and rest[0].strip())
    else:
        rest = _BARE.match(text, position)
        value = rest[0].strip() if rest else ""
        is_clean = _TOKEN.fullmatch(value) is not None
    end = rest.end() if rest else len(text)
    return value, end + 1, is_clean


def _joined(raw: dict[str, str], problems: list[ProblemKind]) -> tuple[tuple[str, str], ...]:
    """RFC 2231: `name*0*=…; name*1=…` made whole, `charset'language'%xx` decoded; the plain form wins over nothing."""
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[str, bool]]] = {}
    for key, value in raw.items():
        match = _SECTION.fullmatch(key)
        if match is None or (match[2] is None and match[3] is None):
            plain.setdefault(key, value)
        else:
            section = int(match[2] or 0)
            if section in sections.setdefault(match[1], {}):
                problems.append(ProblemKind.DUPLICATE_PARAMETER)
            sections[match[1]].setdefault(section, (value, match[3] is not None))
    for name, pieces in sections.items():
        if name in plain:
            problems.append(ProblemKind.DUPLICATE_PARAMETER)
        plain[name] = _decoded_sections(pieces)
    return tuple((name, clean_text(value)) for name, value in plain.items())


def _decoded_sections(pieces: dict[int, tuple[str, bool]]) -> str:
    """The sections from 0 on without a gap; percent signs count only in those that are marked as extended."""
    charset: str | None = None
    octets: list[bytes] = []
    for section in range(len(pieces)):
        if section not in pieces:
            break
        value, is_extended = pieces[section]
        if is_extended and section == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        encoded = value.encode("utf-8", "surrogateescape")
        octets.append(unquote_to_bytes(encoded) if is_extended else encoded)
    whole = b"".join(octets)
    strict = decode_strictly(whole, charset or "utf-8")
    return decode_leniently(whole, charset) if strict is None else strict


def filename_text(value: str) -> str:
    """A file name as a person reads it: one line, encoded-words decoded (common, though RFC 2047 forbids it)."""
    return clean_text(decode_words(value)).strip()[:255]
