"""The cheap looks that decide whether mail is looked into at all: to outsiders, and among colleagues.

Not an inspection: no score, no span. They run in the gateway's own process for every such message and cost less than
a millisecond, so nothing here imports Presidio. Mail that they pass is not looked into: free expression is part of the
policy [STM-2], [GEN-4]. `Watch` is called through `InspectionPool.concerns` and `Inspector.concerns`.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.content.folding import PlainText, plain_text
from gateway.content.glance import Glance
from gateway.content.lexicon import lexicon
from gateway.content.names import NameIndex
from gateway.content.reading import name_spans, words_of
from gateway.content.sentences import sentence_spans
from gateway.content.weights import DIRECTIONS, WEIGHTS, verified
from gateway.message.model import ReadableText

_TRIGGERS = frozenset({"said.voice", "said.marking"})
_HARSH = frozenset({"insult", "harsh"})
_OUTSIDERS = DIRECTIONS.index("third_party")
# A longer text is looked into anyway, and held where it is too long for that.
_MAX_CHARS = 1_000_000
_CASE_LISTS = ("clinical", "medications", "diagnoses")
_CASE_WORDS = ("topic.clinical.", "session_talk")


class Watch:
    """Immutable after it is made; `names` is the index of all clients."""

    __slots__ = ("_glance", "_names", "_words")

    def __init__(self, names: NameIndex) -> None:
        self._names = names
        self._words = lexicon("voice", "confidential")
        self._glance = Glance.load(WEIGHTS, verified(WEIGHTS)["glance"])

    def concerns(self, texts: Iterable[ReadableText]) -> bool:
        """True if a text, quoted text included, names a client, or has words of the school's voice or a marking.

        A sentence that could tell of a client without a name is enough too (`gateway.content.glance`).
        """
        for source in texts:
            plain = plain_text(source.text[:_MAX_CHARS])
            if any(hit.tag in _TRIGGERS for hit in self._words.hits(plain.text, plain.folded)):
                return True
            if next(self._names.hits(plain), None) is not None or self._could_tell(plain):
                return True
        return False

    def _could_tell(self, plain: PlainText) -> bool:
        spans = sentence_spans(plain.text, plain.folded, 0, len(plain.text))
        sentences = [plain.folded[start:end] for start, end in spans]
        return any(map(self._glance.passes, self._glance.look(sentences, _OUTSIDERS)))


def has_harsh_words(texts: Iterable[str]) -> bool:
    """True if a harsh word stands in one of the texts, whoever it is said of."""
    words = lexicon("disrespect", only=_HARSH)
    plain = (plain_text(text[:_MAX_CHARS]) for text in texts)
    return any(next(words.hits(each.text, each.folded), None) is not None for each in plain)


def speaks_of(texts: Iterable[ReadableText], names: Iterable[str]) -> bool:
    """True if a text holds a word of these names, with a capital, and any word of the work with a client.

    For mail of a worker to an outsider: the first name of one of the worker's own clients says enough there. [CLI-7]
    """
    wanted = words_of(names)
    if not wanted:
        return False
    sources = [plain_text(source.text) for source in texts]
    return any(any(name_spans(plain.text, plain.folded, wanted)) for plain in sources) and any(
        hit.tag.startswith(_CASE_WORDS)
        for plain in sources
        for hit in lexicon(*_CASE_LISTS).hits(plain.text, plain.folded)
    )
