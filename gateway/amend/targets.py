"""Which parts of a message get the notice, or why none does: a reading of the MIME tree, no bytes changed.

In an alternative every text/plain and text/html branch; in a related its root; in a mixed, and in any multipart that
nobody knows, the first text that a reader sees. What is signed, encrypted, a report or torn is never entered.
Pure; called by `gateway.amend.notice`. RFC 2046 section 5.1, RFC 2387, RFC 1847, RFC 6522; NOTICE-RULES "placement".
"""

from __future__ import annotations

from gateway.amend.treatment import Treatment
from gateway.message.model import Message, Part, ProblemKind

_SIGNED = frozenset({"multipart/signed"})
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_TEXT = frozenset({"text/plain", "text/html"})
_TORN = frozenset(
    {
        ProblemKind.BARE_CR,
        ProblemKind.BARE_LF,
        ProblemKind.NUL,
        ProblemKind.TOO_MANY_HEADERS,
        ProblemKind.TOO_DEEP,
        ProblemKind.TOO_MANY_PARTS,
        ProblemKind.UNCLOSED_MULTIPART,
    }
)
_TORN_FIELDS = ("content-type", "content-transfer-encoding")


def target_parts(message: Message) -> tuple[Part, ...] | Treatment:
    """The parts to append to, in the order of the bytes, or the treatment that says why there is none."""
    parts = tuple(message.root.walk())
    if (reason := _reason_against(message, parts)) is not None:
        return reason
    targets = tuple(_displayed(message.root, is_named_ok=True)) or tuple(
        _displayed(message.root, is_named_ok=True, is_inline_ok=True)
    )
    if targets:
        return targets
    types = {part.content_type for part in parts}
    if "text/calendar" in types:
        return Treatment.UNTOUCHED_CALENDAR
    if "application/ms-tnef" in types:
        return Treatment.UNTOUCHED_TNEF
    return Treatment.UNTOUCHED_NO_TEXT


def has_tnef(message: Message) -> bool:
    """True if Outlook will show a winmail.dat instead of the part that got the notice."""
    return any(part.content_type == "application/ms-tnef" for part in message.root.walk())


def _reason_against(message: Message, parts: tuple[Part, ...]) -> Treatment | None:
    types = {part.content_type for part in parts}
    if types & _SIGNED:
        return Treatment.UNTOUCHED_SIGNED
    if types & _ENCRYPTED:
        return Treatment.UNTOUCHED_ENCRYPTED
    if "multipart/report" in types:
        return Treatment.UNTOUCHED_REPORT
    if types & {"message/partial", "message/external-body"}:
        return Treatment.UNTOUCHED_PARTIAL
    if message.root.content_type.startswith("message/") or message.root.content_type == "multipart/digest":
        return Treatment.UNTOUCHED_EMBEDDED
    return Treatment.UNTOUCHED_MALFORMED if is_torn(message) else None


def is_torn(message: Message) -> bool:
    """True if the message's form is damaged, so that two readers may see two messages in it."""
    if any(problem.kind in _TORN for problem in message.problems):
        return True
    return any(_has_torn_fields(part) or _has_torn_head(message, part) for part in message.root.walk())


def _has_torn_fields(part: Part) -> bool:
    """True if a field that says how to read the part stands twice, or a container claims to be encoded."""
    names = [field.name.lower() for field in part.headers]
    is_container = part.content_type.startswith(("multipart/", "message/"))
    if is_container and part.encoding not in {"7bit", "8bit", "binary"}:
        return True
    return any(names.count(name) > 1 for name in _TORN_FIELDS)


def _has_torn_head(message: Message, part: Part) -> bool:
    """True if text begins where a header field should, or the media type can't be read."""
    problems = {problem.kind for problem in message.problems if problem.part == part.path}
    if ProblemKind.NO_BLANK_LINE in problems and part.body_start_byte < part.body_end_byte:
        return True
    if ProblemKind.BAD_CONTENT_TYPE not in problems:
        return False
    field = next((field for field in part.headers if field.is_named("content-type")), None)
    return field is not None and not field.value.strip().lower().startswith(part.content_type)


def _displayed(part: Part, *, is_named_ok: bool, is_inline_ok: bool = False) -> list[Part]:
    """The texts below `part` that a reader sees as the message's own words, one for each way of showing it.

    `is_named_ok`: a file name does not make it an attachment here. `is_inline_ok`: nor does one beside `inline`. The
    depth of a parsed tree is limited, so recursion is safe.
    """
    match part.content_type:
        case "multipart/alternative":
            branches = (_displayed(child, is_named_ok=True, is_inline_ok=is_inline_ok) for child in part.children)
            return [text for branch in branches for text in branch]
        case "multipart/related":
            root = _related_root(part)
            return [] if root is None else _displayed(root, is_named_ok=True, is_inline_ok=is_inline_ok)
        case "multipart/digest" | "multipart/form-data":
            return []
        case container if container.startswith("multipart/"):
            for child in part.children:
                if found := _displayed(child, is_named_ok=False, is_inline_ok=is_inline_ok):
                    return found
            return []
        case kind if kind in _TEXT:
            return [part] if _is_body(part, is_named_ok=is_named_ok, is_inline_ok=is_inline_ok) else []
        case _:
            return []


def _is_body(part: Part, *, is_named_ok: bool, is_inline_ok: bool) -> bool:
    if part.disposition == "attachment":
        return False
    return is_named_ok or part.filename is None or (is_inline_ok and part.disposition == "inline")


def _related_root(part: Part) -> Part | None:
    """The root of a multipart/related: the part that `start` names, else the first (RFC 2387 section 3.2)."""
    start = (part.parameter("start") or "").strip("<> \t")
    named = (child for child in part.children if start and _content_id(child) == start)
    return next(named, part.children[0] if part.children else None)


def _content_id(part: Part) -> str | None:
    field = next((field for field in part.headers if field.is_named("content-id")), None)
    return None if field is None else field.value.strip().strip("<> \t")
