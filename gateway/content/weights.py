"""The folder of the weights, its card, and what the columns of the models mean. Checked by SHA-256 before use.

No pickle: plain arrays, an ONNX graph and a SentencePiece model. Made by `python -m gateway.content.training.build`.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

WEIGHTS = Path(__file__).with_name("weights")
CARD = "card.json"
# The order of the numbers that the models give, and of the directions that they know.
CATEGORIES = (
    "personal_disclosure",
    "clinical_content",
    "social_media",
    "disrespect",
    "confidential",
    "speaks_for",
)
DIRECTIONS = ("outbound", "inbound", "third_party", "internal")


class WeightsError(Exception):
    """The weights are absent or not those that the card names; the package is to be installed again."""


@lru_cache(maxsize=4)
def verified(folder: Path) -> dict[str, Any]:
    """The card of the weights in a folder, once each file's SHA-256 is what it says. Raises WeightsError."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
        for name, digest in card["files"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise WeightsError(f"{name} is not the file that {CARD} names; install the package again")
    except (OSError, ValueError, KeyError) as problem:
        raise WeightsError(f"the weights can't be read ({type(problem).__name__}); install the package again") from None
    return card
