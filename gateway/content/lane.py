"""The appointment lane: mail that only arranges, confirms, moves or cancels a meeting.

Not a verdict: a finding in such mail says that it stands there (`Finding.is_in_appointment`), and the policy pack asks
for a higher score before it holds. What counts is the new text: it names a time and speaks of a meeting, is short, and
most of its sentences are about times, places, forms or ways of coming. [TIP-E1]
"""

from __future__ import annotations

import re

from gateway.content.reading import Reading, Sentence

_CLOCK = re.compile(r"\b\d{1,2} ?(?:[:h] ?\d{2}|h\b|a\.?m\b|p\.?m\b|o'clock|heures?\b)|\bat \d{1,2}\b|\ba \d{1,2} h")
_MAX_SENTENCES = 14
# Sentences of fewer words greet, thank or sign.
_MIN_WORDS = 4
_MOST = 0.5


class AppointmentLane:
    """Takes the readings of one message, one after the other."""

    def __init__(self) -> None:
        self._telling: list[Sentence] = []
        self._has_time = False
        self._has_meeting = False

    def add(self, reading: Reading) -> None:
        """Count in one text of the message."""
        for sentence in reading.sentences:
            if sentence.is_quoted or sentence.is_footer:
                continue
            self._has_time = self._has_time or _names_time(sentence)
            self._has_meeting = self._has_meeting or sentence.has("logistics")
            if not reading.is_subject and len(sentence.folded.split()) >= _MIN_WORDS:
                self._telling.append(sentence)

    def only_arranges(self) -> bool:
        """True if the message as a whole arranges a meeting and not much else."""
        if not (self._has_time and self._has_meeting) or len(self._telling) > _MAX_SENTENCES:
            return False
        arranging = sum(_names_time(entry) or entry.has("logistics", "arranging") for entry in self._telling)
        return arranging >= _MOST * len(self._telling)


def _names_time(sentence: Sentence) -> bool:
    return sentence.has("time") or _CLOCK.search(sentence.folded) is not None
