"""A text read once for all recognizers: its sentences, whose words they are, and the terms that stand in them.

Not a judgement. `read` makes a `Reading` from a `ReadableText`; it goes through Presidio as the NLP artifacts
(`gateway.content.engine`), so that each recognizer looks at sentences and hits and none reads the text again. Offsets
of a `Reading` point into its own opened text; `PlainText.source_span` leads back to the readable text. Linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote

from gateway.content.folding import PlainText, fold, plain_text
from gateway.content.lexicon import Hit, lexicon
from gateway.content.sentences import sentence_spans
from gateway.message.model import Link, ReadableText, ZoneKind

LISTS = (
    "grammar", "context", "personal", "clinical", "medications", "diagnoses", "social", "disrespect", "confidential",
    "voice",
)  # fmt: skip

# The small words that tell a language, and the tags of the grammar list that hold them.
_SMALL = frozenset({"small", "i", "my", "we", "our", "you", "your", "they", "their"})
# How many hits are enough to tell the language of a text.
_SAMPLE_HITS = 400
# Words by which a sentence of a signature speaks to somebody, and an afterword that opens new text there.
_SPEAKING = frozenset({"i", "my", "you", "your"})
_AFTERWORD = re.compile(r"p\.? ?s\.?(?=[\s:,.!-])")
_WORD = re.compile(r"[^\W\d_]{3,}")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")


class Witness(NamedTuple):
    """What two models say of a sentence for one category, each as a logit: the encoder, and the words alone."""

    encoder: float
    words: float


_NOBODY: Mapping[str, Witness] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence: its span in the opened text, its folded words, and its hits in order of place.

    `language` is `en`, `fr`, or empty where its small words don't tell. `paragraph` counts the stretches between empty
    lines. `is_footer` tells a line of a signature that speaks to nobody: no `I`, `my`, `you`, `your`, no afterword.
    `links` are where links within it lead, by offsets into the opened text, their targets folded. `witnesses` has, by
    category, what the models say of a sentence that the encoder looked at; it is empty for the others.
    """

    start: int
    end: int
    text: str
    folded: str
    language: str
    is_quoted: bool
    hits: tuple[Hit, ...]
    paragraph: int = 0
    is_footer: bool = False
    links: tuple[Link, ...] = ()
    witnesses: Mapping[str, Witness] = field(default_factory=lambda: _NOBODY)

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
class Circumstances:
    """What is known of a text before it is read.

    `language` (`en`, `fr`) is for sentences whose small words don't tell, where the whole text doesn't tell either.
    `is_inbound` tells a client's mail to the agency; `sender_words` are the folded words of the sender's name, none
    where it is not known; `own_addresses` those in the envelope, in lower case; `own_names` the folded first names of
    the sender's clients.
    """

    language: str = ""
    is_inbound: bool = False
    sender_words: frozenset[str] = frozenset()
    own_addresses: frozenset[str] = frozenset()
    own_names: frozenset[str] = frozenset()


