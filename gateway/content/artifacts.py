"""What goes through Presidio in place of spaCy's tokens: our `Reading`, as its NLP artifacts.

Made by `gateway.content.inspector` and `gateway.content.engine`, read by the recognizers through `reading_of`.
"""

from __future__ import annotations

from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from gateway.content.reading import Reading


class ReadingArtifacts(NlpArtifacts):
    """Presidio's artifacts with a reading; tokens, lemmas and entities are empty."""

    def __init__(self, reading: Reading, engine: NlpEngine, language: str) -> None:
        super().__init__(
            entities=[],
            tokens=[],  # type: ignore[arg-type]  # a spaCy Doc, which no recognizer of ours reads
            tokens_indices=[],
            lemmas=[],
            nlp_engine=engine,
            language=language,
        )
        self.reading = reading


def reading_of(artifacts: NlpArtifacts) -> Reading:
    """The reading in these artifacts. Raises TypeError for artifacts of another engine."""
    if not isinstance(artifacts, ReadingArtifacts):
        raise TypeError("artifacts of another NLP engine")
    return artifacts.reading
