"""What the models say of the evaluation batches, from which they never learned: `evaluation.npz`, made by `build`.

So that curves rest on text that was never seen. Plain arrays, no pickle: for each batch the encoder's and the first
look's logits, a row a sentence in the order of the corpus, subjects first.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gateway.content.reading import Witness
from gateway.content.training import corpus
from gateway.content.training.rows import entries_of
from gateway.content.weights import CATEGORIES

FILE = Path(__file__).with_name("evaluation.npz")
_THEN = (2026, 1, 1, 0, 0, 0)

Logits = npt.NDArray[np.float64]


class Said(NamedTuple):
    """The witnesses of a sentence by category, and the first look's evidence for any."""

    witnesses: Mapping[str, Witness]
    any: float


def write(said: Mapping[str, tuple[Logits, Logits]], path: Path = FILE) -> None:
    """Keep the encoder's and the first look's logits of each batch side by side; same bytes for same numbers."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pair in sorted(said.items()):
            buffer = io.BytesIO()
            np.save(buffer, np.concatenate(pair, axis=1).astype(np.float16))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _THEN), buffer.getvalue(), zipfile.ZIP_DEFLATED)


def said(path: Path = FILE) -> Iterator[tuple[corpus.LabelledMessage, list[Said]]]:
    """Each message with what was said of its subject and sentences. Raises ValueError if the corpus has changed."""
    with np.load(path, allow_pickle=False) as kept:
        for name in corpus.EVALUATION:
            mails = list(corpus.messages(name))
            logits = kept[name].astype(np.float64)
            encoder, words = logits[:, : len(CATEGORIES)], logits[:, len(CATEGORIES) :]
            if len(encoder) != sum(len(entries_of(mail)) for mail in mails):
                raise ValueError(f"{path.name} is older than batch {name}: run the build again")
            place = 0
            for mail in mails:
                stop = place + len(entries_of(mail))
                yield mail, [_said(*pair) for pair in zip(encoder[place:stop], words[place:stop], strict=True)]
                place = stop


def _said(encoder: Logits, words: Logits) -> Said:
    pairs = zip(CATEGORIES, encoder.tolist(), words.tolist(), strict=False)
    return Said({name: Witness(encoder=seen, words=read) for name, seen, read in pairs}, float(words[-1]))
