"""The corpus as rows to learn from: every sentence once, with its batch, direction and wanted values.

A row counts for a category where the policy asks about it: a client who tells of a divorce discloses nothing that the
worker may not, and the same words from the worker are a breach. Quoted sentences count for none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.content.training.corpus import LabelledMessage, LabelledSentence, messages
from gateway.content.weights import CATEGORIES, DIRECTIONS

ASKED = {
    "personal_disclosure": {"outbound"},
    "clinical_content": {"outbound", "inbound", "third_party"},
    "social_media": {"outbound", "inbound"},
    "disrespect": {"outbound", "third_party", "internal"},
    "confidential": {"outbound", "third_party"},
    "speaks_for": {"outbound", "third_party"},
}
"""The directions of mail in which each category is asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Sentences of some batches in order, subjects first: texts, numbers of directions, and 0 or 1 a category.

    `counts` tells for which categories a row counts; `wanted` is 0 where it does not.
    """

    texts: tuple[str, ...]
    batches: tuple[str, ...]
    directions: npt.NDArray[np.int64]
    wanted: npt.NDArray[np.float64]
    counts: npt.NDArray[np.bool_]

    def of(self, names: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Which rows belong to these batches."""
        chosen = set(names)
        return np.array([batch in chosen for batch in self.batches])

    def texts_of(self, which: npt.NDArray[np.bool_]) -> list[str]:
        """The texts of these rows."""
        return [text for text, is_in in zip(self.texts, which.tolist(), strict=True) if is_in]


def rows_of(names: Iterable[str]) -> Rows:
    """The rows of these batches, in the order of the corpus."""
    entries = [(mail, entry) for name in names for mail in messages(name) for entry in entries_of(mail)]
    counts = np.array([[counts_for(name, mail, entry) for name in CATEGORIES] for mail, entry in entries])
    labels = np.array([[name in entry.labels for name in CATEGORIES] for _, entry in entries])
    return Rows(
        texts=tuple(entry.text for _, entry in entries),
        batches=tuple(mail.batch for mail, _ in entries),
        directions=np.array([DIRECTIONS.index(mail.direction) for mail, _ in entries]),
        wanted=(labels & counts).astype(np.float64),
        counts=counts,
    )


def counts_for(category: str, mail: LabelledMessage, entry: LabelledSentence) -> bool:
    """True if the policy asks about this category in such a sentence."""
    return mail.direction in ASKED[category] and not entry.is_quoted


def entries_of(mail: LabelledMessage) -> tuple[LabelledSentence, ...]:
    """Subject and sentences of a message."""
    return (mail.subject, *mail.sentences)
