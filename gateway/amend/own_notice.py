"""Is our notice there already, in the writer's own words and not in what is quoted?

The same reading decides before an edit (then nothing is added) and after it (would we know our notice again?), so that a
message amended twice is amended once. Pure; called by the edits of this room. NOTICE-RULES "notice already there".
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.amend.wording import normal, simply_spelt
from gateway.message.html import visible_html
from gateway.message.model import Message, Part, ReadableText, ZoneKind
from gateway.message.plain import visible_plain
from gateway.message.zones import find_zones
from gateway.policy.verdict import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNotice:
    """The ways in which one notice may stand in a text, white space made normal."""

    wordings: frozenset[str]

    @classmethod
    def of(cls, notice: Notice) -> OwnNotice:
        """The wordings of a notice: as text, spelt simply, in ASCII, and as its HTML reads."""
        seen = visible_html(notice.html).mapped.text
        spellings = (notice.text, simply_spelt(notice.text), notice.ascii_text, seen)
        return cls(wordings=frozenset(normal(text) for text in spellings if text.strip()))

    def is_told_in(self, text: ReadableText) -> bool:
        """True if the notice stands in that text, outside of what is quoted."""
        unquoted = "".join(text.text[zone.start : zone.end] for zone in text.zones if zone.kind is not ZoneKind.QUOTED)
        return self._is_in(unquoted)

    def is_told_by(self, message: Message, part: Part) -> bool:
        """True if the notice stands in the readable text of that part."""
        return any(
            self.is_told_in(text) for text in message.texts if text.part == part.path and text.where != "subject"
        )

    def would_be_told(self, part: Part, source: str) -> bool:
        """True if the notice would be found in that part if `source` were its decoded text."""
        if part.content_type == "text/html":
            visible = visible_html(source)
            mapped, marks = visible.mapped, visible.marks
        else:
            marks = ()
            mapped = visible_plain(source, is_flowed=is_flowed(part), deletes_space=deletes_space(part))
        zones = find_zones(mapped.text, marks=marks)
        unquoted = "".join(mapped.text[zone.start : zone.end] for zone in zones if zone.kind is not ZoneKind.QUOTED)
        return self._is_in(unquoted)

    def _is_in(self, text: str) -> bool:
        words = normal(text)
        return any(wording in words for wording in self.wordings)


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
