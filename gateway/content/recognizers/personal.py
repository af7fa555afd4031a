"""The writer's own life in professional mail: family, health, love, faith, money, home, feelings, plans, gifts.

Not about the reader's life (that is `clinical`). A topic counts where the nearest word for a person before it is the
writer's (`my mother`, `j'ai un fils`), a statement where it stands. Illness as the reason for moving an appointment
scores below a hold: it is what the policy wants said, said a little too fully. [CLI-6]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import POSSESSIVES, OwnedHit, Person, Sighting, is_inside, owned, together

# How far a person's word reaches forward, in words, and what is left of the weight there.
_POSSESSIVE_REACH, _SUBJECT_REACH = 2, 7
_AS_SUBJECT = 0.62
_WITH_HAVING = 0.95
# What a second topic after one possessive adds: it tells more of the first (`my mother is in hospital`).
_OF_THE_SAME = 0.6
_WITHOUT_OWNER = 0.3
# `We` and `our` are the agency more often than the writer's household.
_AS_AGENCY = 0.55
# The writer's illness as the reason for a change of appointment, a gift that goes back: worth a word, not a hold.
_LOGISTICS_CEILING = 0.4
# Topics that are ordinary nouns: without a possessive they say nothing about the writer.
_NEED_POSSESSIVE = frozenset({"topic.personal.home", "topic.personal.family"})

_WORDS = {
    "family": "the writer's family or friends",
    "health": "the writer's own health or treatment",
    "ill": "the writer's own illness",
    "relationship": "the writer's relationship",
    "faith": "the writer's faith or political choice",
    "money": "money between the people, or the writer's own money",
    "home": "the writer's home",
    "feelings": "the writer's feelings, toward the reader or of the day",
    "loss": "a loss in the writer's life",
    "plans": "private plans or free time",
    "history": "the writer's own past or a confidence",
    "gifts": "a gift",
}


class PersonalDisclosureRecognizer(MatterRecognizer):
    """Finds sentences that tell of the writer's own life."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.PERSONAL_DISCLOSURE,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence: the strongest sign gives the reason, all together the score."""
        del reading
        covers = list(sentence.tagged("work_kin", "work_my", "other_client"))
        signs: list[tuple[float, str, int, int]] = [
            (hit.weight, hit.tag.rpartition(".")[2], hit.start, hit.end)
            for hit in sentence.under("said.personal.")
            if not is_inside(hit, covers)
        ]
        having = sentence.has("having")
        for entry in owned(sentence, "topic.personal."):
            if not is_inside(entry.hit, covers):
                weight = _topic_weight(entry, has_having=having)
                if weight >= 0.15:
                    signs.append((weight, entry.hit.tag.rpartition(".")[2], entry.hit.start, entry.hit.end))
        if not signs:
            return
        best = max(signs)
        topics: dict[str, float] = {}
        for weight, topic, _, _ in signs:
            topics[topic] = max(topics.get(topic, 0.0), weight)
        score = together(topics.values())
        if _is_logistics(sentence, topics):
            score = min(score, _LOGISTICS_CEILING)
        if sentence.has("gift_declined") and set(topics) == {"gifts"}:
            score = min(score, _LOGISTICS_CEILING)
        yield (
            Matter.PERSONAL_DISCLOSURE,
            Sighting(
                start=min(sign[2] for sign in signs),
                end=max(sign[3] for sign in signs),
                score=score,
                reason=f"personal.{'health' if best[1] == 'ill' else best[1]}",
                explanation=f"The sentence tells of {_WORDS[best[1]]}.",
                about=About.SENDER,
            ),
        )


def _topic_weight(entry: OwnedHit, *, has_having: bool) -> float:
    weight = entry.hit.weight
    match entry.person:
        case Person.READER | Person.OTHER:
            return 0.0
        case Person.NOBODY:
            return weight * _WITHOUT_OWNER
        case Person.SENDER:
            if entry.marker in {"we", "our"}:
                weight *= _AS_AGENCY
            if entry.marker in POSSESSIVES:
                if entry.distance <= _POSSESSIVE_REACH:
                    return weight if entry.is_first else weight * _OF_THE_SAME
                return weight * _WITHOUT_OWNER if entry.distance <= _SUBJECT_REACH else 0.0
            if entry.distance > _SUBJECT_REACH:
                return 0.0
            if has_having and entry.distance <= 4:
                return weight * _WITH_HAVING
            return weight * (_WITHOUT_OWNER if entry.hit.tag in _NEED_POSSESSIVE else _AS_SUBJECT)


def _is_logistics(sentence: Sentence, topics: dict[str, float]) -> bool:
    """True if the sentence moves an appointment and its only private part is that somebody is ill or away."""
    light = {"ill", "family", "plans", "health"}
    return set(topics) <= light and ("ill" in topics or "plans" in topics) and sentence.has("logistics")
