"""Appends the retention notice by splicing bytes, or leaves the message as it came and says why [CLI-8, CLI-9].

The message is read, never written anew: the places come from its parsed parts, the edits are splices, and a second
parser asserts afterwards that nothing else changed. Several ways may be tried, the best first; when none holds, the
original is given back. Called by `gateway.amend.amend`. Does no signing and knows no policy. NOTICE-RULES has the
rules case by case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.amend.assertion import Breach, breach
from gateway.amend.edit import Edit
from gateway.amend.fitting import is_fit_for_ascii
from gateway.amend.html_edit import html_edits
from gateway.amend.labels import label_splices
from gateway.amend.own_notice import OwnNotice, own_notice
from gateway.amend.plain_edit import plain_edits
from gateway.amend.targets import has_tnef, target_parts
from gateway.amend.transfer import IDENTITY, insertion, reencoded
from gateway.amend.treatment import Amended, Treatment
from gateway.amend.wrap import is_wrapped, wrap_splices
from gateway.message.charsets import decode_strictly
from gateway.message.model import Message, Part, ProblemKind
from gateway.message.splice import Splice, apply_splices
from gateway.message.transfer import decode_transfer, is_known_encoding
from gateway.policy.verdict import Notice, Placement, Wrap

_MAX_TRIES = 6
_INLINE_PGP = (b"-----BEGIN PGP", b"-----BEGIN PKCS7")
_INLINE_PGP_END = re.compile(rb"^-----END (?:PGP|PKCS7)[ A-Z0-9]*-----[ \t]*\r?$", re.MULTILINE)
_UUENCODED = re.compile(rb"^(?:begin(?:-base64)? [0-7]{3,4} |=ybegin )", re.MULTILINE)
_STALE_FIELDS = frozenset({"content-length", "lines"})
_SIGNED = frozenset({Treatment.UNTOUCHED_SIGNED, Treatment.UNTOUCHED_ENCRYPTED})
_WITHOUT_TEXT = frozenset({Treatment.UNTOUCHED_NO_TEXT, Treatment.UNTOUCHED_TNEF})
_WRAPPABLE = {
    Wrap.NONE: frozenset(),
    Wrap.SIGNED: _SIGNED,
    Wrap.NO_TEXT: _WITHOUT_TEXT,
    Wrap.BOTH: _SIGNED | _WITHOUT_TEXT,
}
_LENGTH_PROBLEMS = frozenset({ProblemKind.TEXT_TOO_LONG, ProblemKind.HTML_TOO_COMPLEX})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEdit:
    """What is to be done for the notice: splices on the message (none if it stays untouched), and the treatment."""

    splices: tuple[Splice, ...] = ()
    treatment: Treatment
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A part to append to, with its transfer encoding undone.

    `sealed`: so many octets at its start are signed or encrypted inline. Then the notice goes behind them, and charset
    and transfer encoding stay.
    """

    part: Part
    octets: bytes
    sealed: int = 0


def append_notice(
    message: Message,
    notice: Notice,
    *,
    placement: Placement = Placement.END,
    prefer_ascii: bool = False,
    wrap: Wrap = Wrap.NONE,
    is_compulsory: bool = False,
) -> Amended:
    """The message with the notice in every way of showing its text, each once, or unchanged with the reason.

    `placement`: END, or ABOVE_HISTORY. `prefer_ascii`: where the charset lacks a letter of the notice, its ASCII
    spelling instead of another charset. `wrap`: what to put whole into a multipart/mixed instead.
    `is_compulsory`: inline PGP text gets the notice too, behind its last block. Never raises for a message that
    `gateway.message.parse` made. [CLI-8], [CLI-9].
    """
    edit = notice_edit(
        message, notice, placement=placement, prefer_ascii=prefer_ascii, wrap=wrap, is_compulsory=is_compulsory
    )
    raw = apply_splices(message.raw, edit.splices) if edit.splices else message.raw
    return Amended(raw=raw, treatment=edit.treatment, detail=edit.detail)


