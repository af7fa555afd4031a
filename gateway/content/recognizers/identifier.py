"""Canadian identifiers of a person: social insurance number, provincial health cards, date of birth.

Not names (that is `names`). Numbers with a check digit are checked: a SIN and an Ontario health number by Luhn, a
British Columbia number by its weights. A number without its label scores less. [CONF-1] Sources of the forms: Service
Canada (SIN), each province's health ministry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting

_NINE = re.compile(r"(?<![\w.-])\d{3}([ -]?)\d{3}\1\d{3}(?![\w-])")
_TEN = re.compile(r"(?<![\w.-])\d{4}([ -]?)\d{3}\1\d{3}(?:[ -]?[a-z]{2})?(?![\w-])")
_QUEBEC = re.compile(r"(?<!\w)[a-z]{4}[ -]?\d{4}[ -]?\d{4}(?!\w)")
_DATE = re.compile(
    r"(?<![\w./-])(?:(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}"
    r"|\d{1,2}(?:er)? [a-z]{3,9}\.?,? (?:19|20)\d{2}|[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d{2})(?!\w)"
)
_BIRTH = re.compile(r"\b(?:date of birth|d\.?o\.?b\.?|birth ?date|born(?: on)?|date de naissance|nee? le)\b")
_BC_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3)
_LABEL_REACH_CHARS = 40


class IdentifierRecognizer(MatterRecognizer):
    """Finds numbers that identify a person before the state."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.IDENTIFIER,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """One for each number."""
        del reading
        folded = sentence.folded
        if not any(char.isdigit() for char in folded):
            return
        labels = [hit.start - sentence.start for hit in sentence.tagged("id_label")]
        for start, end, score, reason, words in _numbers(folded, labels):
            yield (
                Matter.IDENTIFIER,
                Sighting(
                    start=sentence.start + start,
                    end=sentence.start + end,
                    score=score,
                    reason=reason,
                    explanation=f"The sentence holds {words}.",
                    about=About.UNKNOWN,
                ),
            )


def _numbers(folded: str, labels: list[int]) -> Iterator[tuple[int, int, float, str, str]]:
    def is_labelled(start: int) -> bool:
        return any(label <= start <= label + _LABEL_REACH_CHARS for label in labels)

    for match in _NINE.finditer(folded):
        digits = re.sub(r"\D", "", match.group())
        if luhn_is_valid(digits) and digits[0] not in "08" and (match[1] or is_labelled(match.start())):
            score = 0.95 if is_labelled(match.start()) else 0.6
            yield match.start(), match.end(), score, "confidential.sin", "a social insurance number"
        elif is_labelled(match.start()):
            yield (
                match.start(),
                match.end(),
                0.7,
                "confidential.health_card",
                "a number with the label of an identifier",
            )
    for match in _TEN.finditer(folded):
        digits = re.sub(r"\D", "", match.group())[:10]
        is_valid = luhn_is_valid(digits) or bc_health_number_is_valid(digits)
        if is_labelled(match.start()):
            yield (
                match.start(),
                match.end(),
                0.95 if is_valid else 0.75,
                "confidential.health_card",
                "a health card number",
            )
        elif is_valid and match[1]:
            yield match.start(), match.end(), 0.6, "confidential.health_card", "a number with the form of a health card"
    for match in _QUEBEC.finditer(folded):
        month = int(re.sub(r"\D", "", match.group())[2:4])
        if month % 50 in range(1, 13):
            yield match.start(), match.end(), 0.85, "confidential.health_card", "a Quebec health insurance number"
    label = _BIRTH.search(folded)
    if label is not None:
        for match in _DATE.finditer(folded, label.end(), label.end() + _LABEL_REACH_CHARS + 20):
            yield match.start(), match.end(), 0.8, "confidential.birth_date", "a date of birth"
            break


def luhn_is_valid(digits: str) -> bool:
    """True if the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def bc_health_number_is_valid(digits: str) -> bool:
    """True for a British Columbia personal health number: begins with 9, weights modulo 11."""
    if len(digits) != 10 or digits[0] != "9":
        return False
    remainder = sum(int(char) * weight % 11 for char, weight in zip(digits[1:9], _BC_WEIGHTS, strict=True)) % 11
    return 11 - remainder == int(digits[9])
