"""Learns the weights of `gateway.content.glance`: logistic regression over hashed words, by category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gateway.content.folding import plain_text
from gateway.content.glance import BUCKETS, Glance, marks
from gateway.content.training.rows import Rows

# Inverse weight against large numbers, found by leaving out one batch after another (docs/detection.md).
KEEN = 8.0
# How many of the breaching sentences that were not learned from are to pass.
PASSING = 0.965


def hashed(texts: Sequence[str], directions: npt.NDArray[np.int64]) -> csr_matrix:
    """The marks of each sentence as a row, with the weight that `Glance.look` gives them."""
    places = [
        sorted(set(marks(plain_text(text).folded, int(way)))) for text, way in zip(texts, directions, strict=True)
    ]
    ends = np.cumsum([0, *map(len, places)])
    values = np.repeat([len(row) ** -0.5 for row in places], [len(row) for row in places])
    return csr_matrix((values, np.concatenate(places), ends), shape=(len(texts), BUCKETS))


def learned_glance(rows: Rows, which: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int8], dict[str, Any]]:
    """The weights in 8 bits, a row a bucket, and their part of the card; `least` is to be set (`least_of`)."""
    inputs = hashed(rows.texts_of(which), rows.directions[which])
    wanted, counts = rows.wanted[which], rows.counts[which]
    columns = [*wanted.T, wanted.any(axis=1).astype(np.float64)]
    counting = [*counts.T, counts.any(axis=1)]
    models = [
        LogisticRegression(C=KEEN, max_iter=400).fit(inputs[asked], column[asked])
        for column, asked in zip(columns, counting, strict=True)
    ]
    weights = np.array([model.coef_[0] for model in models]).T
    scale = np.abs(weights).max(axis=0) / 127.0
    card = {
        "base": [round(float(model.intercept_[0]), 4) for model in models],
        "least": -30.0,
        "scale": [float(f"{value:.6g}") for value in scale],
    }
    return np.rint(weights / np.array(card["scale"])).astype(np.int8), card


def looked(glance: Glance, texts: Sequence[str], directions: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The evidence for each sentence, by category and last for any."""
    pairs = zip(texts, directions, strict=True)
    return np.array([next(glance.look([plain_text(text).folded], int(way))) for text, way in pairs])


def least_of(evidence: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float:
    """The evidence from which on PASSING of the breaching sentences pass; it must be of batches not learned from."""
    best = np.sort(evidence[wanted.any(axis=1)])
    return round(float(best[int(len(best) * (1 - PASSING))]), 3)
