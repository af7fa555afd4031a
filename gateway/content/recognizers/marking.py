"""Words that say themselves that a text is not for others, and talk about other clients.

Not the disclaimer under a mail (`intended only for …`), with all of its paragraph: it marks nothing. [CONF-1], [GEN-3]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting


class MarkedConfidentialRecognizer(MatterRecognizer):
    """Finds confidentiality markings, secrets passed on, and mentions of another client."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.MARKED_CONFIDENTIAL,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence: the strongest."""
        hits = [(hit.weight, hit, "confidential.marked", About.ORGANISATION) for hit in sentence.tagged("said.marking")]
        hits += [(hit.weight, hit, "confidential.secret", About.COLLEAGUE) for hit in sentence.tagged("said.secret")]
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
