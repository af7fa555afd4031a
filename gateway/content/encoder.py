"""What a sentence is likely to say: a multilingual sentence encoder, run with onnxruntime, and one linear head on it.

Not a recognizer and no judgement: six logits a sentence, which `gateway.content.weighing` puts beside the rules. The
weights lie in `weights/` as plain arrays and an ONNX graph, no pickle; `weights/card.json` names their SHA-256, and
what differs is refused. Each sentence is looked at by itself: it costs once however often it comes back, and 8-bit sums
depend on what is summed together, so that beside another sentence it would get another number. About 0.4 ms of CPU a
token; at most MAX_TOKENS of a message. Built by `python -m gateway.content.training.build`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import sentencepiece

from gateway.content.weights import CATEGORIES, DIRECTIONS, WEIGHTS, verified

HEADS = "heads.npy"
# What one message may cost: beyond this many tokens its sentences are not looked at here.
MAX_TOKENS = 8_000
# A sentence's first tokens; the cut of `gateway.content.sentences` keeps nearly all below.
_MAX_SENTENCE_TOKENS = 120
_CACHED_SENTENCES = 4096
_NOTHING = tuple(-12.0 for _ in CATEGORIES)
# What the base model was trained to find before each sentence.
_OPENING = "query: "

Logits = tuple[float, ...]
Features = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """The logits of each sentence by category, in order, and True if the message was too long to look at all."""

    logits: tuple[Logits, ...]
    is_cut: bool


class SentenceEncoder:
    """Holds the weights: 37 MB, shared by processes that are forked after it is made. Not thread-safe."""

    def __init__(self, folder: Path = WEIGHTS, *, heads: npt.NDArray[np.float32] | None = None) -> None:
        """Load and verify; `heads` stand in for those of the folder while they are learned. Raises WeightsError."""
        verified(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "pieces.model"))
        self._vectors: npt.NDArray[np.int8] = np.load(folder / "vectors.npy", mmap_mode="r")
        self._scales: npt.NDArray[np.float32] = np.load(folder / "scales.npy")
        self._places: npt.NDArray[np.float32] = np.load(folder / "places.npy")
        self._heads = np.load(folder / HEADS) if heads is None else heads
        self._cache: dict[tuple[int, str], Logits] = {}

    def look(self, sentences: Sequence[str], direction: str) -> Looked:
        """The logits of each sentence by category, in order, for mail of this direction."""
        number = DIRECTIONS.index(direction)
        known: dict[str, Logits] = {}
        fresh: list[tuple[str, list[int]]] = []
        left, is_cut = MAX_TOKENS, False
        for sentence in sentences:
            if sentence in known:
                continue
            cached = self._cache.get((number, sentence))
            if cached is not None:
                known[sentence] = cached
                continue
            tokens = self._tokens(sentence)
            left -= len(tokens)
            if left < 0:
                is_cut = True
                break
            known[sentence] = _NOTHING
            fresh.append((sentence, tokens))
        for sentence, tokens in fresh:
            row = with_direction(self._run(tokens), number) @ self._heads
            known[sentence] = tuple(row[0].tolist())
            self._keep((number, sentence), known[sentence])
        return Looked(logits=tuple(known.get(sentence, _NOTHING) for sentence in sentences), is_cut=is_cut)

    def features(self, sentences: Sequence[str]) -> Iterator[Features]:
        """What the encoder makes of each sentence before any head, to learn heads from: one row each."""
        for sentence in sentences:
            yield from self._run(self._tokens(sentence))

    def _tokens(self, sentence: str) -> list[int]:
        return numbered(self._pieces, sentence)

    def _run(self, tokens: list[int]) -> Features:
        """One sentence: one row of features. The graph could take several side by side; nothing is told apart here."""
        count = len(tokens)
        vectors = self._vectors[tokens].astype(np.float32) * self._scales[tokens][:, None]
        vectors += self._places[:count]
        feed = {
            "vectors": vectors,
            "bias": np.zeros((count, count), dtype=np.float32),
            "pool": np.full((1, count), 1 / count, dtype=np.float32),
        }
        (features,) = self._session.run(None, feed)
        return np.asarray(features, dtype=np.float32)

    def _keep(self, key: tuple[int, str], logits: Logits) -> None:
        if len(self._cache) >= _CACHED_SENTENCES:
            self._cache.pop(next(iter(self._cache)))
        self._cache[key] = logits


def with_direction(features: Features, direction: int | npt.NDArray[np.int64]) -> Features:
    """The rows with what a head reads beside the features: one column a direction, and a column of ones."""
    rows = np.zeros((len(features), len(DIRECTIONS) + 1), dtype=np.float32)
    rows[np.arange(len(features)), direction] = 1.0
    rows[:, -1] = 1.0
    return np.concatenate([features, rows], axis=1)


def numbered(pieces: sentencepiece.SentencePieceProcessor, sentence: str) -> list[int]:
    """The numbers of a sentence's pieces between start and end, at most _MAX_SENTENCE_TOKENS of them."""
    numbers: list[int] = pieces.encode(_OPENING + normalised(sentence), out_type=int)
    return [pieces.bos_id(), *numbers[:_MAX_SENTENCE_TOKENS], pieces.eos_id()]


def normalised(sentence: str) -> str:
    """The sentence as the encoder learned to read it: NFKC, one kind of apostrophe, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", sentence).replace("’", "'").split())
