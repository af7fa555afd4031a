"""Which pieces of the base vocabulary ours keeps: those that English and French words are made of.

Writes `vocabulary.txt`, the numbers of the kept pieces, from word frequencies (package wordfreq, which is used as a
list of words and not shipped). Run: `python -m gateway.content.training.vocabulary`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from gateway.content.training.base_weights import BaseWeights, read_base

FILE = Path(__file__).with_name("vocabulary.txt")
SIZE = 40_000
# Pieces before this number are text; behind it the base has only its mask and fillers.
_TEXT_PIECES = 250_002
_FORMS = ((str, 1.0), (str.capitalize, 0.1), (str.upper, 0.002))
_SIGNS = re.compile(r"▁?[0-9!-/:-@]{1,3}")


def kept_pieces() -> list[int]:
    """The numbers in `vocabulary.txt`, in order."""
    return [int(line) for line in FILE.read_text("ascii").split()]


def chosen(base: BaseWeights) -> list[int]:
    """Special pieces, single characters, short signs, then the most used pieces of English and French words."""
    import wordfreq  # noqa: PLC0415  # only to make the list anew
    from tokenizers import Tokenizer, models  # noqa: PLC0415

    scores = base.piece_scores.tolist()
    tokens = Tokenizer(models.Unigram(list(zip(base.pieces, scores, strict=True)), unk_id=base.unknown))
    used: Counter[int] = Counter()
    for language in ("en", "fr"):
        for word, frequency in wordfreq.get_frequency_dict(language, "best").items():
            for form, share in _FORMS:
                for piece in tokens.encode("▁" + form(word)).ids:
                    used[piece] += frequency * share
    text = list(enumerate(base.pieces[:_TEXT_PIECES]))
    kept = {0, 1, 2, 3} | {number for number, piece in text if _is_kept_sign(piece)}
    for number in sorted(used, key=lambda number: (-used[number], number)):
        if len(kept) >= SIZE:
            break
        kept.add(number)
    return sorted(kept)


def _is_kept_sign(piece: str) -> bool:
    if len(piece) == 1:
        return ord(piece) < 0x250 or 0x2000 <= ord(piece) < 0x2C00 or ord(piece) > 0x1F000
    return _SIGNS.fullmatch(piece) is not None


if __name__ == "__main__":
    FILE.write_text("\n".join(map(str, chosen(read_base()))) + "\n", "ascii")
