"""The last look before a wrapped message leaves: the original must stand in it byte for byte, beside the notice.

Reads both messages anew with the parser that wrote neither (`gateway.amend.splitter`). The answer is the rule that is
broken, in a fixed word, or None. Called by `gateway.amend.wrap`, which then wraps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.amend.assertion import entity_text
from gateway.amend.splitter import Entity, head_fields, leaves, root_body, root_children

_DROPPED = frozenset({b"content-length", b"lines"})
_WRAPPER = frozenset({b"content-type", b"content-transfer-encoding", b"mime-version"})


def wrap_breach(before: bytes, after: bytes, *, notices: Iterable[str]) -> str | None:
    """The first rule that `after` breaks as `before` wrapped with a notice beside it, or None if it keeps all.

    `notices` are the wordings that may stand there, as plain text with normal white space.
    """
    if before.isascii() and not after.isascii():
        return "eighth bit"
    if _kept(before) != _kept(after):
        return "header"
    ranges = root_children(after)
    entity = _content_head(before) + b"\r\n" + before[root_body(before) :]
    wrapped = [index for index, (start, end) in enumerate(ranges, start=1) if after[start:end] == entity]
    if len(ranges) != 2 or len(wrapped) != 1:
        return "structure"
    place = 3 - wrapped[0]
    found = [leaf for leaf in leaves(after) if leaf.path[:1] == (place,)]
    if len(found) != 1 or found[0].path != (place,) or found[0].content_type != b"text/plain":
        return "structure"
    words = _words(after, found[0])
    return None if words in set(notices) else "wording"


def _kept(raw: bytes) -> list[bytes]:
    """The fields that must stay on top, in order."""
    kept = [(name, raw[start:end]) for name, start, end in head_fields(raw) if name not in _DROPPED | _WRAPPER]
    return [field for name, field in kept if name != b"content-disposition" or _is_plain_inline(field)]


def _is_plain_inline(field: bytes) -> bool:
    return field.split(b":", 1)[1].strip().lower() == b"inline"


def _content_head(raw: bytes) -> bytes:
    fields = head_fields(raw)
    return b"".join(
        raw[start:end] for name, start, end in fields if name.startswith(b"content-") and name not in _DROPPED
    )


def _words(raw: bytes, leaf: Entity) -> str | None:
    text = entity_text(raw, leaf, raw[leaf.body_start_byte : leaf.end_byte])
    return None if text is None else " ".join(text.split())
