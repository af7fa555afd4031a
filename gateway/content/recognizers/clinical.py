"""Content of the work with a client in a mail: diagnosis, medication, risk, abuse, sessions, results, protection.

Not a reading of who may know it: the policy looks at the recipient's role. A term counts most where the sentence
gives it to the reader or to a client (`your medication`, `elle a rechuté`), least in names of places and programmes,
general information and crisis lines; advice not to send such things is no finding. [CLI-7], [TIP-E2]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.lexicon import Hit
from gateway.content.reading import Reading, Sentence, name_spans
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import POSSESSIVES, OwnedHit, Person, Sighting, clauses_of, is_inside, owned, together

_DOSE = re.compile(r"\b\d{1,4}(?:[.,]\d)? ?(?:mg|mcg|milligrams?|milligrammes?)\b")
_DOSE_WEIGHT = 0.5
# A condition before a crisis line (`if you think of suicide, call`), and the words that make it a person's own story.
_CONDITION = re.compile(
    r"\b(?:if|should|in case|whenever) (?:you|anyone|someone|somebody|things|it)\b|\bsi (?:vous|tu|jamais|quelqu'un)\b"
    r"|\ben (?:cas|situation) de\b|\bin crisis ?\?|\ben crise ?\?"
)
_AGAIN = re.compile(r"\b(?:again|still|encore|toujours)\b")
_BREAK = re.compile(r"[:;.!?]")
_COVERED_FACTOR = 0.3
# Whose a term is in a client's mail, in the words of mail to a client: the life in it is the client's own.
_FROM_CLIENT = {Person.SENDER: Person.READER, Person.READER: Person.SENDER}
# A damper may take a hold from a sentence about the reader, not the note as well.
_HOLD, _LEAST_NOTE = 0.5, 0.36
# A line of a signature that names no medication names work, at most.
_FOOTER_CEILING = 0.3
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
        covers = list(sentence.tagged("place_like"))
        left_out = _left_out(sentence)
        weights: dict[str, float] = {}
        covered: dict[str, float] = {}
        said = sentence.under("client.says.") if reading.around.is_inbound else ()
        spans: list[tuple[int, int]] = []
        persons: list[Person] = []
        is_own_client = any(name_spans(sentence.text, sentence.folded, reading.around.own_names))
        for entry in owned(sentence, "topic.clinical."):
            if is_own_client and entry.person is Person.NOBODY:
                entry = replace(entry, person=Person.OTHER, distance=0)  # noqa: PLW2901  # whose it is, is known now
            if is_inside(entry.hit, covers):
                continue
            weight = _topic_weight(entry, sentence, reading)
            if weight >= 0.1:
                topic = entry.hit.tag.rpartition(".")[2]
                kept = covered if any(start <= entry.hit.start < end for start, end in left_out) else weights
                kept[topic] = together((kept[topic], weight * 0.5)) if topic in kept else weight
                spans.append((entry.hit.start, entry.hit.end))
                persons.append(entry.person)
        for hit in said:
            if not is_inside(hit, covers):
                topic = hit.tag.rpartition(".")[2]
                weights[topic] = max(weights.get(topic, 0.0), hit.weight)
                spans.append((hit.start, hit.end))
                persons.append(Person.SENDER)
        dose = _DOSE.search(sentence.folded) if "m" in sentence.folded else None
        if dose is not None:
            weights["medication"] = together((weights.get("medication", 0.0), _DOSE_WEIGHT))
            spans.append((sentence.start + dose.start(), sentence.start + dose.end()))
        if not weights and not covered:
            return
        told = weights or covered
        best = max(told, key=told.__getitem__)
        score = together([*told.values(), *_support(sentence)])
        score = _dampened(score, sentence, persons) if weights else score * _COVERED_FACTOR
        if sentence.is_footer and best != "medication":
            score = min(score, _FOOTER_CEILING)
        yield (
            Matter.CLINICAL,
            Sighting(
                start=min(start for start, _ in spans),
                end=max(end for _, end in spans),
                score=score,
                reason=f"clinical.{best}",
                explanation=f"The sentence speaks of {_WORDS[best]} of a person, which belongs in a meeting.",
                about=_about(sentence, persons, is_inbound=reading.around.is_inbound),
            ),
        )


def _left_out(sentence: Sentence) -> list[tuple[int, int]]:
    """Where the sentence says what not to write in a mail: from the words that say so to the end of their clause."""
    return [(hit.start, stop) for hit, _, stop in clauses_of(sentence, "advice")]


def _topic_weight(entry: OwnedHit, sentence: Sentence, reading: Reading) -> float:
    """The weight of a term by its owner, and less before the name of a place or a programme."""
    weight = entry.hit.weight
    person = entry.person
    if reading.around.is_inbound:
        person = _FROM_CLIENT.get(person, person)
    is_near = entry.distance <= (3 if entry.marker in POSSESSIVES else 9)
    match person:
        case Person.READER:
            weight *= 1.35 if is_near else 0.7
        case Person.OTHER:
            weight *= 1.25 if is_near else 0.7
        case Person.SENDER:
            is_private = is_near and entry.marker in {"my", "your"}
            weight *= 0.35 if is_private else 1.0 if is_near and entry.marker == "our" else 0.75
        case Person.NOBODY:
            weight *= 0.9
    is_titled = reading.is_subject and entry.person is not Person.NOBODY
    is_given = entry.marker in {"my" if reading.around.is_inbound else "your", "their"} and entry.distance == 0
    if _is_in_a_name(entry.hit, sentence, is_given=is_given):
        weight *= 0.55 if is_given else 0.2
    elif not is_titled and not is_given and _is_capital(entry.hit, sentence):
        weight *= 0.2
    return min(weight, 0.95)


def _is_in_a_name(hit: Hit, sentence: Sentence, *, is_given: bool) -> bool:
    """True if the term is part of a name: `Addiction Services`, `clinique de santé mentale`, `addictions counsellor`.

    What is given to a person (`your relapse last week`) is no part of a programme's name that stands apart. A person of
    the field makes no name where the sentence is about the reader and no appointment.
    """
    is_about_reader = _is_about_reader(sentence)
    for other in sentence.tagged("place", "programme", "professional"):
        gap = 0 if is_given and other.tag == "programme" else 2
        if other.tag == "professional" and is_about_reader:
            continue
        if other.end <= hit.start and other.tag != "professional" and sentence.words_between(other.end, hit.start) <= 3:
            return True
        if other.start < hit.end or sentence.words_between(hit.end, other.start) > gap:
            continue
        if _BREAK.search(sentence.folded, hit.end - sentence.start, other.start - sentence.start) is None:
            return True
    return False


def _is_about_reader(sentence: Sentence) -> bool:
    return sentence.has("you", "your") and not sentence.has("logistics")


def _is_capital(hit: Hit, sentence: Sentence) -> bool:
    """True for a capital within a sentence that makes a term a name; medications and agencies have one anyway."""
    if hit.tag == "topic.clinical.medication" or hit.start == sentence.start:
        return False
    if hit.tag == "topic.clinical.child_protection" and _is_about_reader(sentence):
        return False
    letters = sentence.text[hit.start - sentence.start :][:2]
    return letters[:1].isupper() and letters[1:].islower()


def _support(sentence: Sentence) -> Iterator[float]:
    """Signs that are nothing alone: talk of what was said or felt, and telling what to do about one's health."""
    if sentence.has("session_talk"):
        yield _TALK_WEIGHT
    if sentence.has("imperative_health"):
        yield _IMPERATIVE_WEIGHT


def _dampened(score: float, sentence: Sentence, persons: list[Person]) -> float:
    """The score, less what crisis lines, general information and talk of a meeting take from it."""
    is_told = Person.READER in persons or Person.OTHER in persons
    factor = 1.0
    if sentence.has("crisis_line") and (not is_told or _is_conditional(sentence)):
        return score * _COVERED_FACTOR
    if sentence.has("advice.after"):
        factor *= 0.5
    if sentence.has("general") and not sentence.has("session_talk"):
        factor *= 0.5
    if sentence.has("deferral") and not sentence.has("session_talk"):
        factor *= 0.8
    if Person.READER in persons and score >= _HOLD:
        return max(score * factor, _LEAST_NOTE)
    return score * factor


def _is_conditional(sentence: Sentence) -> bool:
    return _CONDITION.search(sentence.folded) is not None and _AGAIN.search(sentence.folded) is None


def _about(sentence: Sentence, persons: list[Person], *, is_inbound: bool) -> About:
    if sentence.has("other_client"):
        return About.OTHER_CLIENT
    if is_inbound and Person.SENDER in persons:
        return About.SENDER
    if Person.READER in persons:
        return About.READER
    return About.OTHER_CLIENT if Person.OTHER in persons else About.UNKNOWN
