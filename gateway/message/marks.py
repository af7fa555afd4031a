"""What an HTML element says about the text in it: quoted by a mail reader, or a signature. A table of known markup.

The markup of Gmail, Outlook, Apple Mail, Thunderbird, Yahoo and Proton. Used by `html` (which finds the elements) and
`zones` (which decides). A mark is a claim: `zones` believes those that are quotes, and signatures within limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class MarkKind(StrEnum):
    """What a mark claims."""

    QUOTE = "quote"
    MAYBE_QUOTE = "maybe-quote"
    ATTRIBUTION = "attribution"
    REPLY_HEADER = "reply-header"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Characters `start` to `end` of the readable text stand in an element that claims `kind`."""

    kind: MarkKind
    start: int
    end: int

    def ended_at(self, end: int) -> Mark:
        """This mark with its end known."""
        return replace(self, end=end)


_BY_CLASS: Mapping[str, MarkKind] = {
    "gmail_attr": MarkKind.ATTRIBUTION,
    "moz-cite-prefix": MarkKind.ATTRIBUTION,
    "gmail_signature": MarkKind.SIGNATURE,
    "moz-signature": MarkKind.SIGNATURE,
    "yahoo_quoted": MarkKind.QUOTE,
    "protonmail_quote": MarkKind.QUOTE,
}
_BY_ID: Mapping[str, MarkKind] = {
    "divrplyfwdmsg": MarkKind.REPLY_HEADER,
    "mail-editor-reference-message-container": MarkKind.QUOTE,
    "signature": MarkKind.SIGNATURE,
    "ms-outlook-mobile-signature": MarkKind.SIGNATURE,
    "applemailsignature": MarkKind.SIGNATURE,
}


def mark_of(tag: str, attributes: Mapping[str, str | None], *, start: int) -> Mark | None:
    """The claim of a block element that begins at `start`, or None. Its end is not known yet.

    `div.gmail_quote` claims nothing: Gmail puts answers between the quotes into it, only its blockquotes are quotes.
    """
    classes = (attributes.get("class") or "").lower().split()
    kind = next((_BY_CLASS[name] for name in classes if name in _BY_CLASS), None)
    if kind is None:
        kind = _BY_ID.get((attributes.get("id") or "").lower().removeprefix("x_"))
    if kind is None and tag == "blockquote":
        is_cited = (attributes.get("type") or "").lower() == "cite" or "gmail_quote" in classes
        kind = MarkKind.QUOTE if is_cited else MarkKind.MAYBE_QUOTE
    return None if kind is None else Mark(kind=kind, start=start, end=start)
