"""Our notice found again: whether it stands in the writer's own words, and not only in what is quoted.

The same reading decides before an edit (then nothing is added) and after it (would we know our notice again?), so
that a message amended twice is amended once. Pure; called by the edits of this room. NOTICE-RULES "notice already
there".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from gateway.amend.html_place import own_blocks
from gateway.amend.wording import normal, simply_spelt
from gateway.message.charsets import decode_strictly
from gateway.message.html import visible_html
from gateway.message.model import Message, Part, Zone, ZoneKind
from gateway.message.plain import visible_plain
from gateway.message.zones import find_zones
from gateway.policy.verdict import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotice:
    """The ways in which one notice may stand in a text, white space made normal."""

    wordings: frozenset[str]

    def is_told_by(self, message: Message, part: Part, octets: bytes) -> bool:
        """True if the notice stands in the readable text of that part, outside of what is quoted.

        `octets` are the part's body without its transfer encoding. In HTML our own blocks tell more than the text: a
        history that begins without markup lasts to the end, our block included, and a plain indent may be a quote.
        """
        texts = [text for text in message.texts if text.part == part.path and text.where != "subject"]
        if not any(self._is_in(text.text) for text in texts):
            return False
        if part.content_type == "text/html":
            source = decode_strictly(octets, part.charset) or ""
            blocks = [is_open for text, is_open in own_blocks(source) if self._is_like(text)]
            if blocks:
                return any(blocks)
        return any(self._is_in(_unquoted(text.text, text.zones)) for text in texts)

    def would_be_told(self, part: Part, source: str) -> bool:
        """True if the notice would be found in a text/plain part if `source` were its decoded text."""
        mapped = visible_plain(source, is_flowed=is_flowed(part), deletes_space=deletes_space(part))
        return self._is_in(_unquoted(mapped.text, find_zones(mapped.text)))

    def _is_like(self, text: str) -> bool:
        """True if a block's text holds the notice, white space aside."""
        letters = "".join(text.split())
        return any(wording.replace(" ", "") in letters for wording in self.wordings)

    def _is_in(self, text: str) -> bool:
        words = normal(text)
        return any(wording in words for wording in self.wordings)


@lru_cache(maxsize=64)
def own_notice(notice: Notice) -> OwnNotice:
    """The wordings of a notice: as text, spelt simply, in ASCII, and as its HTML reads."""
    seen = visible_html(notice.html).mapped.text
    spellings = (notice.text, simply_spelt(notice.text), notice.ascii_text, seen)
    return OwnNotice(wordings=frozenset(normal(text) for text in spellings if text.strip()))


def _unquoted(text: str, zones: Iterable[Zone]) -> str:
    return "".join(text[zone.start : zone.end] for zone in zones if zone.kind is not ZoneKind.QUOTED)


def is_flowed(part: Part) -> bool:
    """True for format=flowed (RFC 3676)."""
    return (part.parameter("format") or "").lower() == "flowed"


def deletes_space(part: Part) -> bool:
    """True for DelSp=yes (RFC 3676 section 4.1)."""
    return (part.parameter("delsp") or "").lower() == "yes"


def history_start(message: Message, part: Part) -> int | None:
    """Where the quoted history begins that lasts to the end of that part: a character offset into its decoded text."""
    for text in message.texts:
        if text.part != part.path or text.where == "subject":
            continue
        for zone, following in zip(text.zones, (*text.zones[1:], None), strict=True):
            if zone.kind is ZoneKind.QUOTED and following is None:
                return text.source_offsets[zone.start]
    return None