def notice_edit(
    message: Message,
    notice: Notice,
    *,
    placement: Placement = Placement.END,
    prefer_ascii: bool = False,
    wrap: Wrap = Wrap.NONE,
    is_compulsory: bool = False,
) -> NoticeEdit:
    """The splices that `append_notice` applies, so that others can be applied with them; arguments as there."""
    edit = _inner_edit(message, notice, placement=placement, prefer_ascii=prefer_ascii, is_compulsory=is_compulsory)
    if edit.treatment in _SIGNED and is_wrapped(message, own_notice(notice)):
        return NoticeEdit(treatment=Treatment.ALREADY_THERE)
    if edit.treatment not in _WRAPPABLE[wrap]:
        return edit
    is_first = edit.treatment not in _SIGNED
    splices = wrap_splices(message, notice, own_notice(notice), is_notice_first=is_first)
    if not splices:
        return edit
    return NoticeEdit(splices=splices, treatment=Treatment.WRAPPED, detail=edit.treatment.value)


def _inner_edit(
    message: Message, notice: Notice, *, placement: Placement, prefer_ascii: bool, is_compulsory: bool
) -> NoticeEdit:
    """The edit that puts the notice into the message's own texts."""
    parts = target_parts(message)
    if isinstance(parts, Treatment):
        return NoticeEdit(treatment=parts)
    own = own_notice(notice)
    targets: list[_Target] = []
    for part in parts:
        target = _target(message, part, is_compulsory=is_compulsory)
        if isinstance(target, Treatment):
            return NoticeEdit(treatment=target)
        if not own.is_told_by(message, part, target.octets):
            targets.append(target)
    if not targets:
        return NoticeEdit(treatment=Treatment.ALREADY_THERE)
    return _first_good(message, targets, notice, own, placement=placement, prefer_ascii=prefer_ascii)


def _target(message: Message, part: Part, *, is_compulsory: bool) -> _Target | Treatment:
    """The part decoded, or why its text may not be touched."""
    problems = {problem.kind for problem in message.problems if problem.part == part.path}
    if ProblemKind.BAD_TRANSFER_ENCODING in problems or not is_known_encoding(part.encoding):
        return Treatment.UNTOUCHED_ENCODING
    if problems & _LENGTH_PROBLEMS:
        return Treatment.UNTOUCHED_TOO_LONG
    octets, is_clean = decode_transfer(message.raw[part.body_start_byte : part.body_end_byte], part.encoding)
    if not is_clean:
        return Treatment.UNTOUCHED_ENCODING
    if not is_fit_for_ascii(part.charset) or decode_strictly(octets, part.charset) is None:
        return Treatment.UNTOUCHED_CHARSET
    sealed = 0
    if any(mark in octets for mark in _INLINE_PGP):
        sealed = _sealed_octets(octets) if is_compulsory and part.content_type == "text/plain" else 0
        if not sealed:
            return Treatment.UNTOUCHED_INLINE_PGP
    if _UUENCODED.search(octets) is not None:
        return Treatment.UNTOUCHED_UUENCODED
    return _Target(part=part, octets=octets, sealed=sealed)


def _sealed_octets(octets: bytes) -> int:
    """Where the last inline block ends; 0 if one is open, or there is none."""
    end = max((match.end() for match in _INLINE_PGP_END.finditer(octets)), default=0)
    return 0 if any(mark in octets[end:] for mark in _INLINE_PGP) else end


def _first_good(
    message: Message,
    targets: list[_Target],
    notice: Notice,
    own: OwnNotice,
    *,
    placement: Placement,
    prefer_ascii: bool,
) -> NoticeEdit:
    """The first set of edits whose result keeps every rule of the assertion."""
    ways = [_edits(message, target, notice, placement=placement, prefer_ascii=prefer_ascii) for target in targets]
    chosen = [next(way, None) for way in ways]
    rule = "no place"
    for _ in range(_MAX_TRIES):
        edits = [edit for edit in chosen if edit is not None]
        if len(edits) < len(ways):
            break
        splices = _splices(message, targets, edits)
        found = _breach(message, splices, targets, own)
        if found is None:
            detail = "not visible in Outlook" if has_tnef(message) else ""
            return NoticeEdit(splices=tuple(splices), treatment=Treatment.APPENDED, detail=detail)
        rule = found.rule
        for index, target in enumerate(targets):
            if found.path in {None, target.part.path}:
                chosen[index] = next(ways[index], None)
    return NoticeEdit(treatment=Treatment.UNTOUCHED_ASSERTION_FAILED, detail=rule)


