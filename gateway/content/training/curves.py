"""The curves that put rules, encoder and words together, fitted on what the models say of the evaluation batches.

For each category a logistic regression of a sentence's label on the two models' logits and the rules' score, drawn a
little towards a cautious start: four numbers a category (`gateway.content.weighing.Curve`). Only sentences count that
are weighed at run time: those that pass the glance, or in which the rules found something.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from gateway.content.finding import CATEGORY_OF, Category, Matter
from gateway.content.inspector import InspectionRequest, Inspector
from gateway.content.training.corpus import LabelledMessage
from gateway.content.training.evaluation import Said
from gateway.content.training.rows import counts_for, entries_of
from gateway.content.weighing import FACTS, bounded
from gateway.message.model import ReadableText, Zone, ZoneKind
from gateway.people.model import Direction

WEIGHED = (
    Category.PERSONAL_DISCLOSURE,
    Category.CLINICAL_CONTENT,
    Category.SOCIAL_MEDIA,
    Category.DISRESPECT,
    Category.CONFIDENTIAL,
    Category.SPEAKS_FOR,
)
_MATTERS = frozenset(matter for matter in Matter if CATEGORY_OF[matter] in WEIGHED) - FACTS
_START = np.array([1.2, 0.4, 2.5, 2.0])
_RIDGE = np.array([2.0, 2.0, 1.0, 0.2])
_STEPS = 200
_LONGEST_STEP = 0.5

_Evaluation = Iterable[tuple[LabelledMessage, list[Said]]]


def fitted_curves(inspector: Inspector, said: _Evaluation, least: float) -> dict[str, dict[str, float]]:
    """The curves by category. The inspector's own curves don't matter: its rules alone are asked."""
    rows: dict[Category, list[tuple[float, float, float, float]]] = {category: [] for category in WEIGHED}
    for mail, sentences in said:
        for entry, (witnesses, evidence) in zip(entries_of(mail), sentences, strict=True):
            ruled = ruled_scores(inspector, entry.text, Direction(mail.direction), mail.language)
            if ruled or evidence >= least:
                for category in WEIGHED:
                    if not counts_for(category, mail, entry):
                        continue
                    encoder, words = witnesses[category]
                    row = (bounded(encoder), bounded(words), ruled.get(category, 0.0), float(category in entry.labels))
                    rows[category].append(row)
    return {str(category): _fitted(np.array(rows[category])) for category in WEIGHED}


def ruled_scores(inspector: Inspector, text: str, direction: Direction, language: str) -> dict[Category, float]:
    """The rules' best score a category for one sentence."""
    zone = Zone(kind=ZoneKind.NEW, start=0, end=len(text))
    source = ReadableText(where="body", part=(1,), text=text, zones=(zone,), source_offsets=range(len(text)))
    request = InspectionRequest(texts=(source,), matters=_MATTERS, direction=direction, language=language)
    scores: dict[Category, float] = {}
    for finding in inspector.by_rules(request):
        scores[finding.category] = max(scores.get(finding.category, 0.0), finding.score)
    return scores


def _fitted(rows: npt.NDArray[np.float64]) -> dict[str, float]:
    """Newton's method; negative weights become none, and what is left is fitted again."""
    inputs, label = np.concatenate([rows[:, :3], np.ones((len(rows), 1))], axis=1), rows[:, 3]
    is_free = np.ones(4, dtype=bool)
    while True:
        weights = _newton(inputs[:, is_free], label, _START[is_free], _RIDGE[is_free])
        full = np.zeros(4)
        full[is_free] = weights
        if (full[:3] >= 0).all():
            break
        is_free[:3] &= full[:3] >= 0
    names = ("encoder", "words", "rules", "base")
    return {name: round(float(weight), 3) for name, weight in zip(names, full, strict=True)}


def _newton(
    inputs: npt.NDArray[np.float64],
    label: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    ridge: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    weights = start.copy()
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        slope = inputs.T @ (fitted - label) + ridge * (weights - start)
        curvature = (inputs * (fitted * (1 - fitted))[:, None]).T @ inputs + np.diag(ridge)
        step = np.linalg.solve(curvature, slope)
        weights = weights - step * min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-9))
    return weights
