"""Speaking for the School or the agency.

Not a check of permission: the policy's permission register silences it [GEN-8]. Views marked as one's own are no
finding. A thank-you on behalf of the team is far below a hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from gateway.content.finding import About, Matter
from gateway.content.reading import Reading, Sentence
from gateway.content.recognizers.base import MatterRecognizer
from gateway.content.sighting import Sighting, together


class SpeaksForRecognizer(MatterRecognizer):
    """Finds sentences that speak in the name of the institution."""

    matters: ClassVar[tuple[Matter, ...]] = (Matter.SPEAKS_FOR,)

    def sightings(self, sentence: Sentence, reading: Reading) -> Iterator[tuple[Matter, Sighting]]:
        """At most one a sentence; none in a signature, which says where a person works."""
        del reading
        hits = [] if sentence.is_footer else list(sentence.tagged("said.voice", "voice.small"))
        if not hits:
            return
        score = together([max(hit.weight for hit in hits), 0.3 if sentence.has("press") else 0.0])
        if sentence.has("voice.disowned"):
            score *= 0.2
        yield (
            Matter.SPEAKS_FOR,
            Sighting(
                start=min(hit.start for hit in hits),
                end=max(hit.end for hit in hits),
                score=score,
                reason="voice.on_behalf",
                explanation="The sentence speaks in the name of the School or the agency.",
                about=About.ORGANISATION,
            ),
        )
