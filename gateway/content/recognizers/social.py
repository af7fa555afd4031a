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
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting, together

_HANDLE = re.compile(r"(?<![\w.@/])@[a-z0-9_](?:[a-z0-9_.]{2,29})(?![\w@])")
_PROFILE = re.compile(
    r"\b(?:facebook|fb|instagram|linkedin|twitter|x|tiktok|snapchat|threads|bsky|discord|reddit|youtube|t|wa|m)"
    r"\.(?:com|net|app|gg|me|social)/[\w@./?=%-]{2,80}"
)
_NETWORK_WEIGHT, _HANDLE_WEIGHT, _PROFILE_WEIGHT = 0.32, 0.62, 0.7
# A weight, a reason, and the span in the opened text.
_Sign = tuple[float, str, int, int]
# Ours, or refused: a page of the agency may be named, a refusal is what the policy asks for.
_AGENCY_FACTOR, _REFUSAL_FACTOR = 0.35, 0.2


class SocialRecognizer(MatterRecognizer):
    """Finds invitations (friend, follow, handle, profile) and proposals to go on by messenger."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.SOCIAL_INVITATION, Matter.SOCIAL_CHANNEL_SHIFT)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one of each matter a sentence."""
        del reading
        factor = 1.0
        if sentence.has("advice"):
            factor *= _REFUSAL_FACTOR
        if sentence.has("agency_owned"):
            factor *= _AGENCY_FACTOR
        invitation = list(_invitation(sentence))
        if invitation:
            best = max(invitation)
            yield (
                Matter.SOCIAL_INVITATION,
                _sighting(invitation, factor, best[1], "The sentence offers or asks for contact on a social network."),
            )
        shift = list(_shift(sentence))
        if shift:
            best = max(shift)
            yield (
                Matter.SOCIAL_CHANNEL_SHIFT,
                _sighting(shift, factor, best[1], "The sentence moves the talk to a messenger or private messages."),
            )


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
        for match in _HANDLE.finditer(sentence.folded):
            weight = _HANDLE_WEIGHT if platforms or said or weak else 0.42
            yield weight, "social.handle", sentence.start + match.start(), sentence.start + match.end()
    if "/" in sentence.folded:
        for match in _PROFILE.finditer(sentence.folded):
            yield _PROFILE_WEIGHT, "social.profile", sentence.start + match.start(), sentence.start + match.end()


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


def _sighting(signs: list[_Sign], factor: float, reason: str, explanation: str) -> Sighting:
    kinds: dict[str, float] = {}
    for weight, kind, _, _ in signs:
        kinds[kind] = max(kinds.get(kind, 0.0), weight)
    return Sighting(
        start=min(sign[2] for sign in signs),
        end=max(sign[3] for sign in signs),
        score=together(kinds.values()) * factor,
        reason=reason,
        explanation=explanation,
        about=About.SENDER,
    )
