"""What a recognizer sees in one sentence, before Presidio and the inspector make a finding of it.

Values, and the small sums that all recognizers share: who a term belongs to, and how weights add up.

Not a policy: a sighting has a score, never an action. Called by `gateway.content.recognizers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from gateway.content.finding import About
from gateway.content.lexicon import Hit
from gateway.content.reading import Sentence


class Person(StrEnum):
    """Whose a term is, by the nearest word for a person before it."""

    SENDER = "sender"
    READER = "reader"
    OTHER = "other"
    NOBODY = "nobody"


_PERSON_OF_TAG = {
    "i": Person.SENDER,
    "my": Person.SENDER,
    "we": Person.SENDER,
    "our": Person.SENDER,
    "you": Person.READER,
    "your": Person.READER,
    "they": Person.OTHER,
    "their": Person.OTHER,
    "client": Person.OTHER,
    "other_client": Person.OTHER,
}
POSSESSIVES = frozenset({"my", "our", "your", "their"})
# Where a sentence turns: what a phrase before it takes back is not taken back behind it.
_TURN = re.compile(
    r"[;:?!]| -+ |--"
    r"|\b(?:but|so|anyway|still|though|although|however|yet|mais|alors|donc|pourtant|cependant|toutefois)\b"
    r"|,? (?:and |et )?(?:just |please |svp )?(?<!n't )(?<!not )(?<!pas )"
    r"(?:add|follow|friend|text|dm|message|ajoute|ajoutez|suis|suivez|texte|textez|ecrivez|ecris|here's|here is|voici)"
    r"(?=[ -](?:me|moi|my|mon|ma)\b)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Characters `start` to `end` of the opened text, how sure (0 to 1), about whom, and why.

    `reason` is a key of the pack's words; `explanation` says in English what was seen, without the matched text.
    """

    start: int
    end: int
    score: float
    reason: str
    explanation: str
    about: About = About.UNKNOWN
    client_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedHit:
    """A hit and whose it is: the marker's tag (`my`, `you`, …, empty for none) and the words between the two.

    `is_first` is False where another hit under the same prefix already took the marker (`my mother is ill`).
    """

    hit: Hit
    person: Person
    marker: str
    distance: int
    is_first: bool


def owned(sentence: Sentence, prefix: str) -> Iterator[OwnedHit]:
    """The hits under `prefix`, each with the nearest word for a person before it in the sentence."""
    marker: Hit | None = None
    is_first = True
    for hit in sentence.hits:
        if hit.tag in _PERSON_OF_TAG:
            marker, is_first = hit, True
        elif hit.tag.startswith(prefix):
            if marker is None:
                yield OwnedHit(hit=hit, person=Person.NOBODY, marker="", distance=99, is_first=is_first)
            else:
                distance = sentence.words_between(marker.end, hit.start)
                person = _PERSON_OF_TAG[marker.tag]
                yield OwnedHit(hit=hit, person=person, marker=marker.tag, distance=distance, is_first=is_first)
            is_first = False


def together(weights: Iterable[float]) -> float:
    """The chance that at least one of these signs is right, if they were independent (noisy or); at most 0.98."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - min(max(weight, 0.0), 0.98)
    return min(1.0 - doubt, 0.98)


def strongest(hits: Iterable[Hit]) -> dict[str, Hit]:
    """For each tag the hit of the greatest weight; of equals, the first."""
    best: dict[str, Hit] = {}
    for hit in hits:
        if hit.tag not in best or hit.weight > best[hit.tag].weight:
            best[hit.tag] = hit
    return best


def is_inside(hit: Hit, covers: Iterable[Hit]) -> bool:
    """True if the hit lies within one of `covers` (a phrase that takes its meaning away)."""
    return any(cover.start <= hit.start and hit.end <= cover.end for cover in covers)


def clauses_of(sentence: Sentence, *tags: str) -> list[tuple[Hit, int, int]]:
    """Each hit with one of these tags, and start and end of the clause around it: from turn to turn, opened text."""
    hits = list(sentence.tagged(*tags))
    if not hits:
        return []
    turns = [(sentence.start + turn.start(), sentence.start + turn.end()) for turn in _TURN.finditer(sentence.folded)]
    return [
        (
            hit,
            max((end for _, end in turns if end <= hit.start), default=sentence.start),
            min((start for start, _ in turns if start >= hit.end), default=sentence.end),
        )
        for hit in hits
    ]
