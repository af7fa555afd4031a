"""The linear heads on the encoder's features, one a category, by logistic regression."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from gateway.content.encoder import with_direction
from gateway.content.training.rows import Rows

# Inverse weight against large numbers, found by leaving out one batch after another (docs/detection.md).
KEEN = 0.006
_DIRECTION_WEIGHT = 3.0

Matrix = npt.NDArray[np.float32]


def learned_heads(features: Matrix, rows: Rows, which: npt.NDArray[np.bool_]) -> Matrix:
    """The heads (features and directions and one, categories) for `with_direction(features) @ heads`.

    `features` belong to all rows; `which` are learned from.
    """
    features, directions = features[which], rows.directions[which]
    inputs = with_direction(features, directions)[:, :-1].astype(np.float64)
    width = features.shape[1]
    mean, spread = inputs[:, :width].mean(axis=0), inputs[:, :width].std(axis=0)
    inputs[:, :width] = (inputs[:, :width] - mean) / spread
    inputs[:, width:] *= _DIRECTION_WEIGHT
    heads = []
    for column, counts in zip(rows.wanted[which].T, rows.counts[which].T, strict=True):
        model = LogisticRegression(C=KEEN, max_iter=400).fit(inputs[counts], column[counts])
        weights = model.coef_[0]
        own, of_direction = weights[:width] / spread, weights[width:] * _DIRECTION_WEIGHT
        heads.append(np.concatenate([own, of_direction, [model.intercept_[0] - float(own @ mean)]]))
    return np.array(heads).T.astype(np.float32)
