"""Name calling and contempt, by what they are said of.

Not a judge of style, grammar, dialect or opinion [RESP-3], [STM-2]. Insults count where they stand, also when letters
are spaced, doubled or replaced; harsh words count by their target: a person, a client, the School, a colleague; said
of a form or the weather they are none. Oneself may be scolded. [RESP-1], [RESP-2], [STM-5], [LEGAL-3]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.lexicon import Hit, lexicon
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import OwnedHit, Person, Sighting, is_inside, owned, together

_LEET = str.maketrans("0134578@$!|+", "oieastbasiit")
_DISGUISED_WORD = re.compile(r"[a-z0-9@$!|+*]{4,30}")
_SPACED_WORD = re.compile(r"(?<![a-z])[a-z](?:[ ._*-][a-z]){3,14}(?![a-z])")
_TRIPLED = re.compile(r"([a-z])\1{2,}")
_TARGET_REACH = 8


class DisrespectRecognizer(MatterRecognizer):
    """Finds insults, and harsh words said of people, the School or the practicum."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.DISRESPECT,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence."""
        del reading
        covers = list(sentence.tagged("not_harsh"))
        signs = [
            (weight(entry, sentence), entry.hit.start, entry.hit.end)
            for tag, weight in (("insult", _weight), ("harsh", _harsh))
            for entry in owned(sentence, tag)
            if not is_inside(entry.hit, covers)
        ]
        signs += list(_disguised(sentence))
        signs = [sign for sign in signs if sign[0] > 0.1]
        if not signs:
            return
        yield (
            Matter.DISRESPECT,
            Sighting(
                start=min(sign[1] for sign in signs),
                end=max(sign[2] for sign in signs),
                score=together(sorted((sign[0] for sign in signs), reverse=True)[:3]),
                reason="disrespect.name_calling" if sentence.has("insult") else "disrespect.derogatory",
                explanation="The sentence speaks of somebody with contempt or calls names.",
                about=_about(sentence),
            ),
        )


def _weight(entry: OwnedHit, sentence: Sentence) -> float:
    if entry.person is Person.SENDER and entry.marker == "i" and entry.distance <= 4 and not sentence.has("target"):
        return 0.15
    return min(entry.hit.weight * (1.15 if entry.person is Person.READER else 1.0), 0.95)


def _harsh(entry: OwnedHit, sentence: Sentence) -> float:
    """A harsh word by its target; near a thing it is none."""
    if _is_near(entry.hit, sentence, "thing", reach=3):
        return 0.1
    has_target = _is_near(entry.hit, sentence, "target", reach=_TARGET_REACH)
    match entry.person:
        case Person.READER | Person.OTHER if entry.distance <= _TARGET_REACH:
            return entry.hit.weight * 1.25
        case Person.SENDER if not has_target:
            return 0.12
        case _:
            return entry.hit.weight * (1.15 if has_target else 0.4)


def _is_near(hit: Hit, sentence: Sentence, tag: str, *, reach: int) -> bool:
    return any(
        sentence.words_between(min(hit.end, other.end), max(hit.start, other.start)) <= reach
        for other in sentence.tagged(tag)
    )


def _disguised(sentence: Sentence) -> Iterator[tuple[float, int, int]]:
    """Insults that are written so that a list misses them: `1d10t`, `s t u p i d`, `idiooot`."""
    words = lexicon("disrespect")
    for match in _SPACED_WORD.finditer(sentence.folded):
        plain = re.sub(r"[ ._*-]", "", match.group())
        if any(hit.tag == "insult" or hit.weight > 0.45 for hit in words.hits(plain, plain) if hit.end - hit.start > 3):
            yield 0.75, sentence.start + match.start(), sentence.start + match.end()
    for match in _DISGUISED_WORD.finditer(sentence.folded):
        word = match.group()
        if word.isalpha() and not _TRIPLED.search(word):
            continue
        plain = _TRIPLED.sub(r"\1", word.translate(_LEET))
        if (
            plain != word
            and plain.isalpha()
            and any(hit.tag == "insult" and hit.end - hit.start == len(plain) for hit in words.hits(plain, plain))
        ):
            yield 0.75, sentence.start + match.start(), sentence.start + match.end()


def _about(sentence: Sentence) -> About:
    if sentence.has("client", "other_client"):
        return About.OTHER_CLIENT
    if sentence.has("target"):
        return About.COLLEAGUE
    return About.READER if sentence.has("you", "your") else About.UNKNOWN
