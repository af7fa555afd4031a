"""Words that say themselves that a text is not for others, and talk about other clients.

Not the disclaimer under a mail (`intended only for …`), with all of its paragraph: it marks nothing. [CONF-1], [GEN-3]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting

# A code that is told: right behind its name, four characters or more with a figure in them. A time (`10:30`) is none.
_CODE_TOLD = re.compile(
    r"\W{1,3}(?:(?:is|now|was|has|been|changed|to|est|etait|devient|change|pour|a|maintenant)\W{1,3}){0,4}"
    r"(?!\d{1,2}[:h]\d{2}\b)(?=[^\s,;]{0,20}\d)[^\s,;]{3,30}[^\s,;.!?]"
)


class MarkedConfidentialRecognizer(MatterRecognizer):
    """Finds confidentiality markings, secrets passed on, and mentions of another client."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.MARKED_CONFIDENTIAL,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence: the strongest."""
        hits = [(hit.weight, hit, "confidential.marked", About.ORGANISATION) for hit in sentence.tagged("said.marking")]
        hits += [(hit.weight, hit, "confidential.secret", About.COLLEAGUE) for hit in sentence.tagged("said.secret")]
        hits += [
            (hit.weight, hit, "confidential.secret", About.ORGANISATION)
            for hit in sentence.tagged("said.code")
            if _CODE_TOLD.match(sentence.folded, hit.end - sentence.start)
        ]
        hits += [
            (0.66 if sentence.has("i", "my", "we") else 0.35, hit, "confidential.other_client", About.OTHER_CLIENT)
            for hit in sentence.tagged("other_client")
        ]
        if not hits:
            return
        weight, hit, reason, about = max(hits, key=lambda entry: entry[0])
        is_disclaimed = sentence.paragraph in reading.disclaimers and reason == "confidential.marked"
        if sentence.has("disclaimer") or sentence.is_footer or is_disclaimed:
            weight *= 0.2
        if sentence.has("logistics") and reason == "confidential.other_client":
            weight *= 0.5
        yield (
            Matter.MARKED_CONFIDENTIAL,
            Sighting(
                start=hit.start,
                end=hit.end,
                score=weight,
                reason=reason,
                explanation="The sentence marks something as confidential, or passes on what is not the reader's.",
                about=about,
            ),
        )