def _breach(message: Message, splices: list[Splice], targets: list[_Target], own: OwnNotice) -> Breach | None:
    raw = apply_splices(message.raw, splices)
    paths = [target.part.path for target in targets]
    return breach(message.raw, raw, targets=paths, notices=own.wordings)


def _edits(
    message: Message, target: _Target, notice: Notice, *, placement: Placement, prefer_ascii: bool
) -> Iterator[Edit]:
    if target.part.content_type == "text/html":
        return html_edits(message, target.part, target.octets, notice, placement=placement)
    edits = plain_edits(message, target.part, target.octets, notice, placement=placement, prefer_ascii=prefer_ascii)
    return (edit for edit in edits if _keeps_seal(target, edit)) if target.sealed else edits


def _keeps_seal(target: _Target, edit: Edit) -> bool:
    """True if what is signed or encrypted inline stays as it is: the same octets under the same labels."""
    is_same_form = edit.label is None and edit.body is None and _encoding_for(target, edit) == target.part.encoding
    return is_same_form and edit.offset >= target.sealed


def _splices(message: Message, targets: list[_Target], edits: list[Edit]) -> list[Splice]:
    """All splices of one set of edits. A part's fields come before its body."""
    splices = [
        Splice(start_byte=field.start_byte, end_byte=field.end_byte, replacement=b"")
        for field in message.headers
        if field.name.lower() in _STALE_FIELDS
    ]
    for target, edit in zip(targets, edits, strict=True):
        made = _part_splices(message, target, edit)
        splices.extend(splice for splice in made if splice not in splices)
    return splices


def _part_splices(message: Message, target: _Target, edit: Edit) -> list[Splice]:
    part = target.part
    encoding = _encoding_for(target, edit)
    labels = label_splices(message, part, charset=edit.label, encoding=encoding if encoding != part.encoding else None)
    body = message.raw[part.body_start_byte : part.body_end_byte]
    if edit.body is None and encoding == part.encoding:
        splice = insertion(body, encoding, edit.offset, edit.octets)
    else:
        octets = target.octets if edit.body is None else edit.body
        whole = octets[: edit.offset] + edit.octets + octets[edit.offset :]
        splice = Splice(start_byte=0, end_byte=len(body), replacement=reencoded(whole, body, encoding))
    return [*labels, _placed(message, part, splice)]


def _encoding_for(target: _Target, edit: Edit) -> str:
    """The transfer encoding after the edit: as before, but quoted-printable where eight-bit octets would be new."""
    encoding = target.part.encoding
    if encoding not in IDENTITY or edit.octets.isascii():
        return encoding
    is_eight_bit_already = not target.octets.isascii() and (edit.body is None or encoding != "7bit")
    return encoding if is_eight_bit_already else "quoted-printable"


def _placed(message: Message, part: Part, splice: Splice) -> Splice:
    """A splice on the body moved to the message, with the line ends that the message lacks around an empty body."""
    raw = message.raw
    start, end = part.body_start_byte + splice.start_byte, part.body_start_byte + splice.end_byte
    replacement = splice.replacement
    head = raw[part.header_start_byte : part.body_start_byte]
    if not (head == b"\r\n" or head.endswith(b"\r\n\r\n")) and splice.start_byte == 0:
        replacement = (b"\r\n" if head.endswith(b"\r\n") else b"\r\n\r\n") + replacement
    is_at_end = end == part.body_end_byte
    if is_at_end and not replacement.endswith(b"\r\n") and not raw.startswith(b"\r\n", end):
        replacement += b"\r\n"
    elif is_at_end and _was_open(raw, part, splice) and raw.startswith(b"\r\n", end):
        replacement = replacement.removesuffix(b"\r\n")
    return Splice(start_byte=start, end_byte=end, replacement=replacement)


def _was_open(raw: bytes, part: Part, splice: Splice) -> bool:
    """True if an empty body is filled whose line end belongs to the next delimiter."""
    return splice.end_byte == 0 and part.body_start_byte == part.body_end_byte and bool(raw)