_UNKNOWN = Circumstances()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A whole text, read. `is_subject` tells a subject line, which has no sentences with verbs.

    `disclaimers`, `agency_paragraphs` and `speaking_paragraphs` are numbers of paragraphs that hold a disclaimer, name
    the agency's own pages, or speak as `I` or to `you`.
    """

    plain: PlainText
    sentences: tuple[Sentence, ...]
    is_subject: bool
    is_cut: bool
    around: Circumstances
    disclaimers: frozenset[int]
    agency_paragraphs: frozenset[int]
    speaking_paragraphs: frozenset[int]


class _Span(NamedTuple):
    start: int
    end: int
    kind: ZoneKind
    paragraph: int


def read(source: ReadableText, *, max_chars: int, around: Circumstances = _UNKNOWN) -> Reading:
    """The reading of all zones but our own notice. Reads `max_chars` at most."""
    plain = plain_text(source.text[:max_chars])
    hits = sorted(lexicon(*LISTS).hits(plain.text, plain.folded))
    spans = _spans(plain, source, max_chars)
    links = _links(plain, source, max_chars)
    sentences = tuple(_sentences(plain, spans, hits, links, _language(hits[:_SAMPLE_HITS]) or around.language))
    return Reading(
        plain=plain,
        sentences=sentences,
        is_subject=source.where == "subject",
        is_cut=len(source.text) > max_chars,
        disclaimers=frozenset(entry.paragraph for entry in sentences if entry.has("disclaimer", "disclaimer.title")),
        agency_paragraphs=frozenset(entry.paragraph for entry in sentences if entry.has("agency_owned")),
        speaking_paragraphs=frozenset(entry.paragraph for entry in sentences if entry.has(*_SPEAKING)),
        around=around,
    )


def words_of(names: Iterable[str]) -> frozenset[str]:
    """The folded words of names, three letters at least: shorter ones say too little."""
    return frozenset(word for name in names for word in _WORD.findall(fold(name)))


def name_spans(text: str, folded: str, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where one of these folded words stands in the text with a capital."""
    if names:
        for word in _WORD.finditer(folded):
            if word.group() in names and text[word.start()].isupper():
                yield word.span()


def _links(plain: PlainText, source: ReadableText, max_chars: int) -> list[Link]:
    """Where links lead, in order, folded, with the escapes of one wrapping undone; the last stands first."""
    return [
        Link(
            start=plain.plain_offset(link.start),
            end=plain.plain_offset(link.end),
            target=fold(unquote(link.target)),
        )
        for link in reversed(source.links)
        if link.end <= max_chars
    ]


def _spans(plain: PlainText, source: ReadableText, max_chars: int) -> Iterator[_Span]:
    """Every sentence with the zone it counts in: behind an afterword (`P.S.`) a signature is new text."""
    ends = [match.start() for match in _PARAGRAPH_END.finditer(plain.folded)]
    paragraph = 0
    for zone in source.zones:
        kind = zone.kind
        if kind is ZoneKind.NOTICE:
            continue
        start, end = plain.plain_offset(zone.start), plain.plain_offset(min(zone.end, max_chars))
        for begin, stop in sentence_spans(plain.text, plain.folded, start, end):
            while paragraph < len(ends) and ends[paragraph] < begin:
                paragraph += 1
            if kind is ZoneKind.SIGNATURE and _AFTERWORD.match(plain.folded, begin, stop):
                kind = ZoneKind.NEW
            yield _Span(begin, stop, kind, paragraph)


def _sentences(
    plain: PlainText, spans: Iterable[_Span], hits: list[Hit], links: list[Link], otherwise: str
) -> Iterator[Sentence]:
    place = 0
    for start, end, kind, paragraph in spans:
        while place < len(hits) and hits[place].start < start:
            place += 1
        first = place
        while place < len(hits) and hits[place].start < end:
            place += 1
        leading: list[Link] = []
        while links and links[-1].start < end:
            leading.append(links.pop())
        language = _language(hits[first:place]) or otherwise
        own = tuple(
            hit
            for hit in hits[first:place]
            if hit.end <= end and (not hit.language or not language or hit.language == language)
        )
        yield Sentence(
            start=start,
            end=end,
            text=plain.text[start:end],
            folded=plain.folded[start:end],
            language=language,
            is_quoted=kind is ZoneKind.QUOTED,
            hits=own,
            paragraph=paragraph,
            links=tuple(leading),
            is_footer=kind is ZoneKind.SIGNATURE and not any(hit.tag in _SPEAKING for hit in own),
        )


def _language(hits: Iterable[Hit]) -> str:
    """`en` or `fr` by its small words; empty for a tie."""
    balance = sum((hit.language == "fr") - (hit.language == "en") for hit in hits if hit.tag in _SMALL)
    return "" if balance == 0 else "fr" if balance > 0 else "en"
