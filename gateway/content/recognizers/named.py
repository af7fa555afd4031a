"""Clients of the directory who are named in a text: full name, alias, file number, initial with surname.

Not aware of who reads: the inspector takes out the files of the clients in the envelope [N21]. [CONF-1], [CLI-7]
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

from presidio_analyzer import RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from gateway.content.artifacts import reading_of
from gateway.content.finding import About, Matter
from gateway.content.names import NameIndex, Sign
from gateway.content.reading import Reading, name_spans, words_of
from gateway.content.recognizers.base import MAX_RESULTS, MatterRecognizer
from gateway.content.sighting import Sighting

# Below a hold: a first name is nobody by itself, and says enough beside words of the work.
_FIRST_NAME_SCORE = 0.45
_WORDS = {
    Sign.FULL_NAME: "the full name of a client",
    Sign.ALIAS: "a name by which a client is known",
    Sign.FILE_NUMBER: "a client's file number",
    Sign.INITIAL_AND_SURNAME: "what may be a client's name",
}


class ClientNamedRecognizer(MatterRecognizer):
    """Finds clients by the directory; names may run over a line end, so the whole text is searched, not sentences."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.CLIENT_NAMED,)

    def __init__(self, names: NameIndex, language: str = "en") -> None:
        super().__init__(language)
        self._names = names

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """A result for each place and file, at most MAX_RESULTS; outside all sentences (our notice) nothing counts."""
        del text
        if Matter.CLIENT_NAMED.value not in entities:
            return []
        reading = reading_of(nlp_artifacts)
        starts = [sentence.start for sentence in reading.sentences]
        results: list[RecognizerResult] = []
        for hit in self._names.hits(reading.plain):
            number = bisect_right(starts, hit.start) - 1
            if number < 0 or hit.start >= reading.sentences[number].end:
                continue
            if reading.sentences[number].is_footer and _is_senders(reading, hit.start, hit.end):
                continue
            for file in hit.files:
                sighting = Sighting(
                    start=hit.start,
                    end=hit.end,
                    score=hit.score,
                    reason="confidential.client_named",
                    explanation=f"The text holds {_WORDS[hit.sign]}.",
                    about=About.OTHER_CLIENT,
                    client_file=file,
                )
                results.append(self._result(Matter.CLIENT_NAMED, sighting, number))
            if len(results) >= MAX_RESULTS:
                break
        results.extend(self._first_names(reading))
        return results[:MAX_RESULTS]

    def _first_names(self, reading: Reading) -> Iterator[RecognizerResult]:
        """The first names of the sender's own clients in mail to an outsider, one a sentence: company, never a hold."""
        names = reading.around.own_names
        for number, sentence in enumerate(reading.sentences if names else ()):
            for start, end in islice(name_spans(sentence.text, sentence.folded, names), 1):
                sighting = Sighting(
                    start=sentence.start + start,
                    end=sentence.start + end,
                    score=_FIRST_NAME_SCORE,
                    reason="confidential.client_named",
                    explanation="The text holds the first name of a client of the sender.",
                    about=About.OTHER_CLIENT,
                )
                yield self._result(Matter.CLIENT_NAMED, sighting, number)


def _is_senders(reading: Reading, start: int, end: int) -> bool:
    """True for a name all of whose words are the sender's: a worker may share a client's name and sign with it."""
    return words_of([reading.plain.text[start:end]]) <= reading.around.sender_words
