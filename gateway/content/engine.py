"""Presidio's AnalyzerEngine, built of our own parts only: our registry, our reading as its NLP engine, no enhancer.

Not the judge of a message (that is `inspector`). Presidio's own recognizers, models and configuration files are not
loaded: as they come they flag ordinary mail, and two of them go to the network. No spaCy model is used: its entities
add 19 ms a message and nothing that these matters need (docs/detection.md). Import costs about 100 MB and 1 s of CPU;
only analysis workers and `check` import this module, through `gateway.content.inspector`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from gateway.content.artifacts import ReadingArtifacts
from gateway.content.names import NameIndex
from gateway.content.reading import read
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.recognizers.clinical import ClinicalRecognizer
from gateway.content.recognizers.contact import PersonalContactRecognizer
from gateway.content.recognizers.disrespect import DisrespectRecognizer
from gateway.content.recognizers.identifier import IdentifierRecognizer
from gateway.content.recognizers.learned import LearnedRecognizer
from gateway.content.recognizers.marking import MarkedConfidentialRecognizer
from gateway.content.recognizers.named import ClientNamedRecognizer
from gateway.content.recognizers.payment import PaymentRecognizer
from gateway.content.recognizers.personal import PersonalDisclosureRecognizer
from gateway.content.recognizers.social import SocialRecognizer
from gateway.content.recognizers.voice import SpeaksForRecognizer
from gateway.message.model import ReadableText, Zone, ZoneKind

LANGUAGES = ("en", "fr")
_PLAIN_RECOGNIZERS: tuple[type[MatterRecognizer], ...] = (
    PersonalDisclosureRecognizer,
    PersonalContactRecognizer,
    ClinicalRecognizer,
    SocialRecognizer,
    DisrespectRecognizer,
    IdentifierRecognizer,
    PaymentRecognizer,
    MarkedConfidentialRecognizer,
    SpeaksForRecognizer,
)


class ReadingEngine(NlpEngine):
    """An NLP engine that cuts sentences and finds terms: no tokens, no tags, no entities, no model, no network."""

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always True."""
        return True

    def process_text(self, text: str, language: str) -> ReadingArtifacts:
        """The reading of a text that is new from end to end; `inspector` hands in zones of its own instead."""
        zone = Zone(kind=ZoneKind.NEW, start=0, end=len(text))
        source = ReadableText(where="body", part=(), text=text, zones=(zone,), source_offsets=range(len(text)))
        return ReadingArtifacts(read(source, max_chars=len(text)), self, language)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Each text with its artifacts, one after the other."""
        del batch_size, n_process, kwargs
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        """False: our lists hold no stop words."""
        del word, language
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """True if no character of the word is a letter or a digit."""
        del language
        return not any(char.isalnum() for char in word)

    def get_supported_entities(self) -> list[str]:
        """None: this engine names no entities."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English and French."""
        return list(LANGUAGES)


class _NoEnhancer(ContextAwareEnhancer):
    """Leaves results as they are: our recognizers look at the context, and the default copies every result."""

    def __init__(self) -> None:
        super().__init__(
            context_similarity_factor=0.0,
            min_score_with_context_similarity=0.0,
            context_prefix_count=0,
            context_suffix_count=0,
        )

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results, unchanged."""
        del text, nlp_artifacts, recognizers, context
        return raw_results


def build_engine(names: NameIndex) -> AnalyzerEngine:
    """The analyzer with our recognizers in English and French, and nothing else."""
    recognizers: list[EntityRecognizer] = []
    for language in LANGUAGES:
        recognizers += [recognizer(language) for recognizer in _PLAIN_RECOGNIZERS]
        recognizers += [ClientNamedRecognizer(names, language), LearnedRecognizer(language)]
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=list(LANGUAGES)),
        nlp_engine=ReadingEngine(),
        supported_languages=list(LANGUAGES),
        context_aware_enhancer=_NoEnhancer(),
    )
