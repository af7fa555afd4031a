"""The writer's private ways of contact: own phone, address, e-mail, `call me at home`.

Not the reader's address or phone (an appointment mail may repeat those), nor the agency's. [CLI-5], [CLI-6]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting, clauses_of, together

_PHONE = re.compile(r"(?<![\w-])(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-]{0,2}\d{3}[ .-]?\d{4}(?!\w)")
_FREE_MAIL = re.compile(
    r"[\w.+-]{1,64}@(?:gmail|googlemail|hotmail|outlook|live|msn|yahoo|icloud|me|aol|proton|protonmail|videotron|sympatico"
    r"|rogers|bell|telus|shaw|cogeco|gmx|mail)\.(?:com|ca|net|fr|me|example)(?:\.example)?(?!\w)"
)
_STREET = re.compile(
    r"\b\d{1,5},? (?:rue |boul\w* |av\w* )?[a-z][\w'.-]{1,30}(?: [a-z][\w'.-]{1,30})?,? "
    r"(?:street|st|avenue|ave|road|rd|drive|dr|crescent|cres|court|lane|boulevard|blvd|way|place)\b"
    r"|\b\d{1,5},? (?:rue|boul\w*|avenue|chemin|rang) [a-z][\w'.-]{1,30}"
)
# What stands before an address to which the writer sends something: it is the reader's, or a third person's.
_SENT_TO = re.compile(
    r"\bi(?:'ll| will| can|'ve| have|'m|)? ?(?:just )?(?:send|sent|forward|forwarded|email|emailed|sending) "
    r"[^.!?]{0,60}\bto $"
    r"|\bj(?:e|') ?(?:vous |l'|la |le )?(?:envoie|envoye|enverrai|ai envoye|transmets|transfere) [^.!?]{0,60}\ba $"
)
_PLACES = ("said.personal.home", "private_own", "my_number", "at_home")
# A weight and the span in the opened text.
_Sign = tuple[float, int, int]


class PersonalContactRecognizer(MatterRecognizer):
    """Finds private phone numbers, addresses and e-mail that the writer offers."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.PERSONAL_CONTACT,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence; none where the sentence gives the agency's number."""
        signs = list(_signs(sentence, reading.around.own_addresses))
        if not signs:
            return
        score = together(weight for weight, _, _ in signs)
        if sentence.has("work_contact") and not sentence.has("private_own"):
            score *= 0.4
        if _is_refused(sentence, signs):
            score *= 0.35
        yield (
            Matter.PERSONAL_CONTACT,
            Sighting(
                start=min(start for _, start, _ in signs),
                end=max(end for _, _, end in signs),
                score=score,
                reason="personal.contact",
                explanation="The sentence gives a private way to reach the writer.",
                about=About.SENDER,
            ),
        )


def _signs(sentence: Sentence, own_addresses: frozenset[str]) -> Iterator[_Sign]:
    """Each sign with its weight and span; addresses of the envelope are none."""
    has_digits = any(char.isdigit() for char in sentence.folded)
    yield from _phrases(sentence, has_phone=has_digits and _PHONE.search(sentence.folded) is not None)
    if has_digits and _is_private(sentence):
        yield from _matches(sentence, _PHONE, 0.5)
    if has_digits and sentence.has("i", "my") and sentence.has(*_PLACES):
        yield from _matches(sentence, _STREET, 0.6)
    if "@" in sentence.folded and not sentence.has("your"):
        weight = 0.6 if sentence.has("i", "my", "our") else 0.35
        for sign in _matches(sentence, _FREE_MAIL, weight):
            address = sentence.folded[sign[1] - sentence.start : sign[2] - sentence.start]
            is_target = _SENT_TO.search(sentence.folded, 0, sign[1] - sentence.start) is not None
            if address not in own_addresses and not is_target:
                yield sign


def _is_refused(sentence: Sentence, signs: list[_Sign]) -> bool:
    """True if every sign stands behind a refusal in its clause: `I don't give out my personal number`."""
    reaches = [(hit.start, stop) for hit, _, stop in clauses_of(sentence, "refusal", "advice")]
    return bool(reaches) and all(any(begin <= start < stop for begin, stop in reaches) for _, start, _ in signs)


def _is_private(sentence: Sentence) -> bool:
    """True where a number in the sentence is the writer's own; `text me at the office cell` gives the agency's."""
    if sentence.has("private_own", "my_number", "at_home"):
        return True
    return sentence.has("said.text_me") and not sentence.has("work_contact")


def _phrases(sentence: Sentence, *, has_phone: bool) -> Iterator[_Sign]:
    is_senders = sentence.has("i", "my", "our")
    for hit in sentence.tagged("private_own"):
        if is_senders or not sentence.has("your"):
            yield 0.62 if is_senders else 0.45, hit.start, hit.end
    for hit in sentence.tagged("my_number"):
        yield (0.45 if has_phone else 0.3), hit.start, hit.end
    for hit in sentence.tagged("at_home"):
        yield 0.6, hit.start, hit.end


def _matches(sentence: Sentence, pattern: re.Pattern[str], weight: float) -> Iterator[_Sign]:
    for match in pattern.finditer(sentence.folded):
        yield weight, sentence.start + match.start(), sentence.start + match.end()
