"""One score for each matter in a sentence, from the rules' score and what the models say of it.

Not a threshold: what a score leads to is the policy pack's to say. Three witnesses speak of a sentence: the
recognizers by rules (`gateway.content.recognizers`), the encoder by its whole (`gateway.content.encoder`), and its
words by themselves (`gateway.content.glance`). Their numbers go through one logistic curve a category, fitted on text
that the models had not learned from, so that a score is meant as a chance; how well it is one stands in
docs/detection-figures.md. The curves lie in the weights' card.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from presidio_analyzer import RecognizerResult

from gateway.content.finding import CATEGORY_OF, Category, Matter
from gateway.content.reading import Reading, Witness
from gateway.content.recognizers.base import MIN_SCORE
from gateway.content.recognizers.learned import MATTER_OF_LIKELY

# Rules as sure as this name a thing that stands in the text (an insult, a handle): no model takes that back. By
# category, where nine in ten of such findings in our own mail were right, which is their score then.
_BLUNT = MappingProxyType(
    {
        Category.PERSONAL_DISCLOSURE: 0.9,
        Category.CLINICAL_CONTENT: 0.7,
        Category.SOCIAL_MEDIA: 0.6,
        Category.DISRESPECT: 0.7,
        Category.SPEAKS_FOR: 0.5,
    }
)
_BLUNT_CHANCE = 0.9
# What rules say by themselves, where no model looked, on the scale of what is weighed: 0.5 becomes 0.3.
_ALONE = 1.2
# Matters of the same category that are facts of the text and not weighed: a number, a name, a marking.
FACTS = frozenset(
    {Matter.CLIENT_NAMED, Matter.IDENTIFIER, Matter.MARKED_CONFIDENTIAL, Matter.PERSONAL_CONTACT, Matter.PHOTOGRAPH}
)
# A logit beyond this says no more than the edge itself.
_EDGE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """score = sigmoid(encoder · encoder's logit + words · words' logit + rules · rules' score + base)."""

    encoder: float
    words: float
    rules: float
    base: float

    def score(self, witness: Witness, rules: float) -> float:
        """Between 0 and 1."""
        total = self.encoder * bounded(witness.encoder) + self.words * bounded(witness.words) + self.rules * rules
        return 1.0 / (1.0 + math.exp(-max(min(total + self.base, 30.0), -30.0)))


def bounded(logit: float) -> float:
    """The logit within what a curve was fitted on."""
    return max(min(logit, _EDGE), -_EDGE)


def curves_of(card: Mapping[str, Mapping[str, float]]) -> dict[Category, Curve]:
    """The curves in the card of the weights, by category."""
    return {
        Category(name): Curve(encoder=entry["encoder"], words=entry["words"], rules=entry["rules"], base=entry["base"])
        for name, entry in card.items()
    }


def weighed(
    results: Iterable[RecognizerResult],
    reading: Reading,
    curves: Mapping[Category, Curve],
    *,
    is_internal: bool = False,
) -> list[RecognizerResult]:
    """The results with their final scores: all witnesses together where the encoder looked at a sentence.

    Where rules found something, their result stays, for it points at words; else the encoder's is reported for the
    whole sentence. Blunt words keep their score at least, but not among colleagues (`is_internal`), who tell one
    another what was said to them. Facts stay as they are.
    """
    kept: list[RecognizerResult] = []
    ruled: dict[tuple[int, Category], list[RecognizerResult]] = {}
    likely: dict[tuple[int, Category], RecognizerResult] = {}
    for result in results:
        sentence = int(result.recognition_metadata["sentence"])
        if result.entity_type in MATTER_OF_LIKELY:
            likely[sentence, Category(result.entity_type.removeprefix("likely_"))] = result
            continue
        matter = Matter(result.entity_type)
        if matter in FACTS or CATEGORY_OF[matter] not in curves:
            kept.append(result)
        elif not reading.sentences[sentence].witnesses:
            kept += [result] if _rescored(result, min(_ALONE * float(result.score) ** 2, float(result.score))) else []
        else:
            ruled.setdefault((sentence, CATEGORY_OF[matter]), []).append(result)
    for (sentence, category), found in ruled.items():
        witness = reading.sentences[sentence].witnesses[category.value]
        for result in found:
            rules = float(result.score)
            weighed = curves[category].score(witness, rules)
            is_blunt = rules >= _BLUNT.get(category, 1.0) and not is_internal
            if _rescored(result, max(weighed, rules, _BLUNT_CHANCE) if is_blunt else weighed):
                kept.append(result)
        likely.pop((sentence, category), None)
    for (sentence, category), result in likely.items():
        witness = reading.sentences[sentence].witnesses[category.value]
        if category in curves and _rescored(result, curves[category].score(witness, 0.0)):
            result.entity_type = MATTER_OF_LIKELY[result.entity_type].value
            kept.append(result)
    return kept


def _rescored(result: RecognizerResult, score: float) -> bool:
    """Give the result its final score; False if that says nothing to anybody."""
    result.score = score
    return score >= MIN_SCORE
