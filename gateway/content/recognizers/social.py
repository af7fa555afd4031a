"""Invitations to social networks, and moving the talk to a messenger.

Not role-aware: an invitation to a colleague is fine, and the policy says so [GEN-6]. All networks count, known or not
[TIP-F2]: the act (`add me`, `DM me`) is a sign without a name. A refusal (`I do not accept friend requests`) is no
finding: it is what the school's own template says. [CLI-1], [CLI-2]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.pages import HANDLE, PROFILE, is_of_person, is_row_of_pages
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.refusals import refuses_contact
from gateway.content.sighting import Sighting, clauses_of, together
from gateway.message.model import Link

_NETWORK_WEIGHT, _HANDLE_WEIGHT, _PROFILE_WEIGHT = 0.32, 0.62, 0.7
# A weight, a reason, and the span in the opened text.
_Sign = tuple[float, str, int, int]
# Ours, or refused: a page of the agency may be named, a refusal is what the policy asks for.
_AGENCY_FACTOR, _REFUSAL_FACTOR = 0.2, 0.2
# A sign of less weight names a network; from here on it invites.
_INVITING = 0.5
_OWN = re.compile(r"\b(?:i|me|my|moi|mon|ma|mes)\b")


class SocialRecognizer(MatterRecognizer):
    """Finds invitations (friend, follow, handle, profile) and proposals to go on by messenger."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.SOCIAL_INVITATION, Matter.SOCIAL_CHANNEL_SHIFT)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one of each matter a sentence."""
        for matter, signs, explanation in (
            (Matter.SOCIAL_INVITATION, _invitation(sentence), "offers or asks for contact on a social network"),
            (Matter.SOCIAL_CHANNEL_SHIFT, _shift(sentence), "moves the talk to a messenger or private messages"),
        ):
            meant = _as_meant(list(signs), sentence, reading)
            if meant:
                yield matter, _sighting(meant, max(meant)[1], f"The sentence {explanation}.")


def _as_meant(signs: list[_Sign], sentence: Sentence, reading: Reading) -> list[_Sign]:
    """The signs with the weight that is left where their clause refuses, or speaks of the agency's own pages."""
    if not signs:
        return []
    refusals = clauses_of(sentence, "refusal")
    is_no = refuses_contact(sentence.folded)
    pages = [(begin, stop) for _, begin, stop in clauses_of(sentence, "agency_owned")]
    if _is_agencys_line(sentence, reading):
        pages = [(sentence.start, sentence.end)]
    targets = {_place_of(link, sentence): link.target for link in sentence.links}
    meant = []
    for weight, kind, start, end in signs:
        factor = 1.0
        if is_no or any((hit.start if weight >= _INVITING else begin) <= start < stop for hit, begin, stop in refusals):
            factor *= _REFUSAL_FACTOR
        words = targets.get((start, end)) or sentence.folded[start - sentence.start : end - sentence.start]
        is_agencys = any(begin <= start < stop for begin, stop in pages) and _OWN.search(words) is None
        if is_agencys and not is_of_person(words, reading):
            factor *= _AGENCY_FACTOR
        meant.append((weight * factor, kind, start, end))
    return meant


def _is_agencys_line(sentence: Sentence, reading: Reading) -> bool:
    """True if the paragraph names pages as the agency's, or the line is a row of pages, and it speaks for nobody."""
    if sentence.has("i", "my", "you", "your"):
        return False
    return sentence.paragraph in reading.agency_paragraphs or is_row_of_pages(sentence, reading)


def _invitation(sentence: Sentence) -> Iterator[_Sign]:
    platforms = list(sentence.tagged("platform"))
    said = list(sentence.tagged("said.invitation"))
    weak = list(sentence.tagged("said.weak_invitation"))
    for hit in said:
        yield hit.weight, "social.invitation", hit.start, hit.end
    for hit in sentence.tagged("said.of_network"):
        yield (hit.weight if platforms else 0.3), "social.invitation", hit.start, hit.end
    for hit in weak:
        yield (0.75 if platforms else hit.weight * 0.7), "social.invitation", hit.start, hit.end
    for hit in platforms:
        yield _NETWORK_WEIGHT * (1.3 if _is_offered(sentence) else 0.8), "social.network", hit.start, hit.end
    if "@" in sentence.folded:
        for match in HANDLE.finditer(sentence.folded):
            weight = _HANDLE_WEIGHT if platforms or said or weak else 0.42
            yield weight, "social.handle", sentence.start + match.start(), sentence.start + match.end()
    if "/" in sentence.folded:
        for match in PROFILE.finditer(sentence.folded):
            yield _PROFILE_WEIGHT, "social.profile", sentence.start + match.start(), sentence.start + match.end()
    for link in sentence.links:
        if PROFILE.search(link.target):
            yield _PROFILE_WEIGHT, "social.profile", *_place_of(link, sentence)


def _place_of(link: Link, sentence: Sentence) -> tuple[int, int]:
    """The text of a link within its sentence; its last character for a link without text (a picture)."""
    start = min(max(link.start, sentence.start), sentence.end - 1)
    return start, max(min(link.end, sentence.end), start + 1)


def _is_offered(sentence: Sentence) -> bool:
    return sentence.has("i", "my", "you", "your")


def _shift(sentence: Sentence) -> Iterator[_Sign]:
    messengers = list(sentence.tagged("messenger"))
    networks = list(sentence.tagged("platform"))
    for hit in sentence.tagged("said.shift"):
        yield hit.weight, "social.channel", hit.start, hit.end
    for hit in messengers:
        yield (0.66 if sentence.has("reach") or _is_offered(sentence) else 0.4), "social.channel", hit.start, hit.end
    if networks and sentence.has("reach") and sentence.has("i", "you"):
        yield 0.3, "social.channel", networks[0].start, networks[0].end
    for hit in sentence.tagged("said.text_me"):
        if not sentence.has("work_contact"):
            yield (
                hit.weight * (1.0 if sentence.has("private_own", "my_number") else 0.8),
                "social.text",
                hit.start,
                hit.end,
            )


def _sighting(signs: list[_Sign], reason: str, explanation: str) -> Sighting:
    kinds: dict[str, float] = {}
    for weight, kind, _, _ in signs:
        kinds[kind] = max(kinds.get(kind, 0.0), weight)
    return Sighting(
        start=min(sign[2] for sign in signs),
        end=max(sign[3] for sign in signs),
        score=together(kinds.values()),
        reason=reason,
        explanation=explanation,
        about=About.SENDER,
    )
