"""What the sentence encoder finds: sentences that no list would, because no single word in them tells.

Not the encoder (`gateway.content.encoder`) and not the last word: `gateway.content.weighing` puts its numbers and the
other recognizers' scores together, which is why its entities have names of their own (`likely_…`). Reads what the
inspector has put into the reading of what the models say. [CLI-1], [CLI-6], [CLI-7], [CONF-1], [RESP-1], [GEN-8]
"""

from __future__ import annotations

import math
from types import MappingProxyType

from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from gateway.content.artifacts import reading_of
from gateway.content.finding import About, Category, Matter
from gateway.content.reading import Witness
from gateway.content.recognizers.base import MAX_RESULTS

# What is said of a category, and its reason among the pack's words. Speaking for the school is left to the rules: an
# opinion on a bill or a wage offer reads too much like it, and free expression comes first [STM-2].
_MEANING = MappingProxyType(
    {
        Category.PERSONAL_DISCLOSURE: ("personal", "tells of the writer's own life"),
        Category.CLINICAL_CONTENT: ("clinical", "speaks of the work with a client"),
        Category.SOCIAL_MEDIA: ("social", "takes the contact to another network"),
        Category.DISRESPECT: ("disrespect.derogatory", "looks down on somebody"),
        Category.CONFIDENTIAL: ("confidential.other_client", "lets a client be known"),
    }
)
MATTER_OF_LIKELY = MappingProxyType(
    {
        "likely_personal_disclosure": Matter.PERSONAL_DISCLOSURE,
        "likely_clinical_content": Matter.CLINICAL,
        "likely_social_media": Matter.SOCIAL_INVITATION,
        "likely_disrespect": Matter.DISRESPECT,
        "likely_confidential": Matter.MARKED_CONFIDENTIAL,
    }
)
"""The entities of this recognizer, and the matter under which each is reported."""

_LEAST_CHANCE = 0.02


class LearnedRecognizer(EntityRecognizer):
    """One result a category and sentence, with the encoder's chance as its score."""

    def __init__(self, language: str = "en") -> None:
        self.name: str
        super().__init__(supported_entities=list(MATTER_OF_LIKELY), supported_language=language, version="1")

    def load(self) -> None:
        """Nothing to load: the inspector holds the encoder."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        """Presidio's entry: the results for every sentence that the encoder looked at, at most MAX_RESULTS."""
        del text
        reading = reading_of(nlp_artifacts)
        found = [
            self._result(category, chance, sentence.start, sentence.end, number, is_inbound=reading.around.is_inbound)
            for number, sentence in enumerate(reading.sentences)
            if sentence.witnesses
            for category in _MEANING
            if f"likely_{category}" in entities
            for chance in (_chance(sentence.witnesses[category.value]),)
            if chance >= _LEAST_CHANCE
        ]
        found.sort(key=lambda result: -float(result.score))
        return found[:MAX_RESULTS]

    def _result(
        self, category: Category, chance: float, start: int, end: int, sentence: int, *, is_inbound: bool
    ) -> RecognizerResult:
        reason, words = _MEANING[category]
        return RecognizerResult(
            entity_type=f"likely_{category}",
            start=start,
            end=end,
            score=chance,
            analysis_explanation=AnalysisExplanation(
                recognizer=self.name,
                original_score=chance,
                textual_explanation=f"Read as a whole, the sentence {words}.",
            ),
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                "reason": reason,
                "about": _about(category, is_inbound=is_inbound).value,
                "client_file": None,
                "sentence": sentence,
            },
        )


def _chance(witness: Witness) -> float:
    """The better of the two models' chances, before they are weighed."""
    return 1.0 / (1.0 + math.exp(-max(min(max(witness), 30.0), -30.0)))


def _about(category: Category, *, is_inbound: bool) -> About:
    match category:
        case Category.PERSONAL_DISCLOSURE:
            return About.SENDER
        case Category.CLINICAL_CONTENT:
            return About.SENDER if is_inbound else About.READER
        case Category.CONFIDENTIAL:
            return About.OTHER_CLIENT
        case _:
            return About.UNKNOWN
