"""Makes the weights anew: `python -m gateway.content.training.build [--check | --curves]`.

First look and encoder learn from every batch but the evaluation batches; what they then say of those is kept in
`evaluation.npz`, and the curves are fitted on that (`gateway.content.training.curves`). Writes
`gateway/content/weights/` with a card of hashes. `--check` writes into a temporary folder and compares every byte;
`--curves` fits the curves alone. Half an hour on one core. Needs `requirements.txt` of this folder (torch). What came
out stands in docs/detection.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.content.encoder import HEADS, SentenceEncoder, with_direction
from gateway.content.glance import FILE as GLANCE
from gateway.content.glance import Glance
from gateway.content.inspector import Inspector
from gateway.content.names import NameIndex
from gateway.content.training import corpus, evaluation
from gateway.content.training.curves import fitted_curves
from gateway.content.training.glancing import learned_glance, least_of, looked
from gateway.content.training.rows import Rows, rows_of
from gateway.content.weights import CARD, CATEGORIES, WEIGHTS, verified

FILES = ("encoder.onnx", "pieces.model", "places.npy", "scales.npy", "vectors.npy", HEADS, GLANCE)


def main() -> int:
    """Build, or build and compare. Exit 1 if `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the weights in place, change nothing")
    parser.add_argument("--curves", action="store_true", help="fit the curves again, from the weights in place")
    options = parser.parse_args()
    if options.curves:
        fit_curves(WEIGHTS, evaluation.FILE)
        return 0
    if not options.check:
        build(WEIGHTS, evaluation.FILE)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder, folder / evaluation.FILE.name)
        pairs = [(WEIGHTS / file, folder / file) for file in (*FILES, CARD)]
        pairs.append((evaluation.FILE, folder / evaluation.FILE.name))
        differing = [old.name for old, new in pairs if old.read_bytes() != new.read_bytes()]
    print("the weights are those that the corpus gives" if not differing else f"differs: {', '.join(differing)}")
    return 1 if differing else 0


def build(folder: Path, kept: Path) -> None:
    """Write all files of the weights into a folder, and what they say of the evaluation batches into `kept`."""
    from gateway.content.training.export import export, tokens_of  # noqa: PLC0415  # torch, where it is there
    from gateway.content.training.network import base_network  # noqa: PLC0415
    from gateway.content.training.tuning import chosen, tuned  # noqa: PLC0415

    rows = rows_of(corpus.batch_names())
    taught = rows.of(set(rows.batches) - set(corpus.EVALUATION))
    glance, card = learned_glance(rows, taught)
    evidence = unseen_evidence(rows, taught)
    card["least"] = least_of(evidence, rows.wanted)
    print("learned the first look", flush=True)
    network, pieces = base_network()
    heads = tuned(network, tokens_of(pieces, rows.texts), rows, chosen(rows, taught, evidence, card["least"]))
    export(network, pieces, folder)
    np.save(folder / HEADS, heads)
    np.save(folder / GLANCE, glance)
    plain = {name: {"encoder": 1.0, "words": 0.0, "rules": 0.0, "base": 0.0} for name in CATEGORIES}
    _write_card(folder, {"glance": card, "curves": plain})
    print("tuned the encoder", flush=True)
    evaluation.write({name: _said(folder, card, rows, name) for name in corpus.EVALUATION}, kept)
    fit_curves(folder, kept)


def unseen_evidence(rows: Rows, taught: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The first look's evidence for any breach in each row, by one that has not learned from the row's batch."""
    evidence = np.zeros(len(rows.texts))
    for name in dict.fromkeys(rows.batches):
        asked = rows.of({name})
        glance = Glance(*learned_glance(rows, taught & ~asked))
        evidence[asked] = looked(glance, rows.texts_of(asked), rows.directions[asked])[:, -1]
    return evidence


def fit_curves(folder: Path, kept: Path) -> None:
    """Fit the curves on what was said of the evaluation batches, and write them into the card of the weights."""
    card = verified(folder)
    inspector = Inspector(names=NameIndex.of(()), weights=folder)
    curves = fitted_curves(inspector, evaluation.said(kept), card["glance"]["least"])
    _write_card(folder, {"glance": card["glance"], "curves": curves})


def _said(folder: Path, card: dict[str, Any], rows: Rows, name: str) -> tuple[evaluation.Logits, evaluation.Logits]:
    """What the encoder and the first look in the folder say of one batch."""
    asked = rows.of({name})
    texts, directions = rows.texts_of(asked), rows.directions[asked]
    features = np.array(list(SentenceEncoder(folder).features(texts)))
    logits = with_direction(features, directions) @ np.load(folder / HEADS)
    return logits.astype(np.float64), looked(Glance.load(folder, card), texts, directions)


def _write_card(folder: Path, parts: dict[str, Any]) -> None:
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    card = {"categories": list(CATEGORIES), "files": digests, **parts}
    (folder / CARD).write_text(json.dumps(card, indent=1, sort_keys=True) + "\n", "utf-8")
    verified.cache_clear()


if __name__ == "__main__":
    sys.exit(main())
