"""The closer look at a reading: which sentences the encoder is to see, and what all witnesses together say of them.

Not a recognizer. A cascade: the glance decides what is clear, the encoder sees what is left and what the rules found.
Called by `gateway.content.inspector` between the rules and the recognizer of what was learned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from presidio_analyzer import RecognizerResult

from gateway.content.encoder import SentenceEncoder
from gateway.content.glance import Glance
from gateway.content.reading import Reading, Sentence, Witness
from gateway.content.refusals import refuses_contact
from gateway.content.weighing import curves_of, weighed
from gateway.content.weights import CATEGORIES, DIRECTIONS, WEIGHTS, verified
from gateway.people.model import Direction

# How much weighs against what a sentence otherwise seems to say: the first objection that it has.
_OBJECTIONS: Mapping[str, tuple[tuple[Callable[[Sentence], bool], float], ...]] = MappingProxyType(
    {
        "social_media": (
            (lambda sentence: refuses_contact(sentence.folded), 12.0),
            (lambda sentence: sentence.has("refusal"), 4.0),
        ),
        "clinical_content": ((lambda sentence: sentence.has("advice", "crisis_line"), 2.5),),
    }
)
# Regional forms of address: they say where somebody comes from, and nothing of anybody's life [RESP-3].
_ADDRESS = re.compile(r",? *\b(?:my|me) (?:ducky|duckie|trout|treasure|lover|son|b'y|hen|handsome)\b", re.IGNORECASE)
_RUN = re.compile(r"[^\W_]+")
_VOWEL = re.compile(r"[aeiouy]")
_LONGEST_WORD, _LONGEST_MIXED = 30, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """The reading with witnesses at the sentences that the encoder saw, and True if it was too long to see all."""

    reading: Reading
    is_cut: bool


class CloserLook:
    """Holds encoder, glance and curves. Not thread-safe."""

    def __init__(self, weights: Path | None = None) -> None:
        """From the weights in a folder, those of the package if none is named. Raises WeightsError."""
        folder = weights or WEIGHTS
        card = verified(folder)
        self._encoder = SentenceEncoder(folder)
        self._glance = Glance.load(folder, card["glance"])
        self._curves = curves_of(card["curves"])

    def look(self, reading: Reading, ruled: Iterable[RecognizerResult], direction: Direction) -> LookedAt:
        """Let the encoder see the new sentences that pass the glance, and those in which rules found something."""
        found = {int(result.recognition_metadata["sentence"]) for result in ruled}
        way = DIRECTIONS.index(direction.value)
        told = [number for number, sentence in enumerate(reading.sentences) if _is_told(sentence)]
        evidence = self._glance.look([reading.sentences[number].folded for number in told], way)
        words = {
            number: said
            for number, said in zip(told, evidence, strict=True)
            if number in found or self._glance.passes(said)
        }
        if not words:
            return LookedAt(reading=reading, is_cut=False)
        looked = self._encoder.look(
            [_ADDRESS.sub("", reading.sentences[number].text) for number in words], direction.value
        )
        seen = dict(zip(words, looked.logits, strict=True))
        sentences = tuple(
            replace(sentence, witnesses=_witnesses(sentence, seen[number], words[number]))
            if number in seen
            else sentence
            for number, sentence in enumerate(reading.sentences)
        )
        return LookedAt(reading=replace(reading, sentences=sentences), is_cut=looked.is_cut)

    def weighed(
        self, results: Sequence[RecognizerResult], reading: Reading, direction: Direction
    ) -> list[RecognizerResult]:
        """The results with their final scores (`gateway.content.weighing`)."""
        return weighed(results, reading, self._curves, is_internal=direction is Direction.INTERNAL)


def _is_told(sentence: Sentence) -> bool:
    """True for a sentence to be looked at: new, not a line of a signature, and made of words.

    Letters without vowels, or mixed with figures, or without an end (data, keys, noise) are no words: what the models
    say of them means nothing. `10h30` and `2nd` count neither way.
    """
    if sentence.is_quoted or sentence.is_footer:
        return False
    kinds = [_is_word(run) for run in _RUN.findall(sentence.folded)]
    return kinds.count(True) > kinds.count(False)


def _is_word(run: str) -> bool | None:
    """Whether a run of letters and figures is a word; None for what counts neither way."""
    if not run.isalpha():
        return None if run.isdecimal() or len(run) <= _LONGEST_MIXED else False
    return len(run) <= _LONGEST_WORD and _VOWEL.search(run) is not None


def _witnesses(sentence: Sentence, encoder: tuple[float, ...], words: tuple[float, ...]) -> dict[str, Witness]:
    """By category; words that say no (`I don't accept friend requests`) speak against what the models see in it."""
    found = {}
    for name, seen, read in zip(CATEGORIES, encoder, words, strict=False):
        against = next((weight for objects, weight in _OBJECTIONS.get(name, ()) if objects(sentence)), 0.0)
        found[name] = Witness(encoder=seen - against, words=read - against)
    return found
