"""A text read once for all recognizers: its sentences, whose words they are, and the terms that stand in them.

Not a judgement. `read` makes a `Reading` from a `ReadableText`; it goes through Presidio as the NLP artifacts
(`gateway.content.engine`), so that each recognizer looks at sentences and hits and none reads the text again. Offsets
of a `Reading` point into its own opened text; `PlainText.source_span` leads back to the readable text. Linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.content.folding import PlainText, plain_text
from gateway.content.lexicon import Hit, lexicon
from gateway.content.sentences import sentence_spans
from gateway.message.model import ReadableText, ZoneKind

LISTS = ("grammar", "context", "personal", "clinical", "social", "disrespect", "confidential", "voice")

# The small words that tell a language, and the tags of the grammar list that hold them.
_SMALL = frozenset({"small", "i", "my", "we", "our", "you", "your", "they", "their"})
# How many hits are enough to tell the language of a text.
_SAMPLE_HITS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence: its span in the opened text, its folded words, and its hits in order of place.

    `language` is `en`, `fr`, or empty where its small words don't tell.
    """

    start: int
    end: int
    text: str
    folded: str
    language: str
    is_quoted: bool
    hits: tuple[Hit, ...]

    def tagged(self, *tags: str) -> Iterator[Hit]:
        """The hits that have one of these tags."""
        return (hit for hit in self.hits if hit.tag in tags)

    def has(self, *tags: str) -> bool:
        """True if a hit has one of these tags."""
        return any(hit.tag in tags for hit in self.hits)

    def under(self, prefix: str) -> Iterator[Hit]:
        """The hits whose tag begins with `prefix`."""
        return (hit for hit in self.hits if hit.tag.startswith(prefix))

    def words_between(self, left: int, right: int) -> int:
        """How many words stand between two offsets of the opened text."""
        return len(self.folded[left - self.start : right - self.start].split()) if right > left else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A whole text, read. `subject` tells a subject line, which has no sentences with verbs."""

    plain: PlainText
    sentences: tuple[Sentence, ...]
    is_subject: bool
    is_cut: bool


def read(source: ReadableText, *, max_chars: int, language: str = "") -> Reading:
    """The reading of the new and quoted zones; signature and notice zones are left out. Reads `max_chars` at most.

    `language` (`en`, `fr`) is for sentences whose small words don't tell, where the whole text doesn't tell either.
    """
    plain = plain_text(source.text[:max_chars])
    hits = sorted(lexicon(*LISTS).hits(plain.text, plain.folded))
    spans = [
        (begin, end, zone.kind is ZoneKind.QUOTED)
        for zone in source.zones
        if zone.kind in {ZoneKind.NEW, ZoneKind.QUOTED}
        for begin, end in sentence_spans(
            plain.text, plain.folded, plain.plain_offset(zone.start), plain.plain_offset(min(zone.end, max_chars))
        )
    ]
    return Reading(
        plain=plain,
        sentences=tuple(_sentences(plain, spans, hits, _language(hits[:_SAMPLE_HITS]) or language)),
        is_subject=source.where == "subject",
        is_cut=len(source.text) > max_chars,
    )


def _sentences(
    plain: PlainText, spans: Iterable[tuple[int, int, bool]], hits: list[Hit], otherwise: str
) -> Iterator[Sentence]:
    place = 0
    for start, end, is_quoted in spans:
        while place < len(hits) and hits[place].start < start:
            place += 1
        first = place
        while place < len(hits) and hits[place].start < end:
            place += 1
        folded = plain.folded[start:end]
        language = _language(hits[first:place]) or otherwise
        yield Sentence(
            start=start,
            end=end,
            text=plain.text[start:end],
            folded=folded,
            language=language,
            is_quoted=is_quoted,
            hits=tuple(
                hit
                for hit in hits[first:place]
                if hit.end <= end and (not hit.language or not language or hit.language == language)
            ),
        )


def _language(hits: Iterable[Hit]) -> str:
    """`en` or `fr` by its small words; empty for a tie."""
    balance = sum((hit.language == "fr") - (hit.language == "en") for hit in hits if hit.tag in _SMALL)
    return "" if balance == 0 else "fr" if balance > 0 else "en"
