"""The frame of all recognizers: a Presidio `EntityRecognizer` that looks at sentences and yields sightings.

Not a recognizer itself. Presidio calls `analyze` with the text, the entities that are asked for, and our artifacts
(`gateway.content.artifacts`); an entity is the name of a `Matter`. Each subclass names its matters and overrides
`sightings`. The number of results of one recognizer in one text is limited, so that a hostile text can't make work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from gateway.content.artifacts import reading_of
from gateway.content.finding import Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.sighting import Sighting

# Enough to tell a person why; more would only be the same again.
MAX_RESULTS = 200
# Sightings below this say nothing to anybody.
MIN_SCORE = 0.2


class MatterRecognizer(EntityRecognizer):
    """One file a matter. `matters` are what it can find; `sightings` yields (matter, sighting) for one sentence."""

    matters: ClassVar[tuple[Matter, ...]] = ()

    def __init__(self, language: str = "en") -> None:
        self.name: str
        super().__init__(
            supported_entities=[matter.value for matter in self.matters], supported_language=language, version="1"
        )

    def load(self) -> None:
        """Nothing to load: word lists are shared by all recognizers (`gateway.content.lexicon`)."""

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """What this recognizer sees in one sentence."""
        raise NotImplementedError

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Presidio's entry: the results for every sentence, at most MAX_RESULTS."""
        del text
        results: list[RecognizerResult] = []
        reading = reading_of(nlp_artifacts)
        for number, sentence in enumerate(reading.sentences):
            for matter, sighting in self.sightings(sentence, reading):
                if matter.value in entities and sighting.score >= MIN_SCORE:
                    results.append(self._result(matter, sighting, number))
            if len(results) >= MAX_RESULTS:
                break
        return results[:MAX_RESULTS]

    def _result(self, matter: Matter, sighting: Sighting, sentence: int) -> RecognizerResult:
        return RecognizerResult(
            entity_type=matter.value,
            start=sighting.start,
            end=sighting.end,
            score=sighting.score,
            analysis_explanation=AnalysisExplanation(
                recognizer=self.name, original_score=sighting.score, textual_explanation=sighting.explanation
            ),
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                "reason": sighting.reason,
                "about": sighting.about.value,
                "client_file": sighting.client_file,
                "sentence": sentence,
            },
        )
