"""Content of the work with a client in a mail: diagnosis, medication, risk, abuse, sessions, results, protection.

Not a reading of who may know it: the policy looks at the recipient's role. A term counts most where the sentence
gives it to the reader or to a client (`your medication`, `elle a rechuté`), least in names of places and programmes,
general information and crisis lines; advice not to send such things is no finding. [CLI-7], [TIP-E2]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.lexicon import Hit
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import POSSESSIVES, OwnedHit, Person, Sighting, is_inside, owned, together

_DOSE = re.compile(r"\b\d{1,4}(?:[.,]\d)? ?(?:mg|mcg|milligrams?|milligrammes?)\b")
_DOSE_WEIGHT = 0.5
_TALK_WEIGHT = 0.38
_IMPERATIVE_WEIGHT = 0.3
_WORDS = {
    "diagnosis": "a diagnosis or a disorder",
    "symptom": "symptoms",
    "medication": "medication",
    "substance": "substance use or recovery",
    "trauma": "abuse or violence",
    "risk": "a risk to life or safety",
    "child_protection": "child protection",
    "session": "what was said or done in sessions",
    "results": "tests, results or an admission",
    "life": "private circumstances of a client",
}


class ClinicalRecognizer(MatterRecognizer):
    """Finds sentences with content of the work with the reader, or with a client."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.CLINICAL,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence: all signs together, dampened by what the sentence is for."""
        del reading
        covers = list(sentence.tagged("place_like"))
        weights: dict[str, float] = {}
        spans: list[tuple[int, int]] = []
        persons: list[Person] = []
        for entry in owned(sentence, "topic.clinical."):
            if is_inside(entry.hit, covers):
                continue
            weight = _topic_weight(entry, sentence)
            if weight >= 0.1:
                topic = entry.hit.tag.rpartition(".")[2]
                weights[topic] = together((weights[topic], weight * 0.5)) if topic in weights else weight
                spans.append((entry.hit.start, entry.hit.end))
                persons.append(entry.person)
        dose = _DOSE.search(sentence.folded) if "m" in sentence.folded else None
        if dose is not None:
            weights["medication"] = together((weights.get("medication", 0.0), _DOSE_WEIGHT))
            spans.append((sentence.start + dose.start(), sentence.start + dose.end()))
        if not weights:
            return
        best = max(weights, key=weights.__getitem__)
        score = together([*weights.values(), *_support(sentence)]) * _damper(sentence)
        yield (
            Matter.CLINICAL,
            Sighting(
                start=min(start for start, _ in spans),
                end=max(end for _, end in spans),
                score=score,
                reason=f"clinical.{best}",
                explanation=f"The sentence speaks of {_WORDS[best]} of a person, which belongs in a meeting.",
                about=_about(sentence, persons),
            ),
        )


def _topic_weight(entry: OwnedHit, sentence: Sentence) -> float:
    """The weight of a term by its owner, and less before the name of a place or a programme."""
    weight = entry.hit.weight
    is_near = entry.distance <= (3 if entry.marker in POSSESSIVES else 9)
    match entry.person:
        case Person.READER:
            weight *= 1.35 if is_near else 0.7
        case Person.OTHER:
            weight *= 1.25 if is_near else 0.7
        case Person.SENDER:
            weight *= (1.0 if entry.marker == "our" else 0.35) if is_near and entry.marker in POSSESSIVES else 0.75
        case Person.NOBODY:
            weight *= 0.9
    if _is_in_a_name(entry.hit, sentence):
        weight *= 0.55 if entry.marker == "your" and entry.distance == 0 else 0.2
    return min(weight, 0.95)


def _is_in_a_name(hit: Hit, sentence: Sentence) -> bool:
    """True if the term is part of a name: `Addiction Services`, `clinique de santé mentale`."""
    for other in sentence.tagged("place", "programme"):
        if other.start >= hit.end and sentence.words_between(hit.end, other.start) <= 2:
            return True
        if other.end <= hit.start and sentence.words_between(other.end, hit.start) <= 3:
            return True
    if hit.tag == "topic.clinical.medication" or hit.start == sentence.start:
        return False
    letters = sentence.text[hit.start - sentence.start :][:2]
    return letters[:1].isupper() and letters[1:].islower()


def _support(sentence: Sentence) -> Iterator[float]:
    """Signs that are nothing alone: talk of what was said or felt, and telling what to do about one's health."""
    if sentence.has("session_talk"):
        yield _TALK_WEIGHT
    if sentence.has("imperative_health"):
        yield _IMPERATIVE_WEIGHT


def _damper(sentence: Sentence) -> float:
    factor = 1.0
    if sentence.has("advice"):
        factor *= 0.3
    if sentence.has("crisis_line"):
        factor *= 0.3
    if sentence.has("general") and not sentence.has("session_talk"):
        factor *= 0.5
    if sentence.has("deferral") and not sentence.has("session_talk"):
        factor *= 0.8
    return factor


def _about(sentence: Sentence, persons: list[Person]) -> About:
    if sentence.has("other_client"):
        return About.OTHER_CLIENT
    if Person.READER in persons:
        return About.READER
    return About.OTHER_CLIENT if Person.OTHER in persons else About.UNKNOWN
